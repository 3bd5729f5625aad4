/**
 * The adaptive mode in simulation, with models from no fixed cost to almost only fixed cost, times with a standard
 * deviation of 10 %, and three kinds of arrivals.
 *
 * Upper bounds on a mean over seeds are tested by Student's t at 1e-4, in 7 checks. For fewer than one of 1000 choices
 * of seeds would a correct batcher whose mean lies on the bound give the wrong result by chance. The other tests
 * compare with fixed sizes on the same arrivals and times, with a margin of 5 to 10 %.
 */
import { describe, expect, test } from "vitest";
import { power } from "../../ergodic/test/power.ts";
import { type Arrival, bursty, draws, floods, poisson, quantile, type Simulated, simulate } from "./simulation.ts";

const TARGET = 10;
const SEEDS = 6;
/** Quantile of Student's t with 5 degrees of freedom at 1 − 1e-4. */
const T = 9.68;
const MODELS = {
  "mostly rows": { perRow: 0.5, perBatch: 0.1 },
  even: { perRow: 0.3, perBatch: 1 },
  "mostly fixed": { perRow: 0.05, perBatch: 2 },
  "nearly too slow": { perRow: 0.1, perBatch: 3.5 },
};
type Model = (typeof MODELS)["even"];
const models = Object.entries(MODELS);

/** Rows per millisecond in batches that take half of the target. */
const capacity = ({ perRow, perBatch }: Model): number => (TARGET / 2 - perBatch) / perRow / (TARGET / 2);
const noisy = ({ perRow, perBatch }: Model, seed: number, factor: (now: number) => number = () => 1) => {
  const u = draws(seed, "times");
  return (rows: number, now: number): number => factor(now) * (perRow * rows + perBatch) * Math.max(0.3, 1 + 0.1 * u.normal());
};
const each = (times: readonly number[], how: Partial<Arrival> = {}): Arrival[] => times.map((at) => ({ at, rows: 1, ...how }));
const latencies = ({ outcomes }: Simulated, arrivals: readonly Arrival[]): number[] =>
  outcomes.flatMap(({ said, at }, i) => (typeof said === "string" ? [] : [at - arrivals[i].at]));
const upperOf = (values: readonly number[]): number => {
  const mean = values.reduce((a, b) => a + b) / values.length;
  const variance = values.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / (values.length - 1);
  return mean + T * Math.sqrt(variance / values.length);
};

/** Latencies of all seeds. */
async function pooled(arrivalsOf: (seed: number) => Arrival[], model: Model, options: object, seeds = 3): Promise<number[]> {
  const all: number[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const arrivals = arrivalsOf(seed);
    all.push(...latencies(await simulate(arrivals, noisy(model, seed), { maxQueueRows: Infinity, ...options }), arrivals));
  }
  return all;
}
const FIXED = [4, 16, 64, 256].map((maxRows) => ({ maxRows }));
const ADAPTIVE = { targetP99Ms: TARGET };

describe.each(models)("%s", (name, model) => {
  test.each(name === "nearly too slow" ? [0.3] : [0.3, 0.6])(
    "load %s: answers 99 of 100 requests within the target",
    async (load) => {
      const p99: number[] = [];
      for (let seed = 0; seed < SEEDS; seed++) {
        const arrivals = each(poisson(load * capacity(model), power(400, 800), draws(seed, name, load)));
        p99.push(quantile(latencies(await simulate(arrivals, noisy(model, seed), ADAPTIVE), arrivals), 0.99));
      }
      expect(upperOf(p99)).toBeLessThanOrEqual(TARGET);
    },
  );

  test.each([
    // Bursts and floods are rarer events, so they need longer runs.
    ["Poisson arrivals", 0.85, poisson, power(200, 500)],
    ["bursts", 0.5, bursty, 500],
    ["floods", 0.4, floods, 500],
  ] as const)(
    "%s at load %s: answers within the target or nearly as fast as the best fixed size",
    async (_, load, arrive, ms) => {
      const arrivalsOf = (seed: number): Arrival[] => each(arrive(load * capacity(model), ms, draws(seed, name, load)));
      const p99 = async (options: object): Promise<number> => quantile(await pooled(arrivalsOf, model, options), 0.99);
      const fixed: number[] = [];
      for (const options of FIXED) fixed.push(await p99(options));
      const ours = await p99(ADAPTIVE);
      expect(ours).toBeLessThan(Math.max(TARGET, 1.1 * Math.min(...fixed)));
    },
  );

  test("serves a backlog at nearly the rate of the best fixed size", async () => {
    const arrivals = each(Array(1500).fill(0));
    const rate = async (options: object): Promise<number> => {
      const { batches } = await simulate(arrivals, noisy(model, 1), { maxQueueRows: Infinity, ...options });
      return arrivals.length / batches.at(-1)!.end;
    };
    const fixed: number[] = [];
    for (const options of FIXED) fixed.push(await rate(options));
    expect((await rate(ADAPTIVE)) / Math.max(...fixed)).toBeGreaterThan(0.9);
  });

  test("answers nearly as many in time as the best fixed size at twice the capacity, and few late", async () => {
    const arrivalsOf = (seed: number): Arrival[] =>
      each(poisson(2 * capacity(model), power(100, 400), draws(seed, name)), { deadlineMs: TARGET });
    const inTime = async (options: object): Promise<{ good: number; late: number }> => {
      const times = await pooled(arrivalsOf, model, options, 2);
      const good = times.filter((ms) => ms <= TARGET).length;
      return { good, late: times.length - good };
    };
    const fixed: number[] = [];
    for (const options of FIXED) fixed.push((await inTime(options)).good);
    const { good, late } = await inTime(ADAPTIVE);
    expect(good / Math.max(...fixed)).toBeGreaterThan(0.9);
    expect(late / good).toBeLessThan(0.05);
  });
});

test("answers high-priority requests within the target despite a backlog whose large batches would delay them", async () => {
  const model = MODELS["mostly rows"];
  const arrivals = [
    ...each(Array(1000).fill(0), { priority: 9 }),
    // Starts once times are known.
    ...each(
      poisson(0.2, 400, draws(1, "urgent")).map((at) => 50 + at),
      { priority: 1 },
    ),
  ];
  const p99 = async (options: object): Promise<number> => {
    const played = await simulate(arrivals, noisy(model, 1), { ageingMs: 1e6, ...options });
    const urgent = played.outcomes.flatMap(({ at }, i) => (arrivals[i].priority === 1 ? [at - arrivals[i].at] : []));
    return quantile(urgent, 0.99);
  };
  const ours = await p99(ADAPTIVE);
  const fixed = await p99({ maxRows: 256 });
  expect(ours).toBeLessThan(1.1 * TARGET);
  expect(fixed).toBeGreaterThan(5 * TARGET);
});

describe("changing batch times", () => {
  const model = MODELS.even;
  const half = (seed: string): Arrival[] => each(poisson(0.5 * capacity(model), 1500, draws(1, seed)), { deadlineMs: TARGET });
  const sharesOf = (
    { outcomes }: Simulated,
    arrivals: Arrival[],
    from: number,
    to: number,
  ): { answered: number; late: number } => {
    const some = outcomes.filter((_, i) => arrivals[i].at >= from && arrivals[i].at < to);
    const ids = outcomes.flatMap((_, i) => (arrivals[i].at >= from && arrivals[i].at < to ? [i] : []));
    const answered = ids.filter((i) => typeof outcomes[i].said !== "string");
    const late = answered.filter((i) => outcomes[i].at > arrivals[i].at + TARGET + 0.01);
    return { answered: answered.length / some.length, late: late.length / some.length };
  };

  test("a stall of half a second affects few requests that arrive after it, and waiting ones fail on time", async () => {
    const arrivals = half("stall");
    let stalled = false;
    const time = noisy(model, 1);
    const stalling = (rows: number, now: number): number => {
      if (now < 400 || stalled) return time(rows, now);
      stalled = true;
      return 500;
    };
    const played = await simulate(arrivals, stalling, ADAPTIVE);
    expect(sharesOf(played, arrivals, 0, 400).answered).toBeGreaterThan(0.95);
    expect(sharesOf(played, arrivals, 950, 1500).answered).toBeGreaterThan(0.95);
    for (const [i, { said, at }] of played.outcomes.entries())
      if (said === "DEADLINE" && at > arrivals[i].at + TARGET + 1.1)
        throw new Error(`${i} was told after ${at - arrivals[i].at} ms`);
  });

  test("recovers from a model that is temporarily 20 times slower than deadlines allow", async () => {
    const arrivals = half("slow");
    const time = noisy(model, 1, (now) => (now > 300 && now < 700 ? 20 : 1));
    const played = await simulate(arrivals, time, ADAPTIVE);
    expect(sharesOf(played, arrivals, 350, 700).answered).toBeLessThan(0.2);
    expect(sharesOf(played, arrivals, 850, 1500).answered).toBeGreaterThan(0.95);
  });

  test("learns a permanent slowdown by half within about fifty batches", async () => {
    const arrivals = half("drift");
    const played = await simulate(
      arrivals,
      noisy(model, 1, (now) => (now > 500 ? 1.5 : 1)),
      ADAPTIVE,
    );
    const { time } = played.batcher.stats();
    expect(Math.abs(time.perRowMs * 5 + time.perBatchMs - 1.5 * (5 * model.perRow + model.perBatch))).toBeLessThan(0.4);
    expect(sharesOf(played, arrivals, 800, 1500).late).toBeLessThan(0.05);
  });
});
