import os from "node:os";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { WorkerError } from "../../../src/engine/errors/errors.ts";
import { enginePool, openEngine } from "../../../src/engine/memory/engine.ts";
import { hardwareThreads } from "../../../src/engine/memory/load.ts";
import type { Allocation } from "../../../src/engine/memory/memory.ts";
import { threads } from "./modules.ts";

const engine = await openEngine();
const pool = await enginePool();
const functions = engine.link(threads, ["meet", "await"]);
const two = { workers: 2, deterministic: true };

// Counters and gates on separate cache lines.
let cells: Allocation;
const address = (i: number) => cells.pointer + 64 * i;
const counter = (i: number) => Atomics.load(engine.memory.i32(address(i), 1), 0);
const open = (gate = 1) => Atomics.store(engine.memory.i32(address(gate), 1), 0, 1);
const waitCall = () => ({ kernel: functions.await.slot, args: [address(0), address(1), address(2)] });
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 2000 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 2));
  expect(condition()).toBe(true);
}

beforeEach(() => {
  cells = engine.memory.allocate(6 * 64, "test counters");
  // Runs calls only on workers, because this thread opens their gates.
  engine.crowded = true;
});
afterEach(() => {
  engine.crowded = false;
  cells.dispose();
});

it("runs two workers simultaneously on one memory", async () => {
  const meet = { kernel: functions.meet.slot, args: [address(0), 2 ** 31 - 1] };
  const triesLeft = await engine.run([meet, meet], two);
  expect(triesLeft.every((left) => left > 0)).toBe(true);
  expect(counter(0)).toBe(2);
  // A single worker waits in vain, which shows that the check above can fail.
  Atomics.store(engine.memory.i32(address(0), 1), 0, 0);
  expect(
    await engine.run([{ kernel: functions.meet.slot, args: [address(0), 1000] }], { workers: 1, deterministic: true }),
  ).toEqual([0]);
});

it("gives each of several runs its own worker only if the thread is crowded", async () => {
  const meet = (tries: number) =>
    engine.run([{ kernel: functions.meet.slot, args: [address(0), tries] }], { workers: 1, deterministic: true });
  const left = await Promise.all([meet(2 ** 31 - 1), meet(2 ** 31 - 1)]);
  expect(left.every(([tries]) => tries > 0)).toBe(true);
  engine.crowded = false;
  // On one thread, the first call has ended before the second starts.
  Atomics.store(engine.memory.i32(address(0), 1), 0, 0);
  expect((await Promise.all([meet(1000), meet(1000)]))[0]).toEqual([0]);
});

it("rejects the calls of a worker that dies, replaces it, and continues", async () => {
  const dying = engine.run([waitCall(), waitCall()], two);
  const outcome = dying.then(
    () => undefined,
    (error: unknown) => error,
  );
  await until(() => counter(0) === 2);
  await pool.terminate(0);
  open();
  const error = (await outcome) as WorkerError;
  expect(error).toBeInstanceOf(WorkerError);
  expect(error.message).toMatch(/^worker 0: ended in the middle of a call: .*; the next call starts another \[WORKER_DIED\]$/);
  expect(error.cause).toBeInstanceOf(Error);
  expect(counter(2)).toBe(1);
  expect(pool.size).toBe(1);
  const results = await engine.run([waitCall(), waitCall()], two);
  expect(results).toEqual([0, 0]);
  expect(pool.size).toBe(2);
});

it("drops unstarted calls on abort, and rejects once started calls have ended", async () => {
  const controller = new AbortController();
  const reason = new Error("stopped by the test");
  let over = false;
  const outcome = engine
    .run(Array.from({ length: 8 }, waitCall), { ...two, signal: controller.signal })
    .catch((error: unknown) => error)
    .finally(() => {
      over = true;
    });
  await until(() => counter(0) === 2);
  controller.abort(reason);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(over).toBe(false);
  open();
  expect(await outcome).toBe(reason);
  expect(counter(0)).toBe(2);
  expect(counter(2)).toBe(2);
});

it("drops the other worker's later calls if one fails", async () => {
  const gateCall = { kernel: functions.await.slot, args: [address(3), address(4), address(5)] };
  const trap = { kernel: "randomFill", args: [engine.memory.reservedBytes - 8, 9, 0, 1, 2, 3] };
  const failing = engine.run([waitCall(), gateCall, waitCall(), trap], two);
  const outcome = failing.catch((error: unknown) => error);
  await until(() => counter(0) === 1 && counter(3) === 1);
  open(4);
  // Worker 1 starts its part of a later run only after it failed in this one.
  const later = engine.run([{ kernel: "log", args: [1] }, gateCall], two);
  await until(() => counter(5) === 2);
  open();
  expect(await outcome).toBeInstanceOf(WorkerError);
  expect(await later).toEqual([0, 0]);
  expect(counter(2)).toBe(1);
});

it("an abort after a run has ended stops no other run", async () => {
  const controller = new AbortController();
  await engine.run([{ kernel: "log", args: [1] }], { ...two, signal: controller.signal });
  const later = engine.run([waitCall(), waitCall(), waitCall(), waitCall()], two);
  later.catch(() => {});
  await until(() => counter(0) === 2);
  controller.abort();
  open();
  expect(await later).toEqual([0, 0, 0, 0]);
});

it("keeps the process alive until every worker has answered its last call", async () => {
  const all = { workers: hardwareThreads(), deterministic: true };
  open();
  await engine.run(Array.from({ length: all.workers }, waitCall), all);
  Atomics.store(engine.memory.i32(address(1), 1), 0, 0);
  const unref = vi.spyOn(Worker.prototype, "unref");
  const first = engine.run(Array.from({ length: all.workers }, waitCall), all);
  // All workers are busy, so the call waits for one of them.
  const call = { kernel: functions.await.slot, args: [address(3), address(4), address(5)] };
  const last = engine.run([call], { ...two, workers: 1 });
  try {
    open();
    await first;
    expect(unref).toHaveBeenCalledTimes(all.workers - 1);
    open(4);
    await last;
    expect(unref).toHaveBeenCalledTimes(all.workers);
  } finally {
    open();
    open(4);
    await Promise.allSettled([first, last]);
    unref.mockRestore();
  }
});

it("serves several runs simultaneously", async () => {
  const runs = Array.from({ length: 20 }, (_, r) =>
    engine.run(
      [1, 2, 3].map((x) => ({ kernel: "log", args: [x + r] })),
      two,
    ),
  );
  const log = engine.kernel("log", true);
  (await Promise.all(runs)).forEach((results, r) => {
    expect(results).toEqual([1, 2, 3].map((x) => log(x + r)));
  });
});

it("leaves memory flat over many runs", async () => {
  await engine.run([{ kernel: "log", args: [1] }], two);
  const before = engine.memory.usedBytes;
  for (let i = 0; i < 500; i++) await engine.run([{ kernel: "log", args: [i] }], two);
  expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
});

describe("runs with as many workers as hardware threads", () => {
  const machineOf = (threads: number) => vi.spyOn(os, "availableParallelism").mockReturnValue(threads);
  const log = (x: number) => ({ kernel: "log", args: [x] });
  beforeEach(() => {
    engine.crowded = false;
  });
  afterEach(() => vi.restoreAllMocks());

  it.each([2, 3])("counts this thread as one of %d", async (workers) => {
    machineOf(workers);
    await engine.run(Array(workers).fill(log(1)), { workers, deterministic: true });
    const posted = vi.spyOn(Worker.prototype, "postMessage");
    const meet = { kernel: functions.meet.slot, args: [address(0), 2 ** 31 - 1] };
    // The two `meet` calls must run simultaneously.
    const results = await engine.run([meet, meet, log(2)].slice(0, workers), { workers, deterministic: true });
    expect(results.slice(0, 2).every((left) => left > 0)).toBe(true);
    expect(results.slice(2)).toEqual([engine.kernel("log", true)(2)].slice(0, workers - 2));
    expect(posted).toHaveBeenCalledTimes(workers - 1);
  });

  it("gives each thread a worker's calls in order", async () => {
    machineOf(2);
    const values = Array.from({ length: 9 }, (_, i) => i + 1);
    const wanted = values.map((x) => engine.kernel("log", true)(x));
    expect(await engine.run(values.map(log), two)).toEqual(wanted);
  });

  it.each([
    ["the machine has more threads", () => void machineOf(3), 2],
    ["others want this thread", () => void (engine.crowded = true), 2],
  ])("uses only workers for the calls if %s", async (_, given) => {
    machineOf(2);
    given();
    const run = engine.run([waitCall(), waitCall()], two);
    await until(() => counter(0) === 2);
    open();
    expect(await run).toEqual([0, 0]);
  });

  it("drops later calls on both threads if a call fails on either, and names the call", async () => {
    machineOf(2);
    const absent = { kernel: 2 ** 20, args: [] };
    // This thread fails in its second call, while the worker waits in its first or has not started.
    const once = { kernel: functions.meet.slot, args: [address(3), 1] };
    const here = engine.run([once, waitCall(), absent, waitCall()], two).catch((error: unknown) => error);
    await until(() => counter(3) === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    open();
    expect(String(await here)).toMatch(/failed on this thread: .*no function in slot/);
    expect(counter(0)).toBeLessThan(2);
    // The worker fails while this thread waits in its first call.
    Atomics.store(engine.memory.i32(address(0), 1), 0, 0);
    const wait = { kernel: functions.meet.slot, args: [address(4), 300_000_000] };
    const there = engine.run([wait, absent, waitCall(), log(1)], two).catch((error: unknown) => error);
    expect(String(await there)).toMatch(/failed on worker 0: .*no function in slot/);
    expect(counter(0)).toBe(0);
  });

  it("drops unstarted calls on abort", async () => {
    machineOf(2);
    const controller = new AbortController();
    const reason = new Error("stopped by the test");
    open();
    const slow = { kernel: functions.meet.slot, args: [address(3), 50_000_000] };
    const run = engine.run([slow, log(1), ...Array.from({ length: 20 }, () => [slow, log(1)]).flat()], {
      ...two,
      signal: controller.signal,
    });
    controller.abort(reason);
    await expect(run).rejects.toBe(reason);
  });
});
