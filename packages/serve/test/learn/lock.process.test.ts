/** A single writer per folder: a living process keeps the folder, and an ended process does not. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LearnerError } from "../../src/learn/errors.ts";
import { type LockClock, lockFolder } from "../../src/learn/lock.ts";

/** Error code with which opening a file fails, or undefined if it succeeds. */
const disk = vi.hoisted(() => ({ fault: undefined as string | undefined }));
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const open = (...given: Parameters<typeof real.open>) =>
    disk.fault === undefined
      ? real.open(...given)
      : Promise.reject(Object.assign(new Error(`${disk.fault}: as asked`), { code: disk.fault }));
  return { ...real, open };
});

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
/** Sets the clock of the disk back or forward. */
const age = (name: string, seconds: number): void => {
  // biome-ignore lint/plugin: the age of a file
  const then = Date.now() / 1000 - seconds;
  utimesSync(join(folder, name), then, then);
};
const refusal = async (): Promise<LearnerError> =>
  lockFolder(folder).then(
    async (lock) => {
      await lock.release();
      throw new Error("the folder was given");
    },
    (error: LearnerError) => error,
  );
/** Name of a lock with other parts. */
const other = (name: string, change: (parts: string[]) => void): string => {
  const parts = name.split("-");
  change(parts);
  return parts.join("-");
};

test("is granted once, and again after its release", async () => {
  const lock = await lockFolder(folder);
  const error = await refusal();
  expect(error).toBeInstanceOf(LearnerError);
  expect(error.code).toBe("FOLDER_LOCKED");
  expect(error.message).toContain("is in use by this process");
  await lock.release();
  await lock.release();
  expect(locks()).toEqual([]);
  await (await lockFolder(folder)).release();
});

test("is taken over from a process that ended, even if its process id is in use again", async () => {
  const first = await lockFolder(folder);
  const [name] = locks() as [string];
  await first.release();
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  children.push(child);
  const gone = other(name, (parts) => (parts[2] = String(child.pid)));
  writeFileSync(join(folder, gone), "");
  // The process lives, but started at another time than the lock states.
  await (await lockFolder(folder)).release();
  expect(existsSync(join(folder, gone))).toBe(false);
  // Its start time is unknown.
  const unknown = other(gone, (parts) => (parts[3] = ""));
  writeFileSync(join(folder, unknown), "Process 1\nBeat 1\n");
  expect((await refusal()).message).toContain(`process ${child.pid}`);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
  await (await lockFolder(folder)).release();
  expect(locks()).toEqual([]);
});

test.skipIf(!existsSync("/proc/self/stat"))(
  "is taken over from a killed process that its parent has not waited for",
  async () => {
    const first = await lockFolder(folder);
    const [name] = locks() as [string];
    await first.release();
    // The shell becomes a program that never waits for the shell's child, which becomes a zombie once it is killed.
    const parent = spawn("sh", ["-c", "sleep 1000 & echo $!; exec sleep 1000"], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(parent);
    const [said] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(said.toString());
    const statusOf = (): string[] => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    const lockOf = other(name, (parts) => {
      parts[2] = String(pid);
      parts[3] = statusOf()[19]!;
    });
    writeFileSync(join(folder, lockOf), "Process 1\nBeat 1\n");
    expect((await refusal()).message).toContain(`process ${pid}`);
    process.kill(pid, "SIGKILL");
    await expect.poll(() => statusOf()[0]).toBe("Z");
    await (await lockFolder(folder)).release();
    expect(locks()).toEqual([]);
  },
);

/** Simulated time that passes when a watcher waits, with events in between. */
class Time implements LockClock {
  seconds = 0;
  /** Called after each wait of a watcher. */
  meanwhile: () => unknown = () => undefined;
  readonly #timers = new Set<{ ms: number; next: number; act: () => void }>();

  now(): number {
    return this.seconds * 1000;
  }

  get timers(): number {
    return this.#timers.size;
  }

  async wait(ms: number): Promise<void> {
    await this.pass(ms / 1000);
    await this.meanwhile();
  }

  async pass(seconds: number): Promise<void> {
    this.seconds += seconds;
    let acts = 0;
    for (const timer of this.#timers) for (; timer.next <= this.now(); timer.next += timer.ms, acts++) timer.act();
    // Waits until the work of the timers has finished.
    await new Promise((resolve) => setTimeout(resolve, acts > 0 ? 5 : 0));
  }

  every(ms: number, act: () => void): () => void {
    const timer = { ms, next: this.now() + ms, act };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }
}

/** Makes the lock of another host, whose process beats only on request, and returns its name. */
const foreignLock = (
  text = "Process 1 on elsewhere writes in this folder.\nBeat 000000000007\n",
  place = "0123456789ab",
): string => {
  const name = `lock-${place}-1-1-0123456789ab`;
  writeFileSync(join(folder, name), text);
  return name;
};

describe("a lock of another host", () => {
  test("is taken over if its count has not changed for a minute of the watcher's clock", async () => {
    foreignLock();
    const time = new Time();
    const lock = await lockFolder(folder, time);
    expect(time.seconds).toBeGreaterThanOrEqual(60);
    expect(time.seconds).toBeLessThan(62);
    expect(locks()).toEqual([lock.name]);
    await lock.release();
  });

  test.each([-7200, -120, 0, 120, 7200])("is respected as soon as its count changes, with its clock %s s off", async (offset) => {
    const name = foreignLock();
    const time = new Time();
    let beats = 7;
    time.meanwhile = () => {
      if (time.seconds % 5 === 0) writeFileSync(join(folder, name), `Process 1\nBeat ${++beats}\n`);
      // The file's time carries no information.
      age(name, offset + time.seconds);
    };
    age(name, offset);
    const error = await lockFolder(folder, time).catch((refused: LearnerError) => refused);
    expect(error).toBeInstanceOf(LearnerError);
    expect((error as LearnerError).message).toBe(
      `${folder}: is in use by a process of another host or container, which is still active; only one learner can use a folder: close that learner, or use another folder [FOLDER_LOCKED]`,
    );
    expect(time.seconds).toBe(5);
    expect(locks()).toEqual([name]);
  });

  test("is respected if it changes only at the last moment, or while the watcher was stopped", async () => {
    const name = foreignLock();
    const time = new Time();
    time.meanwhile = () => {
      if (time.seconds === 59) writeFileSync(join(folder, name), "Process 1\nBeat 8\n");
    };
    await expect(lockFolder(folder, time)).rejects.toThrow("another host");
    expect(time.seconds).toBe(59);
    const stopped = new Time();
    stopped.meanwhile = () => {
      if (stopped.seconds !== 2) return;
      writeFileSync(join(folder, name), "Process 1\nBeat 30\n");
      stopped.seconds += 120;
    };
    await expect(lockFolder(folder, stopped)).rejects.toThrow("another host");
    expect(locks()).toEqual([name]);
  });

  test("shows by its file time that its holder lives if an earlier version wrote no count", async () => {
    const name = foreignLock("Process 1 on elsewhere writes in this folder.\n");
    const time = new Time();
    let set = 100;
    time.meanwhile = () => {
      if (time.seconds % 5 === 0) age(name, set++);
    };
    await expect(lockFolder(folder, time)).rejects.toThrow("another host");
    time.meanwhile = () => undefined;
    await (await lockFolder(folder, time)).release();
    expect(locks()).toEqual([]);
  });

  test("is taken over immediately if it disappears while watched", async () => {
    const name = foreignLock();
    const time = new Time();
    time.meanwhile = () => {
      if (time.seconds === 3) rmSync(join(folder, name));
    };
    await (await lockFolder(folder, time)).release();
    expect(time.seconds).toBe(3);
  });

  test("is waited for if it has no count yet, because it might be simultaneous", async () => {
    const name = foreignLock("Process 1 on elsewhere writes in this folder.\nBeat 000000000000\n");
    const time = new Time();
    let waits = 0;
    time.meanwhile = () => {
      if (++waits === 3) rmSync(join(folder, name));
      // The waiting process does not keep its own lock while it gives way.
      expect(locks().length).toBe(waits < 3 ? 1 : 0);
    };
    await (await lockFolder(folder, time)).release();
    // A process that ended before its first count is watched until it times out.
    foreignLock("");
    time.meanwhile = () => undefined;
    const from = time.seconds;
    await (await lockFolder(folder, time)).release();
    expect(time.seconds - from).toBeGreaterThan(60);
    expect(locks()).toEqual([]);
  });

  test("goes to the first of two watching processes once its holder is silent", async () => {
    foreignLock();
    const time = new Time();
    let second: Promise<unknown> | undefined;
    time.meanwhile = () => {
      if (time.seconds === 7) second = lockFolder(folder).catch((refused: LearnerError) => refused.code);
    };
    const first = await lockFolder(folder, time);
    expect(await second).toBe("FOLDER_LOCKED");
    expect(locks()).toEqual([first.name]);
    await first.release();
  });

  test("is not granted to both of two processes that find it silent simultaneously", async () => {
    foreignLock();
    const both = await Promise.allSettled([lockFolder(folder, new Time()), lockFolder(folder, new Time())]);
    const given = both.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect(given.length).toBeLessThanOrEqual(1);
    for (const lock of given) await lock.release();
    await (await lockFolder(folder, new Time())).release();
  });
});

test("a holder updates its count in place while it lives, so that watchers see it", async () => {
  const time = new Time();
  const lock = await lockFolder(folder, time);
  const text = (): string => readFileSync(join(folder, lock.name), "utf8");
  const first = text();
  expect(first).toMatch(/^Process \d+ on .* writes in this folder\.\nBeat 0{11}1\n$/);
  await time.pass(4.9);
  expect(text()).toBe(first);
  await time.pass(0.1);
  await expect.poll(text).toBe(first.replace("1\n", "2\n"));
  for (let beats = 3; beats <= 12; beats++) {
    await time.pass(5);
    await expect.poll(text).toMatch(new RegExp(`\\nBeat 0*${beats}\\n$`));
  }
  expect(text()).toHaveLength(first.length);
  await lock.release();
  expect(time.timers).toBe(0);
  await time.pass(5);
  expect(locks()).toEqual([]);
});

test("a lock is lost only if it is gone, not if it temporarily cannot be opened", async () => {
  const time = new Time();
  const lock = await lockFolder(folder, time);
  let lost: string | undefined;
  void lock.lost.then(({ code }) => (lost = code));
  const verified = async (fault?: string): Promise<string> => {
    disk.fault = fault;
    return lock
      .verify()
      .then(
        () => "held",
        ({ code }: LearnerError) => code,
      )
      .finally(() => (disk.fault = undefined));
  };
  // Too many open files, as during a flood of clients, or a failing disk.
  expect(await verified("EMFILE")).toBe("held");
  expect(await verified("ENFILE")).toBe("held");
  expect(await verified("EIO")).toBe("EIO");
  disk.fault = "EIO";
  await time.pass(10);
  disk.fault = undefined;
  expect([await verified(), lost, time.timers]).toEqual(["held", undefined, 1]);
  rmSync(join(folder, lock.name));
  expect(await verified("EMFILE")).toBe("FOLDER_LOCKED");
  expect([await verified("ESTALE"), lost, time.timers]).toEqual(["FOLDER_LOCKED", "FOLDER_LOCKED", 0]);
});

test("a lock that cannot be written leaves no file", async () => {
  disk.fault = "ENOSPC";
  await expect(lockFolder(folder, new Time())).rejects.toMatchObject({ code: "ENOSPC" });
  disk.fault = undefined;
  expect(locks()).toEqual([]);
});

test("a stopped holder detects that it was replaced before it confirms, or at its next beat", async () => {
  const time = new Time();
  for (const finds of ["verify", "beat"]) {
    const stopped = await lockFolder(folder, time);
    await stopped.verify();
    let lost: LearnerError | undefined;
    void stopped.lost.then((error) => (lost = error));
    // A watcher on that host would see its name as that of another host.
    rmSync(join(folder, stopped.name));
    const next = await lockFolder(folder, time);
    if (finds === "verify") await expect(stopped.verify()).rejects.toMatchObject({ code: "FOLDER_LOCKED" });
    else await time.pass(5);
    await expect
      .poll(() => lost?.message)
      .toBe(
        `${folder}: was taken over by another process, which assumed that this one had died; send unconfirmed rows to that process [FOLDER_LOCKED]`,
      );
    await stopped.release();
    await next.verify();
    await next.release();
  }
  const released = await lockFolder(folder, time);
  let isLost = false;
  void released.lost.then(() => (isLost = true));
  await released.release();
  await released.verify().catch(() => undefined);
  expect([isLost, locks()]).toEqual([false, []]);
});

test("among many simultaneous processes at most one holds the lock, and each gets it in the end", async () => {
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
});

test("other files of the folder are ignored", async () => {
  for (const name of ["lock", "lock-", "lock-x-1-2-3", "0000000000000000.journal"]) writeFileSync(join(folder, name), "");
  const lock = await lockFolder(folder);
  await lock.release();
  expect(readdirSync(folder)).toHaveLength(4);
});
