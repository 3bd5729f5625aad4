import { randomBytes } from "node:crypto";
import { access, open, readdir, unlink } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { LearnerError } from "./errors.ts";
import { type Holder, isHere, isLive, nameOf, parsed, self } from "./holder.ts";

const TRIES = 8;
/** Milliseconds between beats. Each beat shows that the holder is alive. */
const BEAT_MS = 5000;
/**
 * A holder counts as dead after this many milliseconds without a beat, measured by the clock of the watching process.
 */
const SILENT_MS = 60_000;
/** Milliseconds between two checks of a process that watches a lock. */
const LOOK_MS = 1000;

/** Clock of locks. Tests pass one that they control. */
export interface LockClock {
  /** Returns milliseconds since an arbitrary moment; never decreases. */
  now(): number;
  wait(ms: number): Promise<unknown>;
  /** Repeats `act` until the returned function is called. This does not keep the process alive. */
  every(ms: number, act: () => void): () => void;
}

const systemClock: LockClock = {
  now: () => performance.now(),
  wait: (ms) => setTimeout(ms),
  every: (ms, act) => {
    const timer = setInterval(act, ms).unref();
    return () => clearInterval(timer);
  },
};

/**
 * Makes this process the only writer in a folder, until the lock is released or the process ends.
 *
 * Each process first writes its own lock file, and only then looks for others. If two processes start simultaneously,
 * at least one of them sees the other and gives way. Locks of ended processes are removed. Processes of other hosts and
 * containers cannot be checked directly. Therefore, each process increases a counter in its lock, and others watch this
 * counter. If the counter increases, this process is refused. Otherwise, the lock is removed. The clocks of other hosts
 * and of the disk are not used. A holder calls `verify` after each write, before it confirms the write. If the holder
 * was suspended for so long that its lock was removed, `verify` detects it.
 *
 * @throws LearnerError [FOLDER_LOCKED]
 */
export async function lockFolder(folder: string, clock: LockClock = systemClock): Promise<FolderLock> {
  for (let attempt = 1; ; attempt++) {
    const lock = await FolderLock.write(folder, clock);
    try {
      const other = await heldByAnother(folder, lock.name, clock, attempt === TRIES);
      if (!other) {
        await lock.hold();
        return lock;
      }
      if (other !== "young") throw held(folder, other);
    } catch (error) {
      await lock.release();
      throw error;
    }
    await lock.release();
    await clock.wait(5 + Math.random() * 20 * attempt);
  }
}

/** The right to write in a folder. */
export class FolderLock {
  readonly name: string;
  /** Resolves when another process has taken over the folder. */
  readonly lost: Promise<LearnerError>;
  readonly #folder: string;
  readonly #stop: () => void;
  #tellLost: (error: LearnerError) => void = () => {};
  #beats = 0;
  #isReleased = false;

  private constructor(folder: string, name: string, clock: LockClock) {
    this.#folder = folder;
    this.name = name;
    this.lost = new Promise((resolve) => {
      this.#tellLost = resolve;
    });
    // A failed beat counts as a missing one. The watching processes decide whether the holder is still alive.
    this.#stop = clock.every(BEAT_MS, () => void this.#beat().catch(() => undefined));
  }

  static async write(folder: string, clock: LockClock): Promise<FolderLock> {
    const name = nameOf(self(), randomBytes(6).toString("hex"));
    const file = await open(join(folder, name), "wx");
    const lock = new FolderLock(folder, name, clock);
    try {
      await file.writeFile(contentOf(0));
      return lock;
    } catch (error) {
      await lock.release();
      throw error;
    } finally {
      await file.close();
    }
  }

  /**
   * Increases the counter to 1, so that later processes are refused immediately. @throws LearnerError if another
   * process has taken over
   */
  async hold(): Promise<void> {
    await this.#beat();
    await this.verify();
  }

  /**
   * Checks that this process still holds the lock. @throws LearnerError [FOLDER_LOCKED] if another process has taken
   * over
   */
  async verify(): Promise<void> {
    try {
      // On a network file system, `open` returns the current state, whereas other queries can be answered from a cache.
      const file = await open(this.#path, "r");
      void file.close().catch(() => undefined);
    } catch (cause) {
      if (!["EMFILE", "ENFILE"].includes(codeOf(cause))) this.#explain(cause);
      // If there are too many open files, for example because of very many clients, the folder is not given up.
      await access(this.#path).catch((other: unknown) => this.#explain(other));
    }
  }

  async release(): Promise<void> {
    this.#isReleased = true;
    this.#stop();
    await remove(this.#path);
  }

  get #path(): string {
    return join(this.#folder, this.name);
  }

  /** Writes a beat. A removed lock file is never made again. */
  async #beat(): Promise<void> {
    try {
      const file = await open(this.#path, "r+");
      try {
        await file.write(contentOf(++this.#beats), 0);
      } finally {
        await file.close();
      }
    } catch (cause) {
      this.#explain(cause);
    }
  }

  #explain(cause: unknown): never {
    if (!isGone(cause)) throw cause;
    const said = "was taken over by another process, which assumed that this one had died; send unconfirmed rows to that process";
    const error = new LearnerError(this.#folder, said, "FOLDER_LOCKED", { cause });
    this.#stop();
    if (!this.#isReleased) this.#tellLost(error);
    throw error;
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "";
/** NFS reports a stale handle for a file that another host has removed. */
const isGone = (error: unknown): boolean => ["ENOENT", "ESTALE"].includes(codeOf(error));

/** All counts have the same number of digits, so that a new count can overwrite the old one. */
const contentOf = (beats: number): string =>
  `Process ${process.pid} on ${hostname()} writes in this folder.\nBeat ${String(beats).padStart(12, "0")}\n`;

const COUNT = /\nBeat (\d+)\n$/;

interface Other extends Holder {
  readonly name: string;
}

/**
 * Returns another holder of the folder, or "young" if that holder might have started at the same time. `patient`:
 * whether young holders are watched like others.
 */
async function heldByAnother(
  folder: string,
  own: string,
  clock: LockClock,
  patient: boolean,
): Promise<Other | "young" | undefined> {
  const elsewhere: Other[] = [];
  for (const name of await readdir(folder)) {
    const holder = name === own ? undefined : parsed(name);
    if (!holder) continue;
    const other = { ...holder, name };
    if (!isHere(holder)) elsewhere.push(other);
    else if (isLive(holder)) return !patient && (await isYoung(join(folder, name))) ? "young" : other;
    else await remove(join(folder, name));
  }
  if (!patient) for (const { name } of elsewhere) if (await isYoung(join(folder, name))) return "young";
  return watched(folder, elsewhere, clock);
}

/** Removes locks whose counter does not move. Returns the first lock whose counter moves. */
async function watched(folder: string, others: readonly Other[], clock: LockClock): Promise<Other | undefined> {
  const before = await Promise.all(others.map(({ name }) => signOf(join(folder, name))));
  const since = clock.now();
  for (;;) {
    if (before.every((sign) => sign === undefined)) return undefined;
    await clock.wait(LOOK_MS);
    // This time is measured before the counters are read. If a counter has not moved, its lock was silent for at least
    // this long.
    const silent = clock.now() - since;
    for (const [i, other] of others.entries()) {
      if (before[i] === undefined) continue;
      const path = join(folder, other.name);
      const now = await signOf(path);
      if (now !== undefined && now !== before[i]) return other;
      if (now !== undefined && silent < SILENT_MS) continue;
      await remove(path);
      before[i] = undefined;
    }
  }
}

/**
 * Returns a value that changes as long as the holder is alive. Returns undefined if the lock is gone. Program versions
 * without a counter set the time of the file. This time is not compared with any clock.
 */
async function signOf(path: string): Promise<string | undefined> {
  const found = await read(path);
  return found && (COUNT.test(found.text) ? found.text : String(found.mtimeMs));
}

/** Whether a lock's counter is still 0, or the lock is gone. */
async function isYoung(path: string): Promise<boolean> {
  const found = await read(path);
  return !found || found.text === "" || Number(COUNT.exec(found.text)?.[1] ?? 1) === 0;
}

async function read(path: string): Promise<{ text: string; mtimeMs: number } | undefined> {
  try {
    const file = await open(path, "r");
    try {
      return { text: await file.readFile("utf8"), mtimeMs: (await file.stat()).mtimeMs };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function held(folder: string, other: Other): LearnerError {
  const { pid } = other;
  const who = !isHere(other) ? "a process of another host or container" : pid === process.pid ? "this process" : `process ${pid}`;
  const alive = isHere(other) ? "" : ", which is still active";
  const advice = "only one learner can use a folder: close that learner, or use another folder";
  return new LearnerError(folder, `is in use by ${who}${alive}; ${advice}`, "FOLDER_LOCKED");
}

async function remove(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (!isGone(error)) throw error;
  });
}
