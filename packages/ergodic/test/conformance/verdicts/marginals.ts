/** Exact marginal distributions of single quantities, with which draws are compared. */

/**
 * One quantity of a posterior. A moment is absent if it does not exist or if draws estimate it too badly to be
 * compared.
 */
export interface Marginal {
  readonly name: string;
  /** Index of the number within the quantity, or undefined for a scalar. */
  readonly index: number | undefined;
  readonly mean?: number;
  readonly sd?: number;
  /** P(quantity <= x). */
  cdf(x: number): number;
}

/** Component of a mixture of normals in one dimension. The weights of a mixture sum to 1. */
export interface NormalPart {
  readonly weight: number;
  readonly mean: number;
  readonly sd: number;
}

/** Φ(z) by the series of Marsaglia 2004, exact to rounding for |z| < 7. */
export function standardCdf(z: number): number {
  if (Math.abs(z) >= 7) return z > 0 ? 1 : 0;
  let [sum, term] = [z, z];
  for (let i = 3; sum + term !== sum; i += 2) {
    term *= (z * z) / i;
    sum += term;
  }
  return 0.5 + (sum * Math.exp(-0.5 * z * z)) / Math.sqrt(2 * Math.PI);
}

export function mixtureMarginal(name: string, index: number | undefined, parts: readonly NormalPart[]): Marginal {
  const mean = parts.reduce((sum, part) => sum + part.weight * part.mean, 0);
  const square = parts.reduce((sum, part) => sum + part.weight * (part.sd ** 2 + (part.mean - mean) ** 2), 0);
  const cdf = (x: number): number => parts.reduce((sum, part) => sum + part.weight * standardCdf((x - part.mean) / part.sd), 0);
  return { name, index, mean, sd: Math.sqrt(square), cdf };
}

/** Grid over one number u: points, their probabilities, and their values, which rise with u. */
export interface Grid {
  readonly u: Float64Array;
  readonly probabilities: Float64Array;
}

/** Probabilities of `count` midpoints between `low` and `high`, from a log density of u up to a constant. */
export function gridOf(logDensity: (u: number) => number, low: number, high: number, count = 20_000): Grid {
  const step = (high - low) / count;
  const u = Float64Array.from({ length: count }, (_, i) => low + (i + 0.5) * step);
  const logs = u.map(logDensity);
  const top = logs.reduce((most, one) => Math.max(most, one), -Infinity);
  const weights = logs.map((one) => Math.exp(one - top));
  const total = weights.reduce((a, b) => a + b, 0);
  return { u, probabilities: weights.map((weight) => weight / total) };
}

/** `value` rises with u. `moments: false` omits mean and standard deviation. */
export function gridMarginal(
  name: string,
  index: number | undefined,
  { u, probabilities }: Grid,
  value: (u: number) => number,
  moments = true,
): Marginal {
  const values = u.map(value);
  let sum = 0;
  const upTo = probabilities.map((p) => {
    sum += p;
    return sum - p / 2;
  });
  const mean = values.reduce((total, x, i) => total + probabilities[i] * x, 0);
  const variance = values.reduce((total, x, i) => total + probabilities[i] * (x - mean) ** 2, 0);
  const cdf = (x: number): number => {
    const after = values.findIndex((one) => one >= x);
    if (after <= 0) return after === 0 ? 0 : 1;
    const share = (x - values[after - 1]) / (values[after] - values[after - 1]);
    return upTo[after - 1] + share * (upTo[after] - upTo[after - 1]);
  };
  return { name, index, cdf, ...(moments ? { mean, sd: Math.sqrt(variance) } : {}) };
}
