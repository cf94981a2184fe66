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
  each(".bd-article table", (table) => {
    const cells = [...table.querySelectorAll("tbody td")], heads = [...table.querySelectorAll("thead tr:only-child th")];
    if (!cells.some((cell) => cell.textContent.length > 40)) return;
    table.classList.add("wordy");
    cells.filter((cell) => cell.cellIndex && heads.length > 2 && cell.textContent.trim()).forEach((cell) => (cell.dataset.label = heads[cell.cellIndex].textContent));
  });
  each(".table-scroll, .pst-scrollable-table-container", (element) => (element.tabIndex = 0));
});

// A displayed formula that is a little wider than its column shrinks; a wider one scrolls, and the keyboard must reach it.
// Those that are wider than paper are set smaller there.
addEventListener("load", () => {
  globalThis.MathJax?.startup?.promise?.then(() => {
    document.querySelectorAll('mjx-container[display="true"]').forEach((formula) => {
      formula.classList.toggle("wide", formula.firstElementChild.getBoundingClientRect().width > 600);
      const room = formula.clientWidth / formula.scrollWidth;
      if (room < 0.72) formula.tabIndex = 0;
      else if (room < 1) formula.style.fontSize = `${127 * room}%`;
    });
  });
});

// Paper cannot be unfolded, and it is white.
let folded = [], theme;
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll(".bd-article details:not([open])")];
  folded.forEach((fold) => (fold.open = true));
  theme = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
});
addEventListener("afterprint", () => {
  folded.forEach((fold) => (fold.open = false));
  document.documentElement.dataset.theme = theme;
});
