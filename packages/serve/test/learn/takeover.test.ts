/**
 * A process that was wrongly considered dead. Whatever it does after another process has taken over, and wherever it
 * was stopped, no confirmed request is lost and none is learnt twice.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { LearnerError, type OnlineLearner, openLearner } from "@ergodic/serve";
import { Dataset, fit, linear, sgd } from "ergodic";
import { writeWhole } from "ergodic/extend";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { LearnerFolder } from "../../src/learn/folder.ts";
import { FRAMES_AT, frameOf, headLike, type JournalRecord, readJournal } from "../../src/learn/journal-bytes.ts";
import { LearningRun } from "../../src/learn/run.ts";

const number = (i: number): number => ((Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32) * 2 - 1;
const row = (of: number): number[] => [number(3 * of), number(3 * of + 1), number(3 * of + 2)];
const classOf = ([a, b]: number[]): string => (a! > b! ? "yes" : "no");

let folder: string;
let model: Uint8Array;
const open: OnlineLearner[] = [];
beforeAll(async () => {
  const x = Array.from({ length: 50 }, (_, i) => row(i));
  const data = Dataset.fromArrays({ x, y: x.map(classOf) });
  model = (await fit(linear({ loss: "logistic" }), data, { epochs: 1, seed: 1 })).toBytes();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "takeover-"));
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const learner of open.splice(0)) await learner.close();
  rmSync(folder, { recursive: true, force: true });
});

async function opened(options: Partial<Parameters<typeof openLearner>[0]> = {}, at = folder): Promise<OnlineLearner> {
  const learner = await openLearner({ folder: at, model, rule: sgd({ rate: 0.05 }), ...options });
  open.push(learner);
  return learner;
}
const learn = (learner: OnlineLearner, of: number) => learner.learn([row(of)], [classOf(row(of))]);
/** Action of another process that found the holder silent. */
function takeLock(): void {
  for (const name of readdirSync(folder)) if (name.startsWith("lock-")) rmSync(join(folder, name));
}
const rejected = async (promise: Promise<unknown>): Promise<LearnerError> =>
  promise.then(
    () => expect.unreachable(),
    (error: LearnerError) => error,
  );
/** Checks that the reopened folder equals the result of learning those rows one after another. */
async function expectLearnt(of: readonly number[]): Promise<void> {
  const learner = await opened();
  const twinFolder = mkdtempSync(join(tmpdir(), "twin-"));
  const twin = await opened({}, twinFolder);
  for (const one of of) await learn(twin, one);
  expect(learner.stats()).toMatchObject({ version: of.length, requests: of.length, all: { rows: of.length } });
  expect(Buffer.from(learner.current().toBytes()).equals(twin.current().toBytes())).toBe(true);
  await twin.close();
  await learner.close();
  rmSync(twinFolder, { recursive: true });
}

test("the replaced process confirms nothing more and reports why, and the new one has everything confirmed", async () => {
  const stopped = await opened();
  for (const of of [1, 2, 3]) await learn(stopped, of);
  takeLock();
  const next = await opened();
  expect(next.stats().version).toBe(3);
  await learn(next, 4);
  const error = await rejected(learn(stopped, 9));
  expect([error, error.code]).toEqual([expect.any(LearnerError), "FOLDER_LOCKED"]);
  expect(error.message).toContain("was taken over by another process");
  expect(await stopped.failed).toBe(error);
  expect(stopped.stats()).toMatchObject({ version: 3, failure: error.message });
  expect(stopped.current().version).toBe(3);
  await learn(next, 5);
  for (const call of [stopped.snapshot(), stopped.rollback(0), learn(stopped, 10)]) expect(await rejected(call)).toBe(error);
  await stopped.close();
  await learn(next, 6);
  await next.close();
  await expectLearnt([1, 2, 3, 4, 5, 6]);
});

/** Stops before or after the first call of a method until the test continues it. */
function stoppedAt<T extends object>(
  of: T,
  method: keyof T & string,
  when: "before" | "after",
): { asked: Promise<void>; go: () => void } {
  const real = of[method] as (...given: unknown[]) => Promise<unknown>;
  let [tell, go] = [(): void => {}, (): void => {}];
  const asked = new Promise<void>((resolve) => (tell = resolve));
  const gone = new Promise<void>((resolve) => (go = resolve));
  let isFirst = true;
  vi.spyOn(of, method as never).mockImplementation(async function (this: T, ...given: unknown[]) {
    // A lock writes text when it beats.
    if (!isFirst || typeof given[0] === "string") return real.apply(this, given);
    isFirst = false;
    const result = when === "after" ? await real.apply(this, given) : undefined;
    tell();
    await gone;
    return when === "after" ? result : real.apply(this, given);
  } as never);
  return { asked, go: () => go() };
}

/** Handle of an open journal, through which its disk operations go. */
async function handleOf(): Promise<{ datasync(): Promise<void>; write(): Promise<unknown> }> {
  const { open: openFile } = await import("node:fs/promises");
  const handle = await openFile(join(folder, readdirSync(folder)[0]!), "r");
  const prototype = Object.getPrototypeOf(handle) as { datasync(): Promise<void>; write(): Promise<unknown> };
  await handle.close();
  return prototype;
}

describe("a process stopped during a write", () => {
  test.each<["write" | "datasync", "before" | "after", boolean]>([
    ["write", "before", false],
    ["write", "after", true],
    ["datasync", "before", true],
    ["datasync", "after", true],
  ])("stopped at %s, %s it: learns unconfirmed requests once or not at all", async (call, when, isWritten) => {
    const stopped = await opened();
    await learn(stopped, 1);
    await learn(stopped, 2);
    const { asked, go } = stoppedAt(await handleOf(), call, when);
    const writing = rejected(learn(stopped, 3));
    await asked;
    takeLock();
    const next = await opened();
    // Whether it had the records or not, the request is not sent again.
    expect(next.stats().version).toBe(isWritten ? 3 : 2);
    await learn(next, 4);
    go();
    expect((await writing).code).toBe("FOLDER_LOCKED");
    await learn(next, 5);
    await stopped.close();
    await next.close();
    await expectLearnt(isWritten ? [1, 2, 3, 4, 5] : [1, 2, 4, 5]);
  });
});

describe("a process stopped during a snapshot", () => {
  test.each<[string, "before" | "after", number]>([
    ["before it", "before", 1],
    ["before it, keeping one", "before", 1],
    ["after it", "after", 5],
  ])("%s", async (_, when, keep) => {
    const stopped = await opened({ keep });
    for (const of of [1, 2, 3]) await learn(stopped, of);
    const { asked, go } = stoppedAt(LearnerFolder.prototype, "begin", when);
    const keeping = rejected(stopped.snapshot());
    await asked;
    takeLock();
    const next = await opened({ keep: 5 });
    expect(next.stats().version).toBe(3);
    await learn(next, 4);
    const kept = next.versions();
    go();
    expect((await keeping).code).toBe("FOLDER_LOCKED");
    await learn(next, 5);
    await stopped.close();
    // Versions to return to are those of the new process.
    expect(next.versions()).toEqual(kept);
    for (const { version } of kept) await next.rollback(version);
    await next.close();
    const again = await opened();
    expect(again.stats()).toMatchObject({ version: 5 + kept.length, rollbacks: kept.length, requests: 5 });
    await again.close();
    expect(readdirSync(folder).filter((name) => name.endsWith(".journal"))).toHaveLength(1);
  });

  test("remains harmless until the other process has released the folder", async () => {
    const stopped = await opened({ keep: 1 });
    for (const of of [1, 2, 3]) await learn(stopped, of);
    const { asked, go } = stoppedAt(LearnerFolder.prototype, "begin", "before");
    const keeping = rejected(stopped.snapshot());
    await asked;
    takeLock();
    const next = await opened();
    await learn(next, 4);
    await next.snapshot();
    await learn(next, 5);
    await next.close();
    go();
    await keeping;
    await stopped.close();
    await expectLearnt([1, 2, 3, 4, 5]);
  });
});

describe("a process stopped while it opens the folder", () => {
  test.each<["claim" | "readJournal" | "continued", "before" | "after"]>([
    ["claim", "before"],
    ["claim", "after"],
    ["readJournal", "before"],
    ["readJournal", "after"],
    ["continued", "before"],
    ["continued", "after"],
  ])("stopped at %s, %s it: loses nothing", async (method, when) => {
    const first = await opened();
    for (const of of [1, 2]) await learn(first, of);
    await first.snapshot();
    await learn(first, 3);
    await first.close();
    const { asked, go } = stoppedAt(LearnerFolder.prototype, method, when);
    const opening = rejected(opened());
    await asked;
    takeLock();
    const next = await opened();
    await learn(next, 4);
    go();
    expect((await opening).code).toBe("FOLDER_LOCKED");
    expect(readdirSync(folder).filter((name) => name.startsWith("lock-"))).toHaveLength(1);
    await learn(next, 5);
    const kept = next.versions();
    await next.rollback(0);
    await next.rollback(2);
    await next.close();
    const again = await opened();
    expect(again.stats()).toMatchObject({ version: 7, requests: 5, rollbacks: 2 });
    expect(again.versions()).toEqual(kept);
  });
});

test("simultaneous openings get separate numbers", async () => {
  await (await opened()).close();
  const folders = await Promise.all([1, 2, 3].map(() => LearnerFolder.open(folder)));
  await Promise.all(folders.map((one) => one.claim(async () => {})));
  const markers = readdirSync(folder).filter((name) => name.startsWith("term-"));
  expect(new Set(markers).size).toBe(markers.length);
  expect(markers.length).toBeGreaterThanOrEqual(3);
  // The snapshots belong to the last process, whichever it is.
  const versions = await Promise.all(folders.map((one) => one.versions()));
  expect(versions.flat()).toEqual([0]);
  await expectLearnt([]);
});

test("a failed opening leaves no files", async () => {
  const { code } = await rejected(openLearner({ folder: join(folder, "new") }));
  expect([code, readdirSync(join(folder, "new"))]).toEqual(["OPTION_MISSING", []]);
  await (await opened()).close();
  const before = readdirSync(folder).sort();
  expect((await rejected(opened({ batch: 7 }))).code).toBe("FOLDER_OTHER");
  await (await opened()).close();
  const withoutTerms = (names: string[]): string[] => names.map((name) => name.replace(/-\d{6}/, ""));
  expect(withoutTerms(readdirSync(folder).sort())).toEqual(withoutTerms(before));
});

describe("a folder of an earlier version", () => {
  /** Converts the folder to the earlier format, without terms in names and with a journal without notes. */
  function asBefore(): void {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (name.startsWith("term-")) rmSync(path);
      else renameSync(path, path.replace(/-\d{6}\./, "."));
      if (!name.endsWith(".journal")) continue;
      const file = readFileSync(path.replace(/-\d{6}\./, "."));
      const head = Buffer.from(file.subarray(0, 80));
      head.writeUInt32LE(1, 16);
      head.writeUInt32LE(crc32(head.subarray(24), crc32(head.subarray(0, 20))), 20);
      writeFileSync(path.replace(/-\d{6}\./, "."), Buffer.concat([head, file.subarray(FRAMES_AT)]));
    }
  }

  test("is continued", async () => {
    const first = await opened();
    for (const of of [1, 2]) await learn(first, of);
    await first.snapshot();
    for (const of of [3, 4]) await learn(first, of);
    await first.close();
    asBefore();
    expect(readdirSync(folder).sort()).toEqual([
      "0000000000000000.snapshot",
      "0000000000000002.journal",
      "0000000000000002.snapshot",
    ]);
    const next = await opened();
    expect(next.stats()).toMatchObject({ version: 4, recovered: { requests: 2, droppedBytes: 0 } });
    await learn(next, 5);
    await next.close();
    await expectLearnt([1, 2, 3, 4, 5]);
  });

  test("is recovered after a crash between a snapshot and its journal, or before the old journal was removed", async () => {
    for (const crash of ["before", "after"]) {
      const first = await opened();
      for (const of of [1, 2]) await learn(first, of);
      const journal = readdirSync(folder).find((name) => name.endsWith(".journal"))!;
      const old = readFileSync(join(folder, journal));
      await first.snapshot();
      await first.close();
      writeFileSync(join(folder, journal), old);
      const newer = readdirSync(folder).find((name) => name.startsWith("0000000000000002") && name.endsWith(".journal"))!;
      if (crash === "before") rmSync(join(folder, newer));
      asBefore();
      await expectLearnt([1, 2]);
      expect(readdirSync(folder).filter((name) => name.endsWith(".journal"))).toHaveLength(1);
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
    }
  });
});

test("missing files are damage that is never repaired", async () => {
  const first = await opened();
  await learn(first, 1);
  await first.snapshot();
  await learn(first, 2);
  await first.close();
  const files = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
  const restore = async (): Promise<void> => {
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    for (const [name, bytes] of files) await writeWhole(join(folder, name), bytes);
  };
  for (const [lost, said] of [
    [/1-\d+\.journal/, "has a snapshot of version 1, but no journal"],
    [/1-\d+\.snapshot/, "has a journal of version 1, but not its snapshot"],
    [/\.snapshot/, "has a journal of version 1, but no snapshot"],
  ] as const) {
    await restore();
    for (const name of files.keys()) if (lost.test(name)) rmSync(join(folder, name));
    const error = await rejected(opened());
    expect([error.code, error.message]).toEqual(["FOLDER_DAMAGED", expect.stringContaining(said)]);
  }
  await restore();
  const journal = [...files.keys()].find((name) => name.endsWith(".journal"))!;
  writeFileSync(join(folder, journal.replace("1-", "0-")), files.get(journal)!);
  rmSync(join(folder, journal));
  expect((await rejected(opened())).message).toContain("does not begin with this folder's snapshot of version 0");
  await restore();
  await expectLearnt([1, 2]);
});

test("a journal that ends before its own snapshot is damaged", async () => {
  const first = await opened();
  await learn(first, 1);
  const journal = readdirSync(folder).find((name) => name.endsWith(".journal"))!;
  const begun = readFileSync(join(folder, journal)).subarray(0, FRAMES_AT);
  await learn(first, 2);
  await first.snapshot();
  await first.close();
  const empty = Buffer.from(begun);
  const newer = readdirSync(folder).find((name) => name.endsWith(".journal"))!;
  rmSync(join(folder, newer));
  // The state before anything was learnt.
  const { journalHead } = await import("../../src/learn/journal-bytes.ts");
  writeFileSync(join(folder, journal), journalHead(0, empty.subarray(32, 64)));
  const error = await rejected(opened());
  expect(error.message).toContain("has a snapshot of version 2, but its journal ends with version 0");
});

describe("a forged folder with valid checksums", () => {
  /** Opens the folder with another journal in place of its own. */
  async function opening(records: JournalRecord[]): Promise<LearnerError> {
    const name = readdirSync(folder).find((one) => one.endsWith(".journal"))!;
    const content = readJournal(readFileSync(join(folder, name)), name);
    const forged = { ...content, records, frames: frameOf(content.mark, content.version + 1, records) };
    writeFileSync(join(folder, name), Buffer.concat([headLike(forged), forged.frames]));
    return rejected(opened());
  }

  test("is refused with a typed error for impossible rows, targets, weights and rollbacks", async () => {
    const first = await opened();
    await first.learn([row(1), row(2)], ["yes", "no"], { weights: [1, 2] });
    await first.close();
    const name = readdirSync(folder).find((one) => one.endsWith(".journal"))!;
    const [good] = readJournal(readFileSync(join(folder, name)), name).records as [{ kind: "rows"; bytes: Uint8Array }];
    const changed = (at: number, value: number): JournalRecord => {
      const bytes = good.bytes.slice();
      new DataView(bytes.buffer).setFloat64(at, value, true);
      return { kind: "rows", bytes };
    };
    const forgeries: JournalRecord[] = [
      ...[2, -1, 0.5, 1e9, Number.NaN].map((target) => changed(16, target)),
      ...[-1, Infinity, Number.NaN].map((weight) => changed(32, weight)),
      ...[0, 1, 4, 8, 12].map((at) => {
        const bytes = good.bytes.slice();
        bytes[at] = 77;
        return { kind: "rows" as const, bytes };
      }),
      { kind: "rows", bytes: good.bytes.slice(0, -8) },
      { kind: "rows", bytes: new Uint8Array() },
      ...[1, -1, 0.5, 1e300, Number.NaN].map((to) => ({ kind: "rollback" as const, to })),
    ];
    for (const forgery of forgeries) {
      const error = await opening([good, forgery]);
      expect([error.name, error.code, error.message]).toEqual([
        "LearnerError",
        "FOLDER_DAMAGED",
        expect.stringContaining("holds a version 2 that cannot be replayed"),
      ]);
    }
    await first.close();
  });

  test("is refused if its snapshots have impossible contents", async () => {
    const first = await opened();
    await learn(first, 1);
    await first.snapshot();
    await first.close();
    const { run } = await LearningRun.begin(model, { rule: sgd({ rate: 0.05 }) });
    const name = readdirSync(folder).find((one) => /0-\d+\.snapshot$/.test(one))!;
    const path = join(folder, name);
    const progress = { isClass: true, all: { rows: 0 }, recent: { rows: 0 } };
    const notes = { version: 0, at: "", origin: "", requests: 0, rollbacks: 0, progress, keys: [] };
    const forge = async (learner: unknown): Promise<LearnerError> => {
      const now = readdirSync(folder).find((one) => /0-\d+\.snapshot$/.test(one))!;
      writeFileSync(join(folder, now), run.checkpoint({ learner } as never));
      return rejected(opened());
    };
    expect(existsSync(path)).toBe(true);
    for (const forged of [
      undefined,
      7,
      {},
      { ...notes, version: -1 },
      { ...notes, version: "0" },
      { ...notes, requests: null },
      { ...notes, rollbacks: 0.5 },
      { ...notes, at: 1 },
      { ...notes, origin: 1 },
      { ...notes, progress: null },
      { ...notes, progress: { all: {}, recent: 1 } },
      { ...notes, progress: { all: { rows: "1" }, recent: {} } },
      { ...notes, progress: { all: { rows: -1 }, recent: {} } },
      { ...notes, keys: {} },
      { ...notes, keys: [1] },
      { ...notes, keys: [["a", "b", null]] },
      { ...notes, keys: [["a", "b", { version: "1" }]] },
      { ...notes, keys: [[1, "b", { version: 1 }]] },
      { ...notes, keys: [["a", 1, { version: 1 }]] },
    ]) {
      const error = await forge(forged);
      expect([error.code, error.message], JSON.stringify(forged)).toEqual([
        "FOLDER_DAMAGED",
        expect.stringContaining("that was not written by a learner"),
      ]);
    }
    expect((await forge({ ...notes, version: 1 })).message).toContain("named version 0, which contains version 1");
    run.dispose();
  });
});

describe("two hosts", () => {
  const isRoot = process.getuid?.() === 0;
  const unshared = isRoot && existsSync("/usr/bin/unshare");
  if (!unshared) console.error("tests: SKIPPED learners of two hosts: unshare needs root, and is not there or not allowed");

  test.skipIf(!unshared)("one host is refused while the other lives", async () => {
    await (await opened()).close();
    const program = new URL("holding-child.mjs", import.meta.url).pathname;
    // The child beats every 100 ms, not every 5 s.
    const hasty = "data:text/javascript,const own = setInterval; globalThis.setInterval = (act, ms) => own(act, ms / 50);";
    const child = spawn(
      "unshare",
      ["-u", "-n", "sh", "-c", `hostname elsewhere; exec "${process.execPath}" --import "${hasty}" "${program}" "${folder}"`],
      {
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    try {
      const [said] = (await once(child.stdout, "data")) as [Buffer];
      expect(said.toString()).toBe("open 0\n");
      const error = await rejected(opened());
      expect([error.code, error.message]).toEqual(["FOLDER_LOCKED", expect.stringContaining("another host or container")]);
      child.stdin.write("learn\n");
      const [learnt] = (await once(child.stdout, "data")) as [Buffer];
      expect(learnt.toString()).toBe("learnt 1\n");
      // The child exits and leaves no lock.
      child.stdin.end();
      await once(child, "close");
      await expectLearnt([1]);
    } finally {
      child.kill("SIGKILL");
    }
  });
});
