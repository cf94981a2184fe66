// The landing page's picture, moved by the reader: one training, moment by moment, on a sphere that can be turned.
addEventListener("DOMContentLoaded", () => {
  const figure = document.getElementById("fig-hero");
  if (!figure || typeof HERO === "undefined") return;
  const { frames, relativeBias } = HERO;
  const n = frames[0].u.length;
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const DISC = "M-1,0A1,1 0 1,0 1,0A1,1 0 1,0 -1,0Z";
  const TRIANGLE = "M0,-1.25L1.15,.85L-1.15,.85Z";
  const CROSS = "M-.9,-.9L.9,.9M-.9,.9L.9,-.9";
  const key = (path, style, text) =>
    `<span><svg width="13" height="13" viewBox="-1.6 -1.6 3.2 3.2" aria-hidden="true"><path d="${path}" ${style}/></svg> ${text}</span>`;
  const cross = 'fill="none" stroke="#C8500A" stroke-width=".6"';
  const view = document.createElement("div");
  view.className = "hero-view";
  view.innerHTML =
    '<svg class="hero-sphere" viewBox="-1.1 -1.1 2.2 2.2" tabindex="0" role="img" aria-label="Twelve images and twelve captions on a sphere, pairs joined. Turn it by dragging or with the arrow keys."></svg>' +
    '<div class="hero-side"><svg class="hero-line" viewBox="0 0 400 150" role="img" aria-label="All 144 inner products on a line: the matching ones above, the others below"></svg>' +
    `<p class="hero-key">${key(DISC, 'fill="#0072B2"', "image")} ${key(TRIANGLE, 'fill="#E69F00"', "caption")} ${key(DISC, 'fill="#007A5E"', "matching pair")} ${key(CROSS, cross, "all others")}</p>` +
    `<p class="hero-steer"><button type="button">Train</button> <label>step <input type="range" min="0" max="${frames.length - 1}" step="1"></label></p>` +
    '<p class="hero-read" aria-live="polite"></p></div>';
  const picture = figure.querySelector("img");
  (picture.closest("a") || picture).replaceWith(view);
  const [sphere, line] = view.querySelectorAll(".hero-sphere, .hero-line");
  const button = view.querySelector("button");
  const slider = view.querySelector("input");
  const read = view.querySelector(".hero-read");
  let azimuth = 0.45;
  let elevation = 0.38;

  const drawSphere = () => {
    const [ca, sa, ce, se] = [Math.cos(azimuth), Math.sin(azimuth), Math.cos(elevation), Math.sin(elevation)];
    const seen = (p) => [dot(p, [-sa, ca, 0]), -dot(p, [-se * ca, -se * sa, ce]), dot(p, [ce * ca, ce * sa, se])];
    const circle = (at) => {
      const points = Array.from({ length: 73 }, (_, k) => seen(at((k * Math.PI) / 36)));
      const path = (near) =>
        points.map((p, k) => (k && p[2] >= 0 === near ? `M${points[k - 1].slice(0, 2)}L${p.slice(0, 2)}` : "")).join("");
      return `<path d="${path(false)}" opacity=".25"/><path d="${path(true)}" opacity=".7"/>`;
    };
    const net =
      [-0.5, 0, 0.5].map((z) => circle((x) => [Math.cos(x) * Math.sqrt(1 - z * z), Math.sin(x) * Math.sqrt(1 - z * z), z])).join("") +
      [0, 1, 2].map((k) => circle((x) => [Math.cos(x) * Math.cos((k * Math.PI) / 3), Math.cos(x) * Math.sin((k * Math.PI) / 3), Math.sin(x)])).join("");
    const { u, v } = frames[slider.value];
    const [images, captions] = [u.map(seen), v.map(seen)];
    const joined = images.map((a, i) => `<path d="M${a.slice(0, 2)}L${captions[i].slice(0, 2)}" opacity="${a[2] + captions[i][2] > 0 ? 0.8 : 0.3}"/>`);
    const marks = [...images.map((p) => [p, DISC, "#0072B2"]), ...captions.map((p) => [p, TRIANGLE, "#E69F00"])]
      .sort((a, b) => a[0][2] - b[0][2])
      .map(([p, path, colour]) => `<path d="${path}" transform="translate(${p[0]} ${p[1]}) scale(.05)" fill="${colour}" stroke="#fff" stroke-width=".2" opacity="${p[2] >= 0 ? 1 : 0.4}"/>`);
    sphere.innerHTML = `<g fill="none" stroke="#999" stroke-width=".006"><circle r="1"/>${net}</g><g stroke="#777" stroke-width=".01">${joined.join("")}</g>${marks.join("")}`;
  };

  const drawLine = () => {
    const { u, v, step, loss, t } = frames[slider.value];
    const x = (s) => (20 + 180 * (s + 1)).toFixed(1);
    const matching = u.map((a, i) => dot(a, v[i]));
    const others = u.flatMap((a, i) => v.filter((_, j) => j !== i).map((b) => dot(a, b)));
    const [low, high] = [Math.max(...others), Math.min(...matching)];
    const gap = high > low ? `<rect x="${x(low)}" y="12" width="${x(high) - x(low)}" height="94" fill="#7B3FA0" opacity=".22"/>` : "";
    const ticks = [-1, -0.5, 0, 0.5, 1].map((s) => `<path d="M${x(s)} 106v5" stroke="#555"/><text x="${x(s)}" y="124">${String(s).replace("-", "−")}</text>`);
    line.innerHTML =
      `${gap}<path d="M20 106H380" stroke="#555"/>${ticks.join("")}<text x="200" y="144">inner product of an image and a caption</text>` +
      `<path d="M${x(relativeBias)} 12V106" stroke="#222" stroke-dasharray="5 4"/><text x="${x(relativeBias)}" y="9"><tspan font-style="italic">b</tspan><tspan font-size="9" dy="2">rel</tspan></text>` +
      others.map((s, k) => `<path d="${CROSS}" transform="translate(${x(s)} ${70 + ((k * 7) % 26)}) scale(3.4)" ${cross}/>`).join("") +
      matching.map((s, k) => `<circle cx="${x(s)}" cy="${24 + ((k * 7) % 24)}" r="4" fill="#007A5E" stroke="#fff"/>`).join("");
    const margin = (high - low) / 2;
    read.textContent =
      `Step ${step.toLocaleString("en")}: loss ${loss.toPrecision(2)}, t = ${t.toFixed(1)}. ` +
      (margin > 0 ? `Separated, with margin ${margin.toFixed(3)}.` : "Some captions are nearer to a wrong image than to their own.");
  };

  const show = () => { drawSphere(); drawLine(); };
  const turn = (right, up) => {
    azimuth -= right;
    elevation = Math.max(-1.5, Math.min(1.5, elevation + up));
    drawSphere();
  };
  sphere.addEventListener("pointerdown", (event) => sphere.setPointerCapture(event.pointerId));
  sphere.addEventListener("pointermove", (event) => event.buttons && turn(event.movementX / 150, event.movementY / 150));
  sphere.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
    if (by) { event.preventDefault(); turn(...by); }
  });
  let playing = 0;
  const stop = () => { clearInterval(playing); playing = 0; button.textContent = "Train"; };
  button.addEventListener("click", () => {
    if (playing) return stop();
    if (slider.value === slider.max) slider.value = 0;
    button.textContent = "Stop";
    show();
    playing = setInterval(() => { slider.value = Number(slider.value) + 1; show(); if (slider.value === slider.max) stop(); }, 130);
  });
  slider.addEventListener("input", () => { stop(); show(); });
  slider.value = slider.max;
  show();
});
