import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { readdir, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { LearnerError } from "./errors.ts";

const TRIES = 8;
/** Two that come at the same time may both give way; locks older than this are held. */
const YOUNG_MS = 2000;
/** How often a holder shows that it lives, to those who cannot ask for its process. */
const SIGN_EVERY_MS = 5000;
/** Without a sign for so long it lives no more. */
const SILENT_MS = 60_000;

/** Who holds a lock: all that tells one process from another is in the file's name, so that no lock is ever half-written. */
interface Holder {
  /** Where numbers of processes mean the same: host, its start, and namespace. */
  readonly place: string;
  readonly pid: number;
  /** The start of the process, since numbers of processes come again; "" where it is not known. */
  readonly start: string;
}

/**
 * Makes this process the one that writes in a folder, until the lock is released or the process ends.
 *
 * Each writes a file of its own first, and only then looks for others: of two at the same time at least one sees the other, and gives way. The locks of
 * processes that have ended are removed. Processes of other hosts and containers cannot be asked for: theirs are removed when they have not been
 * touched for a minute; a holder that slept for so long finds out before it writes (`confirm`).
 *
 * @throws LearnerError [FOLDER_LOCKED]
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  for (let attempt = 1; ; attempt++) {
    const name = nameOf(self(), randomBytes(6).toString("hex"));
    const path = join(folder, name);
    await writeFile(path, `Process ${process.pid} on ${hostname()} writes in this folder.\n`, { flag: "wx" });
    try {
      const other = await heldByAnother(folder, name);
      if (!other) return new FolderLock(path);
      if (attempt >= TRIES || other.ageMs > YOUNG_MS) throw held(folder, other);
    } catch (error) {
      await remove(path);
      throw error;
    }
    await remove(path);
    await setTimeout(5 + Math.random() * 20 * attempt);
  }
}

/** The right to write in a folder. */
export class FolderLock {
  readonly #path: string;
  readonly #timer: NodeJS.Timeout;
  #shownAt = performance.now();

  constructor(path: string) {
    this.#path = path;
    this.#timer = setInterval(() => void this.#show().catch(() => undefined), SIGN_EVERY_MS).unref();
  }

  /** Before something is written: asks the disk only where this process has slept. @throws LearnerError where another one has taken over */
  async confirm(): Promise<void> {
    if (performance.now() - this.#shownAt > SILENT_MS / 4) await this.#show();
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    await remove(this.#path);
  }

  async #show(): Promise<void> {
    const at = performance.now();
    const now = new Date();
    try {
      await utimes(this.#path, now, now);
    } catch (cause) {
      throw new LearnerError(
        this.#path,
        `is gone (${(cause as Error).message}): another process has taken over`,
        "FOLDER_LOCKED",
        { cause },
      );
    }
    this.#shownAt = at;
  }
}

interface Other extends Holder {
  readonly name: string;
  readonly ageMs: number;
}

async function heldByAnother(folder: string, own: string): Promise<Other | undefined> {
  // By the clock of the disk, which may be another one.
  const { mtimeMs: now } = await stat(join(folder, own));
  for (const name of await readdir(folder)) {
    const holder = name === own ? undefined : parsed(name);
    if (!holder) continue;
    const path = join(folder, name);
    const then = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    );
    if (then === undefined) continue;
    if (isLive(holder, now - then)) return { ...holder, name, ageMs: now - then };
    await remove(path);
  }
  return undefined;
}

function isLive({ place, pid, start }: Holder, silentMs: number): boolean {
  if (place !== self().place) return silentMs < SILENT_MS;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const now = systemSays(pid);
  return !now.hasEnded && (start === "" || now.start === "" || now.start === start);
}

let known: Holder | undefined;

function self(): Holder {
  if (known) return known;
  const boot = orNone(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8"));
  const namespace = orNone(() => readlinkSync("/proc/self/ns/pid"));
  const place = createHash("sha256").update(`${hostname()}\n${boot}\n${namespace}`).digest("hex").slice(0, 12);
  known = { place, pid: process.pid, start: systemSays(process.pid).start };
  return known;
}

/**
 * When a process began, in ticks since the machine did ("" where that is not known), and whether it has ended: one that was killed keeps its number, as
 * a zombie, until its parent asks how it ended. Fields 22 and 3, counted from behind the name, which may hold spaces.
 */
function systemSays(pid: number): { readonly start: string; readonly hasEnded: boolean } {
  const text = orNone(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { start: fields[19] ?? "", hasEnded: fields[0] === "Z" || fields[0] === "X" };
}

function orNone(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

const nameOf = ({ place, pid, start }: Holder, random: string): string => `lock-${place}-${pid}-${start}-${random}`;

function parsed(name: string): Holder | undefined {
  const found = /^lock-([0-9a-f]{12})-(\d+)-(\d*)-[0-9a-f]{12}$/.exec(name);
  return found ? { place: found[1]!, pid: Number(found[2]), start: found[3]! } : undefined;
}

function held(folder: string, { place, pid, name, ageMs }: Other): LearnerError {
  const isHere = place === self().place;
  const who = !isHere ? "a process of another host or container" : pid === process.pid ? "this process" : `process ${pid}`;
  const advice = isHere
    ? "one alone can learn into a folder: close that learner, or take another folder"
    : `it showed that it lives ${Math.round(ageMs / 1000)} s ago: close that learner, or if it is no more, try again a minute after that, or remove ${join(folder, name)}`;
  return new LearnerError(folder, `is written by ${who}; ${advice}`, "FOLDER_LOCKED");
}

async function remove(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}
