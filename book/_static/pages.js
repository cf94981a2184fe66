// Excerpts of search results show prose: neither the contents that only print, nor code.
addEventListener("DOMContentLoaded", () => {
  if (typeof Search === "undefined" || !Search.htmlToText) return;
  const plain = Search.htmlToText;
  Search.htmlToText = (html, anchor) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    page.querySelectorAll("#jb-print-docs-body, .highlight, pre, summary").forEach((element) => element.remove());
    return plain(page.documentElement.outerHTML, anchor);
  };
});

// A displayed formula that is wider than its column scrolls, and the keyboard must reach it.
addEventListener("load", () => {
  globalThis.MathJax?.startup?.promise?.then(() => {
    document.querySelectorAll('mjx-container[display="true"]').forEach((formula) => {
      if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
    });
  });
});
