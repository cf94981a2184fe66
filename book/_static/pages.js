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

// What the theme leaves to mend for keyboards and screen readers.
addEventListener("DOMContentLoaded", () => {
  const each = (selector, mend) => document.querySelectorAll(selector).forEach(mend);
  each("thead th", (cell) => (cell.scope = "col"));
  each("summary[aria-label], button.search-button[aria-label]", (element) => element.removeAttribute("aria-label"));
  each('[role="doc-biblioentry"], .citation-list[role="list"]', (element) => element.removeAttribute("role"));
  each(".table-scroll, .pst-scrollable-table-container", (element) => (element.tabIndex = 0));
});

// A displayed formula that is wider than its column scrolls, and the keyboard must reach it.
addEventListener("load", () => {
  globalThis.MathJax?.startup?.promise?.then(() => {
    document.querySelectorAll('mjx-container[display="true"]').forEach((formula) => {
      if (formula.scrollWidth > formula.clientWidth) formula.tabIndex = 0;
    });
  });
});
