function (key, bounds) {
  "use strict";
  var root = document.getElementById(key);
  if (!root || root.dataset.ready) return;
  root.dataset.ready = "1";
  root.querySelector("form").hidden = false;
  var fields = {}, outputs = Array.from(root.querySelectorAll("output"));
  root.querySelectorAll("input").forEach(function (input) { fields[input.name] = input; });
  var error = root.querySelector("[role=alert]"), remark = root.querySelector("[role=status]"), preset = root.querySelector("select");
  var bar = root.querySelector(".bracket");

  function count(log) {
    if (log < Math.log(1e7)) return Math.floor(Math.exp(log) * (1 + 1e-12)).toLocaleString("en");
    return "10<sup>" + Number((log / Math.LN10).toPrecision(5)) + "</sup>";
  }

  function show(texts) {
    outputs.forEach(function (output) { output.innerHTML = texts[output.name] || "\u2013"; });
  }

  // All four numbers, or null once it is said which field holds none.
  function values() {
    var read = {}, remarks = [], wrong = "";
    Object.keys(fields).forEach(function (name) {
      var found = bounds.parse(fields[name].value), bad = isNaN(found[0]);
      fields[name].setAttribute("aria-invalid", String(bad));
      if (bad && !wrong) wrong = found[1] + " (" + fields[name].parentNode.firstChild.textContent.trim() + ").";
      else if (found[1]) remarks.push(found[1] + ".");
      read[name] = found[0];
    });
    error.textContent = wrong || bounds.check(read.pairs, read.margin, read.bias, read.dim);
    remark.textContent = error.textContent ? "" : remarks.join(" ");
    return error.textContent ? null : read;
  }

  function update() {
    var read = values();
    if (!read) return show({});
    var n = read.pairs, d = read.dim, texts = {dim: d.toLocaleString("en"), pairs: count(Math.log(n))};
    var brackets = {
      dim: [bounds.requiredDimension(n, read.margin, read.bias), function (x) { return x.toLocaleString("en"); }],
      pairs: [bounds.logPairs(d, read.margin, read.bias), count],
      margin: [bounds.marginBracket(n, d, read.bias), function (x) { return x.toFixed(4); }]
    };
    Object.keys(brackets).forEach(function (name) {
      ["low", "high"].forEach(function (side, k) {
        texts[name + "_" + side] = brackets[name][1](brackets[name][0].ends[k]);
        texts[name + "_" + side + "_by"] = brackets[name][0].by[k];
      });
    });
    show(texts);
    draw({low: brackets.dim[0].ends[0], high: brackets.dim[0].ends[1], dim: d});
  }

  // The bracket on a logarithmic axis from 1 to a million dimensions.
  function draw(dims) {
    Object.keys(dims).forEach(function (name) {
      bar.style.setProperty("--" + name, Math.min(100, 100 / 6 * Math.log10(dims[name])).toFixed(2) + "%");
    });
  }

  root.querySelector("form").addEventListener("submit", function (event) { event.preventDefault(); });
  Object.keys(fields).forEach(function (name) {
    fields[name].addEventListener("input", function () {
      if (preset) preset.value = "";
      update();
    });
  });
  if (preset) preset.addEventListener("change", function () {
    if (!preset.value) return;
    var chosen = preset.selectedOptions[0].dataset;
    ["margin", "bias", "dim"].forEach(function (name) { fields[name].value = chosen[name]; });
    update();
  });
  root.bounds = bounds;
  update();
}
