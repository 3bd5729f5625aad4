/**
 * Compares Metropolis samplers with known moments and quantiles. Each target has 10⁶ draws (38,400 in `npm test`, fewer
 * for variants) over 64 chains started in (−2, 2).
 *
 * The false alarm rate of the file is 1e-4, split over its SAMPLERS runs. The stated biases, in standard deviations of
 * a functional, would be found. Planted mistakes are detected in `npm run test:slow`.
 */
import { describe, expect, it } from "vitest";
import { mala, metropolisWithinGibbs, randomWalk, type Sampler } from "../../../../src/bayes/samplers/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { exp } from "../../../../src/engine/numbers/exp.ts";
import { type Draws, stream } from "../../../../src/engine/random/stream.ts";
import { isSlow, power } from "../../../power.ts";
import type { Vector } from "../../../reference/nuts.ts";
import type { WalkPoint } from "../../../reference/walks.ts";
import { biasAt, biasFound, checkChains, checkExactness, DRAWS, expectExact, leastP, standardTargets } from "../exactness.ts";
import { chainsOf, walkChains } from "./walks.ts";

const SAMPLERS = 5;
const FALSE_ALARM = 1e-4 / (SAMPLERS + 3);
const engine = await openEngine();
const [plain, , , skewed] = await standardTargets(engine);

/** Draws per chain of variants, and the ratio of the biases found with them to those found with all draws. */
const VARIANT = power(400, 2000);
const LESS = Math.sqrt(2000 / VARIANT);

const samplers: [Sampler, draws: number, bias: number][] = [
  [randomWalk(), DRAWS, biasAt(0.05)],
  [randomWalk({ covariance: "diagonal", targetAcceptance: 0.4 }), VARIANT, 0.15 * LESS],
  [metropolisWithinGibbs(), DRAWS, biasAt(0.05)],
  [metropolisWithinGibbs({ scan: "random" }), VARIANT, 0.2 * LESS],
  [mala(), DRAWS, biasAt(0.05)],
];
const cases = samplers.map(([sampler, draws, bias]) => ({ name: JSON.stringify(sampler.toJSON()), sampler, draws, bias }));

describe.each(cases)("$name", ({ sampler, draws, bias }) => {
  it("is exact", async () => {
    // Random walks learn scales from 0.1 to 10 slowly.
    const checks = await checkExactness(engine, sampler, { seed: 21, draws, warmup: 1000 });
    expectExact(checks, FALSE_ALARM);
    expect(biasFound(checks, FALSE_ALARM)).toBeLessThan(bias);
  });
});

// Chains of twins with planted mistakes. They test the checks and not the samplers, so `npm run test:slow` suffices.
describe.runIf(isSlow)("planted mistakes", () => {
  const ones = new Float64Array(2).fill(1);
  const walk = { factor: ones, dense: false, mean: ones, mode: 0, limit: 0 };

  it("a random walk that omits rejections is detected", () => {
    const options = { ...walk, factor: Float64Array.of(1), mean: Float64Array.of(0), steps: Float64Array.of(6) };
    const chains = (mutant: object) =>
      walkChains("randomWalkRun", plain.density.plain, Float64Array.of(2), { ...options, ...mutant });
    expectExact(checkChains(plain, chains({})), FALSE_ALARM);
    expect(leastP(checkChains(plain, chains({ mutant: "moves only" })))).toBeLessThan(FALSE_ALARM);
  });

  it("coordinate steps with a stale density are detected", () => {
    const options = { ...walk, steps: Float64Array.of(3, 1.5) };
    const chains = (mutant: object) =>
      walkChains(
        "coordinateWalkRun",
        skewed.density.plain,
        Float64Array.from(skewed.mean),
        { ...options, ...mutant },
        { count: 4000 },
      );
    expectExact(checkChains(skewed, chains({})), FALSE_ALARM);
    expect(leastP(checkChains(skewed, chains({ mutant: "stale density" })))).toBeLessThan(FALSE_ALARM);
  });

  it("MALA without proposal densities in its ratio is detected", () => {
    const from = Float64Array.from(skewed.mean);
    const chains = (corrected: boolean) =>
      chainsOf(skewed.density.plain, from, (point, draws) => langevin(skewed.density.plain, point, draws, 0.9, corrected));
    expectExact(checkChains(skewed, chains(true)), FALSE_ALARM);
    expect(leastP(checkChains(skewed, chains(false)))).toBeLessThan(FALSE_ALARM);
  });
});

/** Textbook algorithm with M = I: x' ~ N(x + ε²/2 ∇ℓ(x), ε² I). */
function langevin(
  density: (x: Vector, g: Vector) => number,
  { x, logDensity }: WalkPoint,
  draws: Draws,
  step: number,
  corrected: boolean,
): WalkPoint {
  const [before, after] = [new Float64Array(x.length), new Float64Array(x.length)];
  density(x, before);
  const proposal = x.map((value, k) => value + 0.5 * step * step * before[k] + step * draws.normal());
  const value = density(proposal, after);
  /** log q(to | from), up to a constant. */
  const transition = (to: Vector, from: Vector, g: Vector) =>
    -to.reduce((sum, t, k) => sum + (t - from[k] - 0.5 * step * step * g[k]) ** 2, 0) / (2 * step * step);
  const ratio = value - logDensity + (corrected ? transition(x, proposal, after) - transition(proposal, x, before) : 0);
  return draws.uniform() < exp(ratio) ? { x: proposal, logDensity: value } : { x, logDensity };
}

it("the MALA kernel moves as the textbook algorithm does", async () => {
  const start = Float64Array.of(0.3, -0.4);
  const [step, seed] = [0.7, 5];
  const plan = { chains: 1, warmup: 0, draws: 200, seed, workers: 1, deterministic: true, start };
  const run = mala({ stepSize: step }).start(skewed.density, plan, engine);
  while (run.converged === false) await run.advance(100);
  const { values } = run.draws();
  run.dispose();
  const key = stream(seed, "chain", 0, "transition");
  let point: WalkPoint = { x: start, logDensity: skewed.density.plain(start, new Float64Array(2)) };
  let moved = 0;
  for (let t = 0; t < 200; t++) {
    const from = point;
    point = langevin(skewed.density.plain, point, key.at(t), step, true);
    if (point !== from && point.x[0] !== from.x[0]) moved++;
    for (let k = 0; k < 2; k++) expect(Math.abs(values[2 * t + k] - point.x[k])).toBeLessThan(1e-9);
  }
  expect(moved).toBeGreaterThan(20);
});
