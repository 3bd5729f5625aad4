/**
 * The batcher's policy on plain lists, with every decision made again from all known facts, for times of exactly a·n +
 * b. Deadlines are supported only with one priority and one batch at a time, where they are promises. The queue is
 * simulated to its end for each new request.
 */
import type { Arrival, RanBatch } from "../simulation.ts";

export interface Policy {
  maxRows: number;
  concurrency: number;
  maxDelayMs: number;
  ageingMs: number;
  perRow: number;
  perBatch: number;
}

/** Tolerance below which nothing is late. */
const SLACK_MS = 1e-3;

interface Known extends Arrival {
  id: number;
  deadline: number;
  key: number;
}

export function plainBatcher(
  arrivals: readonly Arrival[],
  policy: Policy,
): { batches: RanBatch[]; fate: ("answered" | "refused" | "cancelled")[] } {
  const { maxRows, concurrency, maxDelayMs, ageingMs, perRow, perBatch } = policy;
  const time = (rows: number): number => perRow * rows + perBatch;
  const batches: RanBatch[] = [];
  const fate: ("answered" | "refused" | "cancelled")[] = [];
  let waiting: Known[] = [];
  const all: Known[] = arrivals.map((one, id) => ({
    ...one,
    id,
    deadline: one.at + (one.deadlineMs ?? Infinity),
    key: one.at + ((one.priority ?? 5) - 1) * ageingMs,
  }));

  /** Takes the next batch from a queue. */
  const form = (queue: Known[], now: number): Known[] => {
    const taken: Known[] = [];
    let rows = 0;
    for (const one of [...queue]) {
      rows += one.rows;
      const late = taken.some(({ deadline }) => now + time(rows) > deadline + SLACK_MS);
      if (taken.length > 0 && (rows > maxRows || late)) break;
      taken.push(queue.shift()!);
    }
    return taken;
  };
  const sumOf = (some: Known[]): number => some.reduce((sum, { rows }) => sum + rows, 0);

  const keepsDeadline = (newcomer: Known, now: number): boolean => {
    if (newcomer.deadline === Infinity) return true;
    let at = Math.max(now, ...batches.map(({ end }) => end));
    const queue = [...waiting, newcomer];
    for (;;) {
      const batch = form(queue, at);
      at += time(sumOf(batch));
      if (batch.includes(newcomer)) return at <= newcomer.deadline;
    }
  };

  const dispatch = (now: number): number => {
    waiting.sort((a, b) => a.key - b.key || (a.priority ?? 5) - (b.priority ?? 5) || a.id - b.id);
    for (;;) {
      const running = batches.filter(({ end }) => end > now).length;
      if (waiting.length === 0 || running === concurrency) return Infinity;
      const due = Math.min(...waiting.map(({ at }) => at)) + maxDelayMs;
      if (running > 0 && sumOf(waiting) < maxRows && due > now + SLACK_MS) return due;
      const batch = form(waiting, now);
      const rows = sumOf(batch);
      batches.push({ start: now, end: now + time(rows), ids: batch.map(({ id }) => id), rows });
      for (const { id, cancelAt = Infinity } of batch) fate[id] = cancelAt < now + time(rows) ? "cancelled" : "answered";
    }
  };

  const comes = [...all].sort((a, b) => a.at - b.at || a.id - b.id);
  for (let now = 0, due = Infinity; ; ) {
    const times = [
      ...comes.slice(0, 1).map(({ at }) => at),
      ...waiting.map(({ cancelAt = Infinity }) => cancelAt),
      ...batches.map(({ end }) => end).filter((end) => end > now),
      due,
    ];
    const next = Math.min(...times);
    if (next === Infinity) return { batches, fate };
    now = next;
    waiting = waiting.filter(({ id, cancelAt = Infinity }) => {
      if (cancelAt <= now) fate[id] = "cancelled";
      return cancelAt > now;
    });
    while (comes[0]?.at === now) {
      const one = comes.shift()!;
      if (keepsDeadline(one, now)) waiting.push(one);
      else fate[one.id] = "refused";
    }
    due = dispatch(now);
  }
}
