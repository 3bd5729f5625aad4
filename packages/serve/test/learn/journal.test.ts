/** The journal's bytes: what was confirmed is read whatever came after it, and damage is never taken for an end. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LearnerError } from "../../src/learn/errors.ts";
import { HEAD_BYTES, Journal, type JournalFile, type JournalRecord, journalHead, readJournal } from "../../src/learn/journal.ts";

const hash = createHash("sha256").update("snapshot").digest();
const record = (length: number): JournalRecord => ({
  kind: "rows",
  bytes: Uint8Array.from({ length }, (_, i) => i * 7 + length),
});
const frames: JournalRecord[][] = [
  [record(24)],
  [record(16), { kind: "rollback", bytes: new Uint8Array(8) }, record(3)],
  [record(0)],
  [record(100)],
];
let folder: string;
let file: Buffer;
/** Where frames end. */
const ends: number[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "journal-"));
  const path = join(folder, "a");
  const head = journalHead(41, hash);
  writeFileSync(path, head);
  const handle = await open(path, "r+");
  const journal = new Journal(handle, head, head.length);
  let version = 42;
  for (const frame of frames) {
    await journal.append(version, frame);
    version += frame.length;
    ends.push(journal.length);
  }
  await journal.close();
  file = readFileSync(path);
});
afterAll(() => rmSync(folder, { recursive: true }));

const thrown = (read: () => unknown): Error => {
  try {
    read();
  } catch (error) {
    return error as Error;
  }
  return new Error("nothing was thrown");
};

test("what was written is read", () => {
  const content = readJournal(file, "j");
  expect(content).toMatchObject({ version: 41, length: file.length, records: frames.flat() });
  expect(content.snapshotHash.equals(hash)).toBe(true);
  expect(ends.every((end) => end % 8 === 0)).toBe(true);
});

test("cut anywhere, all whole frames are there, and nothing else", () => {
  for (let length = HEAD_BYTES; length <= file.length; length++) {
    const whole = ends.filter((end) => end <= length).length;
    const content = readJournal(file.subarray(0, length), "j");
    expect(content.records).toEqual(frames.slice(0, whole).flat());
    expect(content.length).toBe(whole === 0 ? HEAD_BYTES : ends[whole - 1]);
  }
});

test("what a file system leaves behind a cut is dropped as well", () => {
  const last = ends.at(-2)!;
  for (const length of [last, last + 5, last + 40]) {
    for (const rest of [Buffer.alloc(200), Buffer.alloc(200, 0xff)]) {
      const content = readJournal(Buffer.concat([file.subarray(0, length), rest]), "j");
      expect(content.length).toBe(last);
      expect(content.records).toEqual(frames.slice(0, 3).flat());
    }
  }
});

test("damage to any byte before the last frame is an error that says where", () => {
  let found = 0;
  for (let at = 0; at < ends.at(-2)!; at++) {
    const damaged = Buffer.from(file);
    damaged[at]! ^= 1 << (at % 8);
    const error = thrown(() => readJournal(damaged, "path/j"));
    expect(error).toBeInstanceOf(LearnerError);
    expect((error as LearnerError).code).toBe("FOLDER_DAMAGED");
    expect(error.message).toContain("path/j");
    if (at < HEAD_BYTES) continue;
    const frame = ends.findIndex((end) => at < end);
    const begin = frame === 0 ? HEAD_BYTES : ends[frame - 1]!;
    expect(error.message).toContain(`byte ${begin}`);
    found++;
  }
  expect(found).toBe(ends.at(-2)! - HEAD_BYTES);
});

test("damage to the last frame drops it whole, and never gives other records", () => {
  for (let at = ends.at(-2)!; at < file.length; at++) {
    const damaged = Buffer.from(file);
    damaged[at]! ^= 0x10;
    expect(readJournal(damaged, "j").records).toEqual(frames.slice(0, 3).flat());
  }
});

test("a frame that is missing, or there twice, is damage", () => {
  const [a, b] = [ends[0]!, ends[1]!];
  const without = Buffer.concat([file.subarray(0, a), file.subarray(b)]);
  expect(thrown(() => readJournal(without, "j")).message).toContain("from version 42 to 46");
  const twice = Buffer.concat([file.subarray(0, b), file.subarray(a)]);
  expect(thrown(() => readJournal(twice, "j")).message).toContain("something between is missing");
});

test("rows that look like a frame of another journal are rows", async () => {
  const path = join(folder, "b");
  const head = journalHead(0, hash);
  writeFileSync(path, head);
  const handle = await open(path, "r+");
  const journal = new Journal(handle, head, head.length);
  await journal.append(1, [{ kind: "rows", bytes: new Uint8Array(file.subarray(HEAD_BYTES)) }]);
  await journal.close();
  const torn = readFileSync(path).subarray(0, -8);
  expect(readJournal(torn, "j").records).toEqual([]);
});

test("a head of a later format, or of something else", () => {
  const later = journalHead(3, hash);
  expect(readJournal(later, "j")).toMatchObject({ version: 3, records: [] });
  expect(thrown(() => readJournal(Buffer.from("hello"), "j")).message).toContain("is no journal");
  expect(thrown(() => readJournal(Buffer.alloc(0), "j")).message).toContain("is no journal");
});

test("writes that the system makes in pieces are whole, and those that it cannot make are errors", async () => {
  const written: number[] = [];
  const out = Buffer.alloc(4096);
  const pieces = (most: number): JournalFile =>
    ({
      write: (from: Buffer, offset: number, length: number, at: number) => {
        const bytesWritten = Math.min(most, length);
        from.copy(out, at, offset, offset + bytesWritten);
        written.push(bytesWritten);
        return Promise.resolve({ bytesWritten, buffer: from });
      },
      datasync: () => Promise.resolve(void written.push(-1)),
      close: () => Promise.resolve(),
    }) as unknown as JournalFile;
  const head = journalHead(0, hash);
  head.copy(out);
  const journal = new Journal(pieces(7), head, head.length);
  await journal.append(1, frames[1]!);
  expect(written.at(-1)).toBe(-1);
  expect(written.filter((n) => n === -1)).toHaveLength(1);
  expect(written.length).toBeGreaterThan(10);
  expect(readJournal(out.subarray(0, journal.length), "j").records).toEqual(frames[1]);
  await expect(new Journal(pieces(0), head, head.length).append(1, frames[0]!)).rejects.toThrow("nothing could be written");
});
