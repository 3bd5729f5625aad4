/**
 * atan, erf, and lgamma with its derivatives beyond functions.test.ts: values of other systems, zeros, poles and
 * slopes.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { input, interpret, type SymbolicArray } from "../../../src/engine/compiler/array/index.ts";
import { functions } from "../../../src/engine/compiler/functions/all-functions.ts";
import {
  add,
  atan,
  derive,
  digamma,
  erf,
  erfc,
  evaluateVector,
  lgamma,
  primitiveOf,
  round,
  square,
  trigamma,
  vector,
} from "../../../src/engine/compiler/index.ts";
import { lgamma as lgammaReference } from "../../../src/engine/numbers/gamma.ts";
import { checkDerivatives } from "./array/differences.ts";
import { mapCompiled, ownFunctions } from "./harness.ts";
import { absoluteError, errorUlps } from "./precise.ts";

const builders = { atan, erf, erfc, lgamma, digamma, trigamma };
type Name = keyof typeof builders;
const names = Object.keys(builders) as Name[];
const own = (name: Name, precision: "f64" | "f32" = "f64") => ownFunctions(name, precision)!;
const reference = (name: Name) => primitiveOf(builders[name](vector("x")))!.reference;
const golden = JSON.parse(readFileSync(new URL("../../golden/special-functions.json", import.meta.url), "utf8")) as Record<
  Name,
  [number, number][]
>;

describe.each(names)("%s against mpmath", (name) => {
  test("the reference of these tests rounds to mpmath's values", () => {
    expect(golden[name].length).toBeGreaterThan(10);
    for (const [x, value] of golden[name]) expect(errorUlps(name, value, x), `${name}(${x})`).toBeLessThanOrEqual(0.5);
  });

  test("stays within its bound in compiled code", () => {
    for (const [x, value] of golden[name]) {
      const unit = 2 ** -52 * (x < 0 ? Math.max(1, Math.abs(value)) : Math.abs(value));
      expect(Math.abs(own(name)(x) - value), `${name}(${x})`).toBeLessThanOrEqual(functions[name].ulps * unit);
    }
  });
});

describe("absolute error on the negative axis", () => {
  const points = (low: number, high: number, count: number): number[] =>
    Array.from({ length: count }, (_, i) => low + ((high - low) * (i + ((i * 0.6180339887498949) % 0.98) + 0.01)) / count);
  const xs = [
    ...points(-4, -0.001, 300),
    ...points(-20, -4, 150),
    ...points(-200, -20, 100),
    ...points(-2.4571, -2.457, 20),
    ...points(-0.5041, -0.504, 20),
    -12345.678,
    -(2 ** 40) - 0.25,
  ];
  /** Largest term of the reference, which sets the scale of the absolute error. */
  const scale = { lgamma: (x: number) => lgammaReference(-x), digamma: (x: number) => Math.log(1 - x) };

  test.each(["lgamma", "digamma"] as const)("%s stays within its bound", (name) => {
    for (const x of xs) {
      const value = own(name)(x);
      const size = Math.max(1, Math.abs(value), scale[name](x));
      expect(absoluteError(name, value, x), `${name}(${x})`).toBeLessThanOrEqual(2 ** -52 * functions[name].ulps * size);
    }
  });

  test.each(["lgamma", "digamma"] as const)("%s stays within its bound in float32", (name) => {
    for (const x of xs.map(Math.fround).filter((v) => !Number.isInteger(v))) {
      const value = own(name, "f32")(x);
      const size = Math.max(1, Math.abs(value), scale[name](x));
      const allowed = 0.51 * 2 ** (Math.floor(Math.log2(Math.abs(value))) - 23) + 2 ** -31 * size;
      expect(absoluteError(name, value, x), `${name}(${x})`).toBeLessThanOrEqual(allowed);
    }
  });
});

test("lgamma is 0 at 1 and 2, digamma is accurate near its zero, and odd functions are odd", () => {
  for (const precision of ["f64", "f32"] as const) {
    for (const x of [1, 2]) expect(Math.abs(own("lgamma", precision)(x))).toBe(0);
    for (const name of ["atan", "erf"] as const)
      for (const x of [5e-324, 1e-310, 0.3, 0.99, 1, 1.5, 7, 1e300])
        expect(own(name, precision)(-x)).toBe(-own(name, precision)(x));
  }
  const [below, above] = [1.4616321449683622, 1.4616321449683625];
  expect([own("digamma")(below) < 0, own("digamma")(above) > 0]).toEqual([true, true]);
  for (const x of [below, above]) expect(errorUlps("digamma", own("digamma")(x), x)).toBeLessThanOrEqual(functions.digamma.ulps);
});

test.each(["f64", "f32"] as const)("computes poles, limits and the ends of the range, %s", (precision) => {
  const [gamma, psi, psi1] = (["lgamma", "digamma", "trigamma"] as const).map((name) => own(name, precision));
  for (const x of [-1, -2, -3, -50, -(2 ** 23), -(2 ** 60)]) {
    expect([gamma(x), psi(x), psi1(x)], `${x}`).toEqual([Infinity, Number.NaN, Infinity]);
    expect([lgamma, digamma, trigamma].map((f) => primitiveOf(f(vector("x")))!.reference(x))).toEqual([
      Infinity,
      Number.NaN,
      Infinity,
    ]);
  }
  const huge = precision === "f64" ? 2.6e305 : 4.1e36;
  expect([gamma(huge), gamma(0.98 * huge) < Infinity]).toEqual([Infinity, true]);
  expect([own("erf", precision)(6), own("erf", precision)(-30)]).toEqual([1, -1]);
  expect([own("erfc", precision)(28), own("erfc", precision)(1e300), own("erfc", precision)(-6)]).toEqual([0, 0, 2]);
  expect(own("atan", precision)(1e300)).toBe(precision === "f64" ? Math.PI / 2 : Math.fround(Math.PI / 2));
  expect([psi1(1e-170), psi(precision === "f64" ? 5e-324 : 2 ** -149)]).toEqual([Infinity, -Infinity]);
});

test("accepts subnormal arguments and returns subnormal results", () => {
  for (const x of [5e-324, -5e-324, 1e-310, -2.2e-308]) {
    expect(own("atan")(x)).toBe(x);
    expect(errorUlps("erf", own("erf")(x), x)).toBeLessThanOrEqual(1);
    expect(own("erfc")(x)).toBe(1);
    expect(errorUlps("lgamma", own("lgamma")(Math.abs(x)), Math.abs(x))).toBeLessThanOrEqual(1);
  }
  for (const x of [26.55, 26.8, 27.1, 27.22]) {
    expect(own("erfc")(x)).toBeGreaterThan(0);
    expect(errorUlps("erfc", own("erfc")(x), x)).toBeLessThanOrEqual(4);
  }
});

describe("derivatives", () => {
  const x = vector("x");
  test.each(names.filter((name) => name !== "trigamma"))("match central differences of the reference for %s", (name) => {
    const slope = derive(builders[name](x), x);
    const h = 1e-4;
    for (const at of [-2.3, -0.4, 0.3, 0.9, 1.7, 3.6]) {
      const f = reference(name);
      const central = (step: number): number => (f(at + step) - f(at - step)) / (2 * step);
      const wanted = (4 * central(h / 2) - central(h)) / 3;
      const [value] = evaluateVector(slope, { vectors: { x: [at] } });
      expect(Math.abs(value - wanted), `${name}'(${at})`).toBeLessThan(1e-9 * Math.max(1, Math.abs(wanted)));
    }
  });

  test("lgamma can be differentiated twice but not three times", () => {
    expect(derive(derive(lgamma(x), x), x)).toBe(trigamma(x));
    expect(() => derive(trigamma(x), x)).toThrow(/trigamma: its derivative was asked for.*\[COMPILE_DERIVATIVE\]/);
  });
});

test.each(names.filter((name) => name !== "trigamma"))("keeps the shape and derivatives of arrays: %s", (name) => {
  const positive = (a: SymbolicArray): SymbolicArray => add(0.7, square(a));
  const values = Float64Array.of(-1.1, -0.5, 0, 0.2, 0.9, 1.6);
  const made = builders[name](positive(input("a", [2, 3])));
  expect(made.shape).toEqual([2, 3]);
  const wanted = values.map((a) => reference(name)(0.7 + a * a));
  expect([...interpret([made], { a: values })[0]]).toEqual([...wanted]);
  const options = { values: { a: values }, second: name !== "digamma", tolerance: 1e-6 };
  checkDerivatives(({ a }) => builders[name](positive(a)), { a: [2, 3] }, options);
});

test.each(["f64", "f32"] as const)("rounds to the nearest integer and halves to even, %s", (precision) => {
  const x = [-2.5, -1.5, -0.5, -0.2, -0, 0, 0.3, 0.5, 1.5, 2.5, 2.6, 1e10, -1e30, Infinity, -Infinity, Number.NaN];
  const wanted = [-2, -2, -0, -0, -0, 0, 0, 0, 2, 2, 3, 1e10, -1e30, Infinity, -Infinity, Number.NaN];
  const cast = precision === "f32" ? Math.fround : Number;
  expect([...mapCompiled(round(vector("x")), precision, { x })]).toEqual(wanted.map(cast));
  expect([...evaluateVector(round(vector("x")), { vectors: { x } })]).toEqual(wanted);
});
