(function () {
  "use strict";
  // The formulas of constellations.bounds: the same bounds, by the same searches.
  var TOLERANCE = 1e-12, CEILING = 34, LARGEST = 1e15, STEPS = 60;

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
      if (Math.abs(d * c - 1) < 1e-15) break;
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
    return (1 + b - 3 * m) / (1 + b + m);
  }

  // log of a number of pairs that is never exceeded.
  function logUpper(dim, m, b) {
    var alpha = alphaOf(m, b), low = 1, high = 8 * dim + 64;
    if (alpha < 0) high = Math.max(Math.min(high, Math.ceil(-1 / alpha) - 1), 1);
    while (low < high) {
      var middle = Math.floor((low + high) / 2);
      if (covering(dim, alpha, middle + 1) < covering(dim, alpha, middle)) low = middle + 1;
      else high = middle;
    }
    var best = covering(dim, alpha, low);
    return alpha < 0 ? Math.min(best, Math.log(1 - 1 / alpha)) : best;
  }

  function logCodeSize(dim, c) {
    var cover = -logCapMeasure(dim, Math.max(-1, Math.min(1, c))), explicit;
    if (cover < CEILING) cover = Math.log(Math.max(Math.ceil(Math.exp(cover) * (1 - TOLERANCE)), 1));
    if (c < -1 - TOLERANCE) explicit = 1;
    else if (c < -TOLERANCE) explicit = Math.min(dim + 1, Math.floor((1 - 1 / c) * (1 + TOLERANCE)));
    else explicit = 2 * dim;
    return Math.max(cover, Math.log(explicit));
  }

  // log of a number of pairs that exists.
  function logLower(dim, m, b) {
    return Math.max(logCodeSize(dim - 1, alphaOf(m, b)), logCodeSize(dim, b - m));
  }

  function check(n, m, b, d) {
    if (!(n >= 2 && n <= LARGEST && n === Math.round(n))) return "The number of pairs must be an integer from 2 to 10\u00b9\u2075.";
    if (!(d >= 2 && d <= 1e6 && d === Math.round(d))) return "The dimension must be an integer from 2 to 1,000,000.";
    if (!(b > -1 && b < 1)) return "The relative bias must be between \u22121 and 1.";
    if (!(m > 0)) return "The margin must be above 0: at margin 0 any number of pairs fits.";
    var slope = 3 - 4 / n, most = Math.min(1 - b, (1 + b) / slope);
    if (m + b > 1 + TOLERANCE || slope * m > 1 + b + TOLERANCE) {
      var fails = m + b > 1 + TOLERANCE ? "m + b_rel \u2264 1" : "(3 \u2212 4/N) m \u2264 1 + b_rel";
      return "No dimension is enough: this margin breaks " + fails + ". The largest margin allowed is " + most.toPrecision(6) + ".";
    }
    return "";
  }

  function smallest(size, n, m, b) {
    var goal = Math.log(n) - TOLERANCE, low = 2, high = 2;
    while (size(high, m, b) < goal && high < n) high = Math.min(4 * high, n);
    while (low < high) {
      var middle = Math.floor((low + high) / 2);
      if (size(middle, m, b) >= goal) high = middle;
      else low = middle + 1;
    }
    return high;
  }

  function largest(size, n, d, b) {
    var goal = Math.log(n) - TOLERANCE, limit = Math.max(Math.min(1 - b, (1 + b) / (3 - 4 / n)), 0), low = 0, high = limit;
    if (size(d, limit, b) >= goal) return [limit, limit];
    for (var k = 0; k < STEPS; k++) {
      var middle = (low + high) / 2;
      if (size(d, Math.max(middle, 1e-300), b) >= goal) low = middle;
      else high = middle;
    }
    return [low, high];
  }

  return {
    check: check,
    logCapMeasure: logCapMeasure,
    logPairs: function (d, m, b) { return [logLower(d, m, b), logUpper(d, m, b)]; },
    requiredDimension: function (n, m, b) { return [smallest(logUpper, n, m, b), smallest(logLower, n, m, b)]; },
    marginBracket: function (n, d, b) { return [largest(logLower, n, d, b)[0], largest(logUpper, n, d, b)[1]]; }
  };
})()
