/** A chain restarts if known masses differ by more than their errors. Also tests which masses count as known. */
import { describe, expect, it } from "vitest";
import { DensityPoint } from "../../../src/bayes/approximate/density-point.ts";
import { functionDensity } from "../../../src/bayes/model/functional/index.ts";
import { measured, Normal } from "../../../src/bayes/places/place.ts";
import { massOf } from "../../../src/bayes/places/scouts.ts";
import { Survey } from "../../../src/bayes/places/survey.ts";
import type { Entry } from "../../../src/bayes/places/visits.ts";
import { nuts } from "../../../src/bayes/samplers/index.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";

const engine = await openEngine();
const density = functionDensity({ dimension: 1, logDensity: ([x]) => -0.5 * x * x, gradient: ([x]) => Float64Array.of(-x) });
const unit = new Normal(Float64Array.of(0), Float64Array.of(1));

const factorOf = (sd: number) => Float64Array.from({ length: 16 }, (_, k) => (k % 5 === 0 ? sd : 0));

interface Known {
  logMass: number;
  error?: number;
  paretoK?: number;
  settled?: boolean;
  most?: number;
  kind?: Entry["kind"];
}

/** Chains that restart, for places with the given masses. The best place comes first. */
function outOfPlace(...places: Known[]): number[] {
  const plan = { chains: places.length, warmup: 1, draws: 1, seed: 1, workers: 1, deterministic: true };
  const survey = new Survey(density, plan, engine, { scouts: 0, restarts: 10 });
  const entries = places.map(
    ({ logMass, error = 0, paretoK = 0.2, settled = true, most = Infinity, kind = "chain" }, chain): Entry => {
      const place = { normal: unit, logMass, error, paretoK };
      return { kind, chain: kind === "chain" ? chain : -1, elbo: 0, settled, most, place };
    },
  );
  (survey as unknown as { entries: Entry[] }).entries = entries;
  const found = survey.outOfPlace([]);
  survey.dispose();
  return found;
}

describe("restarts of a chain by mass", () => {
  it("occur if a log mass is lower by more than 10", () => {
    expect(outOfPlace({ logMass: 3 }, { logMass: -7.01 }, { logMass: -6.99 })).toEqual([1]);
    expect(outOfPlace({ logMass: 3, kind: "scout" }, { logMass: -7.01 })).toEqual([1]);
  });

  it("require a gap beyond two joint errors of the masses", () => {
    expect(outOfPlace({ logMass: 0 }, { logMass: -10.61, error: 0.3 }, { logMass: -10.59, error: 0.3 })).toEqual([1]);
    expect(outOfPlace({ logMass: 0, error: 0.3 }, { logMass: -10.61 }, { logMass: -10.59 })).toEqual([1]);
    expect(outOfPlace({ logMass: 0, error: 0.3 }, { logMass: -10.69, error: 0.16 }, { logMass: -10.67, error: 0.16 })).toEqual([
      1,
    ]);
  });

  it("require known masses, with Pareto k of at most 0.7 and the error of ten draws", () => {
    const light = { logMass: -50 };
    expect(outOfPlace({ logMass: 0 }, { ...light, paretoK: 0.7 }, { ...light, paretoK: 0.71 })).toEqual([1]);
    expect(outOfPlace({ logMass: 0 }, { ...light, error: 0.31 }, { ...light, error: 0.32 })).toEqual([1]);
    expect(outOfPlace({ logMass: 0, paretoK: 0.7 }, light)).toEqual([1]);
    expect(outOfPlace({ logMass: 0, paretoK: 0.71 }, light)).toEqual([]);
    expect(outOfPlace({ logMass: 0, error: 0.32 }, light)).toEqual([]);
    expect(outOfPlace({ logMass: 0 }, { ...light, settled: false })).toEqual([]);
    // A bound on the mass suffices, even if the mass is unknown.
    const stuck = { ...light, settled: false, paretoK: Infinity };
    expect(outOfPlace({ logMass: 0 }, { ...stuck, most: -10.1 }, { ...stuck, most: -9.9 })).toEqual([1]);
  });

  it("ignore masses that are not finite, and do not occur if none is known", () => {
    const none = { error: Infinity, paretoK: Infinity };
    for (const logMass of [Infinity, -Infinity, Number.NaN]) {
      expect(outOfPlace({ ...none, logMass }, { ...none, logMass: -50 })).toEqual([]);
      expect(outOfPlace({ ...none, logMass }, { logMass: 0 }, { logMass: -50 })).toEqual([2]);
    }
  });
});

it("points with an infinite or undefined density add no mass to a place", () => {
  const found = (elsewhere: number) =>
    measured(unit, (x) => (x[0] > 0 ? elsewhere : unit.logDensity(unit.distance(x))), stream(5, "half").at(0));
  for (const elsewhere of [Infinity, Number.NaN, -Infinity]) {
    const { logMass, error } = found(elsewhere);
    // Half of the normal's mass inside the region.
    expect(error).toBeLessThan(0.3);
    expect(Math.abs(Math.exp(logMass) - 0.475)).toBeLessThan(5 * error * 0.475);
  }
});

describe("the cost of scouts", () => {
  it("a place is refitted as often as the evaluations allow", () => {
    // A normal twice as wide as the target. The relative variance of the ratios is (4/√7)⁴ − 1, and with 100 draws this
    // error requires a better fit.
    const wide = { normal: new Normal(Float64Array.of(0.5, 0, 0, 0), factorOf(2)), elbo: 0, end: true };
    const normal = functionDensity({
      dimension: 4,
      logDensity: (x) => -0.5 * x.reduce((sum, value) => sum + value * value, 0),
      gradient: (x) => x.map((value) => -value),
    });
    const point = new DensityPoint(engine, normal, "test");
    const evaluations = (most: number): number => {
      const before = point.evaluations;
      massOf(point, wide, stream(7, "wide").at(0), most);
      return point.evaluations - before;
    };
    expect([100, 199, 200, 300, 1000].map(evaluations)).toEqual([100, 100, 200, 200, 200]);
    point.dispose();
  });

  /**
   * A lattice of about ninety modes. Nearly every random start leads to a different one. `calls` counts evaluations.
   */
  function lattice() {
    let calls = 0;
    const slope = (x: number): number => -18 * Math.sin(6 * x) - x / 25;
    const counted = functionDensity({
      dimension: 2,
      logDensity: ([x, y]) => {
        calls++;
        return 3 * (Math.cos(6 * x) + Math.cos(6 * y)) - (x * x + y * y) / 50;
      },
      gradient: ([x, y]) => Float64Array.of(slope(x), slope(y)),
    });
    return { counted, calls: () => calls };
  }

  it.each([9000, 12_000, 20_000, 40_000, 80_000])("is at most a tenth of %i gradients, including masses", async (gradients) => {
    for (let seed = 1; seed <= 5; seed++) {
      const { counted, calls } = lattice();
      const plan = { chains: 4, warmup: 1, draws: 1, seed, workers: 1, deterministic: true };
      const survey = new Survey(counted, plan, engine, { scouts: 24, restarts: 10 });
      survey.begin([]);
      const none = () => expect.fail("no chain is looked at");
      while (await survey.work(gradients, none));
      const { evaluations } = survey;
      // In addition, its gradient is compared with finite differences once.
      expect([0, 5]).toContain(calls() - evaluations);
      expect(evaluations / gradients).toBeLessThanOrEqual(0.1);
      // There are more places than the budget allows, so most of the budget must be used.
      if (gradients < 40_000) expect(evaluations / gradients).toBeGreaterThan(0.07);
      survey.dispose();
    }
  });
});

it("places are searched in up to 64 coordinates, as docs/samplers.md states", async () => {
  const found = async (dimension: number) => {
    const sum = (x: Float64Array): number => x.reduce((all, value) => all + value * value, 0);
    const normal = functionDensity({ dimension, logDensity: (x) => -0.5 * sum(x), gradient: (x) => x.map((value) => -value) });
    const plan = { chains: 2, warmup: 400, draws: 400, seed: 1, workers: 1, deterministic: true };
    const run = nuts().start(normal, plan, engine);
    while (run.converged === false) await run.advance(2000);
    const { scouts } = run.report();
    const places = run.places!().length;
    run.dispose();
    return [scouts, places > 0];
  };
  expect([await found(64), await found(65)]).toEqual([
    [24, true],
    [undefined, false],
  ]);
});
