/**
 * Survey of places that chains and scouts visited. Chains restart only from places with negligible posterior mass, and
 * missed places are reported.
 */
import { describe, expect, it } from "vitest";
import { DensityPoint } from "../../../src/bayes/approximate/density-point.ts";
import { functionDensity } from "../../../src/bayes/model/functional/index.ts";
import { Normal } from "../../../src/bayes/places/place.ts";
import { distinct, randomPoint, scouted, shareOf } from "../../../src/bayes/places/scouts.ts";
import { type Recent, Survey } from "../../../src/bayes/places/survey.ts";
import type { Entry } from "../../../src/bayes/places/visits.ts";
import { gibbs, nuts, type Sampler, type SamplingPlan } from "../../../src/bayes/samplers/index.ts";
import { ErgodicError } from "../../../src/engine/errors/errors.ts";
import { KeptPart } from "../../../src/engine/loop/kept-part.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { isSlow, power } from "../../power.ts";

const engine = await openEngine();
const plan: SamplingPlan = { chains: 4, warmup: 300, draws: 200, seed: 2, workers: 1, deterministic: true };

/** N(0, I) in three dimensions mixed with N((at, 0, 0), sd² I), which has e^logMass of its mass. */
function twoModes(sd: number, logMass: number, at: number) {
  const terms = (x: Float64Array): number[] => {
    const squares = (from: number) => (x[0] - from) ** 2 + x[1] ** 2 + x[2] ** 2;
    return [-squares(0) / 2, logMass - 3 * Math.log(sd) - squares(at) / (2 * sd * sd)];
  };
  return functionDensity({
    dimension: 3,
    names: ["a", "b", "c"],
    logDensity(x) {
      const [main, other] = terms(x);
      return Math.max(main, other) + Math.log1p(Math.exp(-Math.abs(main - other)));
    },
    gradient(x) {
      const [main, other] = terms(x);
      const share = 1 / (1 + Math.exp(main - other));
      return x.map((value, i) => -(1 - share) * value - (share * (value - (i === 0 ? at : 0))) / (sd * sd));
    },
  });
}

const FAR = 40;
/** Starting points with chain 1 in the other mode. */
const apart = [0, FAR, 0, 0].map((at) => Float64Array.of(at, 1e-7, 0));

async function finished(
  sampler: Sampler,
  density: ReturnType<typeof twoModes>,
  start?: readonly Float64Array[],
  pause?: number,
  longer: Partial<SamplingPlan> = {},
) {
  const given = { ...plan, ...longer, ...(start ? { start } : {}) };
  let run = sampler.start(density, given, engine);
  if (pause !== undefined) {
    await run.advance(pause);
    const snapshot = structuredClone(run.snapshot());
    run.dispose();
    run = sampler.start(density, given, engine);
    run.restore(snapshot);
  }
  while (run.converged === false) await run.advance(1000);
  const found = { draws: run.draws(), report: run.report(), places: run.places?.() ?? [], updates: run.updates };
  run.dispose();
  return found;
}

const ends = ({ draws }: Awaited<ReturnType<typeof finished>>) =>
  apart.map((_, c) => (Math.abs(draws.values[(c * plan.draws + plan.draws - 1) * 3] - FAR) < FAR / 2 ? "away" : "main"));

describe("restarts of chains", () => {
  const minor = twoModes(0.5, -60, FAR);

  it.each([
    ["a mode with e^-60 of the mass", minor],
    ["a narrow one, though the density there is higher than anywhere else", twoModes(1e-6, -35, FAR)],
  ])("move a chain out of %s", async (_, density) => {
    const found = await finished(nuts(), density, apart);
    expect(found.report.restarts).toBe(1);
    expect(ends(found)).toEqual(["main", "main", "main", "main"]);
    // The chain restarts from its own point with a full warm-up.
    expect(new Set(apart.map((_, c) => found.draws.values[c * plan.draws * 3])).size).toBe(4);
    expect(found.updates).toBe(4 * (plan.warmup + plan.draws) + plan.warmup);
    const left = found.places.filter(({ by }) => by === "left");
    expect(left.map(({ chain }) => chain)).toEqual([1]);
    expect(Math.abs(left[0].point[0] - FAR)).toBeLessThan(1);
    expect(found.places.some(({ missed }) => missed)).toBe(false);
  });

  it.each([
    ["of the same mass", twoModes(1, 0, FAR)],
    ["of the same mass, narrow", twoModes(0.01, 0, FAR)],
    ["of e^-8 of the mass", twoModes(0.5, -8, FAR)],
  ])("do not move a chain out of a mode %s", async (_, density) => {
    const found = await finished(nuts(), density, apart);
    expect(found.report.restarts).toBeUndefined();
    expect(ends(found)).toEqual(["main", "away", "main", "main"]);
  });

  it("are disabled by the option and within another sampler", async () => {
    expect(ends(await finished(nuts({ restarts: 0 }), minor, apart))).toEqual(["main", "away", "main", "main"]);
    expect(ends(await finished(gibbs({ a: nuts(), b: nuts(), c: nuts() }), minor, apart))).toEqual([
      "main",
      "away",
      "main",
      "main",
    ]);
  });

  it("move all chains out of a light mode if scouts found a heavy one", async () => {
    const all = apart.map(() => Float64Array.of(FAR, 1e-7, 0));
    const found = await finished(nuts(), minor, all, undefined, { warmup: 1000, draws: 1000 });
    expect(found.report.restarts).toBe(4);
    expect(found.draws.coordinate(0).every((x) => Math.abs(x) < FAR / 2)).toBe(true);
    expect(ends(await finished(nuts({ scouts: 0 }), minor, all))).toEqual(["away", "away", "away", "away"]);
  });

  it("are limited in number, and each place that was left is reported", async () => {
    // Random starts within (−2, 2) all lead to the wide mode. The distant narrow mode has e^30 times its mass and one
    // chain.
    const found = await finished(nuts({ restarts: 3 }), twoModes(0.1, 30, FAR), apart);
    expect(found.report.restarts).toBe(9);
    expect(ends(found)).toEqual(["main", "away", "main", "main"]);
    expect(found.places.filter(({ by }) => by === "left")).toHaveLength(9);
    expect(found.places.filter(({ by }) => by === "chain")).toHaveLength(4);
  });

  it("are the same bit for bit, wherever the run was interrupted", async () => {
    const whole = await finished(nuts(), minor, apart);
    for (const pause of isSlow ? [10, 100, 255, 301, 310, 327, 330, 400, 640, 700] : [255, 310, 400, 640])
      expect(await finished(nuts(), minor, apart, pause)).toEqual(whole);
  });

  it("do not occur for a flat density, which has no best place", async () => {
    const flat = functionDensity({
      dimension: 1,
      logDensity: ([x]) => -1e-9 * x * x,
      gradient: ([x]) => Float64Array.of(-2e-9 * x),
    });
    const found = await finished(nuts(), flat as ReturnType<typeof twoModes>);
    expect(found.report.restarts).toBeUndefined();
  });
});

describe("a chain that warms up again", () => {
  it("does so once if it changed place during metric estimation, and resumes bit for bit", async () => {
    const density = twoModes(0.5, -60, FAR);
    const run = async (pause?: number) => {
      let sampling = nuts({ restarts: 0, scouts: 0 }).start(density, { ...plan, start: apart }, engine);
      /** Moves the chain in the minor mode to the other mode, late in warm-up. */
      const moved = (one: typeof sampling) => {
        const { chains } = one as unknown as { chains: { position: Float64Array; gradient: Float64Array; logDensity: number }[] };
        chains[1].position.set([0.1, 0.2, 0.3]);
        const { value, gradient } = density.evaluate(chains[1].position);
        chains[1].gradient.set(gradient);
        chains[1].logDensity = value;
      };
      await sampling.advance(280);
      moved(sampling);
      if (pause !== undefined) {
        await sampling.advance(pause - 280);
        const snapshot = structuredClone(sampling.snapshot());
        sampling.dispose();
        sampling = nuts({ restarts: 0, scouts: 0 }).start(density, { ...plan, start: apart }, engine);
        sampling.restore(snapshot);
      }
      while (sampling.converged === false) await sampling.advance(1000);
      const found = { draws: sampling.draws(), report: sampling.report(), updates: sampling.updates };
      sampling.dispose();
      return found;
    };
    const whole = await run();
    expect(whole.report.again).toBe(1);
    expect(whole.updates).toBe(4 * (plan.warmup + plan.draws) + plan.warmup);
    for (const pause of isSlow ? [290, 303, 320, 500, 620] : [303, 500]) expect(await run(pause)).toEqual(whole);
  });
});

it("a stored survey is restored exactly, and refused for other chains or an unknown kind of place", async () => {
  const density = twoModes(1, 0, FAR);
  const open = (chains = 2) => new Survey(density, { ...plan, chains }, engine, { scouts: 2, restarts: 10 });
  const survey = open();
  while (await survey.work(1e5, () => expect.fail("no chain is looked at")));
  survey.begin([0, 1]);
  await survey.fresh(1);
  const [tensors, state] = [survey.tensors(), survey.state()];
  expect(Object.keys(tensors).length).toBeGreaterThan(1);
  expect(state).toMatchObject({ sent: 2, restarted: [0, 1], chainsLeft: [0, 1] });
  const restored = (changes: object = {}, chains = 2, first: (numbers: Float64Array) => void = () => {}) => {
    const copy = structuredClone(tensors) as Record<string, Float64Array>;
    first(copy["survey.0"]);
    const again = open(chains);
    try {
      again.restore(new KeptPart("a test", { tensors: copy, state: {} }).part("a survey", "survey.", { ...state, ...changes }));
      return { tensors: again.tensors(), state: again.state() };
    } finally {
      again.dispose();
    }
  };
  expect(restored()).toEqual({ tensors, state });
  const refused = /CHECKPOINT_FORMAT/;
  expect(() => restored({ chainsLeft: [0, 2] })).toThrow(refused);
  expect(() => restored({ chainsLeft: [-1] })).toThrow(refused);
  expect(() => restored({ restarted: [0] })).toThrow(refused);
  expect(() => restored({ sent: -1 })).toThrow(refused);
  // A place begins with its kind and its chain.
  expect(() => restored({}, 2, (numbers) => numbers.set([4]))).toThrow(refused);
  expect(() => restored({}, 2, (numbers) => numbers.set([2, 2]))).toThrow(refused);
  expect(() => restored({}, 2, (numbers) => numbers.set([2, 1]))).not.toThrow();
  survey.dispose();
});

describe("chains out of place", () => {
  /** Draws of N(mean, sd² I) with their gradients, as recorded for a chain. */
  const recent = (density: ReturnType<typeof twoModes>, mean: number, sd: number): Recent => {
    const draws = stream(8, "recent", mean).at(0);
    const rows = Float64Array.from({ length: 3 * 300 }, (_, k) => (k % 3 === 0 ? mean : 0) + sd * draws.normal());
    const [gradients, levels] = [new Float64Array(rows.length), [] as number[]];
    for (let k = 0; k < rows.length; k += 3) {
      const { value, gradient } = density.evaluate(rows.subarray(k, k + 3));
      levels.push(value);
      gradients.set(gradient, k);
    }
    return { draws: rows, gradients, highest: Math.max(...levels) };
  };
  const judged = async (density: ReturnType<typeof twoModes>, chains: readonly (readonly [mean: number, sd: number])[]) => {
    const survey = new Survey(density, { ...plan, chains: chains.length }, engine, { scouts: 0, restarts: 10 });
    survey.begin(chains.map((_, c) => c));
    while (await survey.work(0, (c) => recent(density, ...chains[c])));
    const out = survey.outOfPlace([]);
    survey.dispose();
    return out;
  };

  it("restart from their own point in every attempt, never from a scout's", async () => {
    const survey = new Survey(twoModes(1, 0, FAR), { ...plan, chains: 3 }, engine, { scouts: 2, restarts: 10 });
    const points = new Set<number>();
    for (let attempt = 0; attempt < 4; attempt++) for (let c = 0; c < 3; c++) points.add((await survey.fresh(c))![0]);
    expect(points.size).toBe(12);
    expect(survey.restarts).toEqual([4, 4, 4]);
    survey.dispose();
  });

  it("have a gap beyond two errors of both masses", () => {
    const survey = new Survey(twoModes(1, 0, FAR), { ...plan, chains: 2 }, engine, { scouts: 0, restarts: 10 });
    const normal = new Normal(new Float64Array(3), Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1));
    const out = (logMass: number, error: number, best: number) => {
      const entry = (chain: number, logMass: number, error: number): Entry => {
        return { kind: "chain", chain, elbo: 0, settled: true, most: Infinity, place: { normal, logMass, error, paretoK: 0 } };
      };
      (survey as unknown as { entries: Entry[] }).entries = [entry(0, 0, best), entry(1, logMass, error)];
      return survey.outOfPlace([]);
    };
    expect([out(-10.5, 0.1, 0), out(-10.5, 0.3, 0), out(-10.5, 0, 0.3), out(-10.7, 0.3, 0.1)]).toEqual([[1], [], [], [1]]);
    survey.dispose();
  });

  it("have their last draw as a place of unknown mass if there are few draws", async () => {
    const density = twoModes(1, 0, FAR);
    const { draws, gradients, highest } = recent(density, 0, 1);
    for (const n of [0, 1, 3, 4]) {
      const survey = new Survey(density, { ...plan, chains: 1 }, engine, { scouts: 0, restarts: 10 });
      survey.begin([0]);
      const few = { draws: draws.slice(0, 3 * n), gradients: gradients.slice(0, 3 * n), highest };
      expect(await survey.work(0, () => few)).toBe(true);
      expect(await survey.work(0, () => few)).toBe(false);
      const { entries } = survey as unknown as { entries: Entry[] };
      expect(entries).toHaveLength(n === 0 ? 0 : 1);
      if (n === 1 || n === 3) {
        const [{ settled, most, place }] = entries;
        expect([...place.normal.mean]).toEqual([...draws.slice(3 * n - 3, 3 * n)]);
        // Bound for a place that is ten times as wide in each of three directions.
        expect([settled, place.logMass, most]).toEqual([false, -Infinity, expect.closeTo(highest + 3 * Math.log(10), 12)]);
      }
      survey.dispose();
    }
  });

  it("fill a place with less than e^-10 of the mass", async () => {
    // A place ten times as wide could hold e^-5 of the mass.
    expect(
      await judged(twoModes(1, -12, FAR), [
        [0, 1],
        [FAR, 1],
      ]),
    ).toEqual([1]);
    expect(
      await judged(twoModes(1, -9, FAR), [
        [0, 1],
        [FAR, 1],
      ]),
    ).toEqual([]);
  });

  it("do not include a chain that is stuck in part of a wider place", async () => {
    expect(
      await judged(twoModes(1, -200, FAR), [
        [0, 1],
        [0.5, 0.005],
      ]),
    ).toEqual([]);
  });

  it("include a chain whose density is too low for any width", async () => {
    expect(
      await judged(twoModes(1, -200, FAR), [
        [0, 1],
        [20, 0.005],
      ]),
    ).toEqual([1]);
  });
});

describe("scouts", () => {
  it("find a mode of similar mass without chains and report its share of the posterior", async () => {
    const near = [0, 0, 0, 0].map((_, c) => Float64Array.of(-1 - 0.1 * c, 0.1, 0));
    const mirror = functionDensity({
      dimension: 1,
      names: ["a"],
      logDensity: ([x]) => -8 * (x * x - 1.44) ** 2,
      gradient: ([x]) => Float64Array.of(-32 * x * (x * x - 1.44)),
    });
    const one = near.map((x) => x.slice(0, 1));
    const found = await finished(nuts(), mirror as ReturnType<typeof twoModes>, one, undefined, { warmup: 1000, draws: 1000 });
    const held = new Set(found.draws.coordinate(0).map(Math.sign));
    const missed = found.places.filter(({ missed }) => missed);
    expect(found.report.scouts).toBe(24);
    expect(missed.length).toBe(held.size === 1 ? 1 : 0);
    for (const { share, point } of missed) {
      expect(Math.abs(share - 0.5)).toBeLessThan(0.1);
      expect(held.has(Math.sign(point[0]))).toBe(false);
    }
    expect(held.size).toBe(1);
  });

  it("report nothing for one mode in many runs of three shapes", async () => {
    const shapes = [
      // A Gaussian, a banana and a heavy-tailed density.
      functionDensity({
        dimension: 2,
        logDensity: ([x, y]) => -x * x - (y * y) / 8,
        gradient: ([x, y]) => Float64Array.of(-2 * x, -y / 4),
      }),
      functionDensity({
        dimension: 2,
        logDensity: ([x, y]) => (-x * x) / 2 - 2 * (y - x * x) ** 2,
        gradient: ([x, y]) => Float64Array.of(-x + 8 * x * (y - x * x), -4 * (y - x * x)),
      }),
      functionDensity({
        dimension: 1,
        logDensity: ([x]) => -2.5 * Math.log1p((x * x) / 4),
        gradient: ([x]) => Float64Array.of((-5 * x) / (4 + x * x)),
      }),
    ];
    for (const density of shapes)
      for (let seed = 0; seed < power(4, 40); seed++) {
        const run = nuts().start(density, { ...plan, seed }, engine);
        while (run.converged === false) await run.advance(1000);
        const { restarts, scoutEvaluations = 0, leapfrogs } = run.report();
        expect(run.places!().filter(({ missed }) => missed)).toEqual([]);
        expect(restarts).toBeUndefined();
        // Scouts stay within their share. The measurement of the chains' own places is added.
        expect(scoutEvaluations).toBeLessThan(0.1 * leapfrogs + 4 * 3 * 100);
        run.dispose();
      }
  });

  it("use no more than a tenth of all gradients, and none if that is too few", () => {
    expect(shareOf(1e9, 0, 24)).toBe(1000);
    expect(shareOf(1e9, 0, 0)).toBe(0);
    expect(shareOf(300, 0, 24)).toBe(0);
    expect(shareOf(50_000, 0, 24)).toBe(Math.floor((0.055 * 50_000) / 24));
    // With few evaluations, fewer scouts run with enough each. The next scout can use what the last one left over.
    expect(shareOf(8000, 0, 24)).toBe(60);
    expect(shareOf(8000, 400, 17)).toBe(40);
    expect(shareOf(8000, 421, 17)).toBe(0);
    expect(shareOf(50_000, 50, 23)).toBeGreaterThan(shareOf(50_000, 0, 24));
  });

  it("return the best normal and that of the path's end, within the support and without duplicates", async () => {
    const edge = functionDensity({
      dimension: 1,
      logDensity: ([x]) => (x > 0 ? 0.3 * Math.log(x) - 0.3 * x : -Infinity),
      gradient: ([x]) => Float64Array.of(0.3 / x - 0.3),
    });
    const point = new DensityPoint(engine, edge, "test");
    const kinds = new Set<string>();
    for (let i = 0; i < 12; i++) {
      const found = await scouted(point, {}, plan, i, 1000);
      for (const { elbo, normal } of found) expect([elbo, normal.factor[0]].every(Number.isFinite)).toBe(true);
      expect(found[0].elbo).toBe(Math.max(...found.map(({ elbo }) => elbo)));
      kinds.add(`${found.map(({ end }) => end)}`);
    }
    // Three cases occur: the last normal is the best, the last differs from the best, or the last has a draw outside
    // the support.
    expect([...kinds].sort()).toEqual(["false", "false,true", "true"]);
    point.dispose();
  });

  it("start at a prior draw every other time, if one of twenty has a finite density", async () => {
    let draws = 0;
    const far = (x: number) => ({
      drawStart() {
        draws++;
        return Float64Array.of(x, 0, 0);
      },
    });
    const point = new DensityPoint(engine, twoModes(1, 0, FAR), "test");
    const ends = async (i: number, x: number) => Math.round((await scouted(point, far(x), plan, i, 1000))[0].normal.mean[0]);
    expect(await ends(1, FAR + 1)).toBe(FAR);
    expect(draws).toBe(1);
    expect(await ends(2, FAR + 1)).toBe(0);
    expect(draws).toBe(1);
    expect(await ends(3, Number.NaN)).toBe(0);
    expect(draws).toBe(21);
    point.dispose();
  });

  it("start at one point for one evaluation, skip if none is finite and pass on other errors", async () => {
    const point = new DensityPoint(engine, twoModes(1, 0, FAR), "test");
    expect((await randomPoint(point, plan, 3))!.every((x) => Math.abs(x) < 2)).toBe(true);
    expect(point.evaluations).toBe(1);
    point.dispose();
    const failing = (error: Error) =>
      randomPoint({ places: () => Promise.reject(error) } as unknown as DensityPoint, { ...plan }, 0);
    expect(await failing(new ErgodicError("test", "nowhere", "SAMPLE_START"))).toBeUndefined();
    await expect(failing(new ErgodicError("test", "of another kind", "SAMPLE_GRADIENT"))).rejects.toThrow("of another kind");
    await expect(failing(new RangeError("out of memory"))).rejects.toThrow("out of memory");
  });

  it("run one by one before the masses are measured, and belong to no chain", async () => {
    const survey = new Survey(twoModes(1, 0, FAR), plan, engine, { scouts: 4, restarts: 10 });
    const counts = () => [survey.scouts, (survey as unknown as { entries: Entry[] }).entries.filter(byScout).length];
    const byScout = ({ kind }: Entry) => kind === "scout";
    const steps: number[][] = [];
    while (await survey.work(1e5, () => expect.fail("no chain is looked at"))) steps.push(counts());
    // One scout per step, then one mass per step.
    expect(steps).toEqual([[1, 0], [2, 0], [3, 0], [4, 0], ...steps.slice(4)]);
    expect(steps.slice(4)).toEqual([[4, 1]]);
    const { entries } = survey as unknown as { entries: Entry[] };
    // The mass is measured for the search with the best end.
    const ends = entries.filter(({ kind, settled }) => kind === "found" && settled);
    const [scout] = entries.filter(byScout);
    expect([scout.settled, scout.elbo]).toEqual([true, Math.max(...ends.map(({ elbo }) => elbo))]);
    expect(new Set(entries.map(({ kind, chain }) => `${kind} ${chain}`))).toEqual(new Set(["found -1", "scout -1"]));
    survey.dispose();
  });

  it("merge places within each other's region, keep the better and put ends of paths first", () => {
    const unit = (x: number, elbo: number, end = true, sd = 1) => ({
      normal: new Normal(Float64Array.of(x), Float64Array.of(sd)),
      elbo,
      end,
    });
    const kept = (...found: Parameters<typeof distinct>[0]) => distinct(found).map(({ elbo }) => elbo);
    expect(kept(unit(0, 1), unit(1, 2), unit(9, 0))).toEqual([2, 0]);
    // A normal that is far too wide covers both modes, and its few draws overrate it.
    expect(kept(unit(5, 1), unit(-5, 2), unit(4.5, 3, false, 9))).toEqual([2, 1]);
    expect(kept(unit(5, 1), unit(-5, 2), unit(0, 3, false, 9))).toEqual([2, 1, 3]);
  });

  it("keep two places at one point if their spreads differ twentyfold, after those at other points", () => {
    const round = (mean: number, elbo: number, sd: number, d: number) => ({
      normal: new Normal(
        new Float64Array(d).fill(mean),
        Float64Array.from({ length: d * d }, (_, k) => (k % (d + 1) === 0 ? sd : 0)),
      ),
      elbo,
      end: true,
    });
    const kept = (...found: Parameters<typeof distinct>[0]) => distinct(found).map(({ elbo }) => elbo);
    expect(kept(round(0, 3, 1, 1), round(0, 2, 0.05, 1), round(90, 1, 1, 1))).toEqual([3, 1, 2]);
    // A place is not dropped because a distant place has the same width.
    expect(kept(round(0, 3, 1, 1), round(0, 2, 0.05, 1), round(90, 1, 0.05, 1))).toEqual([3, 1, 2]);
    expect(kept(round(0, 3, 1, 1), round(0, 2, 0.06, 1))).toEqual([3]);
    // In ten dimensions, draws of one hardly ever reach the other from a width ratio of two upwards.
    expect(kept(round(0, 3, 1, 10), round(0, 2, 0.45, 10))).toEqual([3, 2]);
    expect(kept(round(0, 3, 1, 10), round(0, 2, 0.55, 10))).toEqual([3]);
  });
});
