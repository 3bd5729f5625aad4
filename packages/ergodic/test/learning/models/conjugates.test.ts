/**
 * Conjugates, tested by Fenchel's inequality ℓ(z, y) + ℓ*(u, y) ≥ uz, with equality if u is the derivative of ℓ. Also
 * curvatures by differences, and rows of weight 0.
 */
import { describe, expect, it } from "vitest";
import { forGood, linkProgram, type ProgramSpec } from "../../../src/engine/compiler/index.ts";
import { Arena } from "../../../src/engine/memory/arena.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { conjugateProgram, curvedProgram, type Loss } from "../../../src/learning/models/loss.ts";
import * as losses from "../../../src/learning/models/losses/index.ts";
import { isSlow } from "../../power.ts";

const engine = await openEngine();

/** Runs a program once, and returns its stored values and scalars. */
function run(spec: ProgramSpec, count: number, inputs: Record<string, number[]>, scalars: Record<string, number>) {
  using arena = new Arena(engine.memory, "loss");
  const { program, functions } = linkProgram(engine, spec, forGood);
  const block = arena.take(program.blockBytes);
  const at = Object.fromEntries(
    Object.entries(program.pointers).map(([name, offset]) => {
      const pointer = arena.copy(Float64Array.from(inputs[name] ?? new Array<number>(count).fill(0)));
      arena.set(block, offset, pointer);
      return [name, pointer];
    }),
  );
  for (const [name, value] of Object.entries(scalars)) arena.setF64(block, program.scalars[name], value);
  functions[program.update].call(count, block);
  return {
    array: (name: string): number[] => [...engine.memory.f64(at[name], count)],
    scalar: (name: string): number => arena.getF64(block, program.scalars[name]),
  };
}

interface Point {
  loss: number;
  dz: number[];
  d2z: number[];
}

function curved(loss: Loss, z: number[], y: number, weight = 1): Point {
  const each = z.map(() => weight);
  const { array, scalar } = loss.joint
    ? run(curvedProgram(loss), z.length, { z }, { y, weight })
    : run(curvedProgram(loss), z.length, { z, y: z.map(() => y), weight: each }, {});
  return { loss: scalar("loss"), dz: array("dz"), d2z: array("d2z") };
}

/** Σ w ℓ*(u, y) at u = −α v/w. */
function conjugate(loss: Loss, u: number[], y: number, weight = 1, alpha = 1): number {
  const v = u.map((x) => (-x * weight) / alpha);
  const spec = conjugateProgram(loss)!;
  const { scalar } = loss.joint
    ? run(spec, u.length, { v }, { alpha, y, weight })
    : run(spec, u.length, { v, y: u.map(() => y), weight: u.map(() => weight) }, { alpha });
  return scalar("value");
}

/** From −5.3 to 5.4. */
const grid = isSlow
  ? Array.from({ length: 33 }, (_, i) => (i - 16) / 3 + 0.017)
  : Array.from({ length: 17 }, (_, i) => (2 * (i - 8)) / 3 + 0.017);
const single: [string, Loss, number[]][] = [
  ["squared", losses.squaredLoss(), [-2, 0, 0.5]],
  ["huber", losses.huberLoss({ delta: 0.75 }), [-2, 0.5]],
  ["logistic", losses.logisticLoss(), [-1, 1]],
  ["squaredHinge", losses.squaredHingeLoss(), [-1, 1]],
  ["poisson", losses.poissonLoss(), [0, 1, 3, 2000]],
];

it("every loss with a curvature and a conjugate is tested here", () => {
  const all = Object.values(losses).map((make) => make() as Loss);
  const named = [...single.map(([name]) => name), "multinomial"].sort();
  expect(
    all
      .filter((loss) => loss.conjugate)
      .map((loss) => loss.name)
      .sort(),
  ).toEqual(named);
  expect(all.filter((loss) => loss.quadratic).map((loss) => loss.name)).toEqual(["squared"]);
});

describe.each(single)("%s", (_, loss, targets) => {
  it("satisfies Fenchel's inequality for all pairs, with equality at the derivative", () => {
    for (const y of targets) {
      const slopes = grid.map((z) => curved(loss, [z], y).dz[0]);
      const values = slopes.map((u) => conjugate(loss, [u], y));
      for (const z of grid) {
        const here = curved(loss, [z], y);
        for (const [i, u] of slopes.entries()) {
          const slack = here.loss + values[i] - u * z;
          const rounding = 4e-15 * (Math.abs(here.loss) + Math.abs(values[i]) + Math.abs(u * z) + Math.abs(y * 8));
          expect(slack).toBeGreaterThanOrEqual(-rounding);
          if (grid[i] === z) expect(slack).toBeLessThanOrEqual(rounding);
        }
      }
    }
  });

  it("is finite and convex between a derivative and 0, and minus the least loss at 0", () => {
    for (const y of targets) {
      for (const z of grid) {
        const u = curved(loss, [z], y).dz[0];
        const at = (alpha: number): number => conjugate(loss, [alpha * u], y);
        const [whole, none] = [at(1), at(0)];
        expect(Math.abs(whole)).toBeLessThan(1e6);
        for (const alpha of [0.1, 0.5, 0.9])
          expect(at(alpha)).toBeLessThanOrEqual(alpha * whole + (1 - alpha) * none + 1e-12 * (1 + Math.abs(none)));
      }
      // Losses are convex in z, so ternary search finds the minimum.
      let [low, high, least] = [-40, 40, Infinity];
      for (let n = 0; n < 60; n++) {
        const thirds = [low + (high - low) / 3, high - (high - low) / 3];
        const [left, right] = thirds.map((z) => curved(loss, [z], y).loss);
        least = Math.min(least, left, right);
        if (left <= right) high = thirds[1];
        else low = thirds[0];
      }
      const infimum = -conjugate(loss, [0], y);
      expect(infimum).toBeLessThanOrEqual(least + 1e-12 * Math.abs(least));
      expect(least - infimum).toBeLessThan(1e-3 * (1 + Math.abs(y)));
    }
  });

  it("is practically infinite outside the range of derivatives", () => {
    const outside: Record<string, [number, number][]> = {
      squared: [],
      huber: [
        [0.76, 0.5],
        [-0.76, 0.5],
      ],
      logistic: [
        [0.01, 1],
        [-1.01, 1],
        [-0.01, -1],
      ],
      squaredHinge: [
        [0.01, 1],
        [-0.01, -1],
      ],
      poisson: [[-3.01, 3]],
    };
    for (const [u, y] of outside[loss.name]) expect(conjugate(loss, [u], y)).toBeGreaterThan(1e200);
  });

  it("has the derivative of the derivative as its curvature", () => {
    const h = 1e-5;
    for (const y of targets) {
      for (const z of grid) {
        if (loss.name === "huber" && Math.abs(Math.abs(z - y) - 0.75) < 2 * h) continue;
        if (loss.name === "squaredHinge" && Math.abs(1 - y * z) < 2 * h) continue;
        const difference = (curved(loss, [z + h], y).dz[0] - curved(loss, [z - h], y).dz[0]) / (2 * h);
        expect(Math.abs(curved(loss, [z], y).d2z[0] - difference)).toBeLessThan(
          1e-7 * Math.max(1, Math.abs(difference)) + y * 1e-9,
        );
      }
    }
  });

  it("multiplies loss, derivatives and conjugate by weights, and ignores rows of weight 0 with infinite loss", () => {
    const [y] = targets;
    for (const z of [-1.3, 0.4]) {
      const [once, thrice] = [curved(loss, [z], y), curved(loss, [z], y, 3)];
      expect(thrice.loss).toBeCloseTo(3 * once.loss, 12);
      expect(thrice.dz[0]).toBeCloseTo(3 * once.dz[0], 12);
      expect(thrice.d2z[0]).toBeCloseTo(3 * once.d2z[0], 12);
      const u = once.dz[0];
      expect(conjugate(loss, [u], y, 3)).toBeCloseTo(3 * conjugate(loss, [u], y), 12);
      expect(conjugate(loss, [0.5 * u], y, 1, 0.5)).toBeCloseTo(conjugate(loss, [0.5 * u], y), 13);
    }
    const { loss: nothing, dz, d2z } = curved(loss, [1e3, -1e3], y, 0);
    expect([nothing, ...dz, ...d2z].map((v) => v + 0)).toEqual([0, 0, 0, 0, 0]);
    expect(conjugate(loss, [0], y, 0) + 0).toBe(0);
  });
});

describe("multinomial", () => {
  const loss = losses.multinomialLoss();
  const points = [
    [0, 0, 0],
    [1, -2, 0.5],
    [4, 3.9, -6],
    [-30, 2, 1],
    [0.3, 0.1, -0.2],
  ];

  it("satisfies Fenchel's inequality for all pairs, with equality at the derivative", () => {
    for (const y of [0, 1, 2]) {
      for (const other of points) {
        const u = curved(loss, other, y).dz;
        const value = conjugate(loss, u, y);
        for (const z of points) {
          const slack = curved(loss, z, y).loss + value - u.reduce((sum, v, k) => sum + v * z[k], 0);
          expect(slack).toBeGreaterThanOrEqual(-1e-14);
          if (z === other) expect(slack).toBeLessThanOrEqual(1e-13);
        }
      }
      expect(conjugate(loss, [0, 0, 0], y) + 0).toBe(0);
      expect(
        conjugate(
          loss,
          [0, 1, 2].map((k) => (k === y ? 0.1 : -0.05)),
          y,
        ),
      ).toBeGreaterThan(1e200);
    }
  });

  it("has second differences as its curvatures, output by output", () => {
    const h = 1e-5;
    for (const z of points) {
      const { d2z } = curved(loss, z, 1);
      for (const k of [0, 1, 2]) {
        const at = (by: number): number =>
          curved(
            loss,
            z.map((v, i) => (i === k ? v + by : v)),
            1,
          ).dz[k];
        expect(Math.abs(d2z[k] - (at(h) - at(-h)) / (2 * h))).toBeLessThan(1e-9);
      }
    }
  });

  it("ignores a row of weight 0", () => {
    const { loss: nothing, dz, d2z } = curved(loss, [1e3, 0, -1e3], 2, 0);
    expect([nothing, ...dz, ...d2z].map((v) => v + 0)).toEqual(new Array(7).fill(0));
  });
});
