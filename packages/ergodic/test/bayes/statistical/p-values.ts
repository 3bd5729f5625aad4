/**
 * P-values of classical tests for use in tests: chi-square, Kolmogorov–Smirnov and a z score.
 *
 * Each is the probability, for correct code, of a statistic at least as extreme as the observed one. Chi-square and z
 * are two-sided.
 */

/**
 * Two-sided comparison of counts with expected counts, because counts that are too even are as suspicious as uneven
 * ones.
 */
export function chiSquare(counts: ArrayLike<number>, expected: (cell: number) => number): number {
  let statistic = 0;
  for (let i = 0; i < counts.length; i++) statistic += (counts[i] - expected(i)) ** 2 / expected(i);
  const upper = upperGamma((counts.length - 1) / 2, statistic / 2);
  return 2 * Math.min(upper, 1 - upper);
}

/**
 * Comparison of values with a continuous distribution function. Asymptotic with Stephens' correction, accurate for more
 * than 100 values.
 */
export function kolmogorovSmirnov(values: ArrayLike<number>, distribution: (x: number) => number): number {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  let distance = 0;
  for (let i = 0; i < n; i++) {
    const wanted = distribution(sorted[i]);
    distance = Math.max(distance, wanted - i / n, (i + 1) / n - wanted);
  }
  const lambda = (Math.sqrt(n) + 0.12 + 0.11 / Math.sqrt(n)) * distance;
  if (lambda < 0.3) return 1;
  let sum = 0;
  for (let k = 1; k <= 50; k++) sum += (k % 2 ? 1 : -1) * Math.exp(-2 * k * k * lambda * lambda);
  return Math.min(1, 2 * sum);
}

/** Two-sided p-value of a standard normal score. */
export function zScore(z: number): number {
  return upperGamma(0.5, (z * z) / 2);
}

/** Φ(x). */
export function normalDistribution(x: number): number {
  const tail = upperGamma(0.5, (x * x) / 2) / 2;
  return x > 0 ? 1 - tail : tail;
}

/**
 * Regularised upper incomplete gamma function Q(a, x): the series below a + 1, and Legendre's continued fraction
 * (Lentz) above.
 */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; n < 10_000 && term > sum * 1e-17; n++) sum += term *= x / (a + n);
    return 1 - front * sum;
  }
  let b = x + 1 - a;
  let c = Infinity;
  let d = 1 / b;
  let h = d;
  for (let n = 1; n < 10_000; n++) {
    const an = -n * (n - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return front * h;
}

/** Stirling's series after shifting the argument above 15. */
function logGamma(a: number): number {
  let shift = 0;
  for (; a < 15; a++) shift += Math.log(a);
  const z = 1 / (a * a);
  return (
    (a - 0.5) * Math.log(a) - a + 0.5 * Math.log(2 * Math.PI) + (1 / 12 - z * (1 / 360 - z * (1 / 1260 - z / 1680))) / a - shift
  );
}
