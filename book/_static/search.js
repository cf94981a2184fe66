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
