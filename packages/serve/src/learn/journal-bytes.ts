import { randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { DataError } from "ergodic";
import { LearnerError } from "./errors.ts";

/**
 * Format of a journal's bytes. A journal contains the requests accepted since a snapshot, in order. Little-endian,
 * aligned to 8 bytes.
 *
 *   head, 80 bytes   "ergodic journal\n", u32 format (2), u32 CRC-32 of the head without these four bytes,
 *                    f64 version of the snapshot, sha256 of the snapshot's file (32 bytes), a mark (8 random bytes),
 *                    8 bytes of 0
 *   notes, 2 × 24    the confirmed length: u32 CRC-32 of the other 20 bytes, u32 0, f64 bytes of the file,
 *                    f64 version that these lead to. Notes are written alternately, so that one is always whole;
 *                    the one with more bytes counts
 *   frames           one per write
 *     head, 32       the mark, u32 CRC-32 of the head without these four bytes, u32 bytes of the records,
 *                    u32 CRC-32 of the records, u32 their number, f64 version that the first record leads to
 *     records        u32 kind (1 rows, 2 rollback, 3 rows with a key), u32 bytes; the bytes, padded with 0 to a
 *                    multiple of 8. The bytes of kind 3 begin with u32 bytes of the key, u32 0, and the key,
 *                    padded likewise
 *
 * A frame is confirmed in four steps: the frame is written, the disk has it, a note is written, and the waiting callers
 * are answered. Bytes beyond the length in the notes have therefore never been confirmed. A complete frame there is
 * still read. An incomplete frame beyond this length was left by an interrupted write, and it is dropped. If there is
 * damage before that length, or the file is shorter, this is an error. Clients do not know the mark, so they cannot
 * send rows that look like frames.
 *
 * Format 1 has no notes; its last frame is dropped if it is incomplete.
 */
const TITLE = Buffer.from("ergodic journal\n");
const FORMAT = 2;
const HEAD = 80;
const NOTE = 24;
const FRAME = 32;
/** Offset of the first frame. */
export const FRAMES_AT = HEAD + 2 * NOTE;
const MARK_AT = 64;
/**
 * Largest number of bytes of a record. A frame can hold several records. In a frame with several records, all records
 * except the last have at most GROUP_BYTES in total.
 */
export const MOST_RECORD_BYTES = 2 ** 28;
export const GROUP_BYTES = 2 ** 22;

export type JournalRecord =
  | { readonly kind: "rows"; readonly bytes: Uint8Array; readonly key?: string }
  /** Version to return to. */
  | { readonly kind: "rollback"; readonly to: number };

const ROWS = 1;
const ROLLBACK = 2;
const KEYED = 3;

const padded = (length: number): number => Math.ceil(length / 8) * 8;

/** Returns the head and the notes of a journal that begins at a snapshot and has no frames yet. */
export function journalHead(version: number, snapshotHash: Uint8Array): Buffer {
  return headOf(version, snapshotHash, randomBytes(8), FRAMES_AT, version);
}

/**
 * Returns the head and the notes of a journal that contains the frames of another journal. All of them are confirmed.
 */
export function headLike({ version, snapshotHash, mark, frames, records }: JournalContent): Buffer {
  return headOf(version, snapshotHash, mark, FRAMES_AT + frames.length, version + records.length);
}

function headOf(version: number, snapshotHash: Uint8Array, mark: Uint8Array, length: number, last: number): Buffer {
  const note = noteOf(length, last);
  const head = Buffer.concat([Buffer.alloc(HEAD), note, note]);
  TITLE.copy(head);
  head.writeUInt32LE(FORMAT, 16);
  head.writeDoubleLE(version, 24);
  head.set(snapshotHash, 32);
  head.set(mark, MARK_AT);
  head.writeUInt32LE(checksumBut(head.subarray(0, HEAD), 20), 20);
  return head;
}

/** Returns a note that confirms the first `length` bytes. These bytes lead to `version`. */
export function noteOf(length: number, version: number): Buffer {
  const note = Buffer.alloc(NOTE);
  note.writeDoubleLE(length, 8);
  note.writeDoubleLE(version, 16);
  note.writeUInt32LE(checksumBut(note, 0), 0);
  return note;
}

/** Returns the offset of a note. Even and odd notes alternate between two offsets. */
export const noteAt = (number: number): number => HEAD + (number % 2) * NOTE;

/** Returns the note of a new head. */
export const firstNoteOf = (head: Uint8Array): Buffer => Buffer.from(head.subarray(HEAD, HEAD + NOTE));

/** Returns the number of bytes that a note confirms. */
export const lengthOf = (note: Buffer): number => note.readDoubleLE(8);

export const markOf = (head: Uint8Array): Buffer => Buffer.from(head.subarray(MARK_AT, MARK_AT + 8));

/** Returns the checksum of all bytes except the four bytes at `at`, in which the checksum itself is stored. */
const checksumBut = (head: Buffer, at: number): number => crc32(head.subarray(at + 4), crc32(head.subarray(0, at)));

/** Returns a frame of records. The first record leads to `version`. */
export function frameOf(mark: Uint8Array, version: number, records: readonly JournalRecord[]): Buffer {
  const parts = records.flatMap(partsOf);
  const frame = Buffer.concat([Buffer.alloc(FRAME), ...parts]);
  frame.set(mark);
  frame.writeUInt32LE(frame.length - FRAME, 12);
  frame.writeUInt32LE(crc32(frame.subarray(FRAME)), 16);
  frame.writeUInt32LE(records.length, 20);
  frame.writeDoubleLE(version, 24);
  frame.writeUInt32LE(checksumBut(frame.subarray(0, FRAME), 8), 8);
  return frame;
}

function partsOf(record: JournalRecord): Uint8Array[] {
  const head = Buffer.alloc(8);
  if (record.kind === "rollback") {
    const to = Buffer.alloc(8);
    to.writeDoubleLE(record.to);
    head.writeUInt32LE(ROLLBACK);
    head.writeUInt32LE(to.length, 4);
    return [head, to];
  }
  const { bytes, key } = record;
  const rest = Buffer.alloc(padded(bytes.length) - bytes.length);
  if (key === undefined) {
    head.writeUInt32LE(ROWS);
    head.writeUInt32LE(bytes.length, 4);
    return [head, bytes, rest];
  }
  const text = Buffer.from(key);
  const before = Buffer.alloc(8 + padded(text.length));
  before.writeUInt32LE(text.length);
  text.copy(before, 8);
  head.writeUInt32LE(KEYED);
  head.writeUInt32LE(before.length + bytes.length, 4);
  return [head, before, bytes, rest];
}

/** Contents of a journal. */
export interface JournalContent {
  readonly version: number;
  readonly snapshotHash: Buffer;
  readonly mark: Buffer;
  readonly records: readonly JournalRecord[];
  /** Complete frames, as in the file. */
  readonly frames: Buffer;
  /** Number of bytes after the complete frames, left by an interrupted write. */
  readonly droppedBytes: number;
}

/** Reads a journal. @throws LearnerError [FOLDER_DAMAGED]; DataError [JOURNAL_VERSION] for a later format */
export function readJournal(file: Buffer, where: string): JournalContent {
  const head = file.subarray(0, HEAD);
  if (file.length < HEAD || !head.subarray(0, TITLE.length).equals(TITLE)) throw damaged(where, "is not a learner's journal");
  const format = head.readUInt32LE(16);
  if (head.readUInt32LE(20) !== checksumBut(head, 20)) throw damaged(where, "is damaged in its header (bytes 0 to 79)");
  if (format !== 1 && format !== FORMAT)
    throw new DataError(
      where,
      `is a journal of format ${format}, but this version reads 1 to ${FORMAT}; update @ergodic/serve`,
      "JOURNAL_VERSION",
    );
  const version = head.readDoubleLE(24);
  const mark = markOf(head);
  const begin = format === 1 ? HEAD : FRAMES_AT;
  const confirmed = format === 1 ? { length: begin, version } : confirmedOf(file, where);
  const records: JournalRecord[] = [];
  let length = begin;
  for (let frame = frameAt(file, length, mark, where); frame; frame = frameAt(file, length, mark, where)) {
    if (frame.version !== version + records.length + 1)
      throw damaged(
        where,
        `jumps from version ${version + records.length} to ${frame.version} at byte ${length}: the versions between are missing`,
      );
    for (const record of frame.records) records.push(record);
    length += frame.bytes;
  }
  const next = version + records.length + 1;
  if (length < confirmed.length) {
    const what = file.length < confirmed.length ? "is cut short" : "is damaged";
    throw damaged(where, `${what} from byte ${length} on, where it had ${versions(next, confirmed.version)}`);
  }
  for (let at = length + 8; at < file.length; at += 8) {
    const frame = frameAt(file, at, mark, where);
    if (!frame) continue;
    const lost = versions(next, frame.version - 1);
    throw damaged(where, `is damaged from byte ${length} on, where it has ${lost}, although whole records follow at byte ${at}`);
  }
  const frames = file.subarray(begin, length);
  return { version, snapshotHash: head.subarray(32, 64), mark, records, frames, droppedBytes: file.length - length };
}

/** Reads the notes. Returns the number of confirmed bytes, and the version that the state has after these bytes. */
function confirmedOf(file: Buffer, where: string): { length: number; version: number } {
  let found: { length: number; version: number } | undefined;
  for (const at of [noteAt(0), noteAt(1)]) {
    const note = file.subarray(at, at + NOTE);
    if (note.length < NOTE || note.readUInt32LE(0) !== checksumBut(note, 0)) continue;
    const length = lengthOf(note);
    if (!found || length > found.length) found = { length, version: note.readDoubleLE(16) };
  }
  if (found) return found;
  throw damaged(where, `is damaged in both copies of its confirmation note (bytes ${HEAD} to ${FRAMES_AT - 1})`);
}

interface Frame {
  readonly version: number;
  readonly records: JournalRecord[];
  readonly bytes: number;
}

/**
 * Reads a frame. Returns undefined if no complete frame begins here. @throws LearnerError for a frame with correct
 * checksums but inconsistent content
 */
function frameAt(file: Buffer, at: number, mark: Buffer, where: string): Frame | undefined {
  if (at + FRAME > file.length || !file.subarray(at, at + 8).equals(mark)) return undefined;
  const head = file.subarray(at, at + FRAME);
  if (head.readUInt32LE(8) !== checksumBut(head, 8)) return undefined;
  const [length, checksum, count] = [head.readUInt32LE(12), head.readUInt32LE(16), head.readUInt32LE(20)];
  const body = file.subarray(at + FRAME, at + FRAME + length);
  if (body.length !== length || crc32(body) !== checksum) return undefined;
  const records: JournalRecord[] = [];
  let from = 0;
  while (from < body.length) {
    const size = from + 8 <= body.length ? body.readUInt32LE(from + 4) : Infinity;
    const record =
      from + 8 + size <= body.length ? recordOf(body.readUInt32LE(from), body.subarray(from + 8, from + 8 + size)) : undefined;
    if (!record) throw damaged(where, `has no valid record at byte ${at + FRAME + from}, where one must begin`);
    records.push(record);
    from += 8 + padded(size);
  }
  if (records.length === count && from === body.length) return { version: head.readDoubleLE(24), records, bytes: FRAME + length };
  throw damaged(where, `declares ${count} records at byte ${at}, but has ${records.length}`);
}

/** Reads a record. Returns undefined if the bytes are not a valid record. */
function recordOf(kind: number, bytes: Buffer): JournalRecord | undefined {
  // The bytes are copied, because the rows are kept for a while and the file is not.
  if (kind === ROWS) return { kind: "rows", bytes: new Uint8Array(bytes) };
  if (kind === ROLLBACK) return bytes.length === 8 ? { kind: "rollback", to: bytes.readDoubleLE() } : undefined;
  if (kind !== KEYED || bytes.length < 8) return undefined;
  const length = bytes.readUInt32LE(0);
  const from = 8 + padded(length);
  if (from > bytes.length) return undefined;
  return { kind: "rows", key: bytes.toString("utf8", 8, 8 + length), bytes: new Uint8Array(bytes.subarray(from)) };
}

const versions = (first: number, last: number): string => (first === last ? `version ${first}` : `versions ${first} to ${last}`);

const damaged = (where: string, problem: string): LearnerError =>
  new LearnerError(where, `${problem}; restore the folder from a copy`, "FOLDER_DAMAGED");
