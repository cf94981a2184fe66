function (key, data) {
  "use strict";
  var root = document.getElementById(key);
  if (!root || root.dataset.ready) return;
  root.dataset.ready = "1";
  var stage = root.querySelector(".player-panels"), readout = root.querySelector("output");
  stage.textContent = "";
  var slider = root.querySelector("input"), choice = root.querySelector("select"), button = root.querySelector("button");
  var SHAPES = {
    "o": "M-1,0A1,1 0 1,0 1,0A1,1 0 1,0 -1,0Z", "^": "M0,-1.2L1.1,0.8L-1.1,0.8Z",
    "s": "M-.9,-.9H.9V.9H-.9Z", "D": "M0,-1.25L1.25,0L0,1.25L-1.25,0Z", "x": "M-.9,-.9l1.8,1.8m0,-1.8l-1.8,1.8"
  };
  var C = data.colours, panels = [], chosen = null;

  function add(parent, name, attributes, text) {
    var element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (var a in attributes) element.setAttribute(a, attributes[a]);
    if (text !== undefined) element.textContent = text;
    parent.appendChild(element);
    return element;
  }

  function picture(box, label) {
    return add(stage, "svg", { viewBox: box, role: "img", "aria-label": label, "font-size": 11, "font-family": "inherit" });
  }

  function number(x, digits) { return x.toFixed(digits === undefined ? 3 : digits).replace("-", "\u2212"); }

  function dot(p, q) { return p.reduce(function (sum, x, k) { return sum + x * q[k]; }, 0); }

  data.sets.forEach(function (set) {
    set[1].forEach(function (frame) {
      frame.groups = frame.groups && frame.groups.map(function (points) {
        return points.map(function (p) { return p.map(function (x) { return x / 1000; }); });
      });
    });
  });

  // Matching and other inner products of a frame, and the interval between them.
  function measure(frame) {
    if (frame.measured) return frame.measured;
    var same = frame.matching || !frame.groups ? (frame.matching ? frame : data.sets[0][1][0]) : {};
    var matching = same.matching || [], other = same.other || [];
    if (frame.groups) {
      frame.groups[0].forEach(function (p, i) {
        frame.groups[1].forEach(function (q, j) { (i === j ? matching : other).push(dot(p, q)); });
      });
    }
    var low = Math.max.apply(null, other), high = Math.min.apply(null, matching);
    return (frame.measured = { matching: matching, other: other, low: low, high: high, bias: (low + high) / 2, margin: (high - low) / 2 });
  }

  function sphere() {
    var svg = picture("-1.12 -1.12 2.24 2.24", data.description + " Arrow keys turn the sphere.");
    svg.setAttribute("class", "player-sphere");
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("role", "group");
    add(svg, "circle", { r: 1, fill: "none", stroke: "#999", "stroke-width": 0.008 });
    var net = { fill: "none", stroke: "#999", "stroke-width": 0.005 };
    var far = add(svg, "path", net), near = add(svg, "path", net), group = add(svg, "g", {});
    far.setAttribute("opacity", 0.25);
    near.setAttribute("opacity", 0.6);
    far.setAttribute("class", "player-net-far");
    near.setAttribute("class", "player-net-near");
    var view = data.view.slice(), held = null, frame = null;

    function camera() {
      var a = view[0] * Math.PI / 180, e = view[1] * Math.PI / 180;
      var ca = Math.cos(a), sa = Math.sin(a), ce = Math.cos(e), se = Math.sin(e);
      return function (p) {
        return [-sa * p[0] + ca * p[1], se * ca * p[0] + se * sa * p[1] - ce * p[2], ce * ca * p[0] + ce * sa * p[1] + se * p[2]];
      };
    }

    function circles(turn) {
      var paths = ["", ""];
      for (var c = 0; c < 6; c++) {
        var open = [false, false];
        for (var k = 0; k <= 72; k++) {
          var phi = k * Math.PI / 36, q, lat = (c - 1) * Math.PI / 6, lon = c * Math.PI / 3;
          q = c < 3 ? [Math.cos(phi) * Math.cos(lat), Math.sin(phi) * Math.cos(lat), Math.sin(lat)]
            : [Math.cos(phi) * Math.cos(lon), Math.cos(phi) * Math.sin(lon), Math.sin(phi)];
          q = turn(q);
          var half = q[2] >= 0 ? 1 : 0;
          paths[half] += (open[half] ? "L" : "M") + q[0].toFixed(3) + "," + q[1].toFixed(3);
          open[half] = true;
          open[1 - half] = false;
        }
      }
      far.setAttribute("d", paths[0]);
      near.setAttribute("d", paths[1]);
    }

    function draw(next) {
      frame = next || frame;
      svg.style.display = frame.groups[0][0].length === 3 ? "" : "none";
      if (svg.style.display) return;
      var turn = camera(), drawn = [];
      circles(turn);
      group.textContent = "";
      var at = frame.groups.map(function (points) { return points.map(turn); });
      at[0].forEach(function (p, i) {
        var q = at[1][i], bright = chosen === i;
        drawn.push([Math.min(p[2], q[2]) - 0.01, "line", {
          x1: p[0].toFixed(4), y1: p[1].toFixed(4), x2: q[0].toFixed(4), y2: q[1].toFixed(4), stroke: "#777", "data-i": i,
          "stroke-width": bright ? 0.022 : 0.008, opacity: bright ? 1 : p[2] + q[2] >= 0 ? 0.75 : 0.3
        }]);
      });
      at.forEach(function (points, g) {
        points.forEach(function (q, i) {
          var bright = chosen === i, size = 0.045 * (1 + 0.12 * q[2]) * (bright ? 1.35 : 1);
          drawn.push([q[2], "path", {
            d: SHAPES[data.looks[g][2]], fill: data.looks[g][1], stroke: "#fff", "stroke-width": 0.2, "data-i": i,
            opacity: bright || q[2] >= 0 ? 1 : 0.4,
            transform: "translate(" + q[0].toFixed(4) + " " + q[1].toFixed(4) + ") scale(" + size.toFixed(4) + ")"
          }]);
        });
      });
      drawn.sort(function (x, y) { return x[0] - y[0]; }).forEach(function (e) { add(group, e[1], e[2]); });
    }

    function turnBy(right, up) {
      view[0] -= right;
      view[1] = Math.max(-90, Math.min(90, view[1] + up));
      draw();
    }

    svg.addEventListener("pointerdown", function (event) {
      held = [event.clientX, event.clientY];
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", function (event) {
      if (held) {
        turnBy((event.clientX - held[0]) * 0.5, (event.clientY - held[1]) * 0.5);
        held = [event.clientX, event.clientY];
        return;
      }
      var i = event.target.getAttribute("data-i"), next = i === null ? null : Number(i);
      if (next === chosen) return;
      chosen = next;
      draw();
      tell();
    });
    ["pointerup", "pointercancel"].forEach(function (name) {
      svg.addEventListener(name, function () { held = null; });
    });
    svg.addEventListener("keydown", function (event) {
      var steps = { ArrowLeft: [-8, 0], ArrowRight: [8, 0], ArrowUp: [0, -8], ArrowDown: [0, 8] };
      if (event.key === "Home") view = data.view.slice();
      if (steps[event.key]) turnBy(steps[event.key][0], steps[event.key][1]);
      else if (event.key === "Home") draw();
      else return;
      event.preventDefault();
    });
    return draw;
  }

  // An axis from low to high between the pixels a and b, at height y.
  function scale(low, high, a, b) { return function (x) { return a + (b - a) * (Math.min(high, Math.max(low, x)) - low) / (high - low); }; }

  function axis(svg, x, y, ticks, label) {
    add(svg, "line", { x1: x(-1e9), x2: x(1e9), y1: y, y2: y, stroke: "#444" });
    ticks.forEach(function (t) {
      add(svg, "line", { x1: x(t), x2: x(t), y1: y, y2: y + 4, stroke: "#444" });
      add(svg, "text", { x: x(t), y: y + 15, "text-anchor": "middle" }, number(t, Number.isInteger(t) ? 0 : 1));
    });
    add(svg, "text", { x: (x(-1e9) + x(1e9)) / 2, y: y + 30, "text-anchor": "middle" }, label);
  }

  // Inner products (or logits) of both kinds over one axis, one mark each; the gap, or the dead zone of a loss, is shaded.
  function line(logits) {
    var svg = picture("0 0 320 140", logits ? "Logits of all pairs" : "Inner products of all pairs"), x = scale(-1, 1, 12, 308);
    if (logits) x = scale(-40, 40, 12, 308);
    var under = add(svg, "g", {});
    if (logits) axis(svg, x, 104, [-40, -20, 0, 20, 40], "logit t (s \u2212 b_rel), cut off at \u00b140");
    else axis(svg, x, 104, [-1, -0.5, 0, 0.5, 1], "inner product of an image and a text");
    var marks = add(svg, "g", {});

    function rows(matching, others) {
      var crosses = others.map(function (s, k) { return "M" + x(s).toFixed(1) + "," + (66 + (k * 7) % 26) + "m-3,-3l6,6m0,-6l-6,6"; });
      var look = { stroke: C.non_matching, "stroke-width": 1.6, fill: "none", opacity: others.length > 200 ? 0.5 : 1 };
      add(marks, "path", Object.assign({ d: crosses.join("") }, look));
      matching.forEach(function (s, k) {
        add(marks, "circle", { cx: x(s), cy: 22 + (k * 7) % 24, r: 3.6, fill: C.matching, stroke: "#fff", "stroke-width": 0.8 });
      });
    }

    return function (frame) {
      var m = measure(frame), t = logits ? frame.t : 1, b = logits ? frame.b : 0;
      function moved(s) { return t * (s - b); }
      under.textContent = marks.textContent = "";
      if (!logits && m.margin > 0) add(under, "rect", { x: x(m.low), width: x(m.high) - x(m.low), y: 12, height: 92, fill: C.ours, opacity: 0.22 });
      if (frame.dead) [[14, -40, -frame.dead], [60, frame.dead, 40]].forEach(function (zone) {
        add(under, "rect", { x: x(zone[1]), width: x(zone[2]) - x(zone[1]), y: zone[0], height: 42, fill: "#bbb", opacity: 0.7 });
      });
      if (!logits && frame.b !== undefined) {
        add(marks, "path", { d: "M" + x(frame.b).toFixed(1) + ",104V14", stroke: "#222", "stroke-dasharray": "5 4" });
        var name = add(marks, "text", { x: x(frame.b), y: 9, "text-anchor": "middle", "font-style": "italic" }, "b");
        add(name, "tspan", { "font-size": 8, dy: 2, "font-style": "normal" }, "rel");
      }
      rows(m.matching.map(moved), m.other.map(moved));
    };
  }

  // Where the frame stands in the plane of relative bias and margin, with the way it came: in the triangle of what many
  // pairs allow, or in a strip between what is known to be possible and what is impossible.
  function plane() {
    var svg = picture("0 0 320 210", "Relative bias and margin"), x = scale(-1, 1, 34, 308), y = null;
    var under = add(svg, "g", {}), marks = add(svg, "g", {}), held = false;

    function path(points) { return "M" + points.map(function (p) { return x(p[0]).toFixed(1) + "," + y(p[1]).toFixed(1); }).join("L"); }

    function ground(strip) {
      var apex = 2 / (4 - 4 / (data.n || 1e9)), low = strip ? 0 : -1;
      var top = strip ? 1.25 * Math.max.apply(null, strip[1].map(function (p) { return p[1]; })) : 0.7;
      var step = strip ? [0.01, 0.02, 0.05, 0.1, 0.2].find(function (s) { return s > top / 5; }) : 0.5;
      y = scale(low, top, 165, 10);
      under.textContent = "";
      if (strip) {
        add(under, "path", { d: path(strip[0].concat(strip[1].slice().reverse())) + "Z", fill: C.exponential, opacity: 0.3 });
        [["more is impossible", "#000", "", 1], ["codes give so much", C.non_matching, "8 3 2 3", 0]].forEach(function (curve, k) {
          var look = { stroke: curve[1], "stroke-width": 1.4, "stroke-dasharray": curve[2], fill: "none" };
          add(under, "path", Object.assign({ d: path(strip[curve[3]]) }, look));
          add(under, "path", Object.assign({ d: "M42," + (34 + 15 * k) + "h24" }, look));
          add(under, "text", { x: 71, y: 38 + 15 * k }, curve[0]);
        });
      } else {
        add(under, "path", { d: path([[-1, 0], [1 - apex, apex], [1, 0]]) + "Z", fill: C.exponential, opacity: 0.3 });
        add(under, "path", { d: path([[-1, 0], [1, 0]]), stroke: "#888", "stroke-dasharray": "3 3" });
      }
      axis(under, x, 168, [-1, -0.5, 0, 0.5, 1], "relative bias b*");
      for (var t = low; t < top; t += step) add(under, "text", { x: 30, y: y(t) + 4, "text-anchor": "end" }, number(t, step < 0.1 ? 2 : 1));
      add(under, "text", { x: 40, y: 20 }, "margin m*");
    }

    // Dragging goes to the frame that lies nearest.
    function pick(event) {
      var box = svg.getBoundingClientRect(), best = null;
      var px = (event.clientX - box.left) * 320 / box.width, py = (event.clientY - box.top) * 210 / box.height;
      data.sets.forEach(function (set, s) {
        if (data.strips[s] && set[1] !== now().frames) return;
        set[1].forEach(function (frame, k) {
          var at = place(frame, 0), far = Math.hypot(x(at[0]) - px, y(at[1]) - py);
          if (!best || far < best[0]) best = [far, s, k];
        });
      });
      if (choice) choice.selectedIndex = best[1];
      slider.max = data.sets[best[1]][1].length - 1;
      slider.value = best[2];
      stop();
      show();
    }

    svg.style.cssText = "touch-action:none;cursor:crosshair";
    svg.addEventListener("pointerdown", function (event) { held = true; svg.setPointerCapture(event.pointerId); pick(event); });
    svg.addEventListener("pointermove", function (event) { if (held) pick(event); });
    ["pointerup", "pointercancel"].forEach(function (name) { svg.addEventListener(name, function () { held = false; }); });

    function place(frame, i) { return frame.tracks ? frame.tracks[i] : [measure(frame).bias, measure(frame).margin]; }

    return function (frame, frames, k) {
      ground(data.strips[choice ? choice.selectedIndex : 0]);
      marks.textContent = "";
      var racing = frame.tracks && !frame.groups, many = racing ? frame.tracks.length : 1;
      for (var i = 0; i < many; i++) {
        var points = frames.map(function (f) {
          var at = place(f, i);
          return [x(at[0]).toFixed(1), y(at[1]).toFixed(1)];
        });
        var colour = racing ? data.looks[i][1] : C.ours;
        if (data.trail) add(marks, "polyline", { points: points.slice(0, k + 1).join(" "), fill: "none", stroke: colour, "stroke-width": 1.3 });
        add(marks, "path", {
          d: SHAPES[racing ? data.looks[i][2] : "o"], fill: colour, transform: "translate(" + points[k] + ") scale(5)"
        });
      }
    };
  }

  function now() { return { frames: data.sets[choice ? choice.selectedIndex : 0][1], k: Number(slider.value) }; }

  function tell() {
    var at = now(), frame = at.frames[at.k], text = [frame.text], m = frame.groups ? measure(frame) : null;
    if (m && data.told && !frame.tracks) text.push("measured: b* = " + number(m.bias) + ", m* = " + number(m.margin));
    if (m && chosen !== null && chosen < m.matching.length) text.push("pair " + (chosen + 1) + ": matching inner product " + number(m.matching[chosen]));
    readout.textContent = text.filter(Boolean).join(" \u00b7 ");
  }

  // What the handles stand at, for paper.
  function state(label) {
    var chosen = choice ? choice.parentNode.firstChild.textContent + choice.value : "";
    return [chosen, label ? slider.parentNode.firstChild.textContent + label : ""].filter(Boolean).join(" \u00b7 ");
  }

  function show() {
    var at = now();
    slider.max = at.frames.length - 1;
    slider.parentNode.hidden = at.frames.length < 2;
    button.hidden = at.frames.length < 7;
    at.k = Math.min(at.k, at.frames.length - 1);
    slider.setAttribute("aria-valuetext", at.frames[at.k].label || "");
    root.querySelector(".player-value").textContent = at.frames[at.k].label || "";
    readout.dataset.state = state(at.frames[at.k].label);
    panels.forEach(function (draw) { draw(at.frames[at.k], at.frames, at.k); });
    tell();
  }

  // From here, or from the start again, one frame after the other; readers of the text hear only where it ends.
  var verb = button.textContent, playing = 0;

  function stop() {
    clearInterval(playing);
    playing = 0;
    button.textContent = verb;
    readout.setAttribute("aria-live", "polite");
  }

  function play() {
    if (playing) return stop();
    if (slider.value === slider.max) slider.value = 0;
    button.textContent = "Stop";
    readout.setAttribute("aria-live", "off");
    show();
    playing = setInterval(function () {
      slider.value = Number(slider.value) + 1;
      if (slider.value === slider.max) stop();
      show();
    }, Math.max(80, Math.min(400, 6000 / now().frames.length)));
  }

  function sign(colour, shape, label) {
    var entry = document.createElement("span"), line = shape === "x";
    var picture = add(entry, "svg", { width: 14, height: 14, viewBox: "-1.5 -1.5 3 3", "aria-hidden": "true" });
    add(picture, "path", { d: SHAPES[shape], fill: line ? "none" : colour, stroke: line ? colour : "none", "stroke-width": 0.5 });
    entry.appendChild(document.createTextNode(" " + label));
    root.querySelector(".player-legend").appendChild(entry);
  }

  function shown(names) { return names.some(function (name) { return data.panels.indexOf(name) >= 0; }); }

  root.querySelector("small").hidden = !shown(["sphere"]);
  if (shown(["sphere", "plane"])) data.looks.forEach(function (look) { sign(look[1], look[2], look[0]); });
  if (shown(["products", "logits"])) {
    sign(C.matching, "o", "matching pair");
    sign(C.non_matching, "x", "all others");
  }
  var makers = { sphere: sphere, products: function () { return line(false); }, logits: function () { return line(true); }, plane: plane };
  panels = data.panels.map(function (name) { return makers[name](); });
  [slider].concat(choice || []).forEach(function (control) { control.addEventListener("input", function () { stop(); show(); }); });
  button.addEventListener("click", play);
  root.querySelector(".player-controls").hidden = data.sets.length < 2 && data.sets[0][1].length < 2;
  show();
}
