/** Bytes of the journal: confirmed records are read whatever follows them, and damage is never mistaken for the end. */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { DataError } from "ergodic";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LearnerError } from "../../src/learn/errors.ts";
import { Journal, type JournalFile } from "../../src/learn/journal.ts";
import {
  FRAMES_AT,
  headLike,
  type JournalRecord,
  journalHead,
  noteAt,
  noteOf,
  readJournal,
} from "../../src/learn/journal-bytes.ts";

const hash = createHash("sha256").update("snapshot").digest();
const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 7 + length);
const record = (length: number): JournalRecord => ({ kind: "rows", bytes: bytesOf(length) });
const frames: JournalRecord[][] = [
  [record(24)],
  [record(16), { kind: "rollback", to: 41 }, record(3)],
  [record(0), { kind: "rows", key: "a", bytes: bytesOf(40) }, { kind: "rows", key: "12345678", bytes: bytesOf(0) }],
  [record(100)],
];
let folder: string;
let file: Buffer;
/** Positions at which frames end. */
const ends: number[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "journal-"));
  const path = join(folder, "a");
  const head = journalHead(41, hash);
  writeFileSync(path, head);
  const journal = new Journal(await open(path, "r+"), head);
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
const expectDamage = (bytes: Buffer): string => {
  const error = thrown(() => readJournal(bytes, "path/j"));
  expect(error).toBeInstanceOf(LearnerError);
  expect((error as LearnerError).code).toBe("FOLDER_DAMAGED");
  expect(error.message).toMatch(/^path\/j: .*; restore the folder from a copy \[FOLDER_DAMAGED\]$/);
  return error.message;
};

/** The file with only that many confirmed frames, as after a crash before the next note was written. */
const confirmedUpTo = (count: number): Buffer => {
  const bytes = Buffer.from(file);
  const note = noteOf(count === 0 ? FRAMES_AT : ends[count - 1]!, 41 + frames.slice(0, count).flat().length);
  for (const at of [noteAt(0), noteAt(1)]) note.copy(bytes, at);
  return bytes;
};

test("reads back what was written", () => {
  const content = readJournal(file, "j");
  expect(content).toMatchObject({ version: 41, droppedBytes: 0, records: frames.flat() });
  expect(content.snapshotHash.equals(hash)).toBe(true);
  expect(ends.every((end) => end % 8 === 0)).toBe(true);
});

test("its frames under another header form the same journal, fully confirmed", () => {
  const content = readJournal(confirmedUpTo(0), "j");
  const copy = Buffer.concat([headLike(content), content.frames]);
  expect(readJournal(copy, "j")).toMatchObject({ version: 41, records: frames.flat() });
  copy[copy.length - 1]! ^= 1;
  expectDamage(copy);
});

test("a cut after the confirmed part retains exactly the whole frames", () => {
  for (let confirmed = 0; confirmed < frames.length; confirmed++) {
    const bytes = confirmedUpTo(confirmed);
    for (let length = confirmed === 0 ? FRAMES_AT : ends[confirmed - 1]!; length <= file.length; length++) {
      const whole = ends.filter((end) => end <= length).length;
      const content = readJournal(bytes.subarray(0, length), "j");
      expect(content.records).toEqual(frames.slice(0, whole).flat());
      expect(content.droppedBytes).toBe(length - (whole === 0 ? FRAMES_AT : ends[whole - 1]!));
    }
  }
});

test("a cut before the end of the confirmed part is damage", () => {
  for (let length = FRAMES_AT; length < file.length; length++) {
    const whole = ends.filter((end) => end <= length).length;
    const said = expectDamage(file.subarray(0, length));
    expect(said).toContain(`is cut short from byte ${whole === 0 ? FRAMES_AT : ends[whole - 1]} on`);
    const next = 42 + frames.slice(0, whole).flat().length;
    expect(said).toContain(next === 49 ? "had version 49;" : `had versions ${next} to 49;`);
  }
  for (let length = 0; length < FRAMES_AT; length++) expectDamage(file.subarray(0, length));
});

test("garbage that a file system leaves after a cut is dropped", () => {
  const last = ends.at(-2)!;
  const bytes = confirmedUpTo(3);
  for (const length of [last, last + 5, last + 40]) {
    for (const rest of [Buffer.alloc(200), Buffer.alloc(200, 0xff)]) {
      const content = readJournal(Buffer.concat([bytes.subarray(0, length), rest]), "j");
      expect(content.droppedBytes).toBe(length + 200 - last);
      expect(content.records).toEqual(frames.slice(0, 3).flat());
    }
  }
});

test("damage to any confirmed byte is an error that reports the position", () => {
  let found = 0;
  for (let at = 0; at < file.length; at++) {
    // Each note has a spare copy.
    if (at >= noteAt(0) && at < FRAMES_AT) continue;
    const damaged = Buffer.from(file);
    damaged[at]! ^= 1 << (at % 8);
    const said = expectDamage(damaged);
    if (at < FRAMES_AT) continue;
    const frame = ends.findIndex((end) => at < end);
    expect(said).toContain(`byte ${frame === 0 ? FRAMES_AT : ends[frame - 1]!} `);
    found++;
  }
  expect(found).toBe(file.length - FRAMES_AT);
});

test("damage to one note changes nothing, and damage to both is an error", () => {
  for (let at = noteAt(0); at < FRAMES_AT; at++) {
    const damaged = Buffer.from(file);
    damaged[at]! ^= 1 << (at % 8);
    expect(readJournal(damaged, "j").records).toEqual(frames.flat());
    damaged[at < noteAt(1) ? noteAt(1) + 3 : noteAt(0) + 3]! ^= 1;
    expect(expectDamage(damaged)).toContain("both copies");
  }
});

test("the note of the latest write counts, in either position", () => {
  for (const [latest, earlier] of [
    [0, 1],
    [1, 0],
  ]) {
    const bytes = confirmedUpTo(4);
    noteOf(ends[1]!, 45).copy(bytes, noteAt(earlier!));
    bytes[bytes.length - 1]! ^= 1;
    expect(expectDamage(bytes)).toContain("where it had version 49;");
    noteOf(ends[2]!, 48).copy(bytes, noteAt(latest!));
    expect(readJournal(bytes, "j").records).toEqual(frames.slice(0, 3).flat());
  }
});

test("damage to an unconfirmed frame drops the whole frame and never changes other records", () => {
  const bytes = confirmedUpTo(3);
  for (let at = ends.at(-2)!; at < file.length; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 0x10;
    expect(readJournal(damaged, "j").records).toEqual(frames.slice(0, 3).flat());
  }
});

test("a missing or repeated frame is damage", () => {
  const [a, b] = [ends[0]!, ends[1]!];
  const without = Buffer.concat([file.subarray(0, a), file.subarray(b)]);
  expect(expectDamage(without)).toContain("from version 42 to 46");
  const twice = Buffer.concat([file.subarray(0, b), file.subarray(a)]);
  expect(expectDamage(twice)).toContain("the versions between are missing");
  const unconfirmed = confirmedUpTo(0);
  unconfirmed[FRAMES_AT + 40]! ^= 1;
  expect(expectDamage(unconfirmed)).toContain("although whole records follow");
});

test("rows that look like a frame of another journal are read as rows", async () => {
  const path = join(folder, "b");
  const head = journalHead(0, hash);
  writeFileSync(path, head);
  const journal = new Journal(await open(path, "r+"), head);
  await journal.append(1, [{ kind: "rows", bytes: new Uint8Array(file.subarray(FRAMES_AT)) }]);
  await journal.close();
  const torn = readFileSync(path).subarray(0, -8);
  for (const at of [noteAt(0), noteAt(1)]) noteOf(FRAMES_AT, 0).copy(torn, at);
  expect(readJournal(torn, "j").records).toEqual([]);
});

test("files that are not journals, or journals of a later format, are refused", () => {
  expect(readJournal(journalHead(3, hash), "j")).toMatchObject({ version: 3, records: [] });
  expect(expectDamage(Buffer.from("hello"))).toContain("is not a learner's journal");
  expect(expectDamage(Buffer.alloc(0))).toContain("is not a learner's journal");
  for (const format of [0, 3]) {
    const later = journalHead(3, hash);
    later.writeUInt32LE(format, 16);
    later.writeUInt32LE(crc32(later.subarray(24, 80), crc32(later.subarray(0, 20))), 20);
    const error = thrown(() => readJournal(later, "j"));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toBe(
      `j: is a journal of format ${format}, but this version reads 1 to 2; update @ergodic/serve [JOURNAL_VERSION]`,
    );
  }
});

describe("false contents with valid checksums", () => {
  /** Replaces the last frame's records or count, as an attacker with write access could. */
  const forged = (body: Buffer, count: number): Buffer => {
    const begin = ends.at(-2)!;
    const frame = Buffer.concat([file.subarray(begin, begin + 32), body]);
    frame.writeUInt32LE(body.length, 12);
    frame.writeUInt32LE(crc32(body), 16);
    frame.writeUInt32LE(count, 20);
    frame.writeUInt32LE(crc32(frame.subarray(12, 32), crc32(frame.subarray(0, 8))), 8);
    return Buffer.concat([file.subarray(0, begin), frame]);
  };
  const words = (...numbers: number[]): Buffer => Buffer.from(Uint32Array.from(numbers).buffer);

  test.each<[string, Buffer, number]>([
    ["more records than there are", words(1, 8, 0, 0), 2],
    ["fewer records than there are", words(1, 8, 0, 0), 0],
    ["2³² records", words(1, 8, 0, 0), 2 ** 32 - 1],
    ["a record that is longer than the frame", words(1, 9, 0, 0), 1],
    ["a record of 4 GB", words(1, 2 ** 32 - 1, 0, 0), 1],
    ["half a head of a record", words(1), 1],
    ["a record of an unknown kind", words(9, 8, 0, 0), 1],
    ["a record of kind 0", words(0, 8, 0, 0), 1],
    ["a rollback to no version", words(2, 0), 1],
    ["a rollback of 16 bytes", words(2, 16, 0, 0, 0, 0), 1],
    ["a key that is longer than its record", words(3, 16, 9, 0, 0, 0), 1],
    ["a key of 4 GB", words(3, 16, 2 ** 32 - 1, 0, 0, 0), 1],
    ["half a key", words(3, 4, 1, 0), 1],
    ["a record that ends in the middle of 8 bytes", words(1, 4, 0), 1],
  ])("%s", (_, body, count) => {
    const bytes = forged(body, count);
    expect(expectDamage(bytes)).toMatch(/at byte \d+/);
    // The error is the same if no earlier frame is confirmed, or if this frame is not the first one read.
    const [note] = [noteOf(FRAMES_AT, 41)];
    for (const at of [noteAt(0), noteAt(1)]) note!.copy(bytes, at);
    expectDamage(bytes);
    bytes[FRAMES_AT + 33]! ^= 1;
    expectDamage(bytes);
  });

  test("random bytes are read as a journal or refused as damaged", () => {
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    let refused = 0;
    for (let round = 0; round < 3000; round++) {
      const body = Buffer.from(file.subarray(ends[1]! + 32, ends[2]!));
      for (let k = 0; k <= random(3); k++)
        body.writeUInt32LE(random(2) ? random(80) : random(2 ** 32), 4 * random(body.length / 4));
      try {
        readJournal(forged(body, random(2) ? 3 : random(6)), "j");
      } catch (error) {
        expect(error).toBeInstanceOf(LearnerError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(1000);
  });
});

describe("journals of format 1, which had no confirmation notes", () => {
  const former = (): Buffer => {
    const head = Buffer.from(file.subarray(0, 80));
    head.writeUInt32LE(1, 16);
    head.writeUInt32LE(crc32(head.subarray(24), crc32(head.subarray(0, 20))), 20);
    return Buffer.concat([head, file.subarray(FRAMES_AT)]);
  };

  test("are read and continued as format 2", () => {
    const content = readJournal(former(), "j");
    expect(content).toMatchObject({ version: 41, droppedBytes: 0, records: frames.flat() });
    const copy = Buffer.concat([headLike(content), content.frames]);
    expect(copy.equals(confirmedUpTo(4))).toBe(true);
  });

  test("lose an incomplete last frame, and earlier damage is an error", () => {
    const bytes = former();
    const cut = readJournal(bytes.subarray(0, -8), "j");
    expect(cut.records).toEqual(frames.slice(0, 3).flat());
    expect(cut.droppedBytes).toBe(file.length - ends[2]! - 8);
    bytes[100]! ^= 1;
    expect(expectDamage(bytes)).toContain("is damaged from byte 80 on");
  });
});

describe("writes to a journal", () => {
  /** A file in memory that fails at the given call and records the calls. */
  const inMemory = (bytes: Buffer, { most = Infinity, failAt = Infinity, error = "ENOSPC" } = {}) => {
    const asked: string[] = [];
    const state = { bytes, isBroken: false };
    const step = (what: string): void => {
      if (state.isBroken || asked.length === failAt) throw new Error(error);
      asked.push(what);
    };
    const file_ = {
      write: async (from: Buffer, offset: number, length: number, at: number) => {
        step(`write ${at}`);
        const bytesWritten = Math.min(most, length);
        const grown = Buffer.alloc(Math.max(state.bytes.length, at + bytesWritten));
        state.bytes.copy(grown);
        from.copy(grown, at, offset, offset + bytesWritten);
        state.bytes = grown;
        return { bytesWritten, buffer: from };
      },
      truncate: async (length: number) => {
        step("truncate");
        state.bytes = state.bytes.subarray(0, length);
      },
      datasync: async () => step("datasync"),
      close: async () => step("close"),
    } as unknown as JournalFile;
    return { file: file_, asked, state };
  };

  test("happen in order: the records, the sync, then the lock check and the note", async () => {
    const head = journalHead(0, hash);
    const { file: memory, asked, state } = inMemory(head);
    const journal = new Journal(memory, head);
    for (const [i, records] of [frames[0]!, frames[1]!, frames[2]!].entries()) {
      const before = journal.length;
      asked.length = 0;
      await journal.append(i === 0 ? 1 : i === 1 ? 2 : 5, records, async () => void asked.push("check"));
      expect(asked).toEqual([`write ${before}`, "datasync", "check", `write ${noteAt(i)}`]);
      expect(readJournal(state.bytes, "j").records).toEqual(frames.slice(0, i + 1).flat());
    }
    asked.length = 0;
    await journal.close();
    expect(asked).toEqual(["datasync", "close"]);
  });

  test("are complete if the system splits them, and impossible ones are an error", async () => {
    const head = journalHead(0, hash);
    const { file: memory, asked, state } = inMemory(head, { most: 7 });
    const journal = new Journal(memory, head);
    await journal.append(1, frames[1]!);
    expect(asked.length).toBeGreaterThan(10);
    expect(readJournal(state.bytes, "j").records).toEqual(frames[1]);
    const none = new Journal(inMemory(head, { most: 0 }).file, head);
    await expect(none.append(1, frames[0]!)).rejects.toThrow("nothing could be written");
  });

  test("are undone after any failure, so that unconfirmed records are not read", async () => {
    for (const failing of [0, 1, 2, 3]) {
      const head = journalHead(0, hash);
      const { file: memory, asked, state } = inMemory(head);
      const journal = new Journal(memory, head);
      await journal.append(1, frames[0]!);
      const [before, { length }] = [Buffer.from(state.bytes), journal];
      const { write, datasync } = memory;
      // A failed write may have written data.
      const once = async (act: () => Promise<unknown>, at: number): Promise<never> => {
        await act();
        Object.assign(memory, { write, datasync });
        throw new Error(`failed at ${at}`);
      };
      let writes = 0;
      Object.assign(memory, {
        write: (...given: Parameters<typeof write>) => {
          const act = () => write(...given);
          return writes++ === (failing === 0 ? 0 : 1) && failing !== 1 && failing !== 2 ? once(act, failing) : act();
        },
        datasync: () => (failing === 1 ? once(() => datasync(), 1) : datasync()),
      });
      const check = async (): Promise<void> => {
        if (failing === 2) throw new Error("failed at 2");
      };
      await expect(journal.append(2, frames[1]!, check)).rejects.toThrow(`failed at ${failing}`);
      expect(journal.isUnsure).toBe(false);
      expect(journal.length).toBe(length);
      expect(asked.slice(-2)).toEqual(["truncate", "datasync"]);
      expect(readJournal(state.bytes, "j").records).toEqual(frames[0]);
      // Except for the alternating position of notes.
      expect(state.bytes.subarray(FRAMES_AT).equals(before.subarray(FRAMES_AT))).toBe(true);
    }
  });

  test("report that they might be read later if they can be neither completed nor undone", async () => {
    const head = journalHead(0, hash);
    const { file: memory, asked, state } = inMemory(head);
    const journal = new Journal(memory, head);
    await expect(
      journal.append(1, frames[0]!, async () => {
        state.isBroken = true;
        throw new Error("gone");
      }),
    ).rejects.toThrow("gone");
    expect(journal.isUnsure).toBe(true);
    expect(readJournal(state.bytes, "j").records).toEqual(frames[0]);
    state.isBroken = false;
    asked.length = 0;
    await journal.close();
    // The failed operation is not repeated.
    expect(asked).toEqual(["close"]);
  });
});
