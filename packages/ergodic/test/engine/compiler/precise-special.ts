/**
 * erf, lgamma, atan and related functions for precise.ts, in the same fixed-point arithmetic. X represents the number
 * X·2^-p.
 */
import { type Fixed, log1pFixed, pi, waveFixed } from "./precise.ts";

const abs = (x: bigint): bigint => (x < 0n ? -x : x);

function squareRoot(x: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(x.toString(2).length / 2));
  for (;;) {
    const next = (root + x / root) / 2n;
    if (next >= root) return root;
    root = next;
  }
}

/** log x for x > 0. */
const logFixed: Fixed = (x, p) => log1pFixed(x - (1n << p), p);

/** Halves the argument by atan x = 2·atan(x/(1 + √(1 + x²))) until the series is short. */
const atanFixed: Fixed = (x, p) => {
  const one = 1n << p;
  if (abs(x) > one) return (x > 0n ? pi(p) : -pi(p)) / 2n - atanFixed((one << p) / x, p);
  let t = x;
  for (let i = 0; i < 6; i++) t = (t << p) / (one + squareRoot((one << p) + t * t));
  let term = t;
  let total = t;
  for (let n = 3n; term !== 0n; n += 2n) {
    term = -((((term * t) >> p) * t) >> p);
    total += term / n;
    if (abs(term) <= n) break;
  }
  return total << 6n;
};

/** 2/√π·Σ (−1)ⁿx^(2n+1)/(n!·(2n + 1)), with extra digits for cancellation of the largest term, about e^(x²). */
const erfFixed: Fixed = (x, p) => {
  const size = Number(abs(x) >> p);
  const extra = BigInt(100 + Math.ceil(1.5 * (size + 1) ** 2));
  const q = p + extra;
  const wide = x << extra;
  const square = (wide * wide) >> q;
  let power = wide;
  let total = wide;
  for (let n = 1n; power !== 0n; n++) {
    power = -((power * square) >> q) / n;
    total += power / (2n * n + 1n);
    if (abs(power) <= 2n * n) break;
  }
  return ((2n * total * (1n << q)) / squareRoot(pi(q) << q)) >> extra;
};

/** Bernoulli numbers B₂, B₄, … as fractions, by their recurrence. */
const BERNOULLI = ((): { top: bigint; bottom: bigint }[] => {
  const all: { top: bigint; bottom: bigint }[] = [];
  for (let m = 0n; m <= 100n; m++) {
    let [top, bottom] = [0n, 1n];
    let binomial = 1n;
    for (let k = 0n; k < m; k++) {
      const b = all[Number(k)];
      top = top * b.bottom + binomial * b.top * bottom;
      bottom *= b.bottom;
      binomial = (binomial * (m + 1n - k)) / (k + 1n);
      const shared = divisor(abs(top), bottom);
      [top, bottom] = [top / shared, bottom / shared];
    }
    all.push(m === 0n ? { top: 1n, bottom: 1n } : { top: -top, bottom: bottom * (m + 1n) });
  }
  return all.filter((_, m) => m >= 2 && m % 2 === 0);
})();

function divisor(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a === 0n ? 1n : a;
}

/**
 * Smallest argument for Stirling's series. With Bernoulli numbers up to B₁₀₀, the first omitted term is below 2^-350.
 */
const LARGE = 70n;

/** Σ B₂ₖ·top(2k)/bottom(2k)/x^(2k + shift), to the last digit. */
function stirling(x: bigint, p: bigint, start: number, fraction: (twice: bigint) => [bigint, bigint]): bigint {
  const one = 1n << p;
  let power = one;
  for (let i = 0; i < start; i++) power = (power << p) / x;
  let total = 0n;
  for (const [i, { top, bottom }] of BERNOULLI.entries()) {
    const [a, b] = fraction(2n * BigInt(i + 1));
    const term = (power * top * a) / (bottom * b);
    if (term === 0n) break;
    total += term;
    power = (((power << p) / x) << p) / x;
  }
  return total;
}

/** Returns y = x + n ≥ 70. Calls `step` with each of x, x + 1, … below y. */
function raised(x: bigint, p: bigint, step: (at: bigint) => void): bigint {
  let y = x;
  for (; y < LARGE << p; y += 1n << p) step(y);
  return y;
}

const residueSine = (x: bigint, p: bigint): bigint => {
  const one = 1n << p;
  const r = ((((x + one / 2n) % one) + one) % one) - one / 2n;
  return abs(waveFixed((pi(p) * r) >> p, p, 0n));
};

const lgammaFixed: Fixed = (x, p) => {
  const one = 1n << p;
  if (x < 0n) return logFixed((pi(p) << p) / residueSine(x, p), p) - lgammaFixed(one - x, p);
  let product = one;
  const y = raised(x, p, (at) => {
    product = (product * at) >> p;
  });
  const series = stirling(y, p, 1, (twice) => [1n, twice * (twice - 1n)]);
  const main = ((y - one / 2n) * logFixed(y, p)) >> p;
  return main - y + logFixed(2n * pi(p), p) / 2n + series - logFixed(product, p);
};

const digammaFixed: Fixed = (x, p) => {
  const one = 1n << p;
  if (x < 0n) {
    const angle = (pi(p) * (((x % one) + one) % one)) >> p;
    return digammaFixed(one - x, p) - (pi(p) * waveFixed(angle, p, 1n)) / waveFixed(angle, p, 0n);
  }
  let total = 0n;
  const y = raised(x, p, (at) => {
    total += (one << p) / at;
  });
  return logFixed(y, p) - (one << p) / (2n * y) - stirling(y, p, 2, (twice) => [1n, twice]) - total;
};

const trigammaFixed: Fixed = (x, p) => {
  const one = 1n << p;
  if (x < 0n) {
    const ratio = (pi(p) << p) / residueSine(x, p);
    return ((ratio * ratio) >> p) - trigammaFixed(one - x, p);
  }
  let total = 0n;
  const y = raised(x, p, (at) => {
    total += (one << (2n * p)) / (at * at);
  });
  const inverse = (one << p) / y;
  return total + inverse + ((inverse * inverse) >> (p + 1n)) + stirling(y, p, 3, () => [1n, 1n]);
};

export const FUNCTIONS: Record<string, Fixed> = {
  atan: atanFixed,
  erf: erfFixed,
  erfc: (x, p) => (1n << p) - erfFixed(x, p),
  lgamma: lgammaFixed,
  digamma: digammaFixed,
  trigamma: trigammaFixed,
};
