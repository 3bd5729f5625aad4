/**
 * Gathered rows, one-hot rows and cumulative sums agree with plain loops, and their derivatives with finite
 * differences.
 */
import { describe, expect, it } from "vitest";
import {
  cumsum,
  gather,
  gradientsOf,
  input,
  interpret,
  oneHot,
  pick,
  scatter,
  take,
} from "../../../../src/engine/compiler/array/index.ts";
import { sum } from "../../../../src/engine/compiler/index.ts";
import { elementOf, numbers, tabulate, total } from "../../../reference/arrays.ts";
import { checkDerivatives, evaluated, expectClose, valuesFor } from "./differences.ts";

describe("gather and scatter", () => {
  it.each([
    [[5, 3], [4]],
    [[5], [2, 3]],
    [[3, 2, 2], [1]],
    [[1, 4], []],
  ])("gathers rows of %j by indices %j", (table, indices) => {
    const values = valuesFor({ table });
    const count = indices.reduce((a, b) => a * b, 1);
    const own = Float64Array.from({ length: count }, (_, i) => (7 * i + 2) % table[0]);
    const made = gather(input("table", table), input("indices", indices));
    const shape = [...indices, ...table.slice(1)];
    expect(made.shape).toEqual(shape);
    const wanted = tabulate(shape, (...index) =>
      elementOf(values.table, table, [elementOf(own, indices, index.slice(0, indices.length)), ...index.slice(indices.length)]),
    );
    expectClose(interpret([made], { ...values, indices: own })[0], wanted, 0, "rows");
    checkDerivatives(
      (x) => gather(x.table, x.indices),
      { table, indices },
      { values: { ...values, indices: own }, by: ["table"] },
    );
  });

  it("adds rows with equal indices and skips rows with invalid indices", () => {
    const values = numbers(14, 3);
    const indices = Float64Array.of(1, 3, 1, NaN, -1, 4, 0.9);
    const made = scatter(input("values", [7, 2]), input("indices", [7]), 4);
    const [y] = interpret([made], { values, indices });
    const row = (i: number): number[] => [values[2 * i], values[2 * i + 1]];
    expect([...y]).toEqual([...row(6), row(0)[0] + row(2)[0], row(0)[1] + row(2)[1], 0, 0, ...row(1)]);
    const [gathered] = interpret([gather(input("table", [4, 1]), input("indices", [7]))], { table: [0, 10, 20, 30], indices });
    expect([...gathered]).toEqual([10, 30, 10, NaN, NaN, NaN, 0]);
  });

  it("differentiates scatter, with derivative 0 for skipped rows", () => {
    const shapes = { values: [5, 2], indices: [5] };
    const values = { values: numbers(10, 4), indices: Float64Array.of(2, 0, -1, 2, 9) };
    checkDerivatives((x) => scatter(x.values, x.indices, 3), shapes, { values, by: ["values"] });
  });

  it("takes elements along any axis", () => {
    const shapes = { x: [2, 4, 3], indices: [2, 2] };
    const values = { x: numbers(24, 1), indices: Float64Array.of(3, 0, 1, 1) };
    const wanted = tabulate([2, 2, 2, 3], (n, a, b, c) => elementOf(values.x, shapes.x, [n, values.indices[2 * a + b], c]));
    expectClose(
      evaluated(({ x, indices }) => take(x, indices, 1), shapes, values),
      wanted,
      0,
      "axis 1",
    );
    const last = tabulate([2, 4, 2, 2], (n, a, b, c) => elementOf(values.x, shapes.x, [n, a, values.indices[2 * b + c] % 3]));
    const modulo = { ...values, indices: values.indices.map((i) => i % 3) };
    expectClose(
      evaluated(({ x, indices }) => take(x, indices, -1), shapes, modulo),
      last,
      0,
      "axis 2",
    );
  });

  it("refuses arguments that do not fit", () => {
    expect(() => gather(input("t", []), input("i", [2]))).toThrow(/gather: .*needs rows.*COMPILE_SHAPE/);
    expect(() => scatter(input("v", [3, 2]), input("i", [2]), 4)).toThrow(/scatter: values are \[3, 2\], indices \[2\]/);
    expect(() => take(input("t", [2]), input("i", [2]), 1)).toThrow(/take: axis is 1/);
  });
});

describe("oneHot and pick", () => {
  it("marks or picks the index, and ignores an index out of range", () => {
    const [y] = interpret([oneHot(input("i", [4]), 3)], { i: [0, 2, 5, -1] });
    expect([...y]).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    const x = input("x", [2, 3]);
    const picked = pick(x, input("i", [2]));
    expect([...interpret([picked], { x: [1, 2, 3, 4, 5, 6], i: [2, 0] })[0]]).toEqual([3, 4]);
    const [slope] = interpret(gradientsOf(sum(picked), [x]), { x: [1, 2, 3, 4, 5, 6], i: [2, 0] });
    expect([...slope]).toEqual([0, 0, 1, 1, 0, 0]);
    expect(() => pick(x, input("i", [3]))).toThrow(/pick: the array is \[2, 3\] and the indices \[3\]/);
    expect(() => oneHot(input("i", [3]), 0)).toThrow(/classes is 0/);
  });
});

describe("cumsum", () => {
  it.each(Array.from({ length: 17 }, (_, n) => n + 1))("sums %i elements along each axis in both directions", (n) => {
    for (const [shape, axis] of [
      [[n], 0],
      [[2, n, 3], 1],
      [[3, n], -1],
    ] as const) {
      const values = valuesFor({ x: shape });
      const along = axis < 0 ? shape.length + axis : axis;
      for (const reverse of [false, true]) {
        const wanted = tabulate(shape, (...index) => {
          const at = (t: number): number =>
            elementOf(
              values.x,
              shape,
              index.map((i, a) => (a === along ? t : i)),
            );
          const own = index[along];
          return reverse ? total(n - own, (t) => at(own + t)) : total(own + 1, at);
        });
        expectClose(
          evaluated(({ x }) => cumsum(x, { axis, reverse }), { x: shape }, values),
          wanted,
          1e-14,
          `${shape} ${axis}`,
        );
      }
    }
  });

  it("differentiates cumulative sums", () => {
    checkDerivatives(({ x }) => cumsum(x, { axis: 1 }), { x: [2, 4, 2] });
    checkDerivatives(({ x }) => cumsum(x, { reverse: true }), { x: [5] });
  });

  it("propagates NaN and infinities from their first position", () => {
    const [y] = interpret([cumsum(input("x", [5]))], { x: [1, Infinity, 2, -Infinity, 3] });
    expect([...y]).toEqual([1, Infinity, Infinity, NaN, NaN]);
  });
});
