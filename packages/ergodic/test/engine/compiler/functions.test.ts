/**
 * Functions of emitted modules: error bounds against 200-digit arithmetic, special values, and equal bits in lanes and
 * scalars.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { functions } from "../../../src/engine/compiler/functions/all-functions.ts";
import {
  atan,
  cos,
  digamma,
  erf,
  erfc,
  exp,
  expm1,
  lgamma,
  log,
  log1p,
  pow,
  primitiveOf,
  sigmoid,
  sin,
  softplus,
  tanh,
  trigamma,
  vector,
} from "../../../src/engine/compiler/index.ts";
import { power } from "../../power.ts";
import { mapCompiled, ownFunctions } from "./harness.ts";
import { errorUlps } from "./precise.ts";

const unary = { exp, expm1, tanh, sigmoid, log, log1p, softplus, cos, sin, atan, erf, erfc, lgamma, digamma, trigamma };
const names = Object.keys(unary) as (keyof typeof unary)[];

type Interval = [number, number];
const LINEAR: Record<string, Interval[]> = {
  exp: [
    [-745, 709.7],
    [-1, 1],
  ],
  expm1: [
    [-40, 709],
    [-2, 2],
  ],
  tanh: [
    [-3, 3],
    [-22, 22],
  ],
  sigmoid: [
    [-740, 40],
    [-6, 6],
  ],
  log: [[0.5, 2]],
  log1p: [[-0.9999, 3]],
  softplus: [
    [-740, 40],
    [-6, 6],
  ],
  cos: [
    [-4, 4],
    [-1.6e6, 1.6e6],
  ],
  sin: [
    [-4, 4],
    [-1.6e6, 1.6e6],
  ],
  atan: [
    [-3, 3],
    [0.4, 0.6],
    [-40, 40],
  ],
  erf: [
    [-1.2, 1.2],
    [-6.2, 6.2],
  ],
  erfc: [
    [-6.2, 6.2],
    [0.5, 2],
    [6, 26.6],
  ],
  // Smaller arguments include the zeros of lgamma and digamma, which special-functions.test.ts tests.
  lgamma: [
    [-1.99, 2.6],
    [0.9, 2.1],
    [2, 80],
  ],
  digamma: [
    [1e-3, 2.1],
    [1.3, 1.6],
    [1.9, 80],
  ],
  trigamma: [
    [1e-3, 2.1],
    [1.9, 80],
    [-3, -1e-3],
    [-40, -3],
  ],
};
/** Arguments x = ±2^t, for functions where every magnitude matters. */
const LOGARITHMIC: Record<string, { t: Interval; signs: number[] }> = {
  expm1: { t: [-1070, 0], signs: [1, -1] },
  tanh: { t: [-1070, 0], signs: [1, -1] },
  log: { t: [-1074, 1023.9], signs: [1] },
  log1p: { t: [-1070, 1023.9], signs: [1] },
  sin: { t: [-1070, 0], signs: [1, -1] },
  atan: { t: [-1070, 1023], signs: [1, -1] },
  erf: { t: [-1070, 0], signs: [1, -1] },
  erfc: { t: [-1070, 0], signs: [1, -1] },
  lgamma: { t: [-1070, 1014], signs: [1] },
  digamma: { t: [-1022, 1023], signs: [1] },
  trigamma: { t: [-511, 1000], signs: [1] },
};
/** float32 arguments whose results are in the range of float32. */
const SINGLE_LIMIT = 86;

function points(name: string, perRange: number): number[] {
  const uniform = (i: number, salt: number): number => (i + ((salt * 0.6180339887498949) % 1)) / perRange;
  const spread = (LINEAR[name] ?? []).flatMap(([low, high], r) =>
    Array.from({ length: perRange }, (_, i) => low + (high - low) * uniform(i, r + 1 + i)),
  );
  const range = LOGARITHMIC[name];
  if (!range) return spread;
  const magnitudes = Array.from({ length: perRange }, (_, i) => {
    const t = range.t[0] + (range.t[1] - range.t[0]) * uniform(i, 7 + i);
    // Uses two factors, because 2^t alone would lose subnormal numbers.
    return range.signs[i % range.signs.length] * 2 ** (t / 2) * 2 ** (t / 2);
  });
  return [...spread, ...magnitudes.filter((x) => x !== 0)];
}

const COUNT = power(40, 250);

describe.each(names)("%s", (name) => {
  test("stays within its error bound in float64", () => {
    const own = ownFunctions(name, "f64")!;
    for (const x of points(name, COUNT))
      expect(errorUlps(name, own(x), x), `${name}(${x})`).toBeLessThanOrEqual(functions[name].ulps);
  });

  test("is within 0.51 units in the last place in float32", () => {
    const own = ownFunctions(name, "f32")!;
    const inRange = points(name, COUNT)
      .map(Math.fround)
      .filter((x) => {
        const size = Math.abs(x);
        return (
          (name !== "trigamma" || size > 2 ** -63) &&
          (size > 2 ** -120 || ["exp", "sigmoid", "softplus", "cos", "erfc"].includes(name)) &&
          (name.startsWith("log") ? size < 1e38 : size < SINGLE_LIMIT)
        );
      });
    expect(inRange.length).toBeGreaterThan(0.4 * COUNT);
    for (const x of inRange) expect(errorUlps(name, own(x), x, undefined, 24), `${name}(${x})`).toBeLessThanOrEqual(0.51);
  });

  test.each(["f64", "f32"] as const)("has the special values of the reference in %s", (precision) => {
    const reference = primitiveOf(unary[name](vector("x")))!.reference;
    const own = ownFunctions(name, precision)!;
    const round = precision === "f32" ? Math.fround : Number;
    for (const x of [Number.NaN, Infinity, -Infinity, 0, -0]) expect(own(x), `${name}(${x})`).toBe(round(reference(x)));
    if (name === "log") expect([own(-1), own(-5e-324 * 2 ** 1000), own(1)]).toEqual([Number.NaN, Number.NaN, 0]);
    if (name === "log1p") expect([own(-1), own(-1.5)]).toEqual([-Infinity, Number.NaN]);
    if (name === "exp") expect([own(710), own(-746), own(0)]).toEqual([Infinity, 0, 1]);
    if (name === "expm1") expect([own(710), own(-60)]).toEqual([Infinity, -1]);
    if (name === "tanh") expect([own(300), own(-300)]).toEqual([1, -1]);
    if (name === "softplus") expect([own(1000), own(-1000)]).toEqual([1000, 0]);
  });

  test.each(["f64", "f32"] as const)("gives the same bits in SIMD lanes and in the scalar tail, %s", (precision) => {
    fc.assert(
      fc.property(fc.array(fc.double(), { minLength: 1, maxLength: 13 }), (x) => {
        const own = ownFunctions(name, precision)!;
        expect([...mapCompiled(unary[name](vector("x")), precision, { x })]).toEqual(x.map((xi) => own(xi)));
      }),
      { numRuns: 5, seed: 1 },
    );
  });
});

test("computes small and subnormal results correctly", () => {
  const f = (name: string) => ownFunctions(name, "f64")!;
  for (const x of [5e-324, -5e-324, 1e-310, -2.2e-308]) {
    expect([f("expm1")(x), f("log1p")(x), f("tanh")(x), f("sin")(x)]).toEqual([x, x, x, x]);
    expect([f("exp")(x), f("cos")(x), f("sigmoid")(x)]).toEqual([1, 1, 0.5]);
  }
  for (const x of [-708.5, -720, -740, -745]) expect(errorUlps("exp", f("exp")(x), x)).toBeLessThanOrEqual(1);
  expect(f("softplus")(-745)).toBe(5e-324);
  expect(f("log")(5e-324)).toBe(Math.log(5e-324));
});

test("computes subnormal and overflowing results correctly in float32", () => {
  for (const x of [-87.5, -90, -95.25, -100, -103].map(Math.fround))
    for (const name of ["exp", "sigmoid", "softplus"])
      expect(errorUlps(name, ownFunctions(name, "f32")!(x), x, undefined, 24), `${name}(${x})`).toBeLessThanOrEqual(0.51);
  for (const x of [9.2, 9.5, 9.9, 10].map(Math.fround))
    expect(errorUlps("erfc", ownFunctions("erfc", "f32")!(x), x, undefined, 24)).toBeLessThanOrEqual(0.51);
  for (const name of ["exp", "expm1"]) {
    const own = ownFunctions(name, "f32")!;
    expect([own(88.7) < Infinity, own(88.8)]).toEqual([true, Infinity]);
  }
  for (const name of ["expm1", "tanh", "log1p", "sin", "atan"])
    for (const x of [2 ** -149, -(2 ** -140), 2 ** -127]) expect(ownFunctions(name, "f32")!(x), `${name}(${x})`).toBe(x);
});

test("keeps cos and sin within −1 … 1 beyond their range, and returns NaN at ∞", () => {
  for (const x of [1e7, 1e12, 1e300])
    for (const name of ["cos", "sin"]) expect(Math.abs(ownFunctions(name, "f64")!(x)) > 1).toBe(false);
});

describe("pow", () => {
  test("stays within its bound in float64 for all exponents", () => {
    const own = ownFunctions("pow", "f64")!;
    fc.assert(
      fc.property(fc.double({ min: -1000, max: 1000, noNaN: true }), fc.double({ min: -739, max: 709, noNaN: true }), (t, y) => {
        const a = 2 ** t;
        const b = y / Math.log(a);
        fc.pre(a > 0 && Number.isFinite(b) && Math.abs(b) > 1e-300 && a !== 1);
        expect(errorUlps("pow", own(a, b), a, b)).toBeLessThanOrEqual(functions.pow.ulps);
      }),
      { numRuns: power(60, 150), seed: 1 },
    );
  });

  test("stays within its bound near 1 for large exponents", () => {
    const own = ownFunctions("pow", "f64")!;
    for (const [a, b] of [
      [0.999, 1e5],
      [0.9, 1000],
      [1 + 2 ** -52, 1e18],
      [1 - 2 ** -53, -3e18],
      [0.9999999, 6e9],
    ]) {
      expect(errorUlps("pow", own(a, b), a, b)).toBeLessThanOrEqual(functions.pow.ulps);
    }
  });

  test("is within 0.51 units in the last place in float32", () => {
    const own = ownFunctions("pow", "f32")!;
    for (let i = 1; i < 200; i += power(4, 1)) {
      const a = Math.fround(0.01 * i + 0.003);
      const b = Math.fround((((i * 37) % 100) - 50) / Math.max(1, Math.abs(Math.log(a))));
      if (Math.abs(b * Math.log(a)) < SINGLE_LIMIT) expect(errorUlps("pow", own(a, b), a, b, 24)).toBeLessThanOrEqual(0.51);
    }
  });

  test.each(["f64", "f32"] as const)("has IEEE 754's special cases in %s", (precision) => {
    const own = ownFunctions("pow", precision)!;
    const reference = primitiveOf(pow(vector("a"), vector("b")))!.reference;
    const round = precision === "f32" ? Math.fround : Number;
    const numbers = [
      Number.NaN,
      Infinity,
      -Infinity,
      0,
      -0,
      1,
      -1,
      2,
      -2,
      3,
      -3,
      0.5,
      -0.5,
      1.5,
      2 ** 53,
      -(2 ** 53),
      2 ** 23 + 1,
    ];
    for (const a of numbers) {
      for (const b of numbers) {
        const [value, wanted] = [own(a, b), round(reference(round(a), round(b)))];
        // The reference can be a unit off if the power is not a special case.
        const isOrdinary = Math.abs(wanted) > 0 && Number.isFinite(wanted) && !Number.isInteger(Math.log2(Math.abs(wanted)));
        if (isOrdinary) expect(Math.abs(value / wanted - 1), `pow(${a}, ${b})`).toBeLessThan(precision === "f64" ? 5e-16 : 2e-7);
        else expect(value, `pow(${a}, ${b})`).toBe(wanted);
      }
    }
  });
});
