import type { FileHandle } from "node:fs/promises";
import { firstNoteOf, frameOf, type JournalRecord, lengthOf, markOf, noteAt, noteOf } from "./journal-bytes.ts";

/** Methods of a file handle that a journal needs. */
export type JournalFile = Pick<FileHandle, "write" | "datasync" | "truncate" | "close">;

/** A journal that is open for appending. */
export class Journal {
  readonly #file: JournalFile;
  readonly #mark: Buffer;
  /** The last note that was written, and the number of notes written so far. */
  #note: Buffer;
  #notes = 0;
  /** Whether the file might contain more than was confirmed. */
  #isUnsure = false;

  /** `head`: the first bytes of the file. The whole file is confirmed. */
  constructor(file: JournalFile, head: Uint8Array) {
    this.#file = file;
    this.#mark = markOf(head);
    this.#note = firstNoteOf(head);
  }

  /** Number of confirmed bytes. */
  get length(): number {
    return lengthOf(this.#note);
  }

  /**
   * Whether a write failed and its effect on the file could not be undone. If the journal is opened again, the records
   * of that write might be read.
   */
  get isUnsure(): boolean {
    return this.#isUnsure;
  }

  /**
   * Writes records. The first record leads to `version`. When the records are on the disk, calls `check` and writes a
   * note that confirms them. Resolves after both. If `check` throws, nothing is confirmed.
   */
  async append(version: number, records: readonly JournalRecord[], check: () => Promise<void> = async () => {}): Promise<void> {
    const frame = frameOf(this.#mark, version, records);
    const note = noteOf(this.length + frame.length, version + records.length - 1);
    try {
      await this.#write(frame, this.length);
      await this.#file.datasync();
      // This note does not need to reach the disk yet. It is flushed by the next write or at the end.
      const both = await Promise.allSettled([check(), this.#write(note, noteAt(this.#notes))]);
      for (const one of both) if (one.status === "rejected") throw one.reason;
    } catch (error) {
      await this.#takeBack();
      throw error;
    }
    this.#notes++;
    this.#note = note;
  }

  async close(): Promise<void> {
    try {
      if (!this.#isUnsure) await this.#file.datasync();
    } finally {
      await this.#file.close();
    }
  }

  async #write(bytes: Buffer, at: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, at + done);
      if (bytesWritten === 0) throw new Error("nothing could be written");
      done += bytesWritten;
    }
  }

  /**
   * Undoes a failed write, so that its records are not learnt when the journal is opened again. An error here is not
   * reported.
   */
  async #takeBack(): Promise<void> {
    try {
      // The note is undone first, because a note that confirms more bytes than exist counts as damage.
      await this.#write(this.#note, noteAt(this.#notes));
      await this.#file.truncate(this.length);
      await this.#file.datasync();
    } catch {
      this.#isUnsure = true;
    }
  }
}
