import { randomBytes } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { DataError } from "ergodic";
import { LearnerError } from "./errors.ts";

/**
 * The journal: what was accepted since a snapshot, in its order. Little-endian, all on multiples of 8 bytes.
 *
 *   head, 80 bytes   "ergodic journal\n", u32 format (1), u32 CRC-32 of the head without these four bytes, f64 version of the snapshot,
 *                    sha256 of the snapshot's file (32 bytes), a mark (8 random bytes), 8 bytes of 0
 *   frames           one for each write, which the disk confirms before anybody is told
 *     head, 32       the mark, u32 CRC-32 of the head without these four bytes, u32 bytes of the records, u32 CRC-32 of the records, u32 their number,
 *                    f64 version that the first record leads to
 *     records        u32 kind (1 rows, 2 rollback), u32 bytes; the bytes, filled up with 0 to a multiple of 8
 *
 * A write that was cut short leaves a last frame that is not whole: nobody was told of it, and it is dropped. A frame that is not whole while another
 * one follows is damage, since a frame is only written when the disk has the one before. No client can make rows that look like frames, as it
 * does not know the mark.
 */
const TITLE = Buffer.from("ergodic journal\n");
const FORMAT = 1;
const HEAD = 80;
const FRAME = 32;
/** Of one record: a frame may hold several, up to GROUP_BYTES before the last. */
export const MOST_RECORD_BYTES = 2 ** 28;
export const GROUP_BYTES = 2 ** 22;

export interface JournalRecord {
  readonly kind: "rows" | "rollback";
  readonly bytes: Uint8Array;
}

const KINDS = ["rows", "rollback"] as const;
const padded = (length: number): number => Math.ceil(length / 8) * 8;

/** The head of a journal that begins with a snapshot. */
export function journalHead(version: number, snapshotHash: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD);
  TITLE.copy(head);
  head.writeUInt32LE(FORMAT, 16);
  head.writeDoubleLE(version, 24);
  head.set(snapshotHash, 32);
  randomBytes(8).copy(head, 64);
  head.writeUInt32LE(checksumBut(head, 20), 20);
  return head;
}

/** Over all but the four bytes at `at`, where it is written. */
const checksumBut = (head: Buffer, at: number): number => crc32(head.subarray(at + 4), crc32(head.subarray(0, at)));

function frameOf(mark: Uint8Array, version: number, records: readonly JournalRecord[]): Buffer {
  const length = records.reduce((sum, { bytes }) => sum + 8 + padded(bytes.length), 0);
  const frame = Buffer.alloc(FRAME + length);
  let at = FRAME;
  for (const { kind, bytes } of records) {
    frame.writeUInt32LE(KINDS.indexOf(kind) + 1, at);
    frame.writeUInt32LE(bytes.length, at + 4);
    frame.set(bytes, at + 8);
    at += 8 + padded(bytes.length);
  }
  frame.set(mark);
  frame.writeUInt32LE(length, 12);
  frame.writeUInt32LE(crc32(frame.subarray(FRAME)), 16);
  frame.writeUInt32LE(records.length, 20);
  frame.writeDoubleLE(version, 24);
  frame.writeUInt32LE(checksumBut(frame.subarray(0, FRAME), 8), 8);
  return frame;
}

/** What a journal holds. */
export interface JournalContent {
  readonly version: number;
  readonly snapshotHash: Buffer;
  readonly records: readonly JournalRecord[];
  /** Bytes that are whole; what follows is to be dropped. */
  readonly length: number;
}

/** @throws DataError for what is damaged */
export function readJournal(file: Buffer, where: string): JournalContent {
  const refuse = (problem: string): never => {
    throw new LearnerError(where, `${problem}; restore the folder from a copy`, "FOLDER_DAMAGED");
  };
  const head = file.subarray(0, HEAD);
  if (file.length < HEAD || !head.subarray(0, TITLE.length).equals(TITLE)) refuse("is no journal of a learner");
  const format = head.readUInt32LE(16);
  if (head.readUInt32LE(20) !== checksumBut(head, 20)) refuse("is damaged in its head (bytes 0 to 79)");
  if (format !== FORMAT)
    throw new DataError(
      where,
      `is a journal of format ${format}, but this version reads ${FORMAT}; update @ergodic/serve`,
      "JOURNAL_VERSION",
    );
  const version = head.readDoubleLE(24);
  const mark = head.subarray(64, 72);
  const records: JournalRecord[] = [];
  let length = HEAD;
  while (length < file.length) {
    const frame = frameAt(file, length, mark);
    if (!frame) break;
    if (frame.version !== version + records.length + 1)
      refuse(
        `leads from version ${version + records.length} to ${frame.version} at byte ${length}: something between is missing`,
      );
    for (const record of frame.records) records.push(record);
    length += frame.bytes;
  }
  for (let next = length + 8; next < file.length; next += 8) {
    const frame = frameAt(file, next, mark);
    if (!frame) continue;
    const lost = `version ${version + records.length + 1} to ${frame.version - 1}`;
    refuse(`is damaged from byte ${length} on, where it has ${lost}, although whole records follow at byte ${next}`);
  }
  return { version, snapshotHash: head.subarray(32, 64), records, length };
}

function frameAt(
  file: Buffer,
  at: number,
  mark: Buffer,
): { version: number; records: JournalRecord[]; bytes: number } | undefined {
  if (at + FRAME > file.length || !file.subarray(at, at + 8).equals(mark)) return undefined;
  const head = file.subarray(at, at + FRAME);
  if (head.readUInt32LE(8) !== checksumBut(head, 8)) return undefined;
  const [length, checksum, count] = [head.readUInt32LE(12), head.readUInt32LE(16), head.readUInt32LE(20)];
  const body = file.subarray(at + FRAME, at + FRAME + length);
  if (body.length !== length || crc32(body) !== checksum) return undefined;
  const records: JournalRecord[] = [];
  for (let from = 0; records.length < count; ) {
    const [kind, size] = [body.readUInt32LE(from), body.readUInt32LE(from + 4)];
    // A copy: what is learnt from is kept for a while, and the file is not.
    records.push({ kind: KINDS[kind - 1]!, bytes: new Uint8Array(body.subarray(from + 8, from + 8 + size)) });
    from += 8 + padded(size);
  }
  return { version: head.readDoubleLE(24), records, bytes: FRAME + length };
}

/** What of a file handle a journal needs. */
export type JournalFile = Pick<FileHandle, "write" | "datasync" | "close">;

/** A journal open for writing at its end. */
export class Journal {
  readonly #file: JournalFile;
  readonly #mark: Buffer;
  #length: number;

  /** `head`: the first bytes of the file; `length`: its bytes. */
  constructor(file: JournalFile, head: Buffer, length: number) {
    this.#file = file;
    this.#mark = Buffer.from(head.subarray(64, 72));
    this.#length = length;
  }

  /** Bytes written and confirmed. */
  get length(): number {
    return this.#length;
  }

  /** Writes records, of which the first leads to `version`; resolves when the disk has them. */
  async append(version: number, records: readonly JournalRecord[]): Promise<void> {
    const frame = frameOf(this.#mark, version, records);
    for (let done = 0; done < frame.length; ) {
      const { bytesWritten } = await this.#file.write(frame, done, frame.length - done, this.#length + done);
      if (bytesWritten === 0) throw new Error("nothing could be written");
      done += bytesWritten;
    }
    await this.#file.datasync();
    this.#length += frame.length;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

export const HEAD_BYTES = HEAD;
