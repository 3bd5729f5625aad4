/** Terms shared by log densities. */
import {
  type ArrayLikeOperand,
  add,
  and,
  div,
  equal,
  erfc,
  exp,
  expm1,
  floor,
  less,
  lessEqual,
  lgamma,
  log,
  log1p,
  max,
  mul,
  neg,
  type SymbolicArray,
  square,
  stopGradient,
  sub,
  where,
} from "../../engine/compiler/index.ts";

export const HALF_LOG_TWO_PI = 0.9189385332046728;

/** Returns a + b + …. */
export const plus = (first: ArrayLikeOperand, ...rest: ArrayLikeOperand[]): SymbolicArray =>
  rest.reduce<ArrayLikeOperand>((total, x) => add(total, x), first) as SymbolicArray;

/** Returns a − b − …. */
export const minus = (first: ArrayLikeOperand, ...rest: ArrayLikeOperand[]): SymbolicArray =>
  rest.reduce<ArrayLikeOperand>((total, x) => sub(total, x), first) as SymbolicArray;

/** Returns x log y; 0 at x = 0 for any y. */
export const timesLog = (x: ArrayLikeOperand, y: ArrayLikeOperand): SymbolicArray =>
  where(equal(x, 0), 0, mul(x, log(y as SymbolicArray))) as SymbolicArray;

/** Returns x log(1 + y); 0 at x = 0 for any y. */
export const timesLog1p = (x: ArrayLikeOperand, y: ArrayLikeOperand): SymbolicArray =>
  where(equal(x, 0), 0, mul(x, log1p(y as SymbolicArray))) as SymbolicArray;

/** Returns log(n choose k). */
export const logChoose = (n: SymbolicArray, k: SymbolicArray): SymbolicArray =>
  minus(lgamma(add(n, 1)), lgamma(add(k, 1)), lgamma(add(sub(n, k), 1)));

/** Returns log B(a, b). */
export const logBeta = (a: SymbolicArray, b: SymbolicArray): SymbolicArray => sub(add(lgamma(a), lgamma(b)), lgamma(add(a, b)));

/** Returns the value where the condition holds, otherwise −∞. */
export const within = (condition: SymbolicArray, value: SymbolicArray): SymbolicArray => where(condition, value, -Infinity);

/** Whether low ≤ x ≤ high. */
export const between = (low: ArrayLikeOperand, x: SymbolicArray, high: ArrayLikeOperand): SymbolicArray =>
  and(lessEqual(low, x), lessEqual(x, high));

/** Whether x is 0, 1, 2, …. */
export const isCount = (x: SymbolicArray): SymbolicArray => and(lessEqual(0, x), equal(floor(x), x));

/** Returns log(e^a + e^b + …), or −∞ if all arguments are −∞; fused into one pass over arrays of one shape. */
export function logAddExp(first: SymbolicArray, ...rest: SymbolicArray[]): SymbolicArray {
  const largest = stopGradient(rest.reduce((a, b) => max(a, b), first));
  // Avoids −∞ − (−∞), which is NaN.
  const shift = where(less(-Infinity, largest), largest, 0);
  const powers = [first, ...rest].map((x) => exp(sub(x, shift)));
  return add(log(powers.reduce((a, b) => add(a, b))), shift);
}

/** Returns log(e^a − e^b) for a ≥ b. */
export const logSubExp = (a: SymbolicArray, b: SymbolicArray): SymbolicArray =>
  where(lessEqual(a, b), -Infinity, add(a, log1mExp(where(lessEqual(a, b), -1, sub(b, a)))));

/** Returns log(1 − e^x) for x < 0, without loss of digits at either end. Source: Mächler 2012. */
export function log1mExp(x: SymbolicArray): SymbolicArray {
  const near = less(-Math.LN2, x);
  return where(near, log(neg(expm1(where(near, x, -Math.LN2)))), log1p(neg(exp(where(near, -1, x)))));
}

const FAR = -20;

/**
 * Returns log Φ(z) of the standard normal, computed by erfc. For z < −20, the asymptotic series of Mills' ratio is
 * used, truncated after z⁻¹⁴ (the remainder is below 1e-13). Source: Abramowitz, Stegun 1964, 26.2.12.
 */
export function logNormalCdf(z: SymbolicArray): SymbolicArray {
  const far = less(z, FAR);
  const near = where(far, 0, z);
  const beyond = where(far, z, FAR);
  const inverse = div(1, square(beyond));
  let series: SymbolicArray = mul(-13, inverse);
  for (let odd = 11; odd >= 1; odd -= 2) series = mul(mul(-odd, inverse), add(1, series));
  const tail = minus(mul(-0.5, square(beyond)), log(neg(beyond)), HALF_LOG_TWO_PI);
  return where(far, add(tail, log1p(series)), log(mul(0.5, erfc(mul(-Math.SQRT1_2, near)))));
}
