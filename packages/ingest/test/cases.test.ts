/**
 * Small files with the expected table, or the complete error with line, column, text and advice. Each reader has a file
 * in cases/. A case is one line of JSON: the content, a tab, and options. The expected result follows below, or "! "
 * and the error. For BIF the content is [text of the plain file, replacement], for DimmWitted [file, its content], and
 * for Parquet and Arrow the input of binary-readers.ts.
 */
import { readdirSync, readFileSync } from "node:fs";
import type { SparseTable } from "ergodic";
import { describe, expect, it } from "vitest";
import { readBif, readDimmWitted, readLibdai, readUai } from "../src/graphs/index.ts";
import { readSparseTable, readTable } from "../src/index.ts";
import { binaryReaders, dense } from "./binary-readers.ts";

type Case = readonly [content: string | [string, string], options: object, wanted: string];

const folder = new URL("cases/", import.meta.url);
const here = (name: string): string => readFileSync(new URL(name, folder), "utf8");

function casesOf(name: string): Case[] {
  const lines = here(name).trimEnd().split("\n");
  expect(lines.length % 2).toBe(0);
  return Array.from({ length: lines.length / 2 }, (_, k): Case => {
    const [content, options = "{}"] = lines[2 * k].split("\t");
    return [JSON.parse(content), JSON.parse(options), lines[2 * k + 1].slice(2)];
  });
}

/** A row: its label, then the column and value of each entry. */
const sparse = ({ columnCount, target, rowStart, columnIndex, values, weights }: SparseTable): unknown => ({
  columns: columnCount,
  rows: Array.from(target, (label, i) => [
    label,
    ...Array.from({ length: rowStart[i + 1] - rowStart[i] }, (_, k) => [columnIndex[rowStart[i] + k], values[rowStart[i] + k]]),
  ]),
  ...(weights ? { weights: Array.from(weights) } : {}),
});

const plainBif = here("plain.bif");
const uai = "BAYES\n2\n2 3\n2\n1 0\n2 0 1\n\n2\n 0.4 0.6\n6\n 0.1 0.2 0.7\n 0.3 0.3 0.4\n";
const dimmwitted: Record<string, string> = {
  weights: "0 0 0.5\n1 1 2\n",
  variables: "0 0 0 0 2\n1 1 1 0 2\n2 0 0 1 3\n",
  domains: "2 3 {2,5,9} {0,0.5,1}\n",
  args: "4 2 1 1",
  factors: "0 1 0 1\n1 0 1 0.5\n",
};
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));
const table =
  (format: string) =>
  async (content: string | [string, string], options: object): Promise<unknown> =>
    dense(await readTable({ content: content as string, name: `a.${format}` }, { format, ...options } as never));
const sparseTable =
  (format: string) =>
  async (content: string | [string, string], options: object): Promise<unknown> =>
    sparse(await readSparseTable({ content: content as string, name: `a.${format}` }, { format, ...options } as never));
const binaryTable =
  (format: string) =>
  async (content: string | [string, string], options: object): Promise<unknown> =>
    dense(await readTable({ content: bytesOf(content as string), name: `a.${format}` }, { format, ...options } as never));

const readers: Record<string, (content: string | [string, string], options: object) => unknown> = {
  ...(binaryReaders as Record<string, (content: unknown, options: object) => unknown>),
  "bif.txt": (content) =>
    readBif({ content: typeof content === "string" ? content : replaced(plainBif, ...content), name: "a.bif" }),
  "csv.txt": table("csv"),
  "dimmwitted.txt": (content) => {
    const changed: Record<string, string> = { ...dimmwitted, [content[0]]: content[1] };
    const file = (name: string) => ({ content: changed[name], name });
    const factors = [{ rows: file("factors"), args: file("args") }];
    return readDimmWitted({ weights: file("weights"), variables: file("variables"), domains: file("domains"), factors });
  },
  "evidence.txt": (content) => readUai({ content: uai, name: "a.uai" }, { evidence: { content: content as string, name: "e" } }),
  "idx.txt": binaryTable("idx"),
  "jsonl.txt": table("jsonl"),
  "libdai.txt": (content) => readLibdai({ content: content as string, name: "a.fg" }),
  "libsvm.txt": sparseTable("libsvm"),
  "npy.txt": binaryTable("npy"),
  "uai.txt": (content) => readUai({ content: content as string, name: "a.uai" }),
  "vw.txt": sparseTable("vw"),
};

it("refuses unknown options by name", async () => {
  const odd = { evidnce: 1 } as never;
  await expect(readUai({ content: uai }, odd)).rejects.toThrow('readUai: unknown option "evidnce" (known: evidence, sample)');
  const files = { weights: "", variables: "", factors: "", ...(odd as object) };
  await expect(readDimmWitted(files)).rejects.toThrow('readDimmWitted: unknown option "evidnce" (known: weights, variables,');
});

it.each([
  ["FF FE", [0xff, 0xfe, 97, 0]],
  ["FE FF", [0xfe, 0xff, 0, 97]],
])("recognises a file that begins with %s as UTF-16", async (mark, bytes) => {
  await expect(readTable({ content: Uint8Array.from(bytes), name: "a.csv" }, { format: "csv" })).rejects.toThrow(
    `a.csv: the file is UTF-16 (byte order mark ${mark}), but must be UTF-8; convert it: iconv -f UTF-16 -t UTF-8 [DATA_ENCODING]`,
  );
});

function replaced(text: string, what: string, by: string): string {
  expect(text).toContain(what);
  return text.replace(what, () => by);
}

it("every reader has its cases, and every file of cases has a reader", () => {
  const files = readdirSync(folder).filter((name) => name.endsWith(".txt"));
  expect(files.sort()).toEqual(Object.keys(readers).sort());
});

describe.each(Object.keys(readers))("%s", (name) => {
  it.each(casesOf(name))("%j %j", async (content, options, wanted) => {
    let found: string;
    try {
      found = JSON.stringify(await readers[name](content, options));
    } catch (error) {
      found = `! ${(error as Error).message}`;
    }
    expect(found).toBe(wanted);
  });
});
