import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { DataError, writeWhole } from "ergodic";
import { LearnerError } from "./errors.ts";
import { HEAD_BYTES, Journal, type JournalContent, type JournalFile, journalHead, readJournal } from "./journal.ts";

const DIGITS = 16;
const pathOf = (folder: string, version: number, kind: "snapshot" | "journal"): string =>
  join(folder, `${String(version).padStart(DIGITS, "0")}.${kind}`);

export const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

/**
 * The files of a learner: snapshots by their version, each whole or not there, and the journal that begins with the latest one.
 *
 * A new snapshot appears first, then its journal; only then the old journal goes. Whatever a crash leaves, the latest snapshot and, if it is there,
 * the journal of the same version are the state.
 */
export class LearnerFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes it where it is not there. @throws DataError [FOLDER_MAKE] */
  static async open(path: string): Promise<LearnerFolder> {
    await mkdir(path, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
      const isFile = cause.code === "EEXIST" || cause.code === "ENOTDIR";
      const why = isFile ? "it, or what it is in, is a file" : cause.message;
      throw new DataError(path, `cannot be made a learner's folder (${why}); give another path`, "FOLDER_MAKE", { cause });
    });
    return new LearnerFolder(path);
  }

  /** Ascending. */
  versions(): Promise<number[]> {
    return this.#versionsOf("snapshot");
  }

  async readSnapshot(version: number): Promise<Buffer> {
    return readFile(pathOf(this.path, version, "snapshot"));
  }

  /** Writes a snapshot and begins its journal; then removes journals before it, and all but `keep` snapshots. */
  async begin(version: number, snapshot: Uint8Array, keep: number): Promise<Journal> {
    await writeWhole(pathOf(this.path, version, "snapshot"), snapshot);
    const journal = await this.#beginJournal(version, sha256(snapshot));
    await this.#removeJournalsBefore(version);
    for (const older of (await this.versions()).slice(0, -keep)) await unlink(pathOf(this.path, older, "snapshot"));
    return journal;
  }

  async #beginJournal(version: number, snapshotHash: Buffer): Promise<Journal> {
    const head = journalHead(version, snapshotHash);
    await writeWhole(pathOf(this.path, version, "journal"), head);
    return this.#opened(version, head, head.length);
  }

  /**
   * The journal that begins with a snapshot; undefined: a crash came before it was begun. What was not confirmed at its end is removed.
   *
   * @throws LearnerError [FOLDER_DAMAGED]
   */
  async readJournal(
    version: number,
    snapshot: Uint8Array,
  ): Promise<{ content: JournalContent; journal: Journal; droppedBytes: number } | undefined> {
    const path = pathOf(this.path, version, "journal");
    const others = (await this.#versionsOf("journal")).filter((one) => one > version);
    if (others.length > 0)
      throw new LearnerError(
        this.path,
        `has a journal of version ${others[0]}, but not its snapshot; restore the folder from a copy`,
        "FOLDER_DAMAGED",
      );
    const file = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (!file) return undefined;
    const content = readJournal(file, path);
    if (content.version !== version || !content.snapshotHash.equals(sha256(snapshot)))
      throw new LearnerError(
        path,
        `does not begin with the snapshot of version ${version} that is there: one of the two was changed; restore the folder from a copy`,
        "FOLDER_DAMAGED",
      );
    const droppedBytes = file.length - content.length;
    if (droppedBytes > 0) await this.#truncate(path, content.length);
    return { content, journal: await this.#opened(version, file.subarray(0, HEAD_BYTES), content.length), droppedBytes };
  }

  /** @throws LearnerError for a folder without snapshots where something was learnt */
  async refuseStrayJournals(): Promise<void> {
    const [stray] = await this.#versionsOf("journal");
    if (stray === undefined) return;
    const problem = `has a journal of version ${stray}, but no snapshot`;
    throw new LearnerError(this.path, `${problem}; restore the folder from a copy, or take another one`, "FOLDER_DAMAGED");
  }

  /** Removes what a crash has left: journals before the latest version, and files under way. */
  async clear(version: number): Promise<void> {
    await this.#removeJournalsBefore(version);
    for (const name of await readdir(this.path))
      if (/^\d{16}\.(snapshot|journal)\..*\.partial$/.test(name)) await unlink(join(this.path, name));
  }

  async #removeJournalsBefore(version: number): Promise<void> {
    for (const older of await this.#versionsOf("journal")) if (older < version) await unlink(pathOf(this.path, older, "journal"));
  }

  async #truncate(path: string, length: number): Promise<void> {
    const file = await open(path, "r+");
    try {
      await file.truncate(length);
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  async #opened(version: number, head: Buffer, length: number): Promise<Journal> {
    const file: JournalFile = await open(pathOf(this.path, version, "journal"), "r+");
    return new Journal(file, head, length);
  }

  async #versionsOf(kind: string): Promise<number[]> {
    const names = await readdir(this.path);
    const found = names.flatMap((name) => {
      const match = /^(\d{16})\.(\w+)$/.exec(name);
      return match && match[2] === kind ? [Number(match[1])] : [];
    });
    return found.sort((a, b) => a - b);
  }
}
