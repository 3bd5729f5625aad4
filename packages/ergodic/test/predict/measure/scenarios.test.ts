/** MLPerf's scenarios, simulated exactly with a clock that the model advances, and compared with a plain queue. */
import { describe, expect, it } from "vitest";
import { type MeasureClock, type MeasureOptions, measure } from "../../../src/entries/everything.ts";
import { highestRate, scheduled } from "../../../src/predict/measure/scenarios.ts";
import { allowedPlainly, arrivalsPlainly, quantilePlainly, queuePlainly } from "./plain-rules.ts";

const rows = Array.from({ length: 5 }, (_, i) => [i, i * i]);

/** A clock that advances while the model works and when the test waits. */
class Clock implements MeasureClock {
  time = 1000;
  now = (): number => this.time;
  until(time: number): void {
    this.time = Math.max(this.time, time);
  }
}

/** Call k, after the two of the warm-up, takes takes(k) ms. */
function timed(clock: Clock, takes: (k: number, given: unknown) => number) {
  const given: unknown[] = [];
  let calls = -2;
  const predict = (query: unknown): void => {
    const k = calls++;
    clock.time += k < 0 ? 1 : takes(k, query);
    if (k >= 0) given.push(query);
  };
  return { predict, given };
}

const simulated = (clock: Clock, model: { predict(query: unknown): unknown }, options: MeasureOptions) =>
  measure(model, rows, { clock, warmup: 0, powercap: "/nowhere", ...options });

describe("singleStream", () => {
  it("sends each query when the last completes, until count and time suffice", async () => {
    const clock = new Clock();
    const takes = (k: number): number => (k % 10 === 9 ? 20 + k / 10 : 10);
    const { predict, given } = timed(clock, takes);
    const found = await simulated(clock, { predict }, { seconds: 0.1 });
    const latencies = Array.from({ length: 64 }, (_, k) => takes(k));
    expect(found).toMatchObject({
      scenario: "singleStream",
      batch: 1,
      queries: 64,
      rows: 64,
      valid: true,
      why: null,
      rate: null,
    });
    expect(found.seconds).toBeCloseTo(latencies.reduce((a, b) => a + b) / 1000, 12);
    expect(found.rowsPerSecond).toBeCloseTo(64 / found.seconds, 9);
    expect(found.latencyMs.mean).toBeCloseTo(latencies.reduce((a, b) => a + b) / 64, 12);
    expect(found.latencyMs.max).toBeCloseTo(25.9, 9);
    for (const [name, p] of [
      ["p50", 0.5],
      ["p90", 0.9],
    ] as const)
      expect(found.latencyMs[name]).toBeCloseTo(quantilePlainly(latencies, p)!, 9);
    expect([found.latencyMs.p99, found.latencyMs.p999]).toEqual([null, null]);
    // With one late query allowed, the bound is the second largest latency.
    expect(found.bound).toMatchObject({ percentile: 0.9, over: 1 });
    expect(found.bound!.ms).toBeCloseTo(24.9, 9);
    expect(given.every((row) => rows.includes(row as number[]))).toBe(true);
    expect(new Set(given).size).toBe(5);
  });

  it("continues until the time is over", async () => {
    const clock = new Clock();
    const found = await simulated(
      clock,
      timed(clock, () => 7),
      { seconds: 1 },
    );
    expect(found.queries).toBe(Math.ceil(1000 / 7));
    expect(found.seconds).toBeCloseTo(1.001, 9);
  });

  it("reports all quantiles from a thousand queries", async () => {
    const clock = new Clock();
    const found = await simulated(
      clock,
      timed(clock, (k) => 1 + ((k * 7919) % 1000)),
      { seconds: 1e-9, queries: 1000 },
    );
    const { p50, p90, p99, p999, max } = found.latencyMs;
    expect([p50, p90, p99, p999, max]).toEqual([500, 900, 990, 999, 1000]);
  });

  it("reports the number of missing queries", async () => {
    const clock = new Clock();
    const found = await simulated(
      clock,
      timed(clock, () => 1),
      { seconds: 1e-9, queries: 43 },
    );
    expect(found).toMatchObject({
      queries: 43,
      valid: false,
      why: "43 queries, but early stopping needs 44",
      bound: { ms: null },
    });
    const enough = await simulated(
      clock,
      timed(clock, (k) => k),
      { seconds: 1e-9, queries: 44 },
    );
    expect(enough).toMatchObject({ valid: true, bound: { over: 0, ms: 43 } });
  });

  it("awaits a promise", async () => {
    const clock = new Clock();
    const predict = async (): Promise<void> => {
      await null;
      clock.time += 3;
    };
    const found = await simulated(clock, { predict }, { seconds: 1e-9 });
    expect(found.latencyMs).toMatchObject({ mean: 3, max: 3 });
  });
});

describe("multiStream", () => {
  it("sends 8 rows per query and reports the 99th percentile", async () => {
    const clock = new Clock();
    const { predict, given } = timed(clock, (k, query) => (query as unknown[]).length + (k === 17 ? 100 : 0));
    const found = await simulated(clock, { predict }, { scenario: "multiStream", seconds: 0.1 });
    expect(given.every((query) => (query as unknown[]).length === 8)).toBe(true);
    expect(found).toMatchObject({ batch: 8, queries: 662, rows: 662 * 8, valid: true });
    expect(found.latencyMs).toMatchObject({ p50: 8, p90: 8, p99: 8, p999: null, max: 108 });
    expect(found.bound).toEqual({ percentile: 0.99, over: 1, ms: 8 });
  });
});

describe("offline", () => {
  it("sends all rows together", async () => {
    const clock = new Clock();
    const { predict, given } = timed(clock, (_, query) => (query as unknown[]).length / 100);
    const found = await simulated(clock, { predict }, { scenario: "offline" });
    expect(given).toHaveLength(1);
    expect(found).toMatchObject({ batch: 24_576, queries: 1, rows: 24_576, valid: true, bound: null });
    expect(found.seconds).toBeCloseTo(0.24576, 9);
    expect(found.rowsPerSecond).toBeCloseTo(100_000, 6);
  });

  it("measures latencies from the start, and counts whole batches", async () => {
    const clock = new Clock();
    const found = await simulated(
      clock,
      timed(clock, () => 5),
      { scenario: "offline", rows: 100, batch: 30 },
    );
    expect(found).toMatchObject({ batch: 30, queries: 4, rows: 120, seconds: 0.02, rowsPerSecond: 6000 });
    expect(found.latencyMs).toMatchObject({ mean: 12.5, p50: 10, max: 20 });
    expect(found).toMatchObject({ valid: false, why: "100 rows, but MLPerf wants 24576 at least" });
  });
});

describe("server", () => {
  const [service, seconds, seed] = [2, 0.5, 3];
  const passes = (rate: number, p99Ms: number, servers = 1): boolean => {
    const count = Math.max(459, Math.ceil(rate * seconds));
    const over = queuePlainly(rate, count, { service, servers, seed }).filter((ms) => ms > p99Ms).length;
    return over <= allowedPlainly(count, 0.99);
  };

  it("measures latencies from the due time of queries", async () => {
    const clock = new Clock();
    const options = { scenario: "server", rate: 400, seconds: 2, seed, p99Ms: 1e6 } as const;
    const found = await simulated(
      clock,
      timed(clock, () => service),
      options,
    );
    const wanted = queuePlainly(400, 800, { service, servers: 1, seed });
    expect(found).toMatchObject({ queries: 800, rate: 400, valid: true, trials: [{ rate: 400, passed: true }] });
    expect(found.latencyMs.mean).toBeCloseTo(wanted.reduce((a, b) => a + b) / 800, 6);
    for (const [name, p] of [
      ["p50", 0.5],
      ["p90", 0.9],
      ["p99", 0.99],
    ] as const)
      expect(found.latencyMs[name]).toBeCloseTo(quantilePlainly(wanted, p)!, 6);
    expect(found.latencyMs.max).toBeCloseTo(Math.max(...wanted), 6);
    expect(found.latencyMs.mean).toBeGreaterThan(1.5 * service);
    expect(found.seconds).toBeCloseTo(((1000 * arrivalsPlainly(800, seed).at(-1)!) / 400 + wanted.at(-1)!) / 1000, 9);
    expect(found.bound!.ms).toBeCloseTo(wanted.sort((a, b) => b - a)[allowedPlainly(800, 0.99)], 6);
  });

  it.each([4.5, 5, 10, 40])("finds the highest rate with a p99 of %d ms", async (p99Ms) => {
    const clock = new Clock();
    const found = await simulated(
      clock,
      timed(clock, () => service),
      { scenario: "server", p99Ms, seconds, seed },
    );
    for (const { rate, passed } of found.trials) expect(passed, `rate ${rate}`).toBe(passes(rate, p99Ms));
    const failed = found.trials.filter(({ passed }) => !passed).map(({ rate }) => rate);
    expect(found.rate).toBe(Math.max(...found.trials.filter(({ passed }) => passed).map(({ rate }) => rate)));
    expect(Math.min(...failed) / found.rate!).toBeLessThan(1.0200001);
    expect(Math.min(...failed)).toBeGreaterThan(found.rate!);
    expect(found).toMatchObject({ valid: true, bound: { percentile: 0.99 } });
    expect(found.bound!.ms).toBeLessThanOrEqual(p99Ms);
    expect(found.rate).toBeLessThan(1000 / service);
  });

  it("halves the rate if the first guess is too high", async () => {
    const clock = new Clock();
    // The warm-up takes 1 ms per call, so the first rate is 500 per second.
    const found = await simulated(
      clock,
      timed(clock, () => 20),
      { scenario: "server", p99Ms: 50, seconds: 0.1 },
    );
    expect(found.trials.slice(0, 3).map(({ rate }) => rate)).toEqual([500, 250, 125]);
    expect(found.rate).toBeGreaterThan(5);
    expect(found.rate).toBeLessThan(50);
  });

  it("reports that no rate meets the limit", async () => {
    const clock = new Clock();
    const found = await simulated(
      clock,
      timed(clock, () => 20),
      { scenario: "server", p99Ms: 19 },
    );
    expect(found).toMatchObject({
      rate: 0,
      valid: false,
      why: "the 99th percentile is not within 19 ms at any rate down to 3.9 per second",
    });
    expect(found.trials).toHaveLength(8);
    expect(found.trials.every(({ passed }) => !passed)).toBe(true);
    const one = await simulated(
      clock,
      timed(clock, () => 20),
      { scenario: "server", p99Ms: 19, rate: 1 },
    );
    expect(one).toMatchObject({ rate: 1, queries: 459, valid: false, why: "the 99th percentile is not within 19 ms" });
  });

  /** Two servers that answer asynchronously. */
  function parallel(clock: Parallel) {
    const free = [0, 0];
    const predict = (): Promise<void> => {
      const which = free.indexOf(Math.min(...free));
      free[which] = Math.max(clock.time, free[which]) + service;
      return clock.at(free[which]);
    };
    return { predict };
  }

  it("sends the next query without waiting for promises, but awaits all", async () => {
    const clock = new Parallel();
    const options = { scenario: "server", rate: 900, seconds: 1, seed, clock, warmup: 0, powercap: "/nowhere" } as const;
    const found = await measure(parallel(clock), rows, options);
    const wanted = queuePlainly(900, 900, { service, servers: 2, seed });
    expect(found.queries).toBe(900);
    expect(found.latencyMs.mean).toBeCloseTo(wanted.reduce((a, b) => a + b) / 900, 6);
    expect(found.latencyMs.max).toBeCloseTo(Math.max(...wanted), 6);
  });

  it("finds a higher rate for two servers than for one", async () => {
    const clock = new Parallel();
    const options = { scenario: "server", p99Ms: 5, seconds, seed, clock, warmup: 0, powercap: "/nowhere" } as const;
    const found = await measure(parallel(clock), rows, options);
    for (const { rate, passed } of found.trials) expect(passed, `rate ${rate}`).toBe(passes(rate, 5, 2));
    expect([passes(found.rate!, 5, 2), passes(found.rate!, 5, 1)]).toEqual([true, false]);
  });

  it("throws the error of a late answer", async () => {
    const clock = new Clock();
    let calls = 0;
    const predict = async (): Promise<void> => {
      clock.time += 1;
      await null;
      if (++calls === 40) throw new Error("out of order");
    };
    const failing = simulated(clock, { predict }, { scenario: "server", rate: 100 });
    await expect(failing).rejects.toThrow("out of order");
  });
});

/** A clock that advances to the next event when nothing else remains to be done. */
class Parallel implements MeasureClock {
  time = 0;
  now = (): number => this.time;
  private readonly events: { time: number; resolve: () => void }[] = [];

  at(time: number): Promise<void> {
    return new Promise((resolve) => {
      this.events.push({ time, resolve });
      setImmediate(() => this.next());
    });
  }

  until = (time: number): Promise<void> => this.at(time);

  private next(): void {
    if (this.events.length === 0) return;
    // Resolves answers before waits that end at the same time.
    const first = this.events.reduce((a, b) => (b.time < a.time ? b : a));
    this.events.splice(this.events.indexOf(first), 1);
    this.time = Math.max(this.time, first.time);
    first.resolve();
  }
}

it("calls until the warm-up ends", async () => {
  const clock = new Clock();
  let calls = 0;
  const predict = (): void => {
    calls++;
    clock.time += 10;
  };
  const found = await simulated(clock, { predict }, { warmup: 0.5, seconds: 1e-9 });
  expect(calls - found.queries).toBe(50);
});

it("ends on abort with the reason", async () => {
  const clock = new Clock();
  const controller = new AbortController();
  let calls = 0;
  const predict = (): void => {
    clock.time += 60;
    if (++calls === 10) controller.abort(new Error("enough"));
  };
  for (const scenario of ["singleStream", "offline"] as const) {
    calls = 0;
    const stopped = simulated(clock, { predict }, { scenario, seconds: 1e6, batch: 1, signal: controller.signal });
    await expect(stopped).rejects.toThrow("enough");
  }
  expect(calls).toBeLessThan(12);
});

it("doubles or halves the rate, then bisects geometrically until within 2 %", async () => {
  const search = async (start: number, highest: number) => {
    const { best, trials } = await highestRate(start, async (rate) => ({ rate, passed: rate <= highest }));
    return { best: best?.rate, rates: trials.map(({ rate }) => rate) };
  };
  const { best, rates } = await search(100, 250);
  const wanted = [100, 200, 400];
  for (let [low, high] = [200, 400]; high / low > 1.02; ) {
    const rate = Math.sqrt(low * high);
    wanted.push(rate);
    [low, high] = rate <= 250 ? [rate, high] : [low, rate];
  }
  expect(rates).toEqual(wanted);
  expect(best! <= 250 && best! * 1.02 > 250).toBe(true);
  expect((await search(100, 30)).rates.slice(0, 4)).toEqual([100, 50, 25, Math.sqrt(25 * 50)]);
  expect(await search(128, 0)).toEqual({ best: undefined, rates: [128, 64, 32, 16, 8, 4, 2, 1] });
});

it("abandons a rate immediately once too many queries are late", async () => {
  const clock = new Clock();
  let calls = 0;
  const call = (): void => {
    calls++;
    clock.time += 10;
  };
  const load = { clock, signal: undefined, call };
  const { over, latencies } = await scheduled(load, 100, () => 0, 25, 3);
  expect([calls, over]).toEqual([6, 4]);
  expect(latencies.filter((ms) => !Number.isNaN(ms))).toEqual(Float64Array.of(10, 20, 30, 40, 50, 60));
  // A latency equal to the limit is within it.
  calls = 0;
  expect((await scheduled(load, 100, () => 0, 20, 3)).over).toBe(4);
  expect(calls).toBe(6);
  calls = 0;
  expect((await scheduled(load, 100, () => 0, 25)).over).toBe(98);
  expect(calls).toBe(100);
});
