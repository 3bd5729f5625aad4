/**
 * kernels/engine/images/circulant.ts agrees with plain twins within the bounds of its header, for sides k with and
 * without transform and for 0 … 9 and more rows. It uses at most the scratch that memory/circulant.ts states, and the
 * bits of a row do not depend on its neighbours.
 */
import { describe, expect, it } from "vitest";
import { CIRCULANT_LONGEST, CIRCULANT_SHORTEST, circulantScratchBytes } from "../../../src/engine/memory/circulant.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { isSlow } from "../../power.ts";
import { type CirculantShape, circulant, circulantInput, circulantWeight } from "../../reference/circulant.ts";
import { elementBytes, type FloatType, floatTypes, Guarded, rounded, roundoff } from "./guarded.ts";

const engine = await openEngine();
const both = [true, false];

const kernels = ["circulant", "circulantInput", "circulantWeight"] as const;
type Kernel = (typeof kernels)[number];
const twins = { circulant, circulantInput, circulantWeight };

interface Operands {
  readonly x: number[];
  readonly w: number[];
  readonly dy: number[];
}

const blocksOf = ({ rows, p, q }: CirculantShape) => ({ x: rows * q, w: p * q, dy: rows * p });
const operandsOf = { circulant: ["x", "w"], circulantInput: ["dy", "w"], circulantWeight: ["x", "dy"] } as const;
const resultOf = { circulant: "dy", circulantInput: "x", circulantWeight: "w" } as const;

/** Returns the kernel's result. Scratch holds NaN beforehand. */
function run(kernel: Kernel, type: FloatType, deterministic: boolean, shape: CirculantShape, operands: Operands): number[] {
  using memory = new Guarded(engine);
  const { rows, p, q, k } = shape;
  const [first, second] = operandsOf[kernel].map((name) => memory.put(type, operands[name]));
  const count = blocksOf(shape)[resultOf[kernel]] * k;
  const out = memory.room(type, count);
  const words = circulantScratchBytes(rows, p, q, k, elementBytes[type]) / elementBytes[type];
  const scratch = memory.put(type, new Array<number>(words).fill(Number.NaN));
  engine.kernel(`${kernel}${type.toUpperCase()}`, deterministic)(rows, p, q, k, first, second, out, scratch);
  memory.read(type, scratch, words);
  return memory.read(type, out, count);
}

const isTransformed = (k: number) => (k & (k - 1)) === 0 && k >= CIRCULANT_SHORTEST && k <= CIRCULANT_LONGEST;

/** Number of block products that are summed per block of the result. */
const termsOf = ({ rows, p, q }: CirculantShape) => ({ circulant: q, circulantInput: p, circulantWeight: rows });

function factor(kernel: Kernel, shape: CirculantShape): number {
  const terms = termsOf(shape)[kernel];
  if (isTransformed(shape.k)) return 7 * Math.log2(shape.k) + terms + 2;
  return kernel === "circulantWeight" ? terms + shape.k + 2 : terms * shape.k + 2;
}

const norms = (k: number, values: readonly number[]): number[] =>
  Array.from({ length: values.length / k }, (_, block) => Math.hypot(...values.slice(block * k, block * k + k)));

/**
 * Largest ratio of ‖error of a block‖ to its bound. The bound is the twin on the norms of blocks, each as a block of
 * one element.
 */
function worstBlock(kernel: Kernel, type: FloatType, shape: CirculantShape, operands: Operands) {
  const [first, second] = operandsOf[kernel];
  const wanted = twins[kernel](shape, operands[first], operands[second]);
  const sizes = twins[kernel]({ ...shape, k: 1 }, norms(shape.k, operands[first]), norms(shape.k, operands[second]));
  const scale = factor(kernel, shape) * 2 * roundoff[type] * Math.sqrt(shape.k);
  return (found: readonly number[]): number => {
    expect(found.length).toBe(wanted.length);
    const errors = norms(
      shape.k,
      found.map((value, at) => value - wanted[at]),
    );
    let most = 0;
    for (const [block, error] of errors.entries()) {
      if (error === 0) continue;
      const ratio = error / (scale * sizes[block]);
      if (!(ratio <= most)) most = ratio;
      if (Number.isNaN(most)) return most;
    }
    return most;
  };
}

describe.each(floatTypes)("%s", (type) => {
  const draws = stream(8, "circulant", type).at(0);
  const some = (shape: CirculantShape, draw: () => number): Operands => {
    const counts = blocksOf(shape);
    const array = (blocks: number) => rounded(type, Array.from({ length: blocks * shape.k }, draw));
    return { x: array(counts.x), w: array(counts.w), dy: array(counts.dy) };
  };
  const check = (shape: CirculantShape) => {
    const operands = some(shape, () => draws.normal());
    for (const kernel of kernels) {
      const worst = worstBlock(kernel, type, shape, operands);
      for (const deterministic of both) {
        const found = run(kernel, type, deterministic, shape, operands);
        expect(worst(found), `${kernel} ${deterministic} ${JSON.stringify(shape)}`).toBeLessThanOrEqual(1);
      }
    }
  };

  it("agrees with the twins within the bounds for 0 … 9 rows and k of 1 … 64", () => {
    for (const k of [1, 2, 3, 4, 5, 7, 8, 12, 16, 32, 33, 64])
      for (const rows of isSlow ? [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] : [0, 1, 2, 3, 5, 8, 9])
        for (const [p, q] of k > 16
          ? [[2, 3]]
          : [
              [1, 1],
              [2, 3],
              [5, 4],
            ])
          check({ rows, p, q, k });
  });

  it("handles empty sides, several bands and long blocks", () => {
    for (const k of [1, 8]) {
      check({ rows: 3, p: 0, q: 2, k });
      check({ rows: 3, p: 2, q: 0, k });
      check({ rows: 3, p: 0, q: 0, k });
    }
    check({ rows: 67, p: 3, q: 2, k: 8 });
    check({ rows: 5, p: 33, q: 1, k: 256 });
    check({ rows: 2, p: 1, q: 2, k: 512 });
    // The twin takes long, and both types share the loops.
    if (isSlow || type === "f64") check({ rows: 1, p: 1, q: 1, k: CIRCULANT_LONGEST });
    check({ rows: 37, p: 40, q: 3, k: 3 });
  });

  it("loses no more bits than independent roundings: ‖error‖ <= ε √log₂k ‖y‖ on random integers", () => {
    for (const k of [4, 8, 64, 512]) {
      const shape = { rows: 6, p: 2, q: 2, k };
      // The twin's sums of integers are exact.
      const operands = some(shape, () => draws.integer(17) - 8);
      for (const kernel of kernels) {
        const [first, second] = operandsOf[kernel];
        const wanted = twins[kernel](shape, operands[first], operands[second]);
        for (const deterministic of both) {
          const found = run(kernel, type, deterministic, shape, operands);
          const error = Math.hypot(...found.map((value, at) => value - wanted[at]));
          expect(error / Math.hypot(...wanted)).toBeLessThanOrEqual(2 * roundoff[type] * Math.sqrt(Math.log2(k)));
        }
      }
    }
  });

  it.each(both)("a unit vector as w rotates x up to rounding, deterministic: %s", (deterministic) => {
    for (const k of [4, 8, 64]) {
      for (const by of [0, 1, k - 1]) {
        const x = rounded(
          type,
          Array.from({ length: 5 * k }, () => draws.normal()),
        );
        const w = Array.from({ length: k }, (_, c) => (c === by ? 1 : 0));
        const found = run("circulant", type, deterministic, { rows: 5, p: 1, q: 1, k }, { x, w, dy: [] });
        for (const [at, value] of found.entries()) {
          const row = Math.floor(at / k) * k;
          expect(Math.abs(value - x[row + ((at - row - by + k) % k)])).toBeLessThan(64 * 2 * roundoff[type]);
        }
      }
    }
  });

  it.each(both)("a row of y has the same bits whatever the other rows, deterministic: %s", (deterministic) => {
    for (const k of [3, 8, 32]) {
      const shape = { rows: 70, p: 3, q: 5, k };
      const { x, w, dy } = some(shape, () => draws.normal());
      const all = run("circulant", type, deterministic, shape, { x, w, dy });
      for (const [from, rows] of [
        [0, 2],
        [3, 9],
        [69 - 20, 21],
      ]) {
        const part = x.slice(from * 5 * k, (from + rows) * 5 * k);
        const found = run("circulant", type, deterministic, { ...shape, rows }, { x: part, w, dy: [] });
        expect(found).toEqual(all.slice(from * 3 * k, (from + rows) * 3 * k));
      }
    }
  });

  it.each(both)(
    "NaN and ±Inf fill only their row of y with NaN, and zeros and subnormal numbers stay small, deterministic: %s",
    (deterministic) => {
      const k = 16;
      for (const special of [Number.NaN, Infinity, -Infinity]) {
        const operands = some({ rows: 6, p: 2, q: 2, k }, () => draws.normal());
        operands.x[2 * 2 * k + 5] = special;
        const found = run("circulant", type, deterministic, { rows: 6, p: 2, q: 2, k }, operands);
        expect(found.every((value, at) => Number.isNaN(value) === (Math.floor(at / (2 * k)) === 2))).toBe(true);
      }
      const tiny = type === "f32" ? 2 ** -140 : 2 ** -1060;
      const operands = some({ rows: 3, p: 1, q: 1, k }, () => tiny);
      operands.x.fill(-0, 0, k);
      const found = run("circulant", type, deterministic, { rows: 3, p: 1, q: 1, k }, operands);
      expect(found.every((value) => value === 0)).toBe(true);
      operands.w.fill(0).fill(1, 0, 1);
      const kept = run("circulant", type, deterministic, { rows: 3, p: 1, q: 1, k }, operands);
      for (const [at, value] of kept.entries()) expect(Math.abs(value - operands.x[at])).toBeLessThan(tiny / 16);
    },
  );
});
