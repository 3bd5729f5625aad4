/** Parts that are concatenated and sliced again, as in slopes of small states. */
import { describe, expect, it } from "vitest";
import {
  arraysBelow,
  concatenate,
  constantArray,
  gradientsOf,
  input,
  interpret,
  slice,
} from "../../../../src/engine/compiler/array/index.ts";
import { withoutWholes } from "../../../../src/engine/compiler/array/operations/ode/parts.ts";
import { add, mul, neg, sum } from "../../../../src/engine/compiler/index.ts";

describe("slices of concatenated parts", () => {
  const slices = [
    { from: 0, to: 3 },
    { from: 1, to: 3, step: 2 },
    { from: 3, to: 5, step: -1 },
    { from: 2, to: 4 },
    { from: 5, to: 7 },
    { from: 6 },
    { step: 3 },
  ];
  it.each(slices)("slices the part that contains the range, else the whole: %j", (options) => {
    const [a, b] = [input("a", [3]), input("b", [2])];
    const values = { a: Float64Array.of(1, 2, 3), b: Float64Array.of(4, 5) };
    const whole = [1, 2, 3, 4, 5, 0, 0, 0];
    const { from = 0, to = 8, step = 1 } = options;
    const taken = whole.slice(from, to);
    const wanted = (step < 0 ? taken.reverse() : taken).filter((_, i) => i % Math.abs(step) === 0);
    const given = slice(concatenate([a, b, constantArray([0, 0, 0])]), options);
    const [made] = withoutWholes([given]);
    expect([...interpret([made], values)[0]]).toEqual(wanted);
    expect(made.op === "slice" && made.args[0].op === "place").toBe(options.from === 2 || options.step === 3);
  });

  it("slices the whole if the parts are not adjacent", () => {
    const x = input("x", [6]);
    const [slope] = gradientsOf(sum(mul(slice(x, { step: 2 }), constantArray([7, 8, 9]))), [x]);
    const made = interpret([slope, slice(slope, { from: 0, to: 3 }), slice(slope, { from: 1, to: 2 })], {
      x: new Float64Array(6),
    });
    expect(made.map((numbers) => [...numbers])).toEqual([[7, 0, 8, 0, 9, 0], [7, 0, 8], [0]]);
  });

  it("finds slices below other operations and in nested parts", () => {
    const [a, b] = [input("a", [2]), input("b", [2])];
    const inner = slice(concatenate([a, b]), { from: 0, to: 2 });
    const [made] = withoutWholes([add(slice(concatenate([neg(inner), b]), { from: 0, to: 1 }), 1)]);
    expect(arraysBelow([made]).map(({ op }) => op)).not.toContain("place");
    expect([...interpret([made], { a: [3, 4], b: [5, 6] })[0]]).toEqual([-2]);
  });
});
