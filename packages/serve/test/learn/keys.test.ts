/** Requests that are sent again because their answer was lost. None is learnt twice, whatever happened in between. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OnlineLearner, openLearner, RefusedError } from "@ergodic/serve";
import { DataError, Dataset, fit, linear, OptionError, sgd } from "ergodic";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { LearntKeys } from "../../src/learn/keys.ts";

const number = (i: number): number => ((Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32) * 2 - 1;
const rows = (of: number): number[][] => [[number(3 * of), number(3 * of + 1), number(3 * of + 2)]];
const targets = (of: number): string[] => rows(of).map(([a, b]) => (a! > b! ? "yes" : "no"));

let folder: string;
let model: Uint8Array;
const open: OnlineLearner[] = [];
beforeAll(async () => {
  const x = Array.from({ length: 50 }, (_, i) => rows(i)[0]!);
  const data = Dataset.fromArrays({ x, y: x.map(([a, b]) => (a! > b! ? "yes" : "no")) });
  model = (await fit(linear({ loss: "logistic" }), data, { epochs: 1, seed: 1 })).toBytes();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keys-"));
});
afterEach(async () => {
  for (const learner of open.splice(0)) await learner.close();
  rmSync(folder, { recursive: true, force: true });
});

async function opened(options: Partial<Parameters<typeof openLearner>[0]> = {}): Promise<OnlineLearner> {
  const learner = await openLearner({ folder, rule: sgd({ rate: 0.05 }), ...options });
  open.push(learner);
  return learner;
}
const learn = (learner: OnlineLearner, of: number, idempotencyKey?: string) =>
  learner.learn(rows(of), targets(of), idempotencyKey === undefined ? {} : { idempotencyKey });
const rejected = async (promise: Promise<unknown>): Promise<Error & { code?: string }> =>
  promise.then(
    () => new Error("nothing was thrown"),
    (error: Error) => error,
  );

test("repeats the answer to a learnt request without changing the model", async () => {
  const learner = await opened({ model });
  const first = await learn(learner, 1, "a");
  await learn(learner, 2, "b");
  await learn(learner, 1);
  const before = [learner.stats(), Buffer.from(learner.current().toBytes())];
  expect(await learn(learner, 1, "a")).toEqual(first);
  // The same values in another notation.
  expect(await learner.learn([Float64Array.from(rows(1)[0]!)], targets(1), { idempotencyKey: "a" })).toEqual(first);
  expect([{ ...learner.stats(), repeated: 0 }, Buffer.from(learner.current().toBytes())]).toEqual(before);
  expect(learner.stats()).toMatchObject({ version: 3, requests: 3, repeated: 2 });
});

test("waits for a request that is still being learnt", async () => {
  const learner = await opened({ model });
  const all = await Promise.all(Array.from({ length: 40 }, (_, i) => learn(learner, i % 4, `key ${i % 4}`.replace(" ", "-"))));
  expect(all.map(({ version }) => version)).toEqual(Array.from({ length: 40 }, (_, i) => 1 + (i % 4)));
  expect(learner.stats()).toMatchObject({ version: 4, requests: 4, repeated: 36, all: { rows: 4 } });
});

describe("reopened learners", () => {
  test("give the same answers from the journal", async () => {
    const learner = await opened({ model });
    const answers = [await learn(learner, 1, "a"), await learn(learner, 2), await learn(learner, 3, "b")];
    const bytes = Buffer.from(learner.current().toBytes());
    await learner.close();
    const again = await opened();
    expect(await learn(again, 1, "a")).toEqual(answers[0]);
    expect(await learn(again, 3, "b")).toEqual(answers[2]);
    expect(Buffer.from(again.current().toBytes()).equals(bytes)).toBe(true);
    expect(again.stats()).toMatchObject({ version: 3, requests: 3, repeated: 2 });
  });

  test("give the same answers after snapshots that restart the journal, and after a rollback", async () => {
    const learner = await opened({ model, journalBytes: 1, keep: 1 });
    const answers = [];
    for (let i = 0; i < 30; i++) answers.push(await learn(learner, i, `k${i}`));
    await learner.rollback(await learner.snapshot());
    await learner.close();
    const again = await opened();
    expect(again.stats()).toMatchObject({ version: 31, recovered: { requests: 0 } });
    for (let i = 0; i < 30; i++) expect(await learn(again, i, `k${i}`)).toEqual(answers[i]);
    expect(again.stats()).toMatchObject({ version: 31, requests: 30, repeated: 30, all: { rows: 30 } });
  });
});

test("refuses a key that was used for other rows, targets or weights, without changes", async () => {
  const learner = await opened({ model });
  await learn(learner, 1, "a");
  const waiting = learn(learner, 2, "b");
  const others: Promise<unknown>[] = [
    learn(learner, 2, "a"),
    learner.learn(rows(1), targets(1)[0] === "yes" ? ["no"] : ["yes"], { idempotencyKey: "a" }),
    learner.learn(rows(1), targets(1), { idempotencyKey: "a", weights: [2] }),
    learner.learn([...rows(1), ...rows(1)], [...targets(1), ...targets(1)], { idempotencyKey: "a" }),
    learn(learner, 1, "b"),
  ];
  for (const [i, one] of others.entries()) {
    const error = await rejected(one);
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toBe(
      `learn: the idempotency key "${i < 4 ? "a" : "b"}" was used for other rows, targets or weights; give each request its own key [KEY_REUSED]`,
    );
  }
  expect((await waiting).version).toBe(2);
  expect(learner.stats()).toMatchObject({ version: 2, requests: 2, repeated: 0, refused: 0 });
});

test("accepts a corrected request with the same key after a refusal", async () => {
  const learner = await opened({ model, maxQueueRows: 1 });
  const poisoned = await rejected(learner.learn([[1, 3e38, 1], ...rows(1)], ["yes", "no"], { idempotencyKey: "a" }));
  expect(poisoned).toBeInstanceOf(DataError);
  const first = learn(learner, 1, "a");
  const full = await rejected(learn(learner, 2, "b"));
  expect(full).toBeInstanceOf(RefusedError);
  // Known and waiting requests need no place in the queue.
  const twice = learn(learner, 1, "a");
  expect(await twice).toEqual(await first);
  expect((await learn(learner, 2, "b")).version).toBe(2);
});

test("refuses invalid keys", async () => {
  const learner = await opened({ model });
  for (const key of ["", " ", "a b", "ä", "a\n", "x".repeat(256), 7, {}]) {
    const error = await rejected(learner.learn(rows(1), targets(1), { idempotencyKey: key as never }));
    expect(error).toBeInstanceOf(OptionError);
    expect(error.message).toMatch(
      /^learn: idempotencyKey is .{1,70}, but must be 1 to 255 printable ASCII characters without spaces; give each request its own key, e\.g\. crypto\.randomUUID\(\) \[OPTION_TYPE\]$/,
    );
  }
  expect((await learn(learner, 1, "x".repeat(255))).version).toBe(1);
  expect((await learn(learner, 2, "!~")).version).toBe(2);
});

test("remembers the latest 10,000 keys in order of version", () => {
  const keys = new LearntKeys();
  const learnt = (version: number) => ({ rows: 1, loss: 0, metrics: {}, version });
  const bytes = Uint8Array.of(1);
  for (let version = 1; version <= 10_002; version++) keys.add(`k${version}`, bytes, learnt(version));
  const restored = new LearntKeys();
  restored.restore(JSON.parse(JSON.stringify(keys)));
  for (const each of [keys, restored]) {
    expect(each.toJSON()).toHaveLength(10_000);
    expect(each.find("k2", bytes)).toBe(undefined);
    expect(each.find("k3", bytes)).not.toBe(undefined);
    each.add("new", bytes, learnt(10_003));
    expect(each.find("k3", bytes)).toBe(undefined);
    expect(each.find("k10002", bytes)).not.toBe(undefined);
  }
});
