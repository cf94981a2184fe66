function (key, bounds) {
  "use strict";
  var root = document.getElementById(key);
  if (!root || root.dataset.ready) return;
  root.dataset.ready = "1";
  root.querySelector("form").hidden = false;
  var fields = {}, outputs = Array.from(root.querySelectorAll("output"));
  root.querySelectorAll("input").forEach(function (input) { fields[input.name] = input; });
  var error = root.querySelector("[role=alert]"), preset = root.querySelector("select");

  function value(name) {
    var text = fields[name].value.trim().replace(/[\u2212\u2013]/g, "-").replace(/(\d)[,\s_](?=\d{3}(\D|$))/g, "$1");
    return text === "" ? NaN : Number(text);
  }

  function count(log) {
    if (log < Math.log(1e7)) return Math.floor(Math.exp(log) * (1 + 1e-12)).toLocaleString("en");
    return "10<sup>" + Number((log / Math.LN10).toPrecision(5)) + "</sup>";
  }

  function show(texts) {
    outputs.forEach(function (output) { output.innerHTML = texts[output.name] || "\u2013"; });
  }

  function update() {
    var n = value("pairs"), m = value("margin"), b = value("bias"), d = value("dim");
    var problem = bounds.check(n, m, b, d);
    error.textContent = problem;
    if (problem) return show({});
    var dims = bounds.requiredDimension(n, m, b), pairs = bounds.logPairs(d, m, b), margins = bounds.marginBracket(n, d, b);
    show({
      dim_low: dims[0].toLocaleString("en"), dim_high: dims[1].toLocaleString("en"),
      pairs_low: count(pairs[0]), pairs_high: count(pairs[1]),
      margin_low: margins[0].toFixed(4), margin_high: margins[1].toFixed(4),
      dim: d.toLocaleString("en"), pairs: count(Math.log(n))
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
