/** Interpreter, compiled code and finite differences agree on random programs. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hoist } from "../../../src/engine/compiler/hoist.ts";
import {
  derive,
  type Expr,
  evaluateProgram,
  evaluateScalar,
  evaluateVector,
  gradients,
  index,
  inputsOf,
  mul,
  operations,
  type ProgramSpec,
  print,
  scalar,
  substitute,
  sum,
  vector,
} from "../../../src/engine/compiler/index.ts";
import { power } from "../../power.ts";
import { ownFunctions, runProgram } from "./harness.ts";
import { ALL, errorBounds, moderate, programs, type RandomProgram, REDUCED, SMOOTH } from "./random-programs.ts";

const N = 11;
const ARRAYS = { f64: Float64Array, f32: Float32Array } as const;

function specOf({ vector: first, other, scalar: result }: RandomProgram, precision: "f32" | "f64"): ProgramSpec {
  return {
    name: "random",
    precision,
    operands: ["a", "b"].map((name) => ({ name, type: precision, access: "direct" })),
    scalars: ["s", "t"],
    stores: [
      { operand: "a", value: first },
      { operand: "b", value: other },
    ],
    results: [{ scalar: "r", value: result }],
  };
}

const hoisted = (spec: ProgramSpec): ProgramSpec => {
  const values = hoist([...spec.stores, ...spec.results].map((x) => x.value));
  const [first, second, result] = values;
  return {
    ...spec,
    stores: [
      { operand: "a", value: first },
      { operand: "b", value: second },
    ],
    results: [{ scalar: "r", value: result }],
  };
};

describe("compiled programs without reductions", () => {
  test.each(["f64", "f32"] as const)("give the interpreter's bits in %s", (precision) => {
    const values = fc.array(fc.oneof(fc.double(), fc.double({ min: -4, max: 4, noNaN: true })), { minLength: N, maxLength: N });
    fc.assert(
      fc.property(
        programs(ALL, { steps: 14 }),
        values,
        values,
        fc.double(),
        fc.double({ min: -3, max: 3, noNaN: true }),
        (program, a, b, s, t) => {
          const withoutSums = { ...program, scalar: program.scalar.op === "sum" ? scalar("s") : program.scalar };
          const spec = specOf(withoutSums, precision);
          const Data = ARRAYS[precision];
          const compiled = { a: Data.from(a), b: Data.from(b) };
          const interpreted = { a: Data.from(a), b: Data.from(b) };
          const results = runProgram(spec, { vectors: compiled, scalars: { s, t } });
          const expected = evaluateProgram(hoisted(spec), { vectors: interpreted, scalars: { s, t }, override: ownFunctions });
          expect([...compiled.a, ...compiled.b, results.r]).toEqual([...interpreted.a, ...interpreted.b, expected.r]);
        },
      ),
      { numRuns: power(60, 150), seed: 1 },
    );
  });
});

describe("compiled programs with reductions", () => {
  // Functions are within 2 units of 2^-53 or 1 of 2^-24, and their references within 1. The bound is of first order.
  test.each([
    ["f64", 4 * 2 ** -53],
    ["f32", 2 * 2 ** -24],
  ] as const)("agree with the interpreter within the rounding error in %s", (precision, unit) => {
    let largest = 0;
    // Smaller numbers are subnormal and lose digits.
    const smallest = precision === "f64" ? 1e-290 : 1e-30;
    fc.assert(
      fc.property(
        programs(REDUCED, { steps: 8 }),
        moderate(N),
        moderate(N),
        fc.double({ min: -2, max: 2, noNaN: true }),
        (program, a, b, s) => {
          const spec = specOf(program, precision);
          const Data = ARRAYS[precision];
          const compiled = { a: Data.from(a), b: Data.from(b) };
          const environment = { vectors: { a: Data.from(a), b: Data.from(b) }, scalars: { s, t: 0.5 }, count: N };
          const results = runProgram(spec, { vectors: compiled, scalars: environment.scalars });
          const outputs = [program.vector, program.other, program.scalar];
          const bounds = errorBounds(outputs, unit);
          const elements = (list: Expr[]): number[] =>
            list.flatMap((o, k) => [...evaluateVector(o, environment)].slice(0, k < 2 ? N : 1));
          const [wanted, allowed] = [elements(outputs), elements(bounds)];
          const got = [...compiled.a, ...compiled.b, results.r];
          got.forEach((x, i) => {
            const error = Math.abs(x - wanted[i]);
            if (wanted[i] !== 0 && Number.isFinite(wanted[i]))
              largest = Math.max(largest, error / Math.max(Math.abs(wanted[i]), 1));
            expect(error, print(outputs[Math.min(2, Math.floor(i / N))])).toBeLessThanOrEqual(2 * allowed[i] + smallest);
          });
        },
      ),
      { numRuns: power(60, 150), seed: 1 },
    );
    expect(largest).toBeLessThan(precision === "f64" ? 1e-12 : 1e-4);
  });
});

describe("derivatives", () => {
  /** Central differences with one Richardson step, whose error is of order h⁴. */
  const slope = (f: (h: number) => number): number => {
    const central = (h: number): number => (f(h) - f(-h)) / (2 * h);
    const h = 1e-3;
    return (4 * central(h / 2) - central(h)) / 3;
  };

  const check = (output: Expr, a: number[], b: number[], s: number): void => {
    const at = (da: number, i: number, ds = 0): number => {
      const moved = a.map((x, k) => (k === i ? x + da : x));
      return evaluateScalar(output, { vectors: { a: moved, b }, scalars: { s: s + ds, t: 0.5 }, count: a.length });
    };
    const environment = { vectors: { a, b }, scalars: { s, t: 0.5 }, count: a.length };
    const [byA, byS] = gradients(output, [vector("a"), scalar("s")]);
    const gradient = evaluateVector(byA, environment);
    const scale = 1 + Math.abs(at(0, -1));
    for (const i of [0, 1]) {
      const difference = slope((h) => at(h, i));
      expect(Math.abs(gradient[i] - difference), print(output)).toBeLessThan(1e-6 * (scale + Math.abs(difference)));
    }
    const difference = slope((h) => at(0, -1, h));
    expect(Math.abs(evaluateScalar(byS, environment) - difference), print(output)).toBeLessThan(
      1e-6 * (scale + Math.abs(difference)),
    );
  };

  test("match finite differences, element-wise and through sums", () => {
    // Excludes maxima, because near a tie a difference straddles the kink.
    const smooth = REDUCED.slice(0, -1);
    fc.assert(
      fc.property(
        programs(smooth, { steps: 6 }),
        moderate(3),
        moderate(3),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (program, a, b, s) => {
          check(sum(program.vector), a, b, s);
          check(program.scalar, a, b, s);
        },
      ),
      { numRuns: power(60, 150), seed: 1 },
    );
  });

  test("differentiate a vector output like the sum of its elements", () => {
    fc.assert(
      fc.property(programs(SMOOTH, { steps: 6 }), ({ vector: output }) => {
        expect(derive(output, vector("a"))).toBe(derive(sum(output), vector("a")));
      }),
      { numRuns: 50, seed: 1 },
    );
  });

  test("are linear in the seed: (2f)' = 2f'", () => {
    fc.assert(
      fc.property(programs(SMOOTH, { steps: 5 }), moderate(4), moderate(4), (program, a, b) => {
        const environment = { vectors: { a, b }, scalars: { s: 0.3, t: 0.5 } };
        const once = evaluateVector(derive(program.vector, vector("a")), { ...environment, count: 4 });
        const twice = evaluateVector(derive(mul(2, program.vector), vector("a")), { ...environment, count: 4 });
        for (const [i, x] of once.entries())
          expect(Math.abs(twice[i] - 2 * x)).toBeLessThanOrEqual(1e-12 * (1 + Math.abs(x)) * 16);
      }),
      { numRuns: 50, seed: 1 },
    );
  });
});

test("renaming inputs and back changes nothing", () => {
  fc.assert(
    fc.property(programs(ALL), ({ vector: v }) => {
      const { scalars, vectors } = inputsOf([v]);
      const renamed = substitute(
        v,
        Object.fromEntries([...scalars.map((x) => [x, scalar(`${x}'`)]), ...vectors.map((x) => [x, vector(`${x}'`)])]),
      );
      const back = substitute(
        renamed,
        Object.fromEntries([...scalars.map((x) => [`${x}'`, scalar(x)]), ...vectors.map((x) => [`${x}'`, vector(x)])]),
      );
      expect(back).toBe(v);
      expect(operations([renamed])).toBe(operations([v]));
    }),
  );
});

test("index() continues across pieces", () => {
  const spec: ProgramSpec = {
    name: "index",
    precision: "f32",
    operands: [{ name: "a", type: "f32", access: "direct" }],
    scalars: [],
    stores: [{ operand: "a", value: index() }],
    results: [],
  };
  const a = new Float32Array(37);
  runProgram(spec, { vectors: { a } }, { pieces: [4, 21, 22] });
  expect([...a]).toEqual(Array.from({ length: 37 }, (_, i) => i));
});
