/**
 * Compares default Hamiltonian samplers and composed samplers with known moments and quantiles. In `npm run test:slow`,
 * each target has 10⁶ draws over 64 chains. In `npm test`, it has 38,400 draws for Hamiltonian samplers and 25,600 for
 * the others.
 *
 * The false alarm rate of the file is 1e-4, split over its RUNS. With 10⁶ draws, biases of 5 % of a functional's
 * standard deviation would be found, and with fewer draws, biases of 26 or 31 %. A planted bias is detected.
 */
import { describe, expect, it } from "vitest";
import { exponential, gamma, model, normal } from "../../../src/bayes/model/index.ts";
import {
  gibbs,
  hmc,
  nuts,
  parallelTempering,
  type Sampler,
  sequentialMonteCarlo,
  slice,
} from "../../../src/bayes/samplers/index.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { isSlow, power } from "../../power.ts";
import {
  biasAt,
  biasFound,
  checkExactness,
  DRAWS,
  type ExactnessOptions,
  expectExact,
  gaussianTarget,
  leastP,
  logGammaTarget,
  standardTargets,
} from "./exactness.ts";

const RUNS = 15;
const FALSE_ALARM = 1e-4 / RUNS;
const engine = await openEngine();
const targets = await standardTargets(engine);
const [plain, correlated, , skewed] = targets;

/** Sizes for samplers with expensive sweeps. */
const fewer = { draws: power(400, DRAWS), warmup: power(150, 1000) };
/** Updates each coordinate with its own slice sampler. */
const byCoordinate = (d: number): Sampler => gibbs(Array.from({ length: d }, (_, i) => ({ of: [i], by: slice() })));
const tempered = (): Sampler => parallelTempering({ inner: slice(), count: 3, lowest: 0.3 });
const usual = { draws: DRAWS };
const named = (sampler: string, of: typeof targets, make: (d: number) => Sampler, sizes: Partial<ExactnessOptions> = usual) =>
  of.map((target) => ({ name: `${sampler} on ${target.name}`, target, make, sizes }));

describe.each([
  ...named("nuts()", targets, () => nuts()),
  ...named("hmc()", [plain, skewed], () => hmc({ leapfrogs: 5, jitter: 0.2 })),
  // The other targets take the same path.
  ...named("gibbs() by coordinate", isSlow ? targets : [correlated, skewed], byCoordinate, fewer),
  ...named("parallelTempering()", [plain, skewed], tempered, fewer),
])("$name", ({ target, make, sizes }) => {
  it("is exact", async () => {
    const checks = await checkExactness(engine, make(target.mean.length), { seed: 23, targets: [target], ...sizes });
    expectExact(checks, FALSE_ALARM);
    expect(biasFound(checks, FALSE_ALARM)).toBeLessThan(biasAt(0.05, sizes.draws));
  });
});

/** Posteriors equal to these targets: a prior and a datum for each. */
const posteriors = [
  {
    // A prior N(0, 18) and a datum at 4 with variance 18.
    target: plain,
    model: model(({ param, observe }) => observe(4, normal(param("x", normal(0, Math.sqrt(18))), Math.sqrt(18)))),
  },
  {
    // A prior Gamma(2, ½) and a waiting time of ½ give Gamma(3, 1).
    target: await logGammaTarget(engine, [3]),
    model: model(({ param, observe }) => observe(0.5, exponential(param("x", gamma(2, 0.5))))),
  },
];

it.each(posteriors)("sequentialMonteCarlo() of a posterior, $target.name, is exact", async ({ target, model }) => {
  using density = await model.condition({}, { deterministic: true });
  const posterior = { ...target, density: density as never };
  const checks = await checkExactness(engine, sequentialMonteCarlo(), { ...fewer, seed: 23, targets: [posterior], warmup: 0 });
  expectExact(checks, FALSE_ALARM);
  expect(biasFound(checks, FALSE_ALARM)).toBeLessThan(biasAt(0.05, fewer.draws));
});

it("a target that is a tenth narrower is detected", async () => {
  const narrow = await gaussianTarget(engine, "narrow", [2], [[9]], [[1 / 9 / 0.81]]);
  expect(leastP(await checkExactness(engine, nuts(), { seed: 23, targets: [narrow] }))).toBeLessThan(FALSE_ALARM);
});
