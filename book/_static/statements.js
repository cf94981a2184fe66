// The statement map: a click, or the address #focus=label, shows what a statement rests on and what rests on it.
(() => {
  const map = document.getElementById("statement-map");
  if (!map) return;
  const panel = document.getElementById("statement-focus");
  const boxes = new Map([...map.querySelectorAll("a.statement")].map((box) => [box.dataset.label, box]));
  const arrows = [...map.querySelectorAll("path[data-from]")];
  const reach = (start, from, to) => {
    const found = new Set([start]);
    for (const label of found) for (const arrow of arrows) if (arrow.dataset[from] === label) found.add(arrow.dataset[to]);
    return found;
  };
  const linked = (labels) =>
    [...labels].map((label) => `<a href="#focus=${label}">${boxes.get(label).querySelector(".name").textContent}</a>`).join(", ");
  const show = () => {
    const label = new URLSearchParams(location.hash.slice(1)).get("focus");
    const box = boxes.get(label);
    const below = box ? reach(label, "to", "from") : new Set();
    const above = box ? reach(label, "from", "to") : new Set();
    boxes.forEach((other, name) => {
      other.classList.toggle("dim", Boolean(box) && !below.has(name) && !above.has(name));
      other.classList.toggle("focus", name === label);
    });
    arrows.forEach((arrow) => {
      const on = box && ((below.has(arrow.dataset.to) && below.has(arrow.dataset.from)) || (above.has(arrow.dataset.from) && above.has(arrow.dataset.to)));
      arrow.classList.toggle("on", Boolean(on));
      arrow.classList.toggle("dim", Boolean(box) && !on);
    });
    below.delete(label);
    above.delete(label);
    panel.innerHTML = box
      ? `<p><strong>${box.getAttribute("aria-label")}</strong> <a href="${box.getAttribute("href")}">Read it</a>. ` +
        `Rests on: ${linked(below) || "nothing before it"}. What rests on it: ${linked(above) || "nothing yet"}. <a href="#focus=">Show all</a></p>`
      : "";
  };
  boxes.forEach((box, label) =>
    box.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      location.hash = `focus=${label}`;
    }),
  );
  addEventListener("hashchange", show);
  show();
})();
