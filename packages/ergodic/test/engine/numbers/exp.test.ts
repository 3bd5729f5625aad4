/** numbers/exp.ts against e^x in 320-bit integers. */
import { expect, it } from "vitest";
import { exp } from "../../../src/engine/numbers/exp.ts";

const BITS = 320n;
const ONE = 1n << BITS;

/** x is exactly m 2^-1074. */
function exact(x: number): bigint {
  const bits = new BigInt64Array(Float64Array.of(Math.abs(x)).buffer)[0];
  const field = bits >> 52n;
  const fraction = bits & ((1n << 52n) - 1n);
  const m = field === 0n ? fraction : (fraction | (1n << 52n)) << (field - 1n);
  return x < 0 ? -m : m;
}

/** e^x 2^1080, rounded down. It is (e^(x/2^12))^(2^12), whose series has 320 bits. */
function twin(x: number): bigint {
  const small = exact(x) >> (1074n - BITS + 12n);
  let term = ONE;
  let sum = ONE;
  for (let k = 1n; term !== 0n && term !== -1n; k++) {
    term = (term * small) / (ONE * k);
    sum += term;
  }
  // Stored as sum 2^shift, so that e^-745 has all its digits.
  let shift = 0n;
  for (let i = 0; i < 12; i++) {
    sum *= sum;
    shift *= 2n;
    const excess = BigInt(sum.toString(2).length) - BITS;
    sum >>= excess;
    shift += excess - BITS;
  }
  const by = 1080n - BITS + shift;
  return by >= 0n ? sum << by : sum >> -by;
}

/** |a − e^x| in units in the last place of a. */
function error(x: number): number {
  const a = exp(x);
  const bits = new BigInt64Array(Float64Array.of(a).buffer)[0];
  const field = bits >> 52n;
  const unit = 1n << (6n + (field === 0n ? 0n : field - 1n));
  return Number((((exact(a) << 6n) - twin(x)) * 1_000_000n) / unit) / 1e6;
}

it("exp is within one unit in the last place, or two for subnormal results", () => {
  let largest = 0;
  for (let i = 0; i < 4000; i++) {
    const x = -707 + ((1416 * (i * 0.6180339887498949)) % 1416);
    largest = Math.max(largest, Math.abs(error(x)));
  }
  for (const x of [0.3465735, -0.3465736, 1e-8, -1e-300, 1, 709.78, Math.LN2, 88.7]) {
    largest = Math.max(largest, Math.abs(error(x)));
  }
  expect(largest).toBeLessThan(1);
  expect(largest).toBeGreaterThan(0.5);
  for (const x of [-709, -720.5, -744, -745.1]) expect(Math.abs(error(x))).toBeLessThan(2);
});

it("handles the ends of its range", () => {
  expect([0, -0, Infinity, -Infinity, 709.8, -745.2].map(exp)).toEqual([1, 1, Infinity, 0, Infinity, 0]);
  expect(exp(Number.NaN)).toBeNaN();
  expect(exp(709.782712893384)).toBeGreaterThan(1.797e308);
  expect(exp(709.782712893384)).toBeLessThan(Infinity);
  expect(exp(-745.13)).toBe(5e-324);
});
