/**
 * Pick rules: orders, and frequencies compared with their distribution.
 *
 * False alarms: with correct code, one choice of the seed in 10,000 would fail this file. The level 1e-4 is split
 * evenly over its CHECKS checks. Each check must detect a planted mutant, a bias of a few percent, at the same level.
 * Seeds are fixed and were not selected.
 */
import { describe, expect, it } from "vitest";
import { type PickName, picksOf } from "../../../src/engine/optimise/coordinates/picks.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { chiSquare, zScore } from "../../bayes/statistical/p-values.ts";

const CHECKS = 4;
const LEVEL = 1e-4 / CHECKS;
const BLOCKS = 7;
const curvature = Float64Array.from({ length: BLOCKS }, (_, b) => (b + 1) ** 2);
const total = curvature.reduce((a, b) => a + b);

const made = (name: PickName, violations = () => new Float64Array(BLOCKS), block = 1) =>
  picksOf(name, { blocks: BLOCKS, block, stream: stream(1, "picks"), curvature: () => curvature, violations });

function counted(cells: number, moves: Iterable<number>): Float64Array {
  const counts = new Float64Array(cells);
  for (const cell of moves) counts[cell]++;
  return counts;
}

describe("orders", () => {
  it.each(["cyclic", "random", "permutation", "importance"] as const)("%s does not depend on how moves are requested", (name) => {
    const whole = made(name).next(0, 100);
    const parts = [made(name).next(0, 3), made(name).next(3, 40), made(name).next(43, 57)].flatMap((p) => Array.from(p));
    expect(parts).toEqual(Array.from(whole));
  });

  it("cyclic repeats one order, and permutation uses a new order of all blocks in each pass", () => {
    expect(Array.from(made("cyclic").next(5, 4))).toEqual([5, 6, 0, 1]);
    const passes = Array.from({ length: 50 }, (_, pass) =>
      made("permutation")
        .next(7 * pass, 7)
        .join(),
    );
    for (const pass of passes) expect(pass.split(",").sort().join()).toBe("0,1,2,3,4,5,6");
    expect(new Set(passes).size).toBeGreaterThan(40);
  });

  it("greedy selects the largest, the first of equal ones, and checks again after `block` moves", () => {
    let looks = 0;
    const violations = () => {
      looks++;
      return Float64Array.of(1, 5, 0, 5, 2, 9, 0);
    };
    expect(Array.from(made("greedy", violations).next(0, 10))).toEqual([5]);
    const three = made("greedy", violations, 3);
    looks = 0;
    expect(Array.from(three.next(0, 2))).toEqual([5, 1]);
    expect(Array.from(three.listed)).toEqual([3]);
    expect(Array.from(three.next(2, 2))).toEqual([3]);
    expect(looks).toBe(1);
    expect(Array.from(three.next(3, 9))).toEqual([5, 1, 3]);
    expect(looks).toBe(2);
  });
});

describe("frequencies", () => {
  const MOVES = 70_000;

  it("random is uniform", () => {
    const even = (cell: (b: number, k: number) => number) =>
      chiSquare(counted(BLOCKS, Array.from(made("random").next(0, MOVES), cell)), () => MOVES / BLOCKS);
    expect(even((b) => b)).toBeGreaterThan(LEVEL);
    expect(even((b, k) => (k % 20 === 0 ? 0 : b))).toBeLessThan(LEVEL);
  });

  it("importance is proportional to curvature", () => {
    const byCurvature = (cell: (b: number, k: number) => number) =>
      chiSquare(counted(BLOCKS, Array.from(made("importance").next(0, MOVES), cell)), (b) => (MOVES * curvature[b]) / total);
    expect(byCurvature((b) => b)).toBeGreaterThan(LEVEL);
    expect(byCurvature((b, k) => (k % 20 === 0 ? 0 : b))).toBeLessThan(LEVEL);
  });

  it("permutation puts each block at every place, and every pair in both orders", () => {
    const passes = Array.from({ length: 10_000 }, (_, pass) => made("permutation").next(BLOCKS * pass, BLOCKS));
    const places = (order: (pass: Uint32Array, p: number) => Uint32Array) =>
      chiSquare(
        counted(
          BLOCKS,
          passes.map((pass, p) => order(pass, p).indexOf(2)),
        ),
        () => passes.length / BLOCKS,
      );
    // Chi-square would fail here, because the halves are too equal.
    const pairs = (order: (pass: Uint32Array, p: number) => Uint32Array) => {
      const first = passes.filter((pass, p) => order(pass, p).indexOf(0) < order(pass, p).indexOf(6)).length;
      return zScore((first - passes.length / 2) / Math.sqrt(passes.length / 4));
    };
    const sometimesSorted = (pass: Uint32Array, p: number) => (p % 15 === 0 ? pass.slice().sort() : pass);
    for (const check of [places, pairs]) {
      expect(check((pass) => pass)).toBeGreaterThan(LEVEL);
      expect(check(sometimesSorted)).toBeLessThan(LEVEL);
    }
  });
});
