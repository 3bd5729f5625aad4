/** Every kind of source gives the same table; streams are read once and closed. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { blocks, openSource, readSparseTable, readTable, type Source, sparseBlocks } from "../src/index.ts";
import { peek, rewindable } from "../src/replay.ts";
import { allBytes } from "../src/source.ts";
import { cells, cutAt } from "./writers.ts";

const text = "a,b\n1,x\n2,y\n";
const bytes = new TextEncoder().encode(text);
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

test("a stream is closed when reading stops early, whoever reads it", async () => {
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

test("no source at all", () => {
  expect(() => openSource(undefined as never)).toThrow(
    'source: undefined is no source; give a path, a URL, a Response, "-", a File, bytes, or { content, name } [OPTION_TYPE]',
  );
});
