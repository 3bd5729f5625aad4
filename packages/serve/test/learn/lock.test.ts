/** One writer: whoever lives keeps the folder, and whoever is gone does not. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LearnerError } from "../../src/learn/errors.ts";
import { lockFolder } from "../../src/learn/lock.ts";

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});
const locks = (): string[] => readdirSync(folder).filter((name) => name.startsWith("lock-"));
const age = (name: string, seconds: number): void =>
  utimesSync(join(folder, name), Date.now() / 1000 - seconds, Date.now() / 1000 - seconds);
const refusal = async (): Promise<LearnerError> =>
  lockFolder(folder).then(
    async (lock) => {
      await lock.release();
      throw new Error("the folder was given");
    },
    (error: LearnerError) => error,
  );
/** The name of a lock with other parts. */
const other = (name: string, change: (parts: string[]) => void): string => {
  const parts = name.split("-");
  change(parts);
  return parts.join("-");
};

test("is given once, and again after its release", async () => {
  const lock = await lockFolder(folder);
  age(locks()[0]!, 10);
  const error = await refusal();
  expect(error).toBeInstanceOf(LearnerError);
  expect(error.code).toBe("FOLDER_LOCKED");
  expect(error.message).toContain("written by this process");
  await lock.release();
  await lock.release();
  expect(locks()).toEqual([]);
  await (await lockFolder(folder)).release();
});

test("is taken from a process that is gone, also where its number has come again", async () => {
  const first = await lockFolder(folder);
  const [name] = locks() as [string];
  await first.release();
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  children.push(child);
  const gone = other(name, (parts) => (parts[2] = String(child.pid)));
  writeFileSync(join(folder, gone), "");
  age(gone, 10);
  // It lives, but began at another time than the lock says.
  await (await lockFolder(folder)).release();
  expect(existsSync(join(folder, gone))).toBe(false);
  // Nobody knows when it began.
  const unknown = other(gone, (parts) => (parts[3] = ""));
  writeFileSync(join(folder, unknown), "");
  age(unknown, 10);
  expect((await refusal()).message).toContain(`process ${child.pid}`);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
  await (await lockFolder(folder)).release();
  expect(locks()).toEqual([]);
});

test.skipIf(!existsSync("/proc/self/stat"))(
  "is taken from a process that was killed, though its parent has not asked how it ended",
  async () => {
    const first = await lockFolder(folder);
    const [name] = locks() as [string];
    await first.release();
    // The shell becomes a program that never asks after the shell's child, which is a zombie once it is killed.
    const parent = spawn("sh", ["-c", "sleep 1000 & echo $!; exec sleep 1000"], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(parent);
    const [said] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(said.toString());
    const statusOf = (): string[] => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    const lockOf = other(name, (parts) => {
      parts[2] = String(pid);
      parts[3] = statusOf()[19]!;
    });
    writeFileSync(join(folder, lockOf), "");
    age(lockOf, 10);
    expect((await refusal()).message).toContain(`process ${pid}`);
    process.kill(pid, "SIGKILL");
    await expect.poll(() => statusOf()[0]).toBe("Z");
    await (await lockFolder(folder)).release();
    expect(locks()).toEqual([]);
  },
);

test("of another host is given up when it has been silent for a minute", async () => {
  const first = await lockFolder(folder);
  const foreign = other(locks()[0]!, (parts) => (parts[1] = "0123456789ab"));
  await first.release();
  writeFileSync(join(folder, foreign), "");
  age(foreign, 50);
  const error = await refusal();
  expect(error.message).toContain("another host or container");
  expect(error.message).toContain(foreign);
  age(foreign, 70);
  const lock = await lockFolder(folder);
  expect(locks()).toHaveLength(1);
  await lock.release();
});

test("of many that come at once, at most one has it, and each has it in the end", async () => {
  let holders = 0;
  let turns = 0;
  const come = async (): Promise<void> => {
    for (;;) {
      const lock = await lockFolder(folder).catch(() => undefined);
      if (!lock) continue;
      expect(++holders).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 2));
      holders--;
      turns++;
      return lock.release();
    }
  };
  await Promise.all(Array.from({ length: 5 }, come));
  expect(turns).toBe(5);
  expect(locks()).toEqual([]);
}, 60_000);

test("a holder that slept finds out that another one has taken over", async () => {
  const lock = await lockFolder(folder);
  rmSync(join(folder, locks()[0]!));
  // It need not ask as long as it is awake.
  await lock.confirm();
  const { now } = performance;
  performance.now = () => now.call(performance) + 3_600_000;
  try {
    await expect(lock.confirm()).rejects.toThrow("another process has taken over");
  } finally {
    performance.now = now;
  }
  await lock.release();
});

test("other files of the folder are none of its business", async () => {
  for (const name of ["lock", "lock-", "lock-x-1-2-3", "0000000000000000.journal"]) writeFileSync(join(folder, name), "");
  const lock = await lockFolder(folder);
  await lock.release();
  expect(readdirSync(folder)).toHaveLength(4);
});
