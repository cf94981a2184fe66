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
  each("summary[aria-label]", (element) => element.removeAttribute("aria-label"));
  each('[role="doc-biblioentry"], .citation-list[role="list"]', (element) => element.removeAttribute("role"));
  each(".bd-article table", (table) => {
    const cells = [...table.querySelectorAll("tbody td")], heads = [...table.querySelectorAll("thead tr:only-child th")];
    if (!cells.some((cell) => cell.textContent.length > 40)) return;
    table.classList.add("wordy");
    cells.filter((cell) => cell.cellIndex && heads.length > 2 && cell.textContent.trim()).forEach((cell) => (cell.dataset.label = heads[cell.cellIndex].textContent));
  });
  each(".table-scroll, .pst-scrollable-table-container", (element) => (element.tabIndex = 0));
});

// A long cell shows its imports and five lines more; a button, a search in the page or paper shows the rest.
// Where the code is the subject, the cell has the tag "whole".
addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".bd-article .cell:not(.tag_whole) > .cell_input pre").forEach((code, k) => {
    const lines = code.textContent.trimEnd().split("\n");
    let shown = 5 + lines.findIndex((line) => line && !/^(import|from) /.test(line));
    if (code.closest("details") || lines.length < shown + 5) return;
    while (!lines[shown - 1].trim()) shown -= 1;
    const cut = document.createRange(), texts = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    let start = lines.slice(0, shown).join("\n").length + 1;
    while (texts.nextNode() && start > texts.currentNode.length) start -= texts.currentNode.length;
    cut.setStart(texts.currentNode, start);
    cut.setEnd(code, code.childNodes.length);
    const rest = Object.assign(document.createElement("span"), { className: "code-rest", id: `code-rest-${k}` });
    rest.append(cut.extractContents());
    code.append(rest);
    const button = Object.assign(document.createElement("button"), { type: "button", className: "code-more" });
    button.setAttribute("aria-controls", rest.id);
    const show = (all) => {
      rest.hidden = all ? false : "until-found";
      button.setAttribute("aria-expanded", all);
      button.textContent = all ? "Show less" : `Show all ${lines.length} lines`;
    };
    button.addEventListener("click", () => {
      show(Boolean(rest.hidden));
      button.scrollIntoView({ block: "nearest" });
    });
    rest.addEventListener("beforematch", () => show(true));
    code.after(button);
    show(false);
  });
});

// The code of a figure is one of the links of its caption, and opens below it.
addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".bd-article .cell > details.hide").forEach((fold) => {
    const links = fold.nextElementSibling?.querySelector("figcaption .figure-files");
    if (!links) return;
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "code" });
    button.setAttribute("aria-label", "code for this figure");
    const tell = () => button.setAttribute("aria-expanded", fold.open);
    button.addEventListener("click", () => (fold.open = !fold.open));
    fold.addEventListener("toggle", tell);
    tell();
    links.append(links.childElementCount ? " · " : "", button);
    fold.classList.add("captioned");
    fold.parentElement.append(fold);
  });
});

// Checks that hold, two and more beside each other, are one line that opens; what differs stays in sight.
addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".bd-article .cell_output").forEach((output) => {
    const hold = [...output.children].filter((line) => line.querySelector(":scope > p > .verdict")?.textContent === "holds");
    if (hold.length < 2) return;
    const fold = Object.assign(document.createElement("details"), { className: "constellations-fold" });
    fold.innerHTML = `<summary>${hold.length} checks <span class="verdict verdict-yes">hold</span></summary>`;
    hold.at(-1).after(fold);
    fold.append(...hold);
  });
});

// Formulas of docstrings and of records are typed like code; on the page they have the signs of mathematics.
// Names and numbers of docstrings keep their hyphens, and in a sentence a minus sign stands after a space or a bracket.
const SIGNS = [["<=", "≤"], [">=", "≥"], ["!=", "≠"], ["->", "→"], ["+-", "±"], ["-+", "∓"]];
const signs = (text) => SIGNS.reduce((text, [typed, sign]) => text.replaceAll(typed, sign), text);
addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".autosummary code.literal, section:has(> dl.py) code.literal").forEach((code) => {
    if (code.closest("a") || /["`]|--|^>=$|^(python|pip) /.test(code.textContent)) return;
    code.textContent = signs(code.textContent).replace(/(?<![a-z]{2}(?=-\w)|\d(?=-\d\d)|\de)-/gi, "−");
  });
  document.querySelectorAll(".constellations-check, .constellations-records td, .constellations-items td").forEach((said) => {
    const texts = document.createTreeWalker(said, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = signs(texts.currentNode.data).replace(/(?<=^|[\s(^|])-(?=[\w(])|(?<=\s)-(?=\s)|(?<=\b[a-z])-(?=\d)/gi, "−");
  });
});

// A line does not begin with the full stop or comma that follows a formula.
addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".bd-article span.math").forEach((formula) => {
    const after = formula.nextSibling, sign = after?.nodeType === Node.TEXT_NODE && after.data.match(/^[.,;:!?)\]]+/);
    if (!sign) return;
    const kept = Object.assign(document.createElement("span"), { className: "kept-together" });
    formula.replaceWith(kept);
    kept.append(formula, sign[0]);
    after.deleteData(0, sign[0].length);
  });
});

// A formula that is a little wider than its column shrinks; a wider one scrolls, and the keyboard must reach it.
// Those that are wider than paper are set smaller there.
addEventListener("load", () => {
  globalThis.MathJax?.startup?.promise?.then(() => {
    document.querySelectorAll("mjx-container").forEach((formula) => {
      formula.classList.toggle("wide", formula.firstElementChild.getBoundingClientRect().width > 600);
      const room = formula.clientWidth < 100 ? 1 : formula.clientWidth / (formula.scrollWidth - 2);
      if (room < 0.72) formula.tabIndex = 0;
      else if (formula.clientWidth) formula.classList.add("fits");
      if (room >= 0.72 && room < 1) formula.style.fontSize = `${parseFloat(formula.style.fontSize) * room}%`;
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
