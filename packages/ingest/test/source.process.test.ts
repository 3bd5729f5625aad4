/** Every kind of source gives the same table. Streams are read once and closed. */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blocks, openSource, readSparseTable, readTable, type Source, sparseBlocks } from "../src/index.ts";
import { peek, rewindable } from "../src/replay.ts";
import { allBytes } from "../src/source.ts";
import { cells, cutAt } from "./writers.ts";

const text = "a,b\n1,x\n2,y\n";
const bytes = new TextEncoder().encode(text);
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.from(a).equals(b);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ingest-"));
  await writeFile(join(folder, "t.csv"), text);
  await writeFile(join(folder, "t.csv.gz"), gzipSync(text));
});
afterAll(() => rm(folder, { recursive: true }));

const stdin = () => {
  Object.defineProperty(process, "stdin", {
    value: Readable.from([bytes.subarray(0, 5), bytes.subarray(5)]),
    configurable: true,
  });
  return "-";
};

test.each<[string, string, () => Source]>([
  ["a path", "t.csv", () => join(folder, "t.csv")],
  ["a gzip path", "t.csv.gz", () => join(folder, "t.csv.gz")],
  ["content", "text", () => text],
  ["bytes", "bytes", () => bytes],
  ["gzip bytes", "bytes", () => new Uint8Array(gzipSync(text))],
  ["an ArrayBuffer", "bytes", () => bytes.slice().buffer],
  ["named content", "n.csv", () => ({ content: text, name: "n.csv" })],
  ["a Blob", "blob", () => new Blob([text])],
  ["a File", "f.csv", () => new File([text], "f.csv")],
  ["a Node stream", "stream", () => Readable.from([bytes.subarray(0, 1), bytes.subarray(1)])],
  ["a web stream", "stream", () => new Blob([text]).stream()],
  ["an iterable", "stream", () => cutAt(bytes, [2, 3])],
  ["a gzip stream in small pieces", "stream", () => cutAt(gzipSync(text), [1, 2, 3, 20])],
  ["an opened source", "text", () => openSource(text)],
  ["standard input", "stdin", stdin],
])("%s", async (_, name, source) => {
  const before = Object.getOwnPropertyDescriptor(process, "stdin")!;
  try {
    const table = await readTable(source());
    expect(cells(table)).toEqual([
      [1, 2],
      ["x", "y"],
    ]);
    expect(table.source).toBe(name);
  } finally {
    Object.defineProperty(process, "stdin", before);
  }
});

test("every reader closes a stream when reading stops early", async () => {
  let closed = 0;
  async function* leaking(text: string) {
    try {
      yield new TextEncoder().encode(text);
      yield bytes;
    } finally {
      closed++;
    }
  }
  await expect(readTable(leaking("a,b\n1\n"), { format: "csv" })).rejects.toMatchObject({ code: "DATA_RAGGED" });
  await expect(readTable(leaking("a,b\n1\n"))).rejects.toMatchObject({ code: "DATA_RAGGED" });
  await expect(readTable(leaking("what is this\n"))).rejects.toMatchObject({ code: "DATA_FORMAT" });
  await expect(readSparseTable(leaking("1 1:1\n1 0:1\n"))).rejects.toMatchObject({ code: "DATA_INDEX" });
  await expect(readTable(leaking("no npy"), { format: "npy" })).rejects.toMatchObject({ code: "DATA_FORMAT" });
  for await (const _ of blocks(leaking("a,b\n1,2\n3,4\n"), { rows: 1 })) break;
  for await (const _ of sparseBlocks(leaking("1 1:1\n1 1:1\n"), { rows: 1 })) break;
  expect(closed).toBe(7);
});

test("a stream cannot be read twice, but can be rewound", async () => {
  const once = openSource(cutAt(bytes, [3, 6]));
  expect(await allBytes(once)).toEqual(bytes);
  await expect(allBytes(once)).rejects.toMatchObject({ code: "DATA_FILE" });

  const again = rewindable(openSource(cutAt(bytes, [3, 6])));
  for await (const chunk of again.chunks()) {
    expect(chunk).toEqual(bytes.slice(0, 3));
    break;
  }
  expect(await allBytes(again)).toEqual(bytes);

  const { head, source } = await peek(openSource(cutAt(bytes, [3, 6])), 5);
  expect(head).toEqual(bytes.slice(0, 5));
  expect(await allBytes(source)).toEqual(bytes);
});

/** Slightly more than two of the chunks in which sources are read. All chunks differ. */
const long = Uint8Array.from({ length: 2 * (1 << 20) + 3 }, (_, i) => (i ^ (i >> 8) ^ (i >> 16)) & 255);

describe("sources longer than one chunk", () => {
  const packed = new Uint8Array(gzipSync(long));
  const kinds: [string, () => Promise<Source>, { byteLength: number | undefined; rereadable: boolean; random: boolean }][] = [
    ["bytes", async () => long, { byteLength: long.length, rereadable: true, random: true }],
    [
      "a part of a buffer",
      async () => new Uint8Array([9, ...long, 9]).subarray(1, -1),
      { byteLength: long.length, rereadable: true, random: true },
    ],
    ["content", async () => ({ content: long }), { byteLength: long.length, rereadable: true, random: true }],
    ["a Blob", async () => new Blob([long]), { byteLength: long.length, rereadable: true, random: true }],
    ["a path", async () => write("long", long), { byteLength: long.length, rereadable: true, random: true }],
    [
      "a file's address",
      async () => pathToFileURL(await write("long", long)),
      { byteLength: long.length, rereadable: true, random: true },
    ],
    ["a stream", async () => cutAt(long, [1, 1 << 20]), { byteLength: undefined, rereadable: false, random: false }],
    ["packed bytes", async () => packed, { byteLength: packed.length, rereadable: true, random: true }],
    ["a packed path", async () => write("packed", packed), { byteLength: packed.length, rereadable: true, random: true }],
  ];
  const write = async (name: string, content: Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const open = (): number => readdirSync("/dev/fd").length;

  test.each(kinds)("%s", async (_, make, { byteLength, rereadable, random }) => {
    const source = openSource(await make());
    const before = open();
    expect([source.byteLength, source.rereadable, source.access !== undefined]).toEqual([byteLength, rereadable, random]);
    for (let reading = 0; reading < (rereadable ? 2 : 1); reading++) expect(same(await allBytes(source), long)).toBe(true);
    if (rereadable) for await (const _ of source.chunks()) break;
    if (random) {
      const access = await source.access!();
      expect(access.byteLength).toBe(long.length);
      for (const [start, end] of [
        [0, 2],
        [5, 5],
        [1 << 20, (1 << 20) + 7],
        [7, long.length],
        [long.length - 3, long.length],
      ])
        expect(same(await access.slice(start, end), long.subarray(start, end)), `${start} to ${end}`).toBe(true);
      expect(same(await access.slice(long.length - 2, long.length + 9), long.subarray(-2))).toBe(true);
      await access.close();
    }
    // Files are closed, including partially read ones.
    expect(open()).toBe(before);
  });

  test("accepts as many bytes as allowed and refuses one more", async () => {
    expect(await allBytes(openSource(long), long.length)).toHaveLength(long.length);
    await expect(allBytes(openSource({ content: long, name: "a.png" }), long.length - 1)).rejects.toThrow(
      `a.png: there are more than ${long.length - 1} bytes; split the file, or pass one that is not packed [DATA_UNSUPPORTED]`,
    );
  });
});

test("reads content of no bytes, of one byte, and of bytes that packed files begin with", async () => {
  for (const content of [[], [0x1f], [0x8b, 0x1f], [0x1f, 0x8c], [7, 0x1f, 0x8b]]) {
    for (const source of [Uint8Array.from(content), cutAt(Uint8Array.from(content), [1, 2])])
      expect([...(await allBytes(openSource(source)))]).toEqual(content);
  }
  const cut = gzipSync(long).subarray(0, 5000);
  await expect(allBytes(openSource({ content: cut, name: "a.gz" }))).rejects.toThrow(
    "a.gz: the gzip data is damaged or cut short; fetch the file again [DATA_GZIP]",
  );
});

test.skipIf(process.platform === "win32")("reads a pipe by its path once to its end, without random access", async () => {
  const path = join(folder, "pipe");
  execFileSync("mkfifo", [path]);
  const source = openSource(path);
  expect([source.rereadable, source.byteLength]).toEqual([false, undefined]);
  const written = writeFile(path, long);
  expect(same(await allBytes(source), long)).toBe(true);
  await written;
  const rows = writeFile(path, "a,b\n1,2\n");
  expect(cells(await readTable(path))).toEqual([[1], [2]]);
  await rows;
});

test("a signal ends reading between two chunks and closes the source", async () => {
  const controller = new AbortController();
  let closed = false;
  async function* pieces() {
    try {
      for (let k = 0; ; k++) {
        if (k === 2) controller.abort(new Error("enough"));
        yield Uint8Array.of(k);
      }
    } finally {
      closed = true;
    }
  }
  const seen: number[] = [];
  const reading = (async () => {
    for await (const piece of openSource(pieces(), { signal: controller.signal }).chunks()) seen.push(...piece);
  })();
  await expect(reading).rejects.toThrow("enough");
  expect(closed).toBe(true);
  expect(seen.length).toBeLessThanOrEqual(2);
});

test("refuses a missing source", () => {
  expect(() => openSource(undefined as never)).toThrow(
    'source: undefined is not a source; give a path, a URL, a Response, "-", a File, bytes, or { content, name } [OPTION_TYPE]',
  );
});
