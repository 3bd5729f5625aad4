/**
 * User-defined proposals are exact on finite state spaces, by enumeration, and on continuous targets, by moments and
 * quantiles.
 *
 * The false alarm rate of the file is 1e-4, split over its RUNS. With 10⁶ draws, biases of 15 % of a functional's
 * standard deviation would be found, and with the 38,400 of `npm test`, biases of 77 %. Planted mistakes are detected.
 */
import { describe, expect, it } from "vitest";
import { functionDensity } from "../../../../src/bayes/model/functional/index.ts";
import { independence, metropolisHastings } from "../../../../src/bayes/samplers/index.ts";
import { acceptanceProbability, type Propose } from "../../../../src/bayes/samplers/metropolis/proposal-run.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { exp } from "../../../../src/engine/numbers/exp.ts";
import { log } from "../../../../src/engine/numbers/log.ts";
import type { Draws } from "../../../../src/engine/random/stream.ts";
import {
  biasAt,
  biasFound,
  checkChains,
  checkExactness,
  expectExact,
  leastP,
  standardTargets,
  type Target,
} from "../exactness.ts";
import { chainsOf } from "./walks.ts";

const RUNS = 4;
const FALSE_ALARM = 1e-4 / RUNS;
const engine = await openEngine();
const [plain, correlated, , skewed] = await standardTargets(engine);
const plan = { chains: 4, warmup: 10, draws: 500, seed: 6, workers: 1, deterministic: true };

/** Seven states. The fourth is impossible. */
const weights = [1, 2, 4, 0, 3, 0.5, 2];
const total = weights.reduce((sum, w) => sum + w, 0);
const states = functionDensity({ dimension: 1, logDensity: ([x]) => log(weights[x] ?? 0) });

/**
 * Moves around the ring: each number of steps to the right, with its count among 16 cases. Each move can be undone, but
 * with another probability.
 */
const ring = new Map([
  [6, 3],
  [1, 1],
  [2, 3],
  [5, 1],
  [3, 6],
  [4, 2],
]);
const CASES = 16;
const cases = [...ring].flatMap(([by, count]) => new Array<number>(count).fill(by));

/** With `corrected`, returns the ratio that corrects for the asymmetry. */
const ringProposal =
  (corrected: boolean): Propose =>
  ([x], draws) => {
    const by = cases[draws.integer(CASES)];
    return { x: [(x + by) % 7], ...(corrected ? { logRatio: log(ring.get(7 - by)! / ring.get(by)!) } : {}) };
  };

/** A random source that always returns one integer. */
const fixed = (integer: number) => ({ integer: () => integer }) as unknown as Draws;

/** Transition matrix P[x][y] of a proposal that draws one of CASES integers. */
function matrix(propose: Propose): number[][] {
  return weights.map((weight, x) => {
    const row = new Array<number>(7).fill(0);
    for (let u = 0; u < CASES; u++) {
      const { x: to, logRatio = 0 } = propose(Float64Array.of(x), fixed(u));
      const accepted = acceptanceProbability(log(weight), log(weights[to[0]]), logRatio);
      row[to[0]] += accepted / CASES;
      row[x] += (1 - accepted) / CASES;
    }
    return row;
  });
}

/** Largest |πP − π|. */
function drift(transition: number[][]): number {
  const after = weights.map((_, y) => weights.reduce((sum, w, x) => sum + (w > 0 ? (w / total) * transition[x][y] : 0), 0));
  return Math.max(...after.map((value, y) => Math.abs(value - weights[y] / total)));
}

describe("seven states", () => {
  it("π P = π holds with detailed balance, but not without the ratio", () => {
    const transition = matrix(ringProposal(true));
    expect(drift(transition)).toBeLessThan(1e-12);
    for (const [x, row] of transition.entries()) {
      if (weights[x] === 0) continue;
      expect(row.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 12);
      for (const [y, p] of row.entries())
        if (weights[y] > 0) expect(Math.abs(weights[x] * p - weights[y] * transition[y][x])).toBeLessThan(1e-12);
    }
    expect(drift(matrix(ringProposal(false)))).toBeGreaterThan(1e-3);
  });

  it("a run accepts with the computed probabilities and visits exactly the possible states", async () => {
    const start = (draws: Draws) => [draws.integer(3)];
    const run = metropolisHastings({ propose: ringProposal(true), start }).start(states, plan, engine);
    while (run.converged === false) await run.advance(100);
    const draws = run.draws();
    run.dispose();
    const [x, value, acceptance, accepted] = [
      draws.coordinate(0),
      ...["logDensity", "acceptance", "accepted"].map((field) => draws.transition(field)),
    ];
    expect(new Set(x)).toEqual(new Set([0, 1, 2, 4, 5, 6]));
    const possible = new Set(
      weights.flatMap((w, from) =>
        Array.from({ length: CASES }, (_, u) => {
          const { x: to, logRatio } = ringProposal(true)(Float64Array.of(from), fixed(u));
          return acceptanceProbability(log(w), log(weights[to[0]]), logRatio!);
        }),
      ),
    );
    for (let k = 0; k < x.length; k++) {
      expect(value[k]).toBe(log(weights[x[k]]));
      expect(possible.has(acceptance[k])).toBe(true);
      if (k % plan.draws > 0) expect(accepted[k]).toBe(x[k] === x[k - 1] ? 0 : 1);
    }
  });

  it("frequencies match the target, but not without the ratio", async () => {
    const functionals = [0, 1, 2, 4, 5].map((state) => ({
      name: `x = ${state}`,
      of: (x: Float64Array) => (x[0] === state ? 1 : 0),
      expectation: weights[state] / total,
      variance: (weights[state] / total) * (1 - weights[state] / total),
    }));
    const target = { ...plain, name: "seven states", functionals, density: states } as unknown as Target;
    const run = (corrected: boolean) =>
      checkExactness(engine, metropolisHastings({ propose: ringProposal(corrected), start: () => [0] }), {
        seed: 23,
        draws: 1000,
        warmup: 50,
        targets: [target],
      });
    const checks = await run(true);
    expectExact(checks, FALSE_ALARM);
    expect(biasFound(checks, FALSE_ALARM)).toBeLessThan(0.1);
    expect(leastP(await run(false))).toBeLessThan(FALSE_ALARM);
  });
});

/** Proposes N(x/2 + m/2, s²) by coordinate, for which q(x' | x) ≠ q(x | x'). */
const towards =
  ({ mean, covariance }: Target, corrected: boolean): Propose =>
  (x, draws) => {
    const scale = x.map((_, k) => Math.sqrt(covariance[k][k]));
    const centre = (from: ArrayLike<number>, k: number) => 0.5 * (from[k] + mean[k]);
    const to = x.map((_, k) => centre(x, k) + scale[k] * draws.normal());
    const logQ = (at: Float64Array, from: Float64Array) =>
      -0.5 * at.reduce((sum, value, k) => sum + ((value - centre(from, k)) / scale[k]) ** 2, 0);
    return { x: to, logRatio: corrected ? logQ(x, to) - logQ(to, x) : 0 };
  };

describe("continuous targets", () => {
  const sizes = { seed: 24, warmup: 200 };

  it("asymmetric proposals are exact with their ratio but not without it", async () => {
    for (const target of [correlated, skewed]) {
      const run = (corrected: boolean) =>
        checkExactness(engine, metropolisHastings({ propose: towards(target, corrected) }), { ...sizes, targets: [target] });
      const checks = await run(true);
      expectExact(checks, FALSE_ALARM / 2);
      expect(biasFound(checks, FALSE_ALARM / 2)).toBeLessThan(biasAt(0.15));
      expect(leastP(await run(false))).toBeLessThan(FALSE_ALARM / 2);
    }
  });

  it("independent proposals are exact", async () => {
    for (const target of [plain, correlated, skewed]) {
      const scale = target.mean.map((_, k) => 1.2 * Math.sqrt(target.covariance[k][k]));
      const sampler = independence({
        sample: (draws) => target.mean.map((m, k) => m + scale[k] * (draws.integer(2) ? 1 : -1) * draws.exponential()),
        logDensity: (x) => -x.reduce((sum, value, k) => sum + Math.abs(value - target.mean[k]) / scale[k], 0),
      });
      const checks = await checkExactness(engine, sampler, { ...sizes, targets: [target] });
      expectExact(checks, FALSE_ALARM / 3);
      expect(biasFound(checks, FALSE_ALARM / 3)).toBeLessThan(biasAt(0.1));
    }
  });

  it("independent proposals without their density are detected", () => {
    const { density, mean } = plain;
    const chains = (corrected: boolean) =>
      chainsOf(density.plain, Float64Array.from(mean), ({ x, logDensity }, draws) => {
        const to = Float64Array.of(5 * draws.normal());
        const value = density.plain(to, new Float64Array(1));
        const ratio = corrected ? (to[0] ** 2 - x[0] ** 2) / 50 : 0;
        return draws.uniform() < exp(value - logDensity + ratio) ? { x: to, logDensity: value } : { x, logDensity };
      });
    expectExact(checkChains(plain, chains(true)), FALSE_ALARM);
    expect(leastP(checkChains(plain, chains(false)))).toBeLessThan(FALSE_ALARM);
  });
});

describe("errors", () => {
  const run = (propose: unknown, start?: unknown) => {
    const sampling = metropolisHastings({ propose, ...(start ? { start } : {}) } as never).start(plain.density, plan, engine);
    return sampling.advance(1).finally(() => sampling.dispose());
  };

  it("name the option and its value", async () => {
    expect(() => metropolisHastings({} as never)).toThrow(/propose is undefined.*OPTION_TYPE/);
    expect(() => independence({ sample: () => [0] } as never)).toThrow(/logDensity is undefined.*OPTION_TYPE/);
    expect(() => metropolisHastings({ propse: 1 } as never)).toThrow(/OPTION_UNKNOWN/);
    await expect(run(() => ({ x: [1, 2] }))).rejects.toThrow(
      /propose gave 2 numbers, but the target has dimension 1.*PROPOSAL_SHAPE/,
    );
    await expect(run(() => ({}))).rejects.toThrow(/propose gave undefined.*PROPOSAL_SHAPE/);
    await expect(run(() => ({ x: [1], logRatio: Number.NaN }))).rejects.toThrow(/the logRatio NaN.*PROPOSAL_RATIO/);
    await expect(
      run(
        () => ({ x: [1] }),
        () => [1, 2],
      ),
    ).rejects.toThrow(/start gave 2 numbers.*PROPOSAL_SHAPE/);
  });
});
