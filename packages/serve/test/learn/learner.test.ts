/** A model that learns from requests. Confirmed requests are on the disk, and refused requests leave no trace. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LearnerError, type OnlineLearner, openLearner, RefusedError } from "@ergodic/serve";
import {
  adagrad,
  adam,
  batchNorm,
  chain,
  DataError,
  Dataset,
  dense,
  fit,
  type LinearPredictor,
  linear,
  mlp,
  network,
  OptionError,
  predictor,
  relu,
  sgd,
} from "ergodic";
import { averaging } from "ergodic/rules";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { LearnerFolder } from "../../src/learn/folder.ts";
import { Journal } from "../../src/learn/journal.ts";

const number = (i: number): number => ((Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32) * 2 - 1;
const row = (i: number): number[] => [number(3 * i), number(3 * i + 1), number(3 * i + 2)];
const rows = (from: number, to: number): number[][] => Array.from({ length: to - from }, (_, k) => row(from + k));
const classOf = (x: number[]): string => (x[0]! - x[1]! > 0 ? "yes" : "no");
const classes = (from: number, to: number): string[] => rows(from, to).map(classOf);

let folder: string;
const open: OnlineLearner[] = [];
let model: Uint8Array;
beforeAll(async () => {
  const data = Dataset.fromArrays({ x: rows(0, 200), y: classes(0, 200) });
  model = (await fit(linear({ loss: "logistic" }), data, { epochs: 1, seed: 1 })).toBytes();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "learner-"));
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const learner of open.splice(0)) await learner.close();
  rmSync(folder, { recursive: true, force: true });
});

async function opened(options: Partial<Parameters<typeof openLearner>[0]> = {}): Promise<OnlineLearner> {
  const learner = await openLearner({ folder, rule: sgd({ rate: 0.05 }), ...options });
  open.push(learner);
  return learner;
}
/** The first file of a kind. */
const fileOf = (kind: string): string =>
  join(
    folder,
    readdirSync(folder)
      .sort()
      .find((name) => name.endsWith(`.${kind}`))!,
  );
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.from(a).equals(b);
const bytesOf = (learner: OnlineLearner): Uint8Array => learner.current().toBytes();
const rejected = async (promise: Promise<unknown>): Promise<Error & { code?: string }> =>
  promise.then(
    () => new Error("nothing was thrown"),
    (error: Error) => error,
  );

test("learns, reports its previous performance and serves the learnt model", async () => {
  const learner = await opened({ model });
  const before = learner.current();
  expect(before.version).toBe(0);
  const learnt = await learner.learn(rows(200, 264), classes(200, 264));
  expect(learnt).toMatchObject({ rows: 64, version: 1 });
  expect(learnt.loss).toBeGreaterThan(0);
  expect(learnt.metrics.accuracy).toBeGreaterThan(0.7);
  const after = learner.current();
  expect(after.version).toBe(1);
  expect(learner.current()).toBe(after);
  expect(same(before.toBytes(), after.toBytes())).toBe(false);
  expect((after.predictor as LinearPredictor).predict(row(7)).value).toBe(classOf(row(7)));
  expect(learner.stats()).toMatchObject({ version: 1, requests: 1, refused: 0, commits: 1, queuedRows: 0, rollbacks: 0 });
  expect(learner.stats().all).toMatchObject({ rows: 64, weight: 64, loss: expect.closeTo(learnt.loss, 12) as number });
});

test("equals fit on the same rows, however the rows are split into requests", async () => {
  const learner = await opened({ model });
  for (let i = 200; i < 300; i += 20) await learner.learn(rows(i, i + 20), classes(i, i + 20));
  const wanted = await fit(linear({ loss: "logistic" }), Dataset.fromArrays({ x: rows(200, 300), y: classes(200, 300) }), {
    ...{ from: model, rule: sgd({ rate: 0.05 }), schedule: "ordered", epochs: 1, deterministic: true },
  });
  const learnt = await predictor(bytesOf(learner));
  expect((learnt as typeof wanted).weights).toEqual(wanted.weights);
  expect((learnt as typeof wanted).intercept).toEqual(wanted.intercept);
});

/** Holds back the next write to the disk. Resolves once the write is requested. */
async function heldWrite(): Promise<{ asked: Promise<void>; write: () => void }> {
  const append = Journal.prototype.append;
  let tell = (): void => {};
  let write = (): void => {};
  const asked = new Promise<void>((resolve) => (tell = resolve));
  const go = new Promise<void>((resolve) => (write = resolve));
  vi.spyOn(Journal.prototype, "append").mockImplementationOnce(async function (this: Journal, ...given) {
    tell();
    await go;
    return append.apply(this, given);
  });
  return { asked, write };
}

test("neither serves nor confirms requests that are not yet on the disk", async () => {
  const learner = await opened({ model });
  const before = learner.current();
  const { asked, write } = await heldWrite();
  const learning = learner.learn(rows(200, 210), classes(200, 210));
  let isTold = false;
  void learning.then(() => (isTold = true));
  await asked;
  await sleep(20);
  const meanwhile = { isTold, isServed: learner.current() !== before };
  write();
  await learning;
  expect(meanwhile).toEqual({ isTold: false, isServed: false });
  expect(learner.current().version).toBe(1);
});

describe("the model served during a pending write", () => {
  const networks = async (): Promise<Uint8Array> => {
    const layers = [dense(6), batchNorm(), relu(), dense(1)];
    const run = fit(network(layers), Dataset.fromArrays({ x: rows(0, 50), y: classes(0, 50) }), { epochs: 1, seed: 1 });
    await run;
    return run.checkpoint();
  };
  test.each<[string, () => Promise<Uint8Array>, Partial<Parameters<typeof openLearner>[0]>]>([
    ["of a linear model", async () => model, {}],
    ["of averaged numbers", async () => model, { rule: chain(sgd({ rate: 0.05 }), averaging({ start: 2 })) }],
    ["of a network", networks, { rule: adam({ rate: 0.01 }), batch: 4 }],
  ])("%s", async (_, make, options) => {
    const learner = await opened({ model: await make(), ...options });
    for (let i = 0; i < 9; i++) await learner.learn(rows(8 * i, 8 * i + 8), classes(8 * i, 8 * i + 8));
    const { asked, write } = await heldWrite();
    const more = [learner.learn(rows(100, 110), classes(100, 110)), learner.learn(rows(120, 130), classes(120, 130))];
    await asked;
    const served = learner.current();
    const [bytes, stats] = [served.toBytes(), learner.stats()];
    expect(learner.current()).toBe(served);
    write();
    await Promise.all(more);
    expect([served.version, stats.version, stats.all.rows, stats.requests]).toEqual([9, 9, 72, 9]);
    expect(learner.stats()).toMatchObject({ version: 11, requests: 11, all: { rows: 92 } });
    const after = bytesOf(learner);
    await learner.close();
    rmSync(folder, { recursive: true });
    const twin = await opened({ model: await make(), ...options });
    for (let i = 0; i < 9; i++) await twin.learn(rows(8 * i, 8 * i + 8), classes(8 * i, 8 * i + 8));
    expect(same(bytesOf(twin), bytes)).toBe(true);
    await twin.learn(rows(100, 110), classes(100, 110));
    await twin.learn(rows(120, 130), classes(120, 130));
    expect(same(bytesOf(twin), after)).toBe(true);
  });
});

test("combines many calls into one write and answers them in order", async () => {
  const learner = await opened({ model });
  const order: number[] = [];
  const calls = Array.from({ length: 100 }, (_, i) =>
    learner.learn([row(i)], [classOf(row(i))]).then(({ version }) => {
      order.push(version);
      return version;
    }),
  );
  expect(learner.stats().queuedRows).toBe(100);
  expect(await Promise.all(calls)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(learner.stats().commits).toBeLessThan(100);
  expect(learner.stats().queuedRows).toBe(0);
});

test("treats rows as lists and rows by name alike", async () => {
  const data = Dataset.fromArrays({ x: rows(0, 200), y: classes(0, 200), names: ["a", "b", "c"] });
  const named = (await fit(linear({ loss: "logistic" }), data, { epochs: 1, seed: 1 })).toBytes();
  const byName = (x: number[]): Record<string, number> => ({ c: x[2]!, a: x[0]!, b: x[1]! });
  const learner = await opened({ model: named });
  for (let i = 0; i < 9; i++) await learner.learn([i % 2 === 0 ? row(i) : byName(row(i))], [classOf(row(i))]);
  const mixed = bytesOf(learner);
  await learner.close();
  rmSync(folder, { recursive: true });
  const twin = await opened({ model: named });
  for (let i = 0; i < 9; i++) await twin.learn([row(i)], [classOf(row(i))]);
  expect(same(bytesOf(twin), mixed)).toBe(true);
});

describe("reopened learners", () => {
  test("have the same state and statistics bit for bit", async () => {
    const learner = await opened({ model, rule: adagrad({ rate: 0.1 }) });
    for (let i = 0; i < 30; i++) await learner.learn(rows(i, i + 3), classes(i, i + 3));
    const [bytes, stats] = [bytesOf(learner), learner.stats()];
    await learner.close();
    const again = await openLearner({ folder });
    open.push(again);
    expect(again.stats().recovered).toEqual({ requests: 30, droppedBytes: 0 });
    expect(same(bytesOf(again), bytes)).toBe(true);
    const { version, all, recent, requests } = stats;
    expect(again.stats()).toMatchObject({ version, all, recent, requests });
    const next = await again.learn(rows(50, 60), classes(50, 60));
    expect(next.version).toBe(31);
  });

  test("have the same state after snapshots that restart the journal", async () => {
    const learner = await opened({ model, journalBytes: 1000, keep: 3 });
    for (let i = 0; i < 100; i++) await learner.learn([row(i)], [classOf(row(i))]);
    const bytes = bytesOf(learner);
    expect(learner.stats().journalBytes).toBeLessThan(1200);
    const kept = learner.versions();
    expect(kept).toHaveLength(3);
    for (const { version, rows: count } of kept) expect(count).toBe(version);
    expect(readdirSync(folder).filter((name) => name.endsWith(".snapshot"))).toHaveLength(3);
    expect(readdirSync(folder).filter((name) => name.endsWith(".journal"))).toHaveLength(1);
    await learner.close();
    const again = await opened({ journalBytes: 1000, keep: 3 });
    expect(again.versions()).toEqual(kept);
    expect(same(bytesOf(again), bytes)).toBe(true);
    expect(again.stats().all.rows).toBe(100);
  });

  test("learn rows that waited with a snapshot once", async () => {
    const learner = await opened({ model });
    const [learnt, kept] = await Promise.all([learner.learn(rows(0, 9), classes(0, 9)), learner.snapshot()]);
    expect([learnt.version, kept]).toEqual([1, 1]);
    const bytes = bytesOf(learner);
    await learner.close();
    const again = await opened({});
    expect(again.stats()).toMatchObject({ version: 1, requests: 1, recovered: { requests: 0 } });
    expect(same(bytesOf(again), bytes)).toBe(true);
  });

  test("require their original options, or none", async () => {
    await (await opened({ model, batch: 2, seed: 4 })).close();
    const other = model.slice();
    const error = await rejected(
      opened({ model: (await fit(linear(), Dataset.fromArrays({ x: rows(0, 9), y: classes(0, 9) }))).toBytes() }),
    );
    expect(error).toBeInstanceOf(LearnerError);
    expect(error.code).toBe("FOLDER_OTHER");
    expect((await rejected(opened({ rule: sgd({ rate: 0.06 }) }))).message).toContain("rule is");
    expect((await rejected(opened({ batch: 3 }))).message).toContain("batches of 2");
    expect((await rejected(opened({ seed: 5 }))).message).toContain("seed 4");
    await (await opened({ model: other, batch: 2, seed: 4 })).close();
    await (await openLearner({ folder })).close();
  });
});

describe("rollback", () => {
  test("restores a stored version with its optimiser, as a new version", async () => {
    const learner = await opened({ model, rule: adam({ rate: 0.01 }) });
    await learner.learn(rows(0, 20), classes(0, 20));
    expect(await learner.snapshot()).toBe(1);
    const at1 = bytesOf(learner);
    const next = await learner.learn(rows(20, 40), classes(20, 40));
    const at2 = bytesOf(learner);
    expect(await learner.rollback(1)).toEqual({ version: 3 });
    expect(learner.current().version).toBe(3);
    expect(same(bytesOf(learner), at1)).toBe(true);
    const again = await learner.learn(rows(20, 40), classes(20, 40));
    expect(again).toEqual({ ...next, version: 4 });
    expect(same(bytesOf(learner), at2)).toBe(true);
    expect(learner.stats()).toMatchObject({ rollbacks: 1, requests: 3 });
    await learner.close();
    const reopened = await openLearner({ folder });
    open.push(reopened);
    expect(reopened.stats()).toMatchObject({ version: 4, rollbacks: 1, requests: 3 });
    expect(same(bytesOf(reopened), at2)).toBe(true);
    expect(await reopened.rollback(0)).toEqual({ version: 5 });
    expect(((await predictor(bytesOf(reopened))) as { weights?: Float64Array }).weights).toEqual(
      ((await predictor(model)) as { weights?: Float64Array }).weights,
    );
  });

  test("refuses a version that is not stored", async () => {
    const learner = await opened({ model, keep: 1 });
    await learner.learn(rows(0, 2), classes(0, 2));
    await learner.snapshot();
    for (const version of [0, 2, -1, 0.5, Number.NaN, "1" as never]) {
      const error = await rejected(learner.rollback(version));
      expect(error).toBeInstanceOf(OptionError);
      expect(error.message).toContain("stored versions are 1");
    }
    expect(learner.stats().version).toBe(1);
  });

  test("refuses a damaged snapshot and continues learning", async () => {
    const learner = await opened({ model });
    await learner.learn(rows(0, 2), classes(0, 2));
    await learner.snapshot();
    await learner.learn(rows(2, 4), classes(2, 4));
    const bytes = bytesOf(learner);
    const path = fileOf("snapshot");
    const file = readFileSync(path);
    file[file.length - 3]! ^= 1;
    writeFileSync(path, file);
    const error = await rejected(learner.rollback(0));
    expect(error.code).toBe("FOLDER_DAMAGED");
    rmSync(path);
    expect((await rejected(learner.rollback(0))).code).toBe("FOLDER_DAMAGED");
    expect(same(bytesOf(learner), bytes)).toBe(true);
    expect((await learner.learn(rows(4, 5), classes(4, 5))).version).toBe(3);
    expect(await learner.rollback(1)).toEqual({ version: 4 });
  });
});

describe("a poisoned request", () => {
  const good = rows(0, 3);
  const poisons: [string, unknown[], unknown[], number[]?][] = [
    ["NaN", [...good, [1, Number.NaN, 1]], ["yes", "no", "yes", "no"]],
    ["infinite", [...good, [1, Infinity, 1]], ["yes", "no", "yes", "no"]],
    ["a missing value", [...good, [1, 2]], ["yes", "no", "yes", "no"]],
    ["a value too many", [...good, [1, 2, 3, 4]], ["yes", "no", "yes", "no"]],
    ["too large for float32", [...good, [1, 1e39, 1]], ["yes", "no", "yes", "no"]],
    ["so large that parameters overflow", [...good, [1, 3e38, 1], [1, 3e38, 1]], ["yes", "no", "yes", "no", "yes"]],
    ["text", [...good, [1, "x", 1]], ["yes", "no", "yes", "no"]],
    ["null", [...good, null], ["yes", "no", "yes", "no"]],
    ["no row", [], []],
    ["a row by name among lists", [...good, { x0: 1, x1: 1, x2: 1 }], ["yes", "no", "yes", "no"]],
    ["another class", good, ["yes", "no", "maybe"]],
    ["no class", good, ["yes", "no", null]],
    ["a class NaN", good, ["yes", "no", Number.NaN]],
    ["too few targets", good, ["yes", "no"]],
    ["too many targets", good, ["yes", "no", "yes", "no"]],
    ["a weight below 0", good, ["yes", "no", "yes"], [1, -1, 1]],
    ["a weight NaN", good, ["yes", "no", "yes"], [1, Number.NaN, 1]],
    ["a weight of text", good, ["yes", "no", "yes"], [1, "2" as never, 1]],
    ["no weight at all", good, ["yes", "no", "yes"], [0, 0, 0]],
    ["too few weights", good, ["yes", "no", "yes"], [1, 1]],
    ["a weight so large that parameters overflow", good, ["yes", "no", "yes"], [1, 1e308, 1e308]],
    ["rows that are no list", { length: 1, 0: [1, 2, 3] } as never, ["yes"]],
  ];

  test.each(poisons)("%s", async (_, some, targets, weights) => {
    const learner = await opened({ model, rule: adagrad({ rate: 0.1 }) });
    await learner.learn(rows(10, 20), classes(10, 20));
    const [bytes, stats, journal] = [bytesOf(learner), learner.stats(), readFileSync(fileOf("journal"))];
    const error = await rejected(learner.learn(some as never, targets as never, weights ? { weights } : {}));
    expect(error).toBeInstanceOf(DataError);
    expect(learner.stats()).toEqual({ ...stats, refused: 1 });
    expect(learner.current().version).toBe(1);
    expect(readFileSync(fileOf("journal")).equals(journal)).toBe(true);
    // Compares the state in memory as well as the served model: the next request gives the same result as without the
    // refusal.
    const next = await learner.learn(rows(20, 30), classes(20, 30));
    const after = bytesOf(learner);
    await learner.close();
    rmSync(folder, { recursive: true });
    const twin = await opened({ model, rule: adagrad({ rate: 0.1 }) });
    await twin.learn(rows(10, 20), classes(10, 20));
    expect(same(bytesOf(twin), bytes)).toBe(true);
    expect(await twin.learn(rows(20, 30), classes(20, 30))).toEqual(next);
    expect(same(bytesOf(twin), after)).toBe(true);
  });

  test("does not affect other requests in its group", async () => {
    const learner = await opened({ model });
    const calls = Array.from({ length: 30 }, (_, i) =>
      i % 3 === 1
        ? rejected(
            learner.learn(
              [
                [3e38, 3e38, 3e38],
                [3e38, -3e38, 3e38],
              ],
              ["no", "yes"],
            ),
          )
        : learner.learn([row(i)], [classOf(row(i))]),
    );
    const results = await Promise.all(calls);
    for (const [i, result] of results.entries()) {
      if (i % 3 === 1) expect(result).toBeInstanceOf(DataError);
      else expect(result).toMatchObject({ version: i - Math.floor((i + 1) / 3) + 1 });
    }
    const bytes = bytesOf(learner);
    expect(learner.stats()).toMatchObject({ version: 20, refused: 10 });
    await learner.close();
    const again = await opened();
    expect(same(bytesOf(again), bytes)).toBe(true);
  });
});

test("refuses requests beyond the queue limit and after closing, but finishes accepted ones", async () => {
  const learner = await opened({ model, maxQueueRows: 10, maxRows: 50 });
  // A request larger than the queue is accepted if nothing waits.
  const first = learner.learn(rows(0, 50), classes(0, 50));
  const second = await rejected(learner.learn([row(0)], ["yes"]));
  expect(second).toBeInstanceOf(RefusedError);
  expect(second).toMatchObject({ code: "QUEUE_FULL", status: 429 });
  expect((await rejected(learner.learn(rows(0, 51), classes(0, 51)))).message).toContain("at most 50");
  const closing = learner.close();
  const late = await rejected(learner.learn([row(0)], ["yes"]));
  expect(late).toMatchObject({ code: "CLOSED", status: 503 });
  expect((await rejected(learner.rollback(0))).code).toBe("CLOSED");
  expect((await first).version).toBe(1);
  await closing;
  await learner.close();
  expect(learner.current().version).toBe(1);
  expect((await (await opened()).learn([row(1)], ["yes"])).version).toBe(2);
});

test("refuses waiting requests if the journal cannot be written, and serves and counts only confirmed ones", async () => {
  const learner = await opened({ model });
  // Nothing requests the model in between.
  for (let i = 0; i < 5; i++) await learner.learn(rows(3 * i, 3 * i + 3), classes(3 * i, 3 * i + 3));
  const before = learner.stats();
  expect(before).toMatchObject({ version: 5, requests: 5, all: { rows: 15 } });
  expect(before).not.toHaveProperty("failure");
  let told: LearnerError | undefined;
  void learner.failed.then((error) => (told = error));
  let waiting: Promise<Error & { code?: string }> | undefined;
  vi.spyOn(Journal.prototype, "append").mockImplementationOnce(async () => {
    waiting = rejected(learner.learn(rows(5, 9), classes(5, 9)));
    expect(learner.stats().queuedRows).toBe(4);
    throw new Error("the disk is full");
  });
  expect(told).toBe(undefined);
  const written = await rejected(learner.learn(rows(3, 5), classes(3, 5)));
  const late = await rejected(learner.learn(rows(9, 10), classes(9, 10)));
  for (const error of [
    written,
    (await waiting)!,
    late,
    await rejected(learner.snapshot()),
    await rejected(learner.rollback(0)),
  ]) {
    expect(error).toBeInstanceOf(LearnerError);
    expect(error.message).toBe(
      `${folder}: could not be written (the disk is full), and unconfirmed rows are not learnt; check the disk, close the learner and open it again [JOURNAL_WRITE]`,
    );
  }
  expect(told).toBe(written);
  expect(learner.stats()).toEqual({ ...before, failure: written.message });
  const served = learner.current();
  expect(served.version).toBe(5);
  await learner.close();
  expect(learner.current()).toBe(served);
  const again = await opened();
  expect([again.stats().version, same(bytesOf(again), served.toBytes())]).toEqual([5, true]);
});

test("serves the confirmed model if a snapshot cannot be written, also after reopening", async () => {
  const learner = await opened({ model });
  await learner.learn(rows(0, 9), classes(0, 9));
  vi.spyOn(LearnerFolder.prototype, "begin").mockRejectedValueOnce(new Error("the disk is full"));
  const error = await rejected(learner.snapshot());
  expect(error.code).toBe("JOURNAL_WRITE");
  expect(learner.stats()).toMatchObject({ version: 1, failure: error.message });
  const bytes = bytesOf(learner);
  await learner.close();
  const again = await opened();
  expect([again.stats().version, same(bytesOf(again), bytes)]).toEqual([1, true]);
  expect(again.versions().map(({ version }) => version)).toEqual([0]);
});

test("serves confirmed versions from a read-only folder, and learns nothing", async () => {
  const learner = await opened({ model });
  await learner.learn(rows(0, 9), classes(0, 9));
  const bytes = bytesOf(learner);
  await learner.close();
  const files = readdirSync(folder).filter((name) => name.endsWith("journal"));
  vi.spyOn(LearnerFolder.prototype, "continued").mockRejectedValueOnce(new DataError("j", "the disk is full", "FILE_WRITE"));
  const again = await opened();
  expect(again.stats()).toMatchObject({
    version: 1,
    failure: expect.stringContaining("could not be written (j: the disk is full"),
  });
  expect(same(bytesOf(again), bytes)).toBe(true);
  expect((await rejected(again.learn([row(1)], ["yes"]))).code).toBe("JOURNAL_WRITE");
  await again.close();
  expect(readdirSync(folder).filter((name) => name.endsWith("journal"))).toEqual(files);
  expect((await (await opened()).learn([row(1)], ["yes"])).version).toBe(2);
});

test("networks learn and are served without a pause per request", async () => {
  const data = Dataset.fromArrays({ x: rows(0, 100), y: classes(0, 100) });
  const net = await fit(network(mlp([8], { outputs: 1 })), data, { epochs: 1, seed: 1 });
  const learner = await opened({ model: net, rule: adam({ rate: 0.01 }), batch: 8 });
  for (let i = 0; i < 20; i++) await learner.learn(rows(8 * i, 8 * i + 8), classes(8 * i, 8 * i + 8));
  const bytes = bytesOf(learner);
  await learner.close();
  const again = await openLearner({ folder });
  open.push(again);
  expect(same(bytesOf(again), bytes)).toBe(true);
  expect(again.current().predictor.kind).toBe("network");
});
