import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DataError } from "ergodic";
import { writeWhole } from "ergodic/extend";
import { LearnerError } from "./errors.ts";
import { Journal } from "./journal.ts";
import { headLike, type JournalContent, journalHead, readJournal } from "./journal-bytes.ts";

type Kind = "snapshot" | "journal";

/** A file of a learner. If a file was written by a program version without terms, its term is 0. */
interface Entry {
  readonly name: string;
  readonly version: number;
  readonly term: number;
}

const digits = (number: number, count: number): string => String(number).padStart(count, "0");
const markerOf = (term: number): string => `term-${digits(term, 6)}`;

export const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

/**
 * Files of a learner: snapshots by version, and a journal, which begins at one of the snapshots. A snapshot file is
 * either complete or absent.
 *
 * The journal of the latest term defines the state. If there are two journals of that term, the journal with the later
 * version defines the state. A new snapshot is written first and then its journal. Only after that is the old journal
 * removed.
 *
 * Each opening starts a new term, whose number is part of its file names. If a process has lost its lock without
 * noticing, it writes and removes only files of its own term. Its journal is no longer read. The actions of such a
 * process therefore have no effect.
 */
export class LearnerFolder {
  readonly path: string;
  #term = 0;

  private constructor(path: string) {
    this.path = path;
  }

  /** Opens the folder, or creates it if it does not exist. @throws DataError [FOLDER_MAKE] */
  static async open(path: string): Promise<LearnerFolder> {
    await mkdir(path, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
      const isFile = cause.code === "EEXIST" || cause.code === "ENOTDIR";
      const why = isFile ? "it or a folder above it is a file" : cause.message;
      throw new DataError(path, `cannot be used as a learner's folder (${why}); give another path`, "FOLDER_MAKE", { cause });
    });
    return new LearnerFolder(path);
  }

  /**
   * Begins a term. Its number exceeds all earlier numbers, and no other process uses it. `check` checks that this
   * process still holds the lock. The snapshots are then renamed to this term.
   */
  async claim(check: () => Promise<void>): Promise<void> {
    const before = [...(await this.#terms()), ...(await this.#entries("snapshot")), ...(await this.#entries("journal"))];
    let term = 1 + before.reduce((most, one) => Math.max(most, one.term), 0);
    while (!(await created(join(this.path, markerOf(term))))) term++;
    this.#term = term;
    await check();
    await this.#takeSnapshots();
  }

  /** Ends a term that wrote no file. */
  async abandon(): Promise<void> {
    await removed(join(this.path, markerOf(this.#term)));
  }

  /** Returns the versions of the snapshots, ascending. */
  async versions(): Promise<number[]> {
    return (await this.#entries("snapshot")).filter(({ term }) => term === this.#term).map(({ version }) => version);
  }

  async readSnapshot(version: number): Promise<Buffer> {
    return readFile(this.#pathOf(version, "snapshot"));
  }

  /**
   * Writes a snapshot and begins its journal. Then removes earlier journals and all but the latest `keep` snapshots.
   */
  async begin(version: number, snapshot: Uint8Array, keep: number): Promise<Journal> {
    await writeWhole(this.#pathOf(version, "snapshot"), snapshot);
    const journal = await this.#journal(version, journalHead(version, sha256(snapshot)));
    await this.#clear(version);
    for (const older of (await this.versions()).slice(0, -keep)) await unlink(this.#pathOf(older, "snapshot"));
    return journal;
  }

  /**
   * Reads the journal that defines the state, and checks that its snapshot exists. Returns undefined if there is no
   * journal, which means that nothing has been learnt yet.
   *
   * @throws LearnerError [FOLDER_DAMAGED]
   */
  async readJournal(): Promise<JournalContent | undefined> {
    const versions = await this.versions();
    const latest = (await this.#entries("journal")).at(-1);
    if (!latest) {
      // If a crash occurs before the first journal is written, there is only the first snapshot.
      if (versions.every((version) => version === 0)) return undefined;
      throw this.#damaged(`has a snapshot of version ${versions.at(-1)}, but no journal`);
    }
    const path = join(this.path, latest.name);
    const content = readJournal(await readFile(path), path);
    if (!versions.includes(latest.version)) {
      const has = versions.length === 0 ? "no snapshot" : "not its snapshot";
      throw this.#damaged(`has a journal of version ${latest.version}, but ${has}`);
    }
    const snapshot = await this.readSnapshot(latest.version);
    if (content.version !== latest.version || !content.snapshotHash.equals(sha256(snapshot)))
      throw new LearnerError(
        path,
        `does not begin with this folder's snapshot of version ${latest.version}: one of the two was changed; restore the folder from a copy`,
        "FOLDER_DAMAGED",
      );
    const end = latest.version + content.records.length;
    if (versions.at(-1)! > end)
      throw this.#damaged(`has a snapshot of version ${versions.at(-1)}, but its journal ends with version ${end}`);
    return content;
  }

  /**
   * Continues a journal in a file of this term that contains its complete frames. Other journals are removed, and so
   * are partial files that a crash left behind.
   */
  async continued(content: JournalContent): Promise<Journal> {
    const journal = await this.#journal(content.version, headLike(content), content.frames);
    await this.#clear(content.version);
    for (const name of await readdir(this.path))
      if (/^\d{16}(-\d{6,})?\.(snapshot|journal)\..*\.partial$/.test(name)) await removed(join(this.path, name));
    return journal;
  }

  #pathOf(version: number, kind: Kind): string {
    return join(this.path, `${digits(version, 16)}-${digits(this.#term, 6)}.${kind}`);
  }

  async #journal(version: number, head: Buffer, frames: Uint8Array = new Uint8Array()): Promise<Journal> {
    const path = this.#pathOf(version, "journal");
    await writeWhole(path, [head, frames]);
    return new Journal(await open(path, "r+"), head);
  }

  /** Renames the snapshots, so that a process that has lost its lock cannot find them. */
  async #takeSnapshots(): Promise<void> {
    for (;;) {
      const all = await this.#entries("snapshot");
      const before = all.filter(({ term }) => term < this.#term);
      if (before.length === 0) return;
      // If a snapshot is missing, a process that no longer owns the folder has renamed it. The next round finds it.
      for (const { name, version } of before)
        await rename(join(this.path, name), this.#pathOf(version, "snapshot")).catch(unlessGone);
    }
  }

  /** Removes journals of versions before that version, and markers of earlier terms. */
  async #clear(version: number): Promise<void> {
    for (const one of await this.#entries("journal"))
      if (one.term < this.#term || (one.term === this.#term && one.version < version)) await removed(join(this.path, one.name));
    for (const one of await this.#terms()) if (one.term < this.#term) await removed(join(this.path, one.name));
  }

  /** Returns the files of a kind, by term and version. */
  async #entries(kind: Kind): Promise<Entry[]> {
    const found = (await readdir(this.path)).flatMap((name) => {
      const match = /^(\d{16})(?:-(\d{6,}))?\.(\w+)$/.exec(name);
      return match?.[3] === kind ? [{ name, version: Number(match[1]), term: Number(match[2] ?? 0) }] : [];
    });
    return found.sort((a, b) => a.term - b.term || a.version - b.version);
  }

  async #terms(): Promise<Pick<Entry, "name" | "term">[]> {
    return (await readdir(this.path)).flatMap((name) => {
      const match = /^term-(\d{6,})$/.exec(name);
      return match ? [{ name, term: Number(match[1]) }] : [];
    });
  }

  #damaged(problem: string): LearnerError {
    return new LearnerError(this.path, `${problem}; restore the folder from a copy, or use another folder`, "FOLDER_DAMAGED");
  }
}

/** Creates the file. Returns false if it already exists. */
async function created(path: string): Promise<boolean> {
  try {
    await writeFile(path, "", { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

const removed = (path: string): Promise<void> => unlink(path).catch(unlessGone);

function unlessGone(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
