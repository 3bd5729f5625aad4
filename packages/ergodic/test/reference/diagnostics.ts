/** Plain twins of diagnostics/, directly from the definitions, in O(n²), without splitting or ranking. */

const average = (x: readonly number[]): number => x.reduce((total, value) => total + value, 0) / x.length;
const unbiasedVariance = (x: readonly number[]): number => {
  const centre = average(x);
  return x.reduce((total, value) => total + (value - centre) ** 2, 0) / (x.length - 1);
};

/** Σ_i (x_i − x̄)(x_{i+t} − x̄)/n for t = 0 … n − 1. */
export function autocovariance(x: readonly number[]): number[] {
  const centre = average(x);
  return x.map((_, t) => {
    let total = 0;
    for (let i = 0; i + t < x.length; i++) total += (x[i] - centre) * (x[i + t] - centre);
    return total / x.length;
  });
}

/** [Re X_k, Im X_k] for every k. */
export function fourierTransform(real: readonly number[], imaginary: readonly number[]): [number, number][] {
  const n = real.length;
  return real.map((_, k) => {
    let re = 0;
    let im = 0;
    for (let j = 0; j < n; j++) {
      const angle = (-2 * Math.PI * ((j * k) % n)) / n;
      re += real[j] * Math.cos(angle) - imaginary[j] * Math.sin(angle);
      im += real[j] * Math.sin(angle) + imaginary[j] * Math.cos(angle);
    }
    return [re, im];
  });
}

export function potentialScaleReduction(chains: readonly (readonly number[])[]): number {
  const n = chains[0].length;
  const within = average(chains.map(unbiasedVariance));
  return Math.sqrt((n - 1) / n + unbiasedVariance(chains.map(average)) / within);
}

/** Makes the whole list of pairs first, then cuts it, makes it decrease and sums it. */
export function effectiveSize(chains: readonly (readonly number[])[]): number {
  const n = chains[0].length;
  const all = chains.map(autocovariance);
  const within = average(chains.map(unbiasedVariance));
  const total = (within * (n - 1)) / n + (chains.length > 1 ? unbiasedVariance(chains.map(average)) : 0);
  const rho = chains[0].map((_, t) => (t === 0 ? 1 : 1 - (within - average(all.map((gamma) => gamma[t]))) / total));
  // The last lags depend on only one or two products each, so no pair starts at n − 3 or later.
  const pairs: number[] = [];
  for (let t = 0; t === 0 || t < n - 3; t += 2) pairs.push(rho[t] + rho[t + 1]);
  const negative = pairs.findIndex((pair) => !(pair > 0));
  const end = negative < 0 ? pairs.length - 1 : negative;
  const falling = pairs.slice(0, end).map((_, k) => Math.min(...pairs.slice(0, k + 1)));
  const last = pairs[end] >= 0 ? rho[2 * end] : Math.max(0, rho[2 * end]);
  const tau = end === 0 ? 2 : -1 + 2 * falling.reduce((sum, pair) => sum + pair, 0) + last;
  const count = n * chains.length;
  return count / Math.max(tau, 1 / Math.log10(count));
}
