/**
 * Small plans that together contain every kind of step, argument and repetition, with their numbers, for tests that
 * damage them.
 */

import * as array from "../../src/engine/compiler/array/index.ts";
import { encodePlan } from "../../src/engine/compiler/array/serialise.ts";
import type { Shape, SymbolicArray } from "../../src/engine/compiler/array/symbolic.ts";
import { add, max, mul, sigmoid, square, sub, sum, tanh } from "../../src/engine/compiler/index.ts";
import type { ArrayPlan } from "../../src/engine/memory/array-plan.ts";
import { stream } from "../../src/engine/random/stream.ts";

const { averagePool, constantArray, conv2d, input, matmul, maxPool, mean, reshape, scan, softmax, take, transpose } = array;
const relu = (x: SymbolicArray): SymbolicArray => max(x, 0);

interface Network {
  readonly x: Shape;
  readonly parameters: Record<string, Shape>;
  build(x: SymbolicArray, parameters: Record<string, SymbolicArray>): SymbolicArray;
}

const networks: Readonly<Record<string, Network>> = {
  dense: {
    x: [5],
    parameters: { w: [5, 6], b: [6], v: [6, 2] },
    build: (x, { w, b, v }) => {
      const h = add(matmul(x, w), b);
      return softmax(matmul(relu(sub(h, mean(square(h), { axis: -1, keep: true }))), v));
    },
  },
  images: {
    x: [6, 6, 2],
    parameters: { w: [3, 3, 2, 4], d: [3, 3, 1, 4] },
    build(x, { w, d }) {
      const first = relu(conv2d(x, w, { padding: "same" }));
      const pooled = maxPool(conv2d(first, d, { padding: "same", groups: 4 }), { size: 2 });
      return reshape(averagePool(pooled, { size: 3 }), [x.shape[0], 4]);
    },
  },
  attention: {
    x: [3, 4],
    parameters: { q: [4, 4], k: [4, 4] },
    build(x, { q, k }) {
      const heads = (w: SymbolicArray): SymbolicArray => transpose(reshape(matmul(x, w), [x.shape[0], 3, 2, 2]), [0, 2, 1, 3]);
      return reshape(matmul(heads(q), transpose(heads(k), [0, 1, 3, 2])), [x.shape[0], 18]);
    },
  },
  recurrent: {
    x: [4, 3],
    parameters: { w: [3, 2], u: [2, 2], table: [5, 2] },
    build(x, { w, u, table }) {
      const rows = x.shape[0];
      const first = add(array.full(0, [rows, 2]), take(table, constantArray(Float64Array.of(3), [1])));
      const { carries, outputs } = scan([first], [transpose(x, [1, 0, 2])], ([h], [now]) => {
        const next = tanh(add(matmul(now, w), matmul(h, u)));
        return [[next], [sum(mul(next, next), { axis: 1 })]];
      });
      return array.concatenate([sigmoid(carries[0]), transpose(outputs[0])], 1);
    },
  },
};

export interface SavedPlan {
  readonly plan: ArrayPlan;
  readonly numbers: Readonly<Record<string, Float64Array>>;
  /** Number of values of x per row. */
  readonly width: number;
}

const draws = stream(12, "plans").at(0);
export const drawn = (count: number): Float64Array => Float64Array.from({ length: count }, () => Math.fround(draws.normal()));
const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

export const savedPlans: Readonly<Record<string, SavedPlan>> = Object.fromEntries(
  Object.entries(networks).map(([name, { x, parameters, build }]) => {
    const { plan, constants } = encodePlan((batch) => {
      const inputs = Object.fromEntries(Object.entries(parameters).map(([key, shape]) => [key, input(key, shape)]));
      return { name, precision: "f32", outputs: [{ value: build(input("x", [batch, ...x]), inputs), buffer: "z", offset: 0 }] };
    });
    const own = Object.fromEntries(Object.entries(parameters).map(([key, shape]) => [key, drawn(sizeOf(shape))]));
    return [name, { plan: JSON.parse(JSON.stringify(plan)) as ArrayPlan, numbers: { ...constants, ...own }, width: sizeOf(x) }];
  }),
);
