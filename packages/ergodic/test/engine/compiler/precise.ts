/**
 * exp, log and related functions to 200 binary digits in fixed-point BigInt arithmetic. This is the reference for the
 * functions of emitted modules. X represents the number X·2^-p.
 */
import { FUNCTIONS as SPECIAL } from "./precise-special.ts";

const abs = (x: bigint): bigint => (x < 0n ? -x : x);

interface Exact {
  mantissa: bigint;
  exponent: number;
}

function exactly(x: number): Exact {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const size = biased === 0 ? fraction : fraction | (1n << 52n);
  return { mantissa: x < 0 ? -size : size, exponent: Math.max(biased, 1) - 1075 };
}

const shift = (x: bigint, by: number): bigint => (by >= 0 ? x << BigInt(by) : x >> BigInt(-by));
const exponentOf = (x: number): number => (x === 0 ? 0 : Math.floor(Math.log2(Math.abs(x))));

/** Number of digits with which x is exact and a result as small as x or e^−|x| keeps 200 digits. */
const digitsFor = (x: number): number => 300 + Math.max(0, -exponentOf(x)) + Math.ceil(1.5 * Math.min(Math.abs(x), 800));
const fixed = (x: number, p: number): bigint => shift(exactly(x).mantissa, exactly(x).exponent + p);

function atanhSeries(x: bigint, p: bigint): bigint {
  const square = (x * x) >> p;
  let term = x;
  let total = x;
  for (let n = 3n; term !== 0n; n += 2n) {
    term = (term * square) >> p;
    total += term / n;
    if (abs(term) <= n) break;
  }
  return total;
}

const constants = new Map<string, bigint>();
function cached(name: string, p: bigint, make: () => bigint): bigint {
  const key = `${name} ${p}`;
  if (!constants.has(key)) constants.set(key, make());
  return constants.get(key)!;
}
export const ln2 = (p: bigint): bigint => cached("ln2", p, () => 2n * atanhSeries((1n << p) / 3n, p));
export const pi = (p: bigint): bigint =>
  cached("pi", p, () => {
    const arctan = (n: bigint): bigint => {
      let term = (1n << p) / n;
      let total = term;
      for (let k = 3n; term !== 0n; k += 2n) {
        term = -term / (n * n);
        total += term / k;
      }
      return total;
    };
    return 4n * (4n * arctan(5n) - arctan(239n));
  });

export function expFixed(x: bigint, p: bigint): bigint {
  const k = (2n * x + ln2(p)) / (2n * ln2(p));
  const r = (x - k * ln2(p)) >> 8n;
  let term = 1n << p;
  let total = term;
  for (let n = 1n; term !== 0n; n++) {
    term = ((term * r) >> p) / n;
    total += term;
    if (abs(term) <= 1n) break;
  }
  for (let i = 0; i < 8; i++) total = (total * total) >> p;
  return k >= 0n ? total << k : total >> -k;
}

/** log(1 + x) for x > −1. */
export function log1pFixed(x: bigint, p: bigint): bigint {
  const one = 1n << p;
  let u = one + x;
  let k = 0n;
  for (; u > (one * 3n) / 2n; u >>= 1n) k++;
  for (; u < (one * 3n) / 4n; u <<= 1n) k--;
  // A right shift drops only digits below the 2^-p of u, far below the required precision.
  const f = k === 0n ? x : u - one;
  return k * ln2(p) + 2n * atanhSeries((f << p) / (2n * one + f), p);
}

export function waveFixed(x: bigint, p: bigint, quarterTurns: bigint): bigint {
  const half = pi(p) / 2n;
  let n = (2n * x + half) / (2n * half);
  if (2n * x + half < 0n) n -= 1n;
  const r = x - n * half;
  const turns = (((n + quarterTurns) % 4n) + 4n) % 4n;
  let term = turns % 2n === 0n ? r : 1n << p;
  let total = term;
  for (let i = turns % 2n === 0n ? 2n : 1n; term !== 0n; i += 2n) {
    term = -(((((term * r) >> p) * r) >> p) / (i * (i + 1n)));
    total += term;
  }
  return turns >= 2n ? -total : total;
}

export type Fixed = (x: bigint, p: bigint) => bigint;
const FUNCTIONS: Record<string, Fixed> = {
  exp: expFixed,
  expm1: (x, p) => expFixed(x, p) - (1n << p),
  log1p: log1pFixed,
  tanh: (x, p) => {
    const e = expFixed(2n * x, p);
    return ((e - (1n << p)) << p) / (e + (1n << p));
  },
  sigmoid: (x, p) => {
    const e = expFixed(x, p);
    return (e << p) / (e + (1n << p));
  },
  softplus: (x, p) => (x > 0n ? x : 0n) + log1pFixed(expFixed(-abs(x), p), p),
  sin: (x, p) => waveFixed(x, p, 0n),
  cos: (x, p) => waveFixed(x, p, 1n),
  ...SPECIAL,
};

/** f(x) or pow(x, y), as an integer times 2^-p. */
function trueValue(name: string, x: number, y?: number): { truth: bigint; p: number } {
  if (name === "log") {
    // Scales first, so that huge and tiny x need no extra digits.
    const { mantissa, exponent } = exactly(x);
    const length = mantissa.toString(2).length - 1;
    const p = 400n;
    return { p: 400, truth: log1pFixed(shift(mantissa, 400 - length) - (1n << p), p) + BigInt(length + exponent) * ln2(p) };
  }
  if (y !== undefined) {
    const p = 1600;
    const wide = 3200;
    const logX = log1pFixed(fixed(x, wide) - (1n << BigInt(wide)), BigInt(wide));
    const { mantissa, exponent } = exactly(y);
    return { p, truth: expFixed(shift(logX * mantissa, exponent - wide + p), BigInt(p)) };
  }
  // erfc is as small as e^(−x²), trigamma as 1/x.
  const vanishing = name === "erfc" ? 1.5 * Math.max(x, 0) ** 2 : name === "trigamma" ? Math.max(0, exponentOf(x)) : 0;
  const p = digitsFor(Math.min(x, /^log|gamma$/.test(name) ? 1 : x)) + Math.ceil(vanishing);
  return { p, truth: FUNCTIONS[name](fixed(x, p), BigInt(p)) };
}

/**
 * Error of `value` as f(x) or pow(x, y), in units in the last place of float64 (53) or float32 (24) at the reference
 * value.
 */
export function errorUlps(name: string, value: number, x: number, y?: number, digits: 53 | 24 = 53): number {
  const { truth, p } = trueValue(name, x, y);
  if (truth === 0n) return value === 0 ? 0 : Infinity;
  const size = abs(truth).toString(2).length - 1 - p;
  const ulpExponent = Math.max(size, digits === 53 ? -1022 : -126) - (digits - 1);
  const q = Math.max(p, 1100);
  const difference = abs(fixed(value, q) - shift(truth, q - p));
  return Number(shift(difference * 4096n, -(ulpExponent + q))) / 4096;
}

/** |value − f(x)|, the error of results near zero. */
export function absoluteError(name: string, value: number, x: number): number {
  const { truth, p } = trueValue(name, x);
  return Number(shift(abs(fixed(value, p) - truth), 300 - p)) * 2 ** -300;
}
