/**
 * lgamma = log|Γ|, digamma = lgamma' and trigamma = lgamma'' outside the kernels: the reference for the SIMD code of
 * engine/compiler/functions/, by different formulae.
 *
 * lgamma between ½ and 2½: the zeta series around 2, exact at the zeros 1 and 2. Otherwise, and for the other
 * functions: the recurrence up to x ≥ 12, and then Stirling's series, whose first omitted term is below 2^-60 of the
 * result. x < 0: reflection. Errors are below 8 units in the last place of max(1, |result|). For trigamma, and for
 * lgamma between ½ and 2½, errors are below 8 units in the last place of the result itself. Poles are as in C: lgamma
 * and trigamma are ∞ at 0, −1, −2, …; digamma is ∓∞ at ±0 and NaN at negative integers. Source: Abramowitz, Stegun
 * 1964, 6.1.33, 6.1.41, 6.3.18, 6.4.12.
 */
import { cosine, sine } from "./cosine-sine.ts";
import { log, log1p } from "./log.ts";

/** ζ(k) − 1, k = 2, 3, …: mpmath 1.3.0, [float(zeta(k) - 1) for k in range(2, 28)] at 60 digits. */
const ZETA_LESS_ONE = [
  0.6449340668482264, 0.2020569031595943, 0.08232323371113819, 0.03692775514336993, 0.01734306198444914, 0.008349277381922827,
  0.00407735619794434, 0.0020083928260822143, 0.0009945751278180853, 0.0004941886041194645, 0.0002460865533080483,
  0.00012271334757848915, 6.124813505870483e-5, 3.058823630702049e-5, 1.528225940865187e-5, 7.637197637899763e-6,
  3.81729326499984e-6, 1.908212716553939e-6, 9.539620338727962e-7, 4.769329867878064e-7, 2.38450502727733e-7,
  1.1921992596531106e-7, 5.960818905125948e-8, 2.980350351465228e-8, 1.4901554828365043e-8, 7.45071178983543e-9,
];
const ONE_LESS_EULER = 0.42278433509846713;
/** Bernoulli numbers B₂, B₄, …. */
const BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798];
const LARGE = 12;
const HALF_LOG_TWO_PI = 0.9189385332046728;

/** Returns Σ B₂ₖ·factor(2k)/x^2k. */
function stirling(x: number, factor: (twice: number) => number): number {
  let total = 0;
  for (let k = BERNOULLI.length; k > 0; k--) total = (total + BERNOULLI[k - 1] * factor(2 * k)) / (x * x);
  return total;
}

/** Returns log Γ(2 + d) for |d| ≤ ½. */
function aroundTwo(d: number): number {
  let total = 0;
  for (let k = ZETA_LESS_ONE.length + 1; k > 1; k--) total = ((k % 2 === 0 ? 1 : -1) * ZETA_LESS_ONE[k - 2]) / k + d * total;
  return d * (ONE_LESS_EULER + d * total);
}

/** Returns x minus the nearest integer; 0 for huge or infinite x. */
const residue = (x: number): number => (Math.abs(x) < 2 ** 52 ? x - Math.round(x) : 0);
const cotangent = (x: number): number => cosine(x) / sine(x);
const isInteger = (x: number): boolean => residue(x) === 0;

export function lgamma(x: number): number {
  if (!Number.isFinite(x)) return Math.abs(x);
  if (x <= 0) {
    if (isInteger(x)) return Infinity;
    return log(Math.PI / Math.abs(sine(Math.PI * residue(x)))) - lgamma(1 - x);
  }
  if (x < 0.5) return aroundTwo(x) - log(x) - log1p(x);
  if (x < 1.5) return aroundTwo(x - 1) - log1p(x - 1);
  if (x <= 2.5) return aroundTwo(x - 2);
  if (x < LARGE) {
    let product = 1;
    let y = x;
    while (y > 2.5) product *= --y;
    return aroundTwo(y - 2) + log(product);
  }
  const series = stirling(x, (twice) => 1 / (twice * (twice - 1))) * x;
  return (x - 0.5) * (log(x) - 1) + (HALF_LOG_TWO_PI - 0.5 + series);
}

export function digamma(x: number): number {
  if (x === 0) return -1 / x;
  if (x < 0) return isInteger(x) ? Number.NaN : digamma(1 - x) - Math.PI * cotangent(Math.PI * residue(x));
  if (x === Infinity) return x;
  let total = 0;
  let y = x;
  for (; y < LARGE; y++) total += 1 / y;
  return log(y) - 0.5 / y - stirling(y, (twice) => 1 / twice) - total;
}

export function trigamma(x: number): number {
  if (x === -Infinity) return Number.NaN;
  if (x < 0) return isInteger(x) ? Infinity : (Math.PI / sine(Math.PI * residue(x))) ** 2 - trigamma(1 - x);
  let total = 0;
  let y = x;
  for (; y < LARGE; y++) total += 1 / y / y;
  return total + (1 + 0.5 / y + stirling(y, () => 1)) / y;
}
