/** Promises of the batcher under random arrivals: nothing is lost, idle, starved, late, overtaken or unexplained. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { power } from "../../ergodic/test/power.ts";
import { type Arrival, draws, type RanBatch, type Simulated, simulate } from "./simulation.ts";

const RUNS = { numRuns: power(50, 120), seed: 16 };
/** Milliseconds: rounding of times, and the tolerance of a microsecond for lateness. */
const ROUNDING = 2e-3;

const shape = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
  count: fc.integer({ min: 1, max: 150 }),
  gap: fc.constantFrom(0.02, 0.2, 1, 4),
  flood: fc.constantFrom(0, 0.3, 0.9),
  largest: fc.constantFrom(1, 4, 40),
  fixed: fc.constantFrom(0.1, 1, 10),
  maxRows: fc.constantFrom(1, 8, 32),
  concurrency: fc.constantFrom(1, 1, 2, 3),
  maxDelayMs: fc.constantFrom(0, 0.7, 5),
  ageingMs: fc.constantFrom(0, 3, 1000),
  deadlines: fc.constantFrom("none", "even", "uneven"),
  priorities: fc.constantFrom(1, 3, 9),
  cancelled: fc.constantFrom(0, 0.2),
  /** Standard deviation of a batch's time, relative to that time. */
  noise: fc.constantFrom(0, 0.2),
});
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;

interface Case extends Simulated {
  arrivals: Arrival[];
  /** Average time of a batch of that many rows. */
  time: (rows: number) => number;
}

/** Cases that were played. Several promises are checked for the same ones. */
const played = new Map<string, Promise<Case>>();
function play(given: Shape): Promise<Case> {
  const key = JSON.stringify(given);
  if (!played.has(key)) played.set(key, playing(given));
  return played.get(key)!;
}

async function playing(given: Shape): Promise<Case> {
  const u = draws(given.seed);
  const perRow = 0.1 + u.uniform();
  const perBatch = given.fixed * (0.1 + u.uniform());
  const time = (rows: number): number => perRow * rows + perBatch;
  const arrivals: Arrival[] = [];
  let at = u.uniform();
  for (let i = 0; i < given.count; i++) {
    if (u.uniform() >= given.flood) at += u.exponential() * given.gap * (perRow + perBatch);
    const rows = 1 + u.integer(given.largest);
    // An idle model accepts a request that cannot be answered in time, as an attempt.
    const least = 1.1 * time(rows) + (given.concurrency > 1 ? given.maxDelayMs : 0);
    arrivals.push({
      at,
      rows,
      priority: 1 + u.integer(given.priorities),
      ...(given.deadlines !== "none" && { deadlineMs: least * (given.deadlines === "even" ? 5.3 : 1 + 8 * u.uniform()) }),
      ...(u.uniform() < given.cancelled && { cancelAt: at + u.exponential() * 5 }),
    });
  }
  const noise = draws(given.seed, "noise");
  const { maxRows, concurrency, maxDelayMs, ageingMs } = given;
  const noisy = (rows: number): number => time(rows) * Math.max(0.2, 1 + (given.noise && given.noise * noise.normal()));
  return { arrivals, time, ...(await simulate(arrivals, noisy, { maxRows, concurrency, maxDelayMs, ageingMs })) };
}

const holds = (promise: (played: Case, given: Shape) => void, fixed: Partial<Shape> = {}) =>
  fc.assert(
    fc.asyncProperty(shape, async (free) => {
      const given = { ...free, ...fixed };
      promise(await play(given), given);
    }),
    RUNS,
  );

/** Requests that were in a batch, with the batch. */
function started({ batches, arrivals }: Case): { id: number; one: Arrival; batch: RanBatch; index: number }[] {
  return batches.flatMap((batch, index) => batch.ids.map((id) => ({ id, one: arrivals[id], batch, index })));
}

/** Parts of [from, to) by the number of batches that run in them. */
function* stretches(batches: readonly RanBatch[], from: number, to: number): Generator<{ length: number; running: number }> {
  const cuts = [from, to, ...batches.flatMap(({ start, end }) => [start, end]).filter((t) => t > from && t < to)].sort(
    (a, b) => a - b,
  );
  for (let i = 1; i < cuts.length; i++) {
    const middle = (cuts[i - 1] + cuts[i]) / 2;
    yield { length: cuts[i] - cuts[i - 1], running: batches.filter(({ start, end }) => start <= middle && middle < end).length };
  }
}

describe("promises under random arrivals", () => {
  test("each request is settled once with its own answer or a reason, and the answer explains its timing", () =>
    holds((played, { maxRows }) => {
      const { arrivals, outcomes, batches, batcher } = played;
      expect(outcomes).toHaveLength(arrivals.length);
      const inBatch = new Map(started(played).map(({ id, batch }) => [id, batch]));
      const count: Record<string, number> = {};
      for (const [id, { said, at }] of outcomes.entries()) {
        const kind = typeof said === "string" ? said : "answered";
        count[kind] = (count[kind] ?? 0) + 1;
        if (typeof said === "string") {
          if (said === "cancelled") expect(at).toBeCloseTo(arrivals[id].cancelAt!, 9);
          else expect([said, inBatch.has(id)]).toEqual(["DEADLINE", false]);
          continue;
        }
        const batch = inBatch.get(id)!;
        expect(said.answer).toBe(id);
        expect(said.batchRows).toBe(batch.ids.reduce((sum, i) => sum + arrivals[i].rows, 0));
        expect(said.batchRequests).toBe(batch.ids.length);
        expect(said.queueUs).toBeCloseTo(1000 * (batch.start - arrivals[id].at), 5);
        expect(said.computeUs).toBeCloseTo(1000 * (batch.end - batch.start), 5);
        expect(at).toBeCloseTo(batch.end, 9);
      }
      expect(new Set(batches.flatMap(({ ids }) => ids)).size).toBe(batches.flatMap(({ ids }) => ids).length);
      for (const { ids, rows } of batches) expect(rows <= maxRows || ids.length === 1).toBe(true);
      const stats = batcher.stats();
      expect([stats.answered - 3, stats.cancelled, stats.refused]).toEqual([
        count.answered ?? 0,
        count.cancelled ?? 0,
        { full: 0, deadline: count.DEADLINE ?? 0, closed: 0 },
      ]);
      expect([stats.batches, stats.waiting]).toEqual([batches.length + 3, { requests: 0, rows: 0, running: 0 }]);
      expect(stats.histograms.latencyUs.count).toBe(stats.answered);
    }));

  test("no request waits while no batch runs, nor longer than maxDelayMs while another batch could run", () =>
    holds((played, { concurrency, maxDelayMs }) => {
      for (const { one, batch } of started(played)) {
        let free = 0;
        for (const { length, running } of stretches(played.batches, one.at, batch.start)) {
          if (running === 0) expect(length).toBeLessThan(1e-6);
          if (running < concurrency) free += length;
        }
        expect(free).toBeLessThan(maxDelayMs + ROUNDING);
      }
    }));

  test("requests of one priority run in order of arrival, and none overtakes beyond the ageing limit", () =>
    holds((played, { ageingMs }) => {
      const all = started(played);
      // Pairs are collected, because an expect call for each would take most of the time.
      const overtaken: [number, number][] = [];
      for (const first of all)
        for (const second of all) {
          if (second.batch.start <= first.one.at) continue;
          const steps = first.one.priority! - second.one.priority!;
          const later = second.one.at > first.one.at + ageingMs * steps + 1e-9;
          const mayNot = later || (steps === 0 && second.id > first.id);
          if (mayNot && second.index < first.index) overtaken.push([first.id, second.id]);
        }
      expect(overtaken).toEqual([]);
    }));

  test("no accepted request is late or refused later if batches take the predicted time", () =>
    holds(
      ({ outcomes, arrivals }) => {
        for (const [id, { said, at }] of outcomes.entries())
          if (said === "DEADLINE") expect(at).toBeCloseTo(arrivals[id].at, 9);
          else expect(at).toBeLessThan(arrivals[id].at + (arrivals[id].deadlineMs ?? Infinity) + ROUNDING);
      },
      { noise: 0, priorities: 1 },
    ));

  test("no request is refused that would be in time even with a separate batch for each request ahead", async () => {
    let refused = 0;
    await holds(
      (played) => {
        const { outcomes, arrivals, batches, time } = played;
        const starts = new Map(started(played).map(({ id, batch }) => [id, batch.start]));
        for (const [id, { said, at }] of outcomes.entries()) {
          if (said !== "DEADLINE") continue;
          let bound = time(arrivals[id].rows);
          for (const { start, end } of batches) if (start < at && at < end) bound += end - at;
          for (let i = 0; i < id; i++) if (outcomes[i].at > at && !(starts.get(i)! < at)) bound += time(arrivals[i].rows);
          expect(bound).toBeGreaterThan(arrivals[id].deadlineMs! - ROUNDING);
          refused++;
        }
      },
      { noise: 0, priorities: 1, concurrency: 1 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});
