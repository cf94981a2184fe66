(function () {
  "use strict";
  // The formulas of constellations.bounds: the same bounds, by the same searches; what each function says is proved there.
  var TOLERANCE = 1e-12, GUARD = 1e-10, UPPER_CEILING = Math.log(1e9), CEILING = 34, LARGEST = 1e15, STEPS = 60;
  var EXACT_DEGREE = 256, WINDOWS = [];
  for (var e = 2; e < 40; e++) WINDOWS.push(Math.round(Math.pow(2, e / 2)));

  // log B(a, 1/2), by the asymptotic series of Gamma(a + 1/2) / Gamma(a) after a shift.
  function logBeta(a) {
    var log = 0;
    for (; a < 25; a += 1) log += Math.log((a + 0.5) / a);
    var u = 1 / (a * a);
    var ratio = 0.5 * Math.log(a) - (1 / 8 - u * (1 / 192 - u * (1 / 640 - u * 17 / 14336))) / a;
    return 0.5 * Math.log(Math.PI) - ratio + log;
  }

  // The continued fraction of the incomplete beta function (Lentz).
  function fraction(a, b, z) {
    var c = 1, d = 1 / (1 - (a + b) * z / (a + 1)), value = d;
    for (var m = 1; m < 10000; m++) {
      var steps = [m * (b - m) * z / ((a + 2 * m - 1) * (a + 2 * m)), -(a + m) * (a + b + m) * z / ((a + 2 * m) * (a + 2 * m + 1))];
      for (var k = 0; k < 2; k++) {
        d = 1 / (1 + steps[k] * d);
        c = 1 + steps[k] / c;
        value *= d * c;
      }
      if (Math.abs(d * c - 1) < 1e-14) break;
    }
    return value;
  }

  // log Gamma_d(x): the share of the sphere in a cap.
  function logCapMeasure(dim, x) {
    if (x < 0) return Math.log1p(-Math.exp(logCapMeasure(dim, -x)));
    var a = (dim - 1) / 2;
    if (a === 0 || x === 0) return Math.log(0.5);
    if (x >= 1) return -Infinity;
    var z = (1 - x) * (1 + x), front = a * (Math.log1p(-x) + Math.log1p(x)) + Math.log(x) - logBeta(a);
    if (z < (a + 1) / (a + 2.5)) return front - Math.log(2 * a) + Math.log(fraction(a, 0.5, z));
    return Math.log(0.5) + Math.log1p(-2 * Math.exp(front) * fraction(0.5, a, x * x));
  }

  function covering(dim, alpha, k) {
    return Math.log(k) - logCapMeasure(dim, Math.sqrt(Math.max((1 + k * alpha) / (k + 1), 0)));
  }

  function alphaOf(m, b) {
    return (1 + b - 3 * m) / (1 + (b + m));
  }

  function logGamma(x) {
    var log = 0;
    for (; x < 20; x += 1) log -= Math.log(x);
    var u = 1 / (x * x);
    return log + (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + (1 / 12 - u * (1 / 360 - u * (1 / 1260 - u / 1680))) / x;
  }

  // A degree whose largest zero is known to lie above s.
  function zeroAbove(dim, s) {
    var best = Infinity;
    WINDOWS.forEach(function (w) {
      var squared = Math.pow(s / Math.cos(Math.PI / (w + 1)), 2);
      if (squared >= 1) return;
      var y = dim * (dim - 2) / 4 * squared / (1 - squared), root = 2 * y / (dim - 1 + Math.sqrt((dim - 1) * (dim - 1) + 4 * y));
      best = Math.min(best, Math.ceil(Math.max(root * (1 + TOLERANCE), 1)) + w - 1);
    });
    return best;
  }

  function logLevenshtein(n, x) {
    var degree = zeroAbove(n, x), ratio = x, negative = false, logBinomial = 0;
    if (degree > EXACT_DEGREE) return Math.log(2) + logGamma(n + degree) - logGamma(degree + 1) - logGamma(n);
    for (var k = 1; ; k++) {
      var step = ((2 * k + n - 2) * x - k / ratio) / (k + n - 2);
      if (negative && step <= 1) return logBinomial + Math.log((2 * k + n - 3) / (n - 1) - (1 / ratio - 1) / (1 - x));
      if (negative && x * step <= 1)
        return logBinomial + Math.log((k + n - 2) / k * ((2 * k + n - 1) / (n - 1) - (1 + x) * (1 - step) / ((1 - x) * (1 + step))));
      logBinomial += Math.log((k + n - 2) / k);
      if (step < 0) negative = !negative;
      ratio = step;
    }
  }

  function fejesToth(s) {
    var x = Math.min(1 / Math.sqrt(2 + 2 * s), 1);
    var above = Math.asin((1 - s) / (2 * (1 + s) * (Math.sqrt(3) * x + Math.sqrt(1 - x * x))));
    return 2 * (above + Math.PI / 6) / above;
  }

  function logCaps(dim, alpha) {
    var low = 1, high = 8 * dim + 64;
    if (alpha < 0) high = Math.min(high, Math.max(Math.ceil(-1 / Math.min(alpha, -1e-12)) - 1, 1));
    while (low < high) {
      var middle = Math.floor((low + high) / 2);
      if (covering(dim, alpha, middle + 1) < covering(dim, alpha, middle)) low = middle + 1;
      else high = middle;
    }
    return covering(dim, alpha, low);
  }

  // log of a number of pairs that is never exceeded, and the bound that says so.
  function upper(dim, m, b) {
    var a = alphaOf(m, b), s = Math.max(-1, Math.min(1, a + TOLERANCE * (1 - a) + 1e-15)), best = [Infinity, ""];
    function offer(log, name) { if (log < best[0]) best = [log, name]; }
    if (dim === 1) offer(Math.log(2), "pigeonhole");
    if (dim === 2) offer(Math.log(Math.floor(2 * Math.PI / Math.acos(s))), "circle");
    if (s <= 0) offer(Math.log1p(-1 / Math.min(s, -1e-300)), "simplex");
    if (s <= 0 || a <= 0) offer(Math.log(s <= 0 ? dim + 1 : 2 * dim), "Rankin");
    if (dim === 3 && s > -0.5) offer(Math.log(fejesToth(s)), "Fejes Toth");
    if (dim > 2 && s > 0 && s < 1) offer(logLevenshtein(dim, s), "Levenshtein");
    if (dim > 1 && s > -1) offer(logCaps(dim, s), "caps");
    var log = Math.max(best[0] + GUARD, 0);
    log = log < UPPER_CEILING ? Math.log(Math.max(Math.floor(Math.exp(log)), 1)) : log * (1 + TOLERANCE);
    return [Math.max(log, Math.log(2)), best[1]];
  }

  // log of a size that some code has, and what it is made of.
  function codeSize(dim, c) {
    var best = [0, "one point"];
    function offer(log, name) { if (log > best[0]) best = [log, name]; }
    if (dim < 1 || c < -1 - TOLERANCE) return best;
    offer(Math.log(2), "two points");
    if (c < -TOLERANCE) offer(Math.log(Math.min(dim + 1, Math.floor((1 - 1 / c) * (1 + TOLERANCE)))), "simplex");
    else offer(Math.log(2 * dim), "cross-polytope");
    var cover = -logCapMeasure(dim, Math.max(-1, Math.min(1, c)));
    offer(cover < CEILING ? Math.log(Math.max(Math.ceil(Math.exp(cover) * (1 - TOLERANCE)), 1)) : cover, "covering");
    return best;
  }

  // log of a number of pairs that exists.
  function lower(dim, m, b) {
    var lifted = codeSize(dim - 1, alphaOf(m, b)), equal = codeSize(dim, b - m);
    return lifted[0] > equal[0] ? [lifted[0], lifted[1] + " with one more dimension"] : [equal[0], equal[1] + " as U = V"];
  }

  // What a reader typed: [number, remark]; a comma is a decimal one unless it parts thousands.
  function parse(text) {
    text = text.trim().replace(/[\u2212\u2013]/g, "-").replace(/\s|_/g, "");
    if (text === "") return [NaN, "Enter a number"];
    var power = text.match(/^(?:(\d+(?:\.\d+)?)[*x\u00b7\u00d7])?10(?:\^|\*\*)(\d+)$/);
    if (power) return [Number((power[1] || "1") + "e" + power[2]), ""];
    if (/^-?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/.test(text)) return [Number(text.replace(/,/g, "")), ""];
    if (/^-?\d*,\d+$/.test(text)) return [Number(text.replace(",", ".")), text + " is read as " + text.replace(",", ".").replace(/^(-?)\./, "$10.")];
    var value = Number(text);
    return [value, isFinite(value) ? "" : "\u201c" + text + "\u201d is not a number: write 1000000, 1,000,000, 1e6 or 10^6, and decimals like 0.1"];
  }

  function check(n, m, b, d) {
    if (!(n >= 2 && n <= LARGEST && n === Math.round(n))) return "The number of pairs must be an integer from 2 to 10\u00b9\u2075.";
    if (!(d >= 1 && d <= 1e6 && d === Math.round(d))) return "The dimension must be an integer from 1 to 1,000,000.";
    if (!(b > -1 && b < 1)) return "The relative bias must be between \u22121 and 1.";
    if (!(m > 0)) return "The margin must be above 0: at margin 0 any number of pairs fits.";
    var slope = 3 - 4 / n, most = Math.min(1 - b, (1 + b) / slope);
    if (m > most * (1 + TOLERANCE) + TOLERANCE) {
      var fails = m + b > 1 + TOLERANCE ? "m + b_rel \u2264 1" : "(3 \u2212 4/N) m \u2264 1 + b_rel";
      return "No dimension is enough: this margin breaks " + fails + ". The largest margin allowed is " + most.toPrecision(6) + ".";
    }
    return "";
  }

  // Bisection of where a condition sets in that fails at low and holds at high.
  function onset(holds, low, high, whole) {
    for (var k = 0; k < STEPS && !(whole && high - low <= 1); k++) {
      var middle = whole ? Math.max(Math.floor((low + high) / 2), 1) : (low + high) / 2;
      if (holds(middle)) high = middle;
      else low = middle;
    }
    return [low, high];
  }

  function smallest(size, n, m, b) {
    var high = 1;
    function holds(d) { return size(d, m, b)[0] >= Math.log(n) - TOLERANCE; }
    while (!holds(high) && high < 8 * n) high *= 4;
    return onset(holds, Math.floor(high / 4), high, true)[1];
  }

  function margins(size, n, d, b) {
    var goal = Math.log(n) - TOLERANCE, limit = Math.max(Math.min(1 - b, (1 + b) / (3 - 4 / n)), 0);
    if (size(d, limit, b)[0] >= goal) return [limit, limit];
    return onset(function (m) { return size(d, m, b)[0] < goal; }, 0, limit, false);
  }

  // Brackets with what decided each end: {ends: [low, high], by: [name, name]}.
  return {
    check: check,
    parse: parse,
    logCapMeasure: logCapMeasure,
    logPairs: function (d, m, b) {
      var low = lower(d, m, b), high = upper(d, m, b);
      return {ends: [low[0], high[0]], by: [low[1], high[1]]};
    },
    requiredDimension: function (n, m, b) {
      var low = smallest(upper, n, m, b), high = smallest(lower, n, m, b);
      return {ends: [low, high], by: [low > 1 ? upper(low - 1, m, b)[1] : "nothing", lower(high, m, b)[1]]};
    },
    marginBracket: function (n, d, b) {
      var low = margins(lower, n, d, b)[0], high = margins(upper, n, d, b)[1];
      var limit = Math.max(Math.min(1 - b, (1 + b) / (3 - 4 / n)), 0);
      return {
        ends: [low, high],
        by: [low > 0 ? lower(d, low, b)[1] : "nothing", high < limit ? upper(d, high, b)[1] : "Theorem 3.4"]
      };
    }
  };
})()
