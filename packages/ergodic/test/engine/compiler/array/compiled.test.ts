/** Compiled programs equal the interpreter for every form of loop, over sizes around the vector width. */
import { describe, expect, it } from "vitest";
import { compileFunction } from "../../../../src/engine/compiler/array/function.ts";
import { concatenate, flip, full, pad, reshape, slice, transpose } from "../../../../src/engine/compiler/array/index.ts";
import { interpret } from "../../../../src/engine/compiler/array/interpret.ts";
import { reduceAxes } from "../../../../src/engine/compiler/array/operations/map-reduce.ts";
import type { SymbolicArray } from "../../../../src/engine/compiler/array/symbolic.ts";
import { add, exp, mul, sub, sum, tanh } from "../../../../src/engine/compiler/index.ts";

const numbers = (count: number, seed: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed));

type Make = (a: SymbolicArray, b: SymbolicArray) => SymbolicArray;

async function agree(shapeA: number[], shapeB: number[], make: Make, precision: "f64" | "f32"): Promise<void> {
  const size = (s: number[]): number => s.reduce((x, y) => x * y, 1);
  const a = numbers(size(shapeA), 1);
  const b = numbers(size(shapeB), 2);
  const f = await compileFunction({ a: shapeA, b: shapeB }, (x) => make(x.a, x.b), { precision });
  const { outputs } = f({ a, b });
  const [wanted] = interpret([f.program.outputs[0].value], { a, b });
  const tolerance = precision === "f64" ? 1e-12 : 1e-5;
  outputs.value.forEach((x, i) => {
    if (!(Math.abs(x - wanted[i]) <= tolerance * Math.max(1, Math.abs(wanted[i]))))
      expect.fail(`element ${i} of ${shapeA} with ${shapeB}: ${x}, wanted ${wanted[i]}`);
  });
}

const cases: Record<string, { shapes: [number[], number[]][]; make: Make }> = {
  "small parts of unequal shapes": {
    shapes: [1, 2, 7, 16, 17, 40].map((n) => [[n], [3]] as [number[], number[]]),
    make: (a, b) =>
      concatenate([b, a, exp(a), slice(b, { step: 2 }), b, full(3, [2]), a, ...Array.from({ length: 20 }, () => b)]),
  },
  "element-wise over one axis": {
    shapes: Array.from({ length: 18 }, (_, n) => [[n + 1], [n + 1]] as [number[], number[]]),
    make: (a, b) => add(mul(a, b), tanh(a)),
  },
  "broadcast rows and columns": {
    shapes: [
      [[3, 5], [5]],
      [
        [3, 5],
        [3, 1],
      ],
      [
        [7, 1],
        [1, 9],
      ],
      [
        [2, 3, 4],
        [3, 1],
      ],
      [[4, 8], []],
    ],
    make: (a, b) => sub(mul(a, b), exp(b)),
  },
  "sum of all": {
    shapes: [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 67].map((n) => [[n], [n]] as [number[], number[]]),
    make: (a, b) => sum(mul(a, b)),
  },
  "sum along rows": {
    shapes: [1, 2, 3, 4, 5, 8, 17, 40].map((n) => [[6, n], [n]] as [number[], number[]]),
    make: (a, b) => reduceAxes("sum", mul(a, b), [1]),
  },
  "sum along columns": {
    shapes: [1, 2, 3, 4, 5, 8, 17, 40].map((n) => [[6, n], [n]] as [number[], number[]]),
    make: (a, b) => reduceAxes("sum", mul(a, b), [0]),
  },
  "extremes in the middle": {
    shapes: [1, 3, 4, 9].map((n) => [[3, 5, n], [n]] as [number[], number[]]),
    make: (a, b) => add(reduceAxes("maximum", mul(a, b), [1]), reduceAxes("minimum", mul(a, b), [1])),
  },
  softmax: {
    shapes: [1, 3, 10, 17].map((n) => [[5, n], [n]] as [number[], number[]]),
    make: (a, b) => {
      const z = add(a, b);
      const e = exp(sub(z, reduceAxes("maximum", z, [1], true)));
      return mul(e, exp(mul(-1, sum(e, { axis: 1, keep: true }))));
    },
  },
  "transposed, flipped, padded, joined": {
    shapes: [
      [
        [3, 5],
        [5, 3],
      ],
      [
        [4, 8],
        [8, 4],
      ],
      [
        [2, 17],
        [17, 2],
      ],
    ],
    make: (a, b) =>
      concatenate([
        pad(mul(transpose(a), flip(b, 0)), [
          [1, 2],
          [0, 0],
        ]),
        slice(b, { axis: 0, step: 2 }),
      ]),
  },
  "reshaped across axes": {
    shapes: [
      [
        [4, 6],
        [3, 8],
      ],
    ],
    make: (a, b) => reshape(add(transpose(reshape(a, [3, 8])), transpose(b)), [24]),
  },
};

describe.each(["f64", "f32"] as const)("compiled %s", (precision) => {
  for (const [name, { shapes, make }] of Object.entries(cases))
    it(name, async () => {
      for (const [a, b] of shapes) await agree(a, b, make, precision);
    });
});

it("does not overwrite an array that a loop reads in place and elsewhere", async () => {
  // x ends in the loop that makes y. Only if each element is read at its own position may y reuse the memory of x.
  const programs: Record<string, (x: SymbolicArray) => SymbolicArray> = {
    reversed: (x) => add(x, flip(x)),
    shifted: (x) => add(x, pad(slice(x, { from: 1, to: 40 }), [[0, 1]])),
    "shifted back": (x) => add(x, concatenate([slice(x, { from: 0, to: 1 }), slice(x, { from: 0, to: 39 })])),
    "reversed alone": (x) => mul(3, flip(x)),
    "at its own place": (x) => add(x, mul(x, x)),
  };
  const a = Float64Array.from({ length: 40 }, (_, i) => Math.sin(1 + i));
  for (const [name, program] of Object.entries(programs)) {
    // A kernel computes the cumulative sums before and after, so that neither x nor y is an input or output.
    const f = await compileFunction({ a: [40] }, ({ a }) => program(a.cumsum()).cumsum());
    const [wanted] = interpret([f.program.outputs[0].value], { a });
    expect([...f({ a }).outputs.value], name).toEqual([...wanted]);
  }
});
