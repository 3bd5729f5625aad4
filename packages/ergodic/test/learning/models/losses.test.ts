/**
 * Losses: value and derivative of the compiled program compared with closed forms and with central differences. Distant
 * outputs stay finite, and NaN is never hidden.
 */
import { describe, expect, it } from "vitest";
import { type CompiledProgram, compile } from "../../../src/engine/compiler/index.ts";
import { Arena } from "../../../src/engine/memory/arena.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { type Loss, lossFromJson, lossNames, lossProgram } from "../../../src/learning/models/loss.ts";
import * as losses from "../../../src/learning/models/losses/index.ts";
import { builtIn } from "../../reference/built-in.ts";

const engine = await openEngine();

interface Evaluated {
  loss: number;
  dz: number[];
}

const programs = new Map<string, { program: CompiledProgram; call: (...args: number[]) => number }>();

function programOf(loss: Loss, outputs: number, weighted: boolean) {
  const key = JSON.stringify([loss.toJSON(), outputs, weighted]);
  const known = programs.get(key);
  if (known) return known;
  const program = compile(lossProgram(loss, outputs, weighted), { shared: engine.memory.shared });
  const made = { program, call: engine.link(program.bytes, program.exports)[program.update].call };
  programs.set(key, made);
  return made;
}

/**
 * Runs the compiled program of a loss on a batch (one output: y per row) or on one row (several outputs: y is a class).
 */
function evaluate(
  loss: Loss,
  z: number[],
  y: number[],
  { weight, outputs = 1 }: { weight?: number[]; outputs?: number } = {},
): Evaluated {
  const { program, call } = programOf(loss, outputs, weight !== undefined);
  using arena = new Arena(engine.memory, "loss");
  const block = arena.take(program.blockBytes);
  const vectors: Record<string, number> = { z: arena.copy(Float64Array.from(z)), dz: arena.take(8 * z.length) };
  if (outputs === 1) vectors.y = arena.copy(Float64Array.from(y));
  if (outputs === 1 && weight) vectors.weight = arena.copy(Float64Array.from(weight));
  for (const [name, at] of Object.entries(program.pointers)) arena.set(block, at, vectors[name]);
  if (outputs > 1) arena.setF64(block, program.scalars.y, y[0]);
  if (outputs > 1 && weight) arena.setF64(block, program.scalars.weight, weight[0]);
  call(z.length, block);
  return { loss: arena.getF64(block, program.scalars.loss), dz: [...engine.memory.f64(vectors.dz, z.length)] };
}

const log1pExp = (x: number): number => Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

/** ℓ and ∂ℓ/∂z, written independently. */
const closed: Record<
  string,
  { make: Loss; targets: number[]; value: (z: number, y: number) => number; slope: (z: number, y: number) => number }
> = {
  squared: { make: losses.squaredLoss(), targets: [-2, 0.5], value: (z, y) => (z - y) ** 2 / 2, slope: (z, y) => z - y },
  logistic: {
    make: losses.logisticLoss(),
    targets: [-1, 1],
    value: (z, y) => log1pExp(-y * z),
    slope: (z, y) => -y * sigmoid(-y * z),
  },
  hinge: {
    make: losses.hingeLoss(),
    targets: [-1, 1],
    value: (z, y) => Math.max(0, 1 - y * z),
    slope: (z, y) => (y * z < 1 ? -y : 0),
  },
  squaredHinge: {
    make: losses.squaredHingeLoss(),
    targets: [-1, 1],
    value: (z, y) => Math.max(0, 1 - y * z) ** 2,
    slope: (z, y) => -2 * y * Math.max(0, 1 - y * z),
  },
  huber: {
    make: losses.huberLoss({ delta: 0.75 }),
    targets: [-2, 0.5],
    value: (z, y) => (Math.abs(z - y) <= 0.75 ? (z - y) ** 2 / 2 : 0.75 * (Math.abs(z - y) - 0.375)),
    slope: (z, y) => Math.max(-0.75, Math.min(0.75, z - y)),
  },
  epsilonInsensitive: {
    make: losses.epsilonInsensitiveLoss({ epsilon: 0.3 }),
    targets: [-2, 0.5],
    value: (z, y) => Math.max(0, Math.abs(z - y) - 0.3),
    slope: (z, y) => (Math.abs(z - y) > 0.3 ? Math.sign(z - y) : 0),
  },
  quantile: {
    make: losses.quantileLoss({ quantile: 0.8 }),
    targets: [-2, 0.5],
    value: (z, y) => Math.max(0.8 * (y - z), -0.2 * (y - z)),
    slope: (z, y) => (y > z ? -0.8 : y < z ? 0.2 : -0.8),
  },
  poisson: {
    make: losses.poissonLoss(),
    targets: [0, 3],
    value: (z, y) => Math.exp(z) - y * z,
    slope: (z, y) => Math.exp(z) - y,
  },
};
const softmax = (z: number[]): number[] => {
  const top = Math.max(...z);
  const e = z.map((v) => Math.exp(v - top));
  return e.map((v) => v / e.reduce((a, b) => a + b));
};

const grid = Array.from({ length: 41 }, (_, i) => (i - 20) / 4 + 0.013);
const near = (found: number, wanted: number, scale = 1): void =>
  expect(Math.abs(found - wanted)).toBeLessThanOrEqual(4e-15 * Math.max(scale, Math.abs(wanted)));

it("every registered loss is tested here", () => {
  expect(builtIn(lossNames(), "Loss").sort()).toEqual([...Object.keys(closed), "multinomial"].sort());
});

describe.each(Object.entries(closed))("%s", (_, { make, targets, value, slope }) => {
  it("agrees with its closed form, at any position in a batch and with weights", () => {
    for (const y of targets) {
      const ys = grid.map(() => y);
      for (const weight of [undefined, grid.map((_, i) => i % 4)]) {
        const w = weight ?? grid.map(() => 1);
        const { loss, dz } = evaluate(make, grid, ys, { weight });
        for (const [i, z] of grid.entries()) near(dz[i], w[i] * slope(z, y), 1);
        const total = grid.reduce((sum, z, i) => sum + w[i] * value(z, y), 0);
        near(loss, total, 10 * total);
      }
    }
  });

  it("has the derivative of central differences", () => {
    const h = 1e-5;
    for (const y of targets) {
      for (const z of grid) {
        const at = (z: number): number => evaluate(make, [z], [y]).loss;
        const difference = (at(z + h) - at(z - h)) / (2 * h);
        const bound = 1e-6 * Math.max(1, Math.abs(difference));
        expect(Math.abs(evaluate(make, [z], [y]).dz[0] - difference)).toBeLessThan(bound);
      }
    }
  });

  it("is finite and correct at ±1000, and never hides a NaN", () => {
    for (const y of targets) {
      for (const z of [-1000, 1000]) {
        const { loss, dz } = evaluate(make, [z], [y]);
        // A count's mean e^1000 exceeds float64: infinite, not NaN.
        if (make.name === "poisson" && z > 0) expect([loss, dz[0]]).toEqual([Infinity, Infinity]);
        else {
          near(loss, value(z, y));
          near(dz[0], slope(z, y));
        }
      }
      // The loss ends a run. The slope of a kinked loss can still be a number.
      expect(evaluate(make, [0, Number.NaN], [y, y]).loss).toBeNaN();
    }
  });

  it("is rebuilt from its JSON, and refuses unknown options", () => {
    const again = lossFromJson(make.toJSON());
    expect(again.toJSON()).toEqual(make.toJSON());
    expect(again.equation).toBe(make.equation);
    expect(() => lossFromJson({ name: make.name, colour: 1 })).toThrow(/unknown option "colour".*\[OPTION_UNKNOWN\]/);
  });

  it("has the stated largest curvature", () => {
    if (make.curvature === undefined) return expect(["hinge", "epsilonInsensitive", "quantile", "poisson"]).toContain(make.name);
    const h = 1e-4;
    const bends = targets.flatMap((y) => grid.map((z) => (slope(z + h, y) - slope(z - h, y)) / (2 * h)));
    expect(Math.max(...bends)).toBeLessThanOrEqual(make.curvature * (1 + 1e-6));
    expect(Math.max(...bends)).toBeGreaterThan(make.curvature * 0.95);
  });
});

describe("options", () => {
  it.each([
    [() => losses.huberLoss({ delta: 0 }), "huber: delta is 0, but must be a number > 0 [OPTION_RANGE]"],
    [
      () => losses.quantileLoss({ quantile: 1.5 }),
      "quantile: quantile is 1.5, but must be a number >= 0 and <= 1 [OPTION_RANGE]",
    ],
    [
      () => losses.epsilonInsensitiveLoss({ epsilon: -1 }),
      "epsilonInsensitive: epsilon is -1, but must be a number >= 0 [OPTION_RANGE]",
    ],
  ])("are refused outside their range", (make, message) => {
    expect(make).toThrow(message);
  });

  it("are refused without a valid loss", () => {
    expect(() => lossFromJson("absolute")).toThrow(
      /^loss: "absolute" is neither a loss of this version nor .*huber.*\[LOSS_UNKNOWN\]$/,
    );
    expect(() => lossFromJson({ delta: 1 })).toThrow("JSON_TYPE");
    expect(() => lossFromJson(3)).toThrow("JSON_TYPE");
  });
});

describe("several outputs", () => {
  const rows = [[0.3, -1.2, 2.5], [0, 0, 0], [1000, -1000, 3], [-1000, -999, -1002], [5]].map((row) =>
    row.length === 1 ? [5, 5.5, -0.1] : row,
  );

  it.each([undefined, [2.5]])("multinomial: has the right value and derivative for any class, weight %j", (weight) => {
    const w = weight?.[0] ?? 1;
    for (const z of rows) {
      for (const y of [0, 1, 2]) {
        const { loss, dz } = evaluate(losses.multinomialLoss(), z, [y], { outputs: 3, weight });
        const top = Math.max(...z);
        near(loss, w * (top + Math.log(z.reduce((sum, v) => sum + Math.exp(v - top), 0)) - z[y]), 1000);
        for (const [k, p] of softmax(z).entries()) near(dz[k], w * (p - Number(k === y)), 1);
      }
    }
  });

  it("multinomial: has a curvature of at most ½", () => {
    const h = 1e-5;
    for (const z of rows) {
      for (let k = 0; k < 3; k++) {
        const at = (by: number): number[] =>
          evaluate(
            losses.multinomialLoss(),
            z.map((v, j) => (j === k ? v + by : v)),
            [0],
            { outputs: 3 },
          ).dz;
        expect((at(h)[k] - at(-h)[k]) / (2 * h)).toBeLessThanOrEqual(0.5 + 1e-6);
      }
    }
  });

  it("one against the rest: applies a separate binary loss to each output", () => {
    for (const name of ["logistic", "hinge", "squaredHinge"]) {
      const { make, value, slope } = closed[name];
      for (const z of rows) {
        for (const y of [0, 1, 2]) {
          const { loss, dz } = evaluate(make, z, [y], { outputs: 3, weight: [0.5] });
          const sign = (k: number): number => (k === y ? 1 : -1);
          near(loss, 0.5 * z.reduce((sum, v, k) => sum + value(v, sign(k)), 0), 1e4);
          for (const [k, v] of z.entries()) near(dz[k], 0.5 * slope(v, sign(k)), 1);
        }
      }
    }
  });
});
