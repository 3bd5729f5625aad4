/**
 * Hamiltonian samplers as they are by default, and samplers made of others, against targets whose moments and quantiles are known: 10⁶ draws of each target
 * over 64 chains.
 *
 * False alarms of the file: 1e-4, split over its RUNS. Biases of the stated standard deviations of a functional would be found; a planted one is.
 */
import { describe, expect, it } from "vitest";
import { gibbs, hmc, nuts, parallelTempering, type Sampler, slice } from "../../../src/algorithms/sampling/index.ts";
import { openEngine } from "../../../src/host/engine.ts";
import { biasFound, checkExactness, expectExact, gaussianTarget, leastP, standardTargets } from "./exactness.ts";

const RUNS = 13;
const FALSE_ALARM = 1e-4 / RUNS;
const engine = await openEngine();
const targets = await standardTargets(engine);
const [plain, , , skewed] = targets;

/** Each coordinate by slices of its own. */
const byCoordinate = (d: number): Sampler => gibbs(Array.from({ length: d }, (_, i) => ({ of: [i], by: slice() })));
const tempered = (): Sampler => parallelTempering({ inner: slice(), count: 3, lowest: 0.3 });
const named = (sampler: string, of: typeof targets, make: (d: number) => Sampler) =>
  of.map((target) => ({ name: `${sampler} on ${target.name}`, target, make }));

describe.each([
  ...named("nuts()", targets, () => nuts()),
  ...named("hmc()", [plain, skewed], () => hmc({ leapfrogs: 5, jitter: 0.2 })),
  ...named("gibbs() by coordinate", targets, byCoordinate),
  ...named("parallelTempering()", [plain, skewed], tempered),
])("$name", ({ target, make }) => {
  it("is exact", async () => {
    const checks = await checkExactness(engine, make(target.mean.length), { seed: 23, targets: [target] });
    expectExact(checks, FALSE_ALARM);
    expect(biasFound(checks, FALSE_ALARM)).toBeLessThan(0.05);
  });
});

it("a target that is a tenth narrower is caught", async () => {
  const narrow = await gaussianTarget(engine, "narrow", [2], [[9]], [[1 / 9 / 0.81]]);
  expect(leastP(await checkExactness(engine, nuts(), { seed: 23, targets: [narrow], draws: 1000 }))).toBeLessThan(FALSE_ALARM);
});
