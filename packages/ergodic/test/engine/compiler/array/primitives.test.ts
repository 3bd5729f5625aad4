/**
 * Views, parts, element-wise functions and reductions agree with formulas over indices, and their derivatives with
 * finite differences.
 */
import { describe, expect, it } from "vitest";
import {
  at,
  broadcastTo,
  concatenate,
  constantArray,
  flip,
  full,
  gradientsOf,
  input,
  interpret,
  pad,
  range,
  reshape,
  type SymbolicArray,
  slice,
  stack,
  transpose,
} from "../../../../src/engine/compiler/array/index.ts";
import { allArrayPrimitives, arrayPrimitiveOf } from "../../../../src/engine/compiler/array/primitive.ts";
import {
  add,
  div,
  exp,
  less,
  max,
  maximum,
  min,
  mul,
  neg,
  square,
  sub,
  sum,
  tanh,
  where,
} from "../../../../src/engine/compiler/index.ts";
import { elementOf, numbers, tabulate, total } from "../../../reference/arrays.ts";
import { checkDerivatives, evaluated, expectClose, valuesFor } from "./differences.ts";

type Shape = readonly number[];

describe("element-wise functions", () => {
  it.each([
    [[], []],
    [[5], []],
    [[], [2, 3]],
    [[3, 1], [4]],
    [
      [2, 1, 4],
      [3, 1],
    ],
    [[1], [1, 1]],
    ...Array.from({ length: 17 }, (_, n): [Shape, Shape] => [[n + 1], [n + 1]]),
  ])("broadcasts %j with %j", (a, b) => {
    const values = valuesFor({ a, b });
    const y = sub(mul(input("a", a), input("b", b)), input("a", a));
    const rank = Math.max(a.length, b.length);
    const extent = (s: Shape, axis: number): number => s[axis - rank + s.length] ?? 1;
    const shape = Array.from({ length: rank }, (_, axis) => Math.max(extent(a, axis), extent(b, axis)));
    expect(y.shape).toEqual(shape);
    const wanted = tabulate(shape, (...i) => elementOf(values.a, a, i) * elementOf(values.b, b, i) - elementOf(values.a, a, i));
    expectClose(interpret([y], values)[0], wanted, 1e-15, "value");
    checkDerivatives((x) => mul(tanh(x.a), exp(x.b)), { a, b });
  });

  it("accepts NaN, zeros, subnormal numbers and infinities", () => {
    const edges = [NaN, 0, -0, 5e-324, -5e-324, Infinity, -Infinity, 1];
    const a = tabulate([8, 8], (i) => edges[i]);
    const b = tabulate([8, 8], (_, j) => edges[j]);
    const x = input("a", [8, 8]);
    const y = input("b", [8, 8]);
    const made = interpret([add(x, y), div(x, y), min(x, y), max(x, y), less(x, y)], { a, b });
    const plain = [
      (p: number, q: number) => p + q,
      (p: number, q: number) => p / q,
      Math.min,
      Math.max,
      (p: number, q: number) => Number(p < q),
    ];
    plain.forEach((f, k) => void expect([...made[k]]).toEqual(Array.from(a, (p, i) => f(p, b[i]))));
  });

  it("folds constants, shares equal nodes and removes operations without effect", () => {
    const x = input("x", [3]);
    expect(add(full(2, [3]), full(3, [3]))).toBe(full(5, [3]));
    expect(mul(x, 1)).toBe(x);
    expect(add(x, full(0, [3]))).toBe(x);
    expect(mul(x, x)).toBe(mul(x, x));
    expect(mul(x, x)).toBe(square(x));
    expect(broadcastTo(x, [3])).toBe(x);
    expect(constantArray([4, 4])).toBe(full(4, [2]));
    expect(full(-0) === full(0)).toBe(false);
  });
});

/** Every choice of adjacent or separate axes of [2, 3, 4]. */
const AXES: number[][] = [[], [0], [1], [2], [0, 1], [0, 2], [1, 2], [-1], [0, 1, 2]];

describe("reductions", () => {
  it.each(AXES)("reduces axes %j %j %j", (...axis) => {
    const listed = axis.filter((a) => a !== undefined);
    const shape = [2, 3, 4];
    const values = valuesFor({ x: shape });
    const own = listed.map((a) => (a + 3) % 3);
    const kept = [0, 1, 2].filter((a) => !own.includes(a));
    const group = (at: number[]): number[] =>
      [...values.x].filter((_, i) => {
        const index = [Math.floor(i / 12), Math.floor(i / 4) % 3, i % 4];
        return kept.every((a, k) => index[a] === at[k]);
      });
    const x = input("x", shape);
    const made = [sum(x, { axis: listed }), maximum(x, { axis: listed }), sum(x, { axis: listed, keep: true })];
    const small = kept.map((a) => shape[a]);
    expect(made.map((y) => y.shape)).toEqual([small, small, shape.map((n, a) => (own.includes(a) ? 1 : n))]);
    const [summed, largest, keeping] = interpret(made, values);
    expectClose(
      summed,
      tabulate(small, (...at) => group(at).reduce((a, b) => a + b, 0)),
      1e-15,
      "sum",
    );
    expectClose(keeping, summed, 0, "kept");
    expectClose(
      largest,
      tabulate(small, (...at) => Math.max(...group(at))),
      0,
      "maximum",
    );
    checkDerivatives((g) => sum(exp(g.x), { axis: listed }), { x: shape });
    checkDerivatives((g) => mul(maximum(g.x, { axis: listed }), maximum(g.x, { axis: listed })), { x: shape });
  });

  it.each(Array.from({ length: 17 }, (_, n) => n + 1))("reduces %i elements", (n) => {
    const x = numbers(n, n);
    const made = interpret([sum(input("x", [n])), maximum(input("x", [n]))], { x });
    expectClose(made[0], [total(n, (i) => x[i])], 1e-14, "sum");
    expectClose(made[1], [Math.max(...x)], 0, "maximum");
  });

  it("divides the derivative among ties and propagates NaN", () => {
    const x = input("x", [4]);
    expect([...interpret(gradientsOf(maximum(x), [x]), { x: [1, 3, 3, 2] })[0]]).toEqual([0, 0.5, 0.5, 0]);
    expect(interpret([maximum(x), sum(x)], { x: [1, NaN, 3, 2] }).map((y) => y[0])).toEqual([NaN, NaN]);
  });
});

describe("views and parts", () => {
  const shape = [3, 4, 5];
  const values = valuesFor({ x: shape });
  const x = input("x", shape);
  const of = (y: SymbolicArray): Float64Array => interpret([y], values)[0];
  const element = (...index: number[]): number => elementOf(values.x, shape, index);

  it("keeps the element order in reshape", () => {
    expect(reshape(x, [-1, 10]).shape).toEqual([6, 10]);
    expectClose(of(reshape(x, [6, 10])), values.x, 0, "reshape");
    expect(reshape(reshape(x, [60]), shape)).toBe(x);
    expect(() => reshape(x, [7, -1])).toThrow(/reshape: \[3, 4, 5\] has 60 elements, which do not fill \[7, -1\]/);
    expect(() => reshape(x, [-1, -1])).toThrow(/COMPILE_SHAPE/);
    checkDerivatives((g) => exp(reshape(g.x, [6, 2])), { x: [3, 4] });
  });

  it.each([[[0, 1, 2]], [[2, 1, 0]], [[1, 2, 0]], [[2, 0, 1]], [[0, 2, 1]]])("transposes by %j", (order) => {
    const y = transpose(x, order);
    const inverse = order.map((_, axis) => order.indexOf(axis));
    expectClose(
      of(y),
      tabulate(y.shape, (...i) => element(...inverse.map((a) => i[a]))),
      0,
      "transpose",
    );
    expect(transpose(y, inverse)).toBe(x);
    checkDerivatives((g) => exp(transpose(g.x, order)), { x: [2, 3, 2] });
  });

  it("transposes matrices by default and refuses an invalid order of axes", () => {
    expect(transpose(input("m", [2, 3])).shape).toEqual([3, 2]);
    expect(() => transpose(x, [0, 0, 1])).toThrow(/order is \[0, 0, 1\], but must name each axis of \[3, 4, 5\] once/);
    expect(() => transpose(x, [0, 1])).toThrow(/COMPILE_SHAPE/);
  });

  it("slices with ranges, steps and negative steps", () => {
    expectClose(
      of(slice(x, { from: 1 })),
      tabulate([2, 4, 5], (i, j, k) => element(i + 1, j, k)),
      0,
      "from 1",
    );
    expectClose(
      of(slice(x, { axis: -1, from: -3, to: -1 })),
      tabulate([3, 4, 2], (i, j, k) => element(i, j, k + 2)),
      0,
      "from the end",
    );
    expectClose(
      of(slice(x, { axis: 2, from: 1, step: 2 })),
      tabulate([3, 4, 2], (i, j, k) => element(i, j, 1 + 2 * k)),
      0,
      "step 2",
    );
    expectClose(
      of(slice(x, { axis: 1, step: -3 })),
      tabulate([3, 2, 5], (i, j, k) => element(i, 3 - 3 * j, k)),
      0,
      "step −3",
    );
    expectClose(
      of(flip(x, 1)),
      tabulate(shape, (i, j, k) => element(i, 3 - j, k)),
      0,
      "flip",
    );
    expectClose(
      of(at(x, -1, 1)),
      tabulate([3, 5], (i, k) => element(i, 3, k)),
      0,
      "at",
    );
    expectClose(
      of(at(x, [1, -2], 1)),
      tabulate([3], (i) => element(i, 1, 3)),
      0,
      "at two places",
    );
    expectClose(of(at(x, [2, 1, 4])), [element(2, 1, 4)], 0, "at all places");
    expect(at(x, [2]).shape).toEqual([4, 5]);
    expect(x.at([2, 1]).shape).toEqual([5]);
    expect(() => slice(x, { from: 3 })).toThrow(/\[3, 3\) of axis 0 of \[3, 4, 5\] is empty/);
    expect(() => slice(x, { axis: 3 })).toThrow(/slice: axis is 3/);
    checkDerivatives((g) => exp(slice(g.x, { axis: 1, from: 1, step: 2 })), { x: [2, 5] });
    checkDerivatives((g) => mul(flip(g.x), g.x), { x: [4] });
    checkDerivatives((g) => exp(mul(at(g.x, [1, -1], 0), at(g.x, [0, 2], 1))), { x: [3, 2, 3] });
  });

  it("places the parts of pad, concatenate and stack", () => {
    const padded = pad(x, [
      [1, 0],
      [0, 0],
      [2, 1],
    ]);
    expectClose(
      of(padded),
      tabulate([4, 4, 8], (i, j, k) => elementOf(values.x, shape, [i - 1, j, k - 2], true)),
      0,
      "pad",
    );
    const joined = concatenate([x, mul(x, 2), slice(x, { axis: 1, to: 1 })], 1);
    expectClose(
      of(joined),
      tabulate([3, 9, 5], (i, j, k) => element(i, j % 4, k) * (j >= 4 && j < 8 ? 2 : 1)),
      0,
      "concatenate",
    );
    const stacked = stack([x, neg(x)], 3);
    expectClose(
      of(stacked),
      tabulate([3, 4, 5, 2], (i, j, k, n) => (n ? -1 : 1) * element(i, j, k)),
      0,
      "stack",
    );
    expect(stack([x, neg(x)], -1)).toBe(stacked);
    expect(stack([x, neg(x)], -4)).toBe(stack([x, neg(x)]));
    expect(() => concatenate([x, input("y", [3, 4, 4])], 1)).toThrow(
      /shapes \[3, 4, 5\] and \[3, 4, 4\] differ on other axes than 1/,
    );
    expect(() => concatenate([])).toThrow(/no arrays were given/);
    expect(() => pad(x, [[1, 1]])).toThrow(/pad: widths/);
    checkDerivatives((g) => mul(pad(g.x, [[1, 2]]), pad(g.x, [[0, 3]])), { x: [3] });
    checkDerivatives((g) => exp(concatenate([g.a, g.b, g.a])), { a: [2], b: [1] });
  });

  it("counts in range and repeats values in broadcasting", () => {
    expect([...interpret([range(4)], {})[0]]).toEqual([0, 1, 2, 3]);
    expect(range(5000)).toBe(range(5000));
    expect(constantArray([-0, 1]) === constantArray([0, 1])).toBe(false);
    expectClose(
      of(broadcastTo(x, [2, 3, 4, 5])),
      tabulate([2, 3, 4, 5], (_, i, j, k) => element(i, j, k)),
      0,
      "broadcastTo",
    );
    expect(() => broadcastTo(x, [4, 5])).toThrow(/\[3, 4, 5\] does not broadcast to \[4, 5\]/);
    checkDerivatives((g) => exp(broadcastTo(g.x, [3, 2])), { x: [2] });
  });
});

describe("every primitive", () => {
  it("returns the same node when rebuilt with the same arguments, and describes itself", () => {
    const a = input("a", [4, 4]);
    const nodes = [
      exp(a),
      sum(a, { axis: 0 }),
      slice(a, { from: 1 }),
      pad(a, [
        [1, 1],
        [0, 0],
      ]),
      transpose(a),
      reshape(a, [2, 8]),
    ];
    for (const node of nodes) {
      const primitive = arrayPrimitiveOf(node);
      expect(primitive.rebuild(node, node.args)).toBe(node);
      expect(typeof (primitive.describe?.(node) ?? "")).toBe("string");
    }
    expect(new Set(allArrayPrimitives().map((p) => p.name)).size).toBe(allArrayPrimitives().length);
  });

  it("simplifies a conditional with equal branches to the branch", () => {
    const [condition, x] = [less(input("p", []), 0.5), input("x", [])];
    const value = add(2, exp(x));
    expect(where(condition, value, value)).toBe(value);
    expect(where(condition, value, add(value, mul(0, x)))).toBe(value);
    const spread = where(less(input("q", [2]), 0.5), value, value);
    expect(spread.shape).toEqual([2]);
    expect([...interpret([spread], { q: [0, 1], x: [0] })[0]]).toEqual([3, 3]);
  });

  it("returns a zero gradient for constants", () => {
    const x = input("x", [3]);
    expect(gradientsOf(sum(where(less(x, 0), 1, 2)), [x])[0]).toBe(full(0, [3]));
    expect(evaluated(({ y }) => sum(y), { y: [2] }, { y: Float64Array.of(1, 2) })[0]).toBe(3);
  });
});
