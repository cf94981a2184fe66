function (key, data) {
  "use strict";
  var root = document.getElementById(key);
  if (!root || root.dataset.ready) return;
  root.dataset.ready = "1";
  var svg = root.querySelector("svg"), group = svg.querySelector(".sphere-marks");
  var near = svg.querySelector(".sphere-net-near"), far = svg.querySelector(".sphere-net-far");
  var marks = Array.from(group.querySelectorAll("path")), lines = Array.from(group.querySelectorAll("line"));
  var readout = root.querySelector(".sphere-readout");
  var view = data.view.slice(), held = null, chosen = null;

  function product(i) {
    var p = data.marks[i].p, q = data.marks[i + data.offset].p;
    var value = p[0] * q[0] + p[1] * q[1] + p[2] * q[2];
    return "pair " + (i + 1) + ": matching inner product " + value.toFixed(3).replace("-", "\u2212");
  }

  function camera() {
    var a = view[0] * Math.PI / 180, e = view[1] * Math.PI / 180;
    var ca = Math.cos(a), sa = Math.sin(a), ce = Math.cos(e), se = Math.sin(e);
    return function (p) {
      return [-sa * p[0] + ca * p[1], se * ca * p[0] + se * sa * p[1] - ce * p[2], ce * ca * p[0] + ce * sa * p[1] + se * p[2]];
    };
  }

  function strokes(turned, front) {
    var path = "", open = false;
    turned.forEach(function (q) {
      var shown = (q[2] >= 0) === front;
      if (shown) path += (open ? "L" : "M") + q[0].toFixed(3) + "," + q[1].toFixed(3);
      open = shown;
    });
    return path;
  }

  function draw() {
    var turn = camera();
    var circles = data.wire.map(function (circle) { return circle.map(turn); });
    near.setAttribute("d", circles.map(function (c) { return strokes(c, true); }).join(""));
    far.setAttribute("d", circles.map(function (c) { return strokes(c, false); }).join(""));
    var at = data.marks.map(function (mark) { return turn(mark.p); });
    var depth = [];
    marks.forEach(function (path, k) {
      var q = at[k], bright = chosen === data.marks[k].i, size = 0.042 * (1 + 0.12 * q[2]) * (bright ? 1.35 : 1);
      path.setAttribute("transform", "translate(" + q[0].toFixed(4) + " " + q[1].toFixed(4) + ") scale(" + size.toFixed(4) + ")");
      path.setAttribute("opacity", bright || q[2] >= 0 ? 1 : 0.4);
      depth.push([q[2], path]);
    });
    lines.forEach(function (line, k) {
      var p = at[k], q = at[k + data.offset], bright = chosen === k;
      line.setAttribute("x1", p[0].toFixed(4)); line.setAttribute("y1", p[1].toFixed(4));
      line.setAttribute("x2", q[0].toFixed(4)); line.setAttribute("y2", q[1].toFixed(4));
      line.setAttribute("stroke-width", bright ? 0.022 : 0.008);
      line.setAttribute("opacity", bright ? 1 : p[2] + q[2] >= 0 ? 0.75 : 0.3);
      depth.push([Math.min(p[2], q[2]) - 0.01, line]);
    });
    depth.sort(function (x, y) { return x[0] - y[0]; }).forEach(function (entry) { group.appendChild(entry[1]); });
  }

  function turnBy(right, up) {
    view[0] -= right;
    view[1] = Math.max(-90, Math.min(90, view[1] + up));
    draw();
  }

  svg.addEventListener("pointerdown", function (event) {
    held = [event.clientX, event.clientY];
    svg.setPointerCapture(event.pointerId);
    svg.style.cursor = "grabbing";
  });
  svg.addEventListener("pointermove", function (event) {
    if (!held) return;
    turnBy((event.clientX - held[0]) * 0.5, (event.clientY - held[1]) * 0.5);
    held = [event.clientX, event.clientY];
  });
  ["pointerup", "pointercancel"].forEach(function (name) {
    svg.addEventListener(name, function () { held = null; svg.style.cursor = "grab"; });
  });
  svg.addEventListener("pointerover", function (event) {
    var i = event.target.getAttribute("data-i"), next = i === null ? null : Number(i);
    if (held || next === chosen) return;
    chosen = next;
    readout.textContent = chosen === null || !lines.length || chosen >= data.offset ? "" : product(chosen);
    draw();
  });
  svg.addEventListener("keydown", function (event) {
    var steps = { ArrowLeft: [-8, 0], ArrowRight: [8, 0], ArrowUp: [0, -8], ArrowDown: [0, 8] };
    if (event.key === "Home") { view = data.view.slice(); draw(); event.preventDefault(); }
    if (steps[event.key]) { turnBy(steps[event.key][0], steps[event.key][1]); event.preventDefault(); }
  });
  draw();
}
