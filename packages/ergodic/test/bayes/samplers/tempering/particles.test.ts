/** kernels/bayes/particle-moves.ts equals its plain twin bit for bit. Also tests weights and resampling. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as field from "../../../../src/bayes/fields.ts";
import {
  logMeanWeight,
  nextPower,
  systematicAncestors,
  weightsWorth,
} from "../../../../src/bayes/samplers/tempering/resampling.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { Guarded } from "../../../engine/memory/guarded.ts";
import { type MoveSettings, movedParticle, type TemperedFunction } from "../../../reference/particle-moves.ts";
import { compiled } from "../gibbs/compiled.ts";

const engine = await openEngine();
const { scales } = await compiled(
  engine,
  `
/** model: β, L (out), d. Prior N(0, 1), L = Σ −(i + 1)(xᵢ − 1)²/2; not a number where x₀ > 3. */
export function scales(model: usize, x: usize, g: usize): f64 {
  const power = load<f64>(model), d = <i32>load<f64>(model, 16);
  let prior: f64 = 0, likelihood: f64 = 0;
  for (let i = 0; i < d; i++) {
    const v = load<f64>(x + (<usize>i << 3)), r = v - 1, c = <f64>(i + 1);
    prior -= 0.5 * v * v;
    likelihood -= 0.5 * c * r * r;
    store<f64>(g + (<usize>i << 3), 0 - v - power * c * r);
  }
  if (load<f64>(x) > 3) likelihood = NaN;
  store<f64>(model, likelihood, 8);
  return prior + power * likelihood;
}
`,
  ["scales"],
);

const POWER = 0.4;
const plain: TemperedFunction = (x, g) => {
  let prior = 0;
  let likelihood = 0;
  x.forEach((v, i) => {
    const r = v - 1;
    prior -= 0.5 * v * v;
    likelihood -= 0.5 * (i + 1) * r * r;
    g[i] = 0 - v - POWER * (i + 1) * r;
  });
  if (x[0] > 3) likelihood = Number.NaN;
  return { value: prior + POWER * likelihood, likelihood };
};

const key = stream(9, "particles");
const COUNT = 6;

function byKernel(d: number, settings: MoveSettings, starts: Float64Array[], deterministic: boolean) {
  using memory = new Guarded(engine);
  const model = memory.put("f64", [POWER, 0, d]);
  const numbers = (count: number) => memory.room("f64", count);
  const [logDensity, likelihood, acceptance, work] = [numbers(COUNT), numbers(COUNT), numbers(COUNT), numbers(4 * d)];
  const x = memory.put(
    "f64",
    starts.flatMap((start) => [...start]),
  );
  const block = memory.arena.block(field.PARTICLES_BYTES, [
    [field.PARTICLES_SLOT, scales.slot],
    [field.PARTICLES_MODEL, model],
    [field.PARTICLES_DIMENSION, d],
    [field.PARTICLES_COUNT, COUNT],
    [field.PARTICLES_X, x],
    [field.PARTICLES_LOG_DENSITY, logDensity],
    [field.PARTICLES_LIKELIHOOD, likelihood],
    [field.PARTICLES_LIKELIHOOD_AT, model + 8],
    [field.PARTICLES_FACTOR, memory.put("f64", settings.factor)],
    [field.PARTICLES_WORK, work],
    [field.PARTICLES_MOVES, settings.moves],
    [field.PARTICLES_LEAPFROGS, settings.leapfrogs],
    [field.PARTICLES_KEY_LOW, key.key[0]],
    [field.PARTICLES_KEY_HIGH, key.key[1]],
    [field.PARTICLES_ACCEPTANCE, acceptance],
  ]);
  memory.arena.setF64(block, field.PARTICLES_STEP_F64, settings.step);
  engine.kernel("particleDensities", deterministic)(block);
  engine.kernel("particleMoves", deterministic)(block, 12);
  memory.read("f64", work, 4 * d);
  return {
    x: memory.read("f64", x, COUNT * d),
    logDensity: memory.read("f64", logDensity, COUNT),
    likelihood: memory.read("f64", likelihood, COUNT),
    acceptance: memory.read("f64", acceptance, COUNT),
  };
}

function byTwin(settings: MoveSettings, starts: Float64Array[]) {
  const particles = starts.map((x) => {
    const { value, likelihood } = plain(x, new Float64Array(x.length));
    return { x, logDensity: value, likelihood };
  });
  const acceptance = particles.map((particle, i) => movedParticle(plain, particle, settings, key, 12 + i));
  return {
    x: particles.flatMap(({ x }) => [...x]),
    logDensity: particles.map(({ logDensity }) => logDensity),
    likelihood: particles.map(({ likelihood }) => likelihood),
    acceptance,
  };
}

describe.each([true, false])("moves, deterministic: %s", (deterministic) => {
  it.each([0, 1, 5])("equal the twin bit for bit in 1 to 9 dimensions with %i leapfrogs", (leapfrogs) => {
    for (let d = 1; d <= 9; d++) {
      const draws = stream(5, "moves", d).at(0);
      const factor = new Float64Array(d * d);
      for (let i = 0; i < d; i++)
        for (let j = 0; j <= i; j++) factor[i * d + j] = i === j ? 0.3 + draws.uniform() : 0.3 * draws.normal();
      const starts = Array.from({ length: COUNT }, () => Float64Array.from({ length: d }, () => draws.normal()));
      const settings = { moves: 7, leapfrogs, step: 0.7, factor };
      const found = byKernel(d, settings, starts, deterministic);
      expect(found).toEqual(byTwin(settings, starts));
      expect(Math.max(...found.acceptance)).toBeGreaterThan(0);
    }
  });
});

describe("weights", () => {
  const weights = fc.array(fc.oneof(fc.double({ min: -30, max: 5, noNaN: true }), fc.constant(-Infinity)), {
    minLength: 1,
    maxLength: 30,
  });

  it("have the effective size and mean of their definitions", () => {
    expect(weightsWorth([3, 3, 3, 3])).toBeCloseTo(4, 12);
    expect(weightsWorth([-1e4, -Infinity, -Infinity])).toBeCloseTo(1, 12);
    expect(weightsWorth([-Infinity, Number.NaN])).toBe(0);
    expect(weightsWorth([0, Math.log(3)])).toBeCloseTo(16 / 10, 12);
    expect(logMeanWeight([1000, 1000 + Math.log(3)])).toBeCloseTo(1000 + Math.log(2), 12);
    expect(logMeanWeight([0, -Infinity])).toBeCloseTo(-Math.log(2), 12);
  });

  it("are copied n w times on average, rounded up or down", () => {
    fc.assert(
      fc.property(weights, (logWeights) => {
        const w = logWeights.map(Math.exp);
        const total = w.reduce((a, b) => a + b, 0);
        fc.pre(total > 0);
        const n = w.length;
        const mean = w.map(() => 0);
        const grid = 400;
        let furthest = 0;
        for (let k = 0; k < grid; k++) {
          const copies = w.map(() => 0);
          for (const ancestor of systematicAncestors(logWeights, (k + 0.5) / grid)) copies[ancestor]++;
          copies.forEach((count, i) => {
            furthest = Math.max(furthest, Math.abs(count - (n * w[i]) / total));
            mean[i] += count / grid;
          });
        }
        expect(furthest).toBeLessThan(1 + 1e-9);
        // Over the grid of uniform numbers, each particle's count jumps at most twice.
        mean.forEach((count, i) => {
          expect(Math.abs(count - (n * w[i]) / total)).toBeLessThan(2 / grid + 1e-9);
        });
      }),
      { seed: 31, numRuns: 60 },
    );
  });

  it("have the target effective size at the next power", () => {
    const draws = stream(2, "likelihoods").at(0);
    const likelihoods = Float64Array.from({ length: 200 }, () => -40 * draws.normal() ** 2);
    for (const target of [0.3, 0.5, 0.9]) {
      let power = 0;
      let stages = 0;
      while (power < 1) {
        const to = nextPower(power, likelihoods, target);
        expect(to).toBeGreaterThan(power);
        if (to < 1) expect(weightsWorth(likelihoods.map((l) => (to - power) * l)) / 200).toBeCloseTo(target, 9);
        power = to;
        stages++;
      }
      expect(stages).toBeGreaterThan(1);
    }
    expect(nextPower(0, Float64Array.of(-1, -1), 0.9)).toBe(1);
    const mostly = nextPower(0, Float64Array.of(-1, -Infinity, -Infinity, -Infinity), 0.5);
    expect(mostly > 0 && mostly < 1e-15).toBe(true);
  });
});
