/** Draws in folders: files are written and read back, and a mixture of two saves is refused. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { csvBlocks, toCmdStanCsv } from "../../../src/bayes/draws/csv.ts";
import { Draws } from "../../../src/bayes/draws/draws.ts";
import { BLOCK, jsonBlocks } from "../../../src/bayes/draws/json.ts";
import { readDraws, saveDraws } from "../../../src/bayes/draws/save.ts";
import { loadDraws } from "../../../src/bayes/load-draws.ts";
import { murmur3 } from "../../../src/engine/random/murmur3.ts";
import { example, plain } from "./contents.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "draws-"));
});
afterEach(() => {
  vi.unstubAllGlobals();
  rmSync(folder, { recursive: true });
});

const draws = example();
const { content } = draws;
/** The first chain alone. */
const shorter = new Draws({
  ...content,
  chains: 1,
  values: Object.fromEntries(Object.entries(content.values).map(([name, values]) => [name, values.slice(0, values.length / 2)])),
  transitions: content.transitions.slice(0, 12),
});
const path = (name: string) => join(folder, name);

describe("saveDraws and loadDraws", () => {
  it.each([
    ["csv", ["chain_1.csv", "chain_2.csv", "draws.json"]],
    ["json", ["draws.json"]],
  ] as const)("%s: keep everything", async (format, names) => {
    const inner = path("a/b");
    await saveDraws(draws, inner, { format });
    expect(readdirSync(inner).sort()).toEqual(names);
    expect(plain((await loadDraws(inner)).content)).toEqual(plain(content));
    expect(plain((await loadDraws(join(inner, "draws.json"))).content)).toEqual(plain(content));
    expect(plain((await loadDraws(pathToFileURL(join(inner, "draws.json")))).content)).toEqual(plain(content));
  });

  it("remove files of an earlier save but no others", async () => {
    writeFileSync(path("notes.txt"), "mine");
    await saveDraws(draws, folder);
    await saveDraws(shorter, folder);
    expect(readdirSync(folder).sort()).toEqual(["chain_1.csv", "draws.json", "notes.txt"]);
    expect((await loadDraws(folder)).chains).toBe(1);
    const twelve = {
      chains: 12,
      count: 1,
      quantities: [],
      values: {},
      fields: ["logDensity"],
      transitions: new Float64Array(12),
    };
    await saveDraws(new Draws({ ...twelve, description: {}, report: {} }), folder);
    expect(readdirSync(folder)).toHaveLength(14);
    await saveDraws(draws, folder, { format: "json" });
    expect(readdirSync(folder).sort()).toEqual(["draws.json", "notes.txt"]);
    expect(plain((await loadDraws(folder)).content)).toEqual(plain(content));
  });

  it("refuse a file from another save", async () => {
    await saveDraws(draws, folder);
    writeFileSync(path("chain_2.csv"), toCmdStanCsv(draws, 0));
    await expect(loadDraws(folder)).rejects.toThrow(/chain_2.csv: it is not the file that draws.json describes/);
    const index = readFileSync(path("draws.json"));
    await expect(loadDraws(index)).rejects.toThrow(
      /it lists chain_1.csv, a file of its folder, but was given without the folder/,
    );
    writeFileSync(path("draws.json"), String(index).replace("chain_2", "../chain_2"));
    await expect(loadDraws(folder)).rejects.toThrow(/it lists "..\/chain_2.csv", which is not a CSV file in the same folder/);
    writeFileSync(path("draws.json"), index);
    rmSync(path("chain_2.csv"));
    await expect(loadDraws(folder)).rejects.toThrow(/chain_2.csv: cannot be read: no such file/);
  });

  it("read files of other programs from a folder in numeric order, by name or as bytes", async () => {
    for (let c = 1; c <= 11; c++) writeFileSync(path(`output_${c}.csv`), `lp__,x\n0,${c}\n`);
    expect([...(await loadDraws(folder)).draws("x")]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect([...(await loadDraws([path("output_3.csv"), path("output_2.csv")])).draws("x")]).toEqual([3, 2]);
    expect([...(await loadDraws(path("output_5.csv"))).draws("x")]).toEqual([5]);
    const bytes = readFileSync(path("output_7.csv"));
    expect([...(await loadDraws([bytes, new Blob([bytes])])).draws("x")]).toEqual([7, 7]);
  });

  it("read only tables in a folder and detect formats from the first bytes, even in short blocks", async () => {
    writeFileSync(path("output_1.csv"), "\n\n# a comment\nlp__,x\n0,4\n");
    for (const name of ["notes.txt", "output_1.csv.gz", "csv"]) writeFileSync(path(name), "none");
    for (const blockBytes of [1, 4, 100]) {
      expect([...(await readDraws(folder, blockBytes)).draws("x")]).toEqual([4]);
      const arrow = readDraws(new TextEncoder().encode("ARROW1\0\0"), blockBytes);
      await expect(arrow).rejects.toThrow(/the file is in Arrow format; .* \[DRAWS_FORMAT\]$/);
      const json = new TextEncoder().encode(`\n \n${JSON.stringify(draws.toJSON())}`);
      expect(plain((await readDraws(json, blockBytes)).content)).toEqual(plain(content));
      // Shorter than the signature of an Arrow file.
      for (const [text, values] of [
        ["x\n7", [7]],
        ["x\n", []],
      ] as const)
        expect([...(await readDraws(new TextEncoder().encode(text), blockBytes)).draws("x")]).toEqual(values);
    }
    for (const empty of ["", " \n"])
      await expect(loadDraws(new TextEncoder().encode(empty))).rejects.toThrow(/there is no table/);
  });

  it("remove only files with names of chains, whatever the earlier index lists", async () => {
    await saveDraws(draws, folder);
    const { files, ...index } = JSON.parse(readFileSync(path("draws.json"), "utf8"));
    const [first] = files as object[];
    const others = ["mine.csv", "chain_x.csv", "chain_3.csv.bak", "my_chain_3.csv"];
    for (const name of [...others, "chain_3.csv", "chain_4.csv"]) writeFileSync(path(name), "x\n1\n");
    const listed = [...others, "chain_3.csv"].map((name) => ({ ...first, name }));
    writeFileSync(path("draws.json"), JSON.stringify({ ...index, files: [...files, ...listed] }));
    await saveDraws(shorter, folder);
    // Chains that the index does not list are not removed.
    expect(readdirSync(folder).sort()).toEqual(["chain_1.csv", "chain_4.csv", "draws.json", ...others].sort());
  });

  it("list the size in bytes and the checksum of each chain's file", async () => {
    // Letters of two and three bytes.
    const { mu, ...values } = content.values;
    const quantities = content.quantities.map((one) => (one.name === "mu" ? { ...one, name: "µ́ŷ" } : one));
    const named = new Draws({ ...content, quantities, values: { ...values, µ́ŷ: mu }, description: { model: "naïve ☃" } });
    await saveDraws(named, folder);
    expect(plain((await loadDraws(folder)).content)).toEqual(plain(named.content));
    const { files } = JSON.parse(readFileSync(path("draws.json"), "utf8"));
    const expected = ["chain_1.csv", "chain_2.csv"].map((name) => {
      const bytes = readFileSync(path(name));
      return { name, bytes: bytes.length, checksum: murmur3(bytes, 0, bytes.length, 0) };
    });
    expect(files).toEqual(expected);
    expect(new Set(expected.map(({ checksum }) => checksum)).size).toBe(2);
    // Either the size or the checksum is enough to refuse a file.
    for (const wrong of [{ bytes: expected[1].bytes + 1 }, { checksum: expected[0].checksum }]) {
      const index = JSON.parse(readFileSync(path("draws.json"), "utf8"));
      writeFileSync(path("other.json"), JSON.stringify({ ...index, files: [expected[0], { ...expected[1], ...wrong }] }));
      await expect(loadDraws(path("other.json"))).rejects.toThrow(/chain_2.csv: it is not the file that draws.json describes/);
    }
  });

  it("write nothing if CSV cannot hold the draws", async () => {
    const odd = new Draws({
      ...content,
      quantities: [{ name: "a__", shape: [], kind: "parameter" }],
      values: { a__: new Float64Array(6) },
    });
    await expect(saveDraws(odd, path("new"))).rejects.toThrow(/"a__" cannot be the name of a column/);
    expect(readdirSync(folder)).toEqual([]);
    await saveDraws(odd, folder, { format: "json" });
    expect((await loadDraws(folder)).quantities[0].name).toBe("a__");
  });

  it("write blocks that join to the whole text", async () => {
    const [chains, count, width] = [2, 150, 250];
    const numbers = (length: number, scale: number): Float64Array => Float64Array.from({ length }, (_, k) => Math.sin(k) * scale);
    const wide = new Draws({
      ...content,
      chains,
      count,
      quantities: [{ name: "x", shape: [width], kind: "parameter" }],
      values: { x: numbers(chains * count * width, 1e-300) },
      fields: ["logDensity", "energy"],
      transitions: numbers(chains * count * 2, 1e9),
    });
    const blocks = [...csvBlocks(wide.content, 1)];
    expect(blocks.length).toBeGreaterThan(3);
    expect(Math.max(...blocks.map((block) => block.length))).toBeLessThan(30 * BLOCK);
    const rows = blocks
      .join("")
      .split("\n")
      .filter((line) => !line.startsWith("#"));
    expect(rows).toHaveLength(count + 2);
    const json = [...jsonBlocks(wide.content)];
    expect(json.join("")).toBe(JSON.stringify(wide.toJSON()));
    expect(Math.max(...json.map((block) => block.length))).toBeLessThan(30 * BLOCK);
    expect([...jsonBlocks(content)].join("")).toBe(JSON.stringify(draws.toJSON()));
    for (const format of ["csv", "json"] as const) {
      await saveDraws(wide, folder, { format });
      expect(plain((await loadDraws(folder)).content)).toEqual(plain(wide.content));
    }
  });

  it("read blocks of any size with the same result", async () => {
    for (const format of ["csv", "json"] as const) {
      await saveDraws(draws, folder, { format });
      const bytes = readFileSync(path("draws.json"));
      for (const blockBytes of [1, 7, 1000]) {
        expect(plain((await readDraws(folder, blockBytes)).content)).toEqual(plain(content));
        if (format === "csv") continue;
        expect(plain((await readDraws(bytes, blockBytes)).content)).toEqual(plain(content));
        expect(plain((await readDraws(new Blob([bytes]), blockBytes)).content)).toEqual(plain(content));
        expect(plain((await readDraws(pathToFileURL(path("draws.json")), blockBytes)).content)).toEqual(plain(content));
      }
    }
  });

  it("detect damage in blocks of any size", async () => {
    const json = JSON.stringify(draws.toJSON());
    const [name] = Object.keys(content.values);
    const inList = (change: (list: string) => string): string =>
      json.replace(new RegExp(`("values":\\{"${name}":\\[)([^\\]]*)`), (_, before, list) => before + change(list));
    const cases: [string, RegExp][] = [
      [json.slice(0, -1), /it is not JSON/],
      [inList(() => "").replace(/\]/, ""), /it is not JSON|must be/],
      [inList((list) => `${list},`), /it is not JSON/],
      [inList((list) => `,${list}`), /it is not JSON/],
      [inList((list) => list.replace(",", ",,")), /it is not JSON/],
      [inList((list) => `"x]",${list}`), /it is not JSON|is not a number/],
      [inList((list) => `true,${list}`), /holds true, which is not a number/],
      [inList((list) => `[1],${list}`), /it is not JSON/],
      [inList(() => ""), /holds 0|must|numbers/],
      ['{"values":[1],"transitions":null}', /"format" must be/],
      [json.replace('"values":{', '"values":{"odd":[{"a":1}],'), /it is not JSON|is not a number/],
    ];
    for (const [text, words] of cases)
      for (const blockBytes of [1, 5, 1 << 20])
        await expect(readDraws(new TextEncoder().encode(text), blockBytes), text.slice(0, 80)).rejects.toThrow(words);
    // An escaped spelling of a name is the same name.
    const escaped = new TextEncoder().encode(json.replace('"values":', '"v\\u0061lues":'));
    for (const blockBytes of [1, 1 << 20]) expect(plain((await readDraws(escaped, blockBytes)).content)).toEqual(plain(content));
    // Brackets within strings and in other lists do not end the lists that are split.
    const described = new Draws({ ...content, description: { values: { a: [1, "]}", { b: [2] }], note: '["{' } } });
    const text = new TextEncoder().encode(JSON.stringify(described.toJSON()));
    expect((await readDraws(text, 3)).content.description).toEqual(described.content.description);
    // A damaged file is reported as such, and not by the errors that its content causes.
    await saveDraws(draws, folder);
    writeFileSync(path("chain_1.csv"), `${readFileSync(path("chain_1.csv"))}x,y\n`);
    await expect(readDraws(folder, 9)).rejects.toThrow(/chain_1.csv: it is not the file that draws.json describes/);
    // The file has the same length and is still a table.
    await saveDraws(draws, folder);
    const before = readFileSync(path("chain_2.csv"), "utf8");
    const other = before.replace(/\d(?=\D*$)/, (digit) => String(9 - Number(digit)));
    expect(other).not.toBe(before);
    writeFileSync(path("chain_2.csv"), other);
    await expect(loadDraws(folder)).rejects.toThrow(/chain_2.csv: it is not the file that draws.json describes/);
  });

  it.skipIf(process.env.ERGODIC_FAULTS !== "1")(
    "write and read a chain with more characters than a string can hold (ERGODIC_FAULTS=1)",
    async () => {
      const [count, width] = [1000, 22_000];
      const huge = new Draws({
        ...content,
        chains: 1,
        count,
        quantities: [{ name: "x", shape: [width], kind: "parameter" }],
        values: { x: new Float64Array(count * width).fill(-2.2250738585072014e-308) },
        fields: [],
        transitions: new Float64Array(0),
      });
      await saveDraws(huge, path("csv"));
      expect(statSync(path("csv/chain_1.csv")).size).toBeGreaterThan(2 ** 29);
      const sameAs = ({ content: { values } }: Draws): boolean =>
        values.x.every((value, k) => value === huge.content.values.x[k]);
      expect(sameAs(await loadDraws(path("csv")))).toBe(true);
      await saveDraws(huge, path("json"), { format: "json" });
      expect(statSync(path("json/draws.json")).size).toBeGreaterThan(2 ** 29);
      expect(sameAs(await loadDraws(path("json")))).toBe(true);
    },
  );

  it("save to the temporary folder if the target cannot be written", async () => {
    writeFileSync(path("file"), "");
    for (const format of ["csv", "json"] as const) {
      const error = await saveDraws(draws, path("file/out"), { format }).catch((thrown: Error) => thrown);
      const [, kept] = /the folder cannot be made: .*; the result is kept in (\S+out); move it/.exec(String(error))!;
      expect(plain((await loadDraws(kept)).content)).toEqual(plain(content));
      rmSync(join(kept, ".."), { recursive: true });
    }
  });

  it("refuse devices behind any link, because they may be endless, and read a pipe to its end", async () => {
    for (const name of ["chain_1.csv", "draws.json"]) {
      const [run, file] = [path(`run of ${name}`), path(`run of ${name}/${name}`)];
      mkdirSync(run);
      symlinkSync("/dev/zero", file);
      const refused = `${file}: cannot be read: it is a device, but must be a file or a pipe [FILE_READ]`;
      for (const from of [run, file, [file]]) await expect(loadDraws(from)).rejects.toThrow(refused);
      await expect(loadDraws(pathToFileURL(file))).rejects.toThrow(/cannot be read: it is a device/);
    }
    await saveDraws(draws, folder);
    rmSync(path("chain_2.csv"));
    symlinkSync("/dev/zero", path("chain_2.csv"));
    await expect(loadDraws(folder)).rejects.toThrow(/chain_2.csv: cannot be read: it is a device/);
    execFileSync("mkfifo", [path("pipe")]);
    const written = writeFile(path("pipe"), JSON.stringify(draws.toJSON()));
    expect(plain((await loadDraws(path("pipe"))).content)).toEqual(plain(content));
    await written;
  });

  it("require a file system to write but not to read", async () => {
    vi.stubGlobal("process", undefined);
    await expect(saveDraws(draws, folder)).rejects.toThrow(
      /a browser has no paths; give the handle of a folder .* saveDraws\(draws\) as a download \[NO_FILES\]/,
    );
    expect((await loadDraws(new Blob([JSON.stringify(draws.toJSON())]))).chains).toBe(2);
    // In a browser, a string is an address.
    await expect(loadDraws("no address")).rejects.toThrow(/^no address: cannot be read: .*\[FILE_READ\]$/);
  });

  it("report invalid folders, files and options", async () => {
    await expect(loadDraws(folder)).rejects.toThrow(/there is neither draws.json nor a CSV file in this folder/);
    await expect(loadDraws(path("none"))).rejects.toThrow(/none: cannot be read: no such file or folder/);
    await expect(loadDraws([])).rejects.toThrow(/there are no files/);
    await expect(saveDraws(draws, folder, { format: "arrow" as "csv" })).rejects.toThrow(
      /format is "arrow", but must be "csv" or "json"/,
    );
    writeFileSync(path("draws.json"), '{"format":');
    await expect(loadDraws(folder)).rejects.toThrow(/draws.json: it is not JSON: it may have been cut/);
    await expect(loadDraws([path("draws.json"), path("draws.json")])).rejects.toThrow(/holds all chains of a run; give it alone/);
    await expect(loadDraws(new TextEncoder().encode("ARROW1"))).rejects.toThrow(/readDrawsArrow of @ergodic\/ingest/);
    writeFileSync(path("file"), "");
    await expect(saveDraws(draws, path("file"))).rejects.toThrow(/the folder cannot be made/);
  });
});

/** A browser folder with files in memory. Writing to the file `fails` throws an error. */
class MemoryFolder {
  readonly kind = "directory";
  readonly name = "opfs";
  readonly files = new Map<string, File>();
  fails = "";

  async *keys(): AsyncGenerator<string> {
    yield* this.files.keys();
  }

  async getFileHandle(name: string, { create = false } = {}) {
    if (!create && !this.files.has(name)) throw new DOMException("there is no such entry", "NotFoundError");
    const put = (parts: BlobPart[]) => this.files.set(name, new File(parts, name));
    if (!this.files.has(name)) put([]);
    const fails = name === this.fails;
    return {
      kind: "file" as const,
      name,
      getFile: async () => this.files.get(name)!,
      async createWritable() {
        const parts: BlobPart[] = [];
        return {
          async write(part: BlobPart) {
            if (fails) throw new DOMException("the quota is used up", "QuotaExceededError");
            parts.push(typeof part === "string" ? part : (part as Uint8Array<ArrayBuffer>).slice());
          },
          close: async () => void put(parts),
          abort: async () => {},
        };
      },
    };
  }

  async removeEntry(name: string): Promise<void> {
    this.files.delete(name);
  }
}

describe("saving in a web page", () => {
  it.each([
    ["csv", ["chain_1.csv", "chain_2.csv", "draws.json"]],
    ["json", ["draws.json"]],
  ] as const)("%s: a folder handle keeps everything and nothing of an earlier save", async (format, names) => {
    vi.stubGlobal("process", undefined);
    const opfs = new MemoryFolder();
    await saveDraws(draws, opfs, { format: "csv" });
    await saveDraws(draws, opfs, { format });
    expect([...opfs.files.keys()].sort()).toEqual(names);
    expect(plain((await loadDraws(opfs)).content)).toEqual(plain(content));
    const handle = await opfs.getFileHandle(names[0]);
    const first = await loadDraws([handle]);
    expect(first.chains).toBe(format === "csv" ? 1 : 2);
  });

  it("a file handle and bytes hold all draws", async () => {
    vi.stubGlobal("process", undefined);
    const handle = await new MemoryFolder().getFileHandle("run.json", { create: true });
    await saveDraws(draws, handle);
    const bytes = await saveDraws(draws);
    expect(new Uint8Array(await (await handle.getFile()).arrayBuffer())).toEqual(bytes);
    expect(plain((await loadDraws(handle)).content)).toEqual(plain(content));
    expect(plain((await loadDraws(bytes)).content)).toEqual(plain(content));
  });

  it("errors name what cannot be saved or loaded", async () => {
    const opfs = new MemoryFolder();
    await expect(loadDraws(opfs)).rejects.toThrow("opfs: there is neither draws.json nor a CSV file in this folder");
    const handle = await opfs.getFileHandle("run.csv", { create: true });
    await expect(saveDraws(draws, new URL("https://example.org/out") as never)).rejects.toThrow(/^saveDraws: to is of type URL/);
    await expect(saveDraws(draws, handle, { format: "csv" })).rejects.toThrow(
      /a single file was given; give a folder.*OPTION_CONFLICT/,
    );
    await expect(saveDraws(draws, 7 as never)).rejects.toThrow(/^saveDraws: to is 7, but must be a folder's path/);
    opfs.fails = "chain_2.csv";
    await expect(saveDraws(draws, opfs)).rejects.toThrow(/^chain_2.csv: cannot be written: the quota is used up \[FILE_WRITE\]/);
    expect([...opfs.files.keys()]).toEqual(["run.csv"]);
    const lost = { kind: "file" as const, name: "lost.json", getFile: () => Promise.reject(new DOMException("it is gone")) };
    await expect(loadDraws(lost)).rejects.toThrow("lost.json: cannot be read: it is gone [FILE_READ]");
    await saveDraws(draws, Object.assign(opfs, { fails: "" }));
    opfs.files.set("chain_2.csv", opfs.files.get("chain_1.csv")!);
    await expect(loadDraws(opfs)).rejects.toThrow(/chain_1.csv: it is not the file that draws.json describes/);
  });
});

describe("a folder handle with an exhausted quota", () => {
  it.each(["chain_1.csv", "draws.json"])("keeps the earlier draws if writing fails at %s", async (name) => {
    const opfs = new MemoryFolder();
    await saveDraws(draws, opfs);
    opfs.fails = name;
    await expect(saveDraws(shorter, opfs)).rejects.toThrow(/cannot be written: the quota is used up \[FILE_WRITE\]/);
    expect(plain((await loadDraws(opfs)).content)).toEqual(plain(content));
  });
});

describe("errors for invalid input", () => {
  const text = (given: string): Uint8Array => new TextEncoder().encode(given);
  const json = text(JSON.stringify(draws.toJSON()));
  const listing = (name: unknown): Uint8Array =>
    text(JSON.stringify({ ...draws.toJSON(), files: [{ name, bytes: 1, checksum: 1 }] }));
  it.each<[string, () => Promise<unknown>, string]>([
    ["bytes without a name", () => loadDraws([text("x\n1"), text("x\nno")]), 'chain 2:2: "no" in column "x" is not a number'],
    ["one of bytes", () => loadDraws(text("x\nno")), 'chain 1:2: "no" in column "x" is not a number'],
    [
      "JSON among CSV",
      () => loadDraws([text("x\n1"), json]),
      "chain 2: it is JSON, and holds all chains of a run; give it alone [DRAWS_FOLDER]",
    ],
    [
      "JSON that was cut",
      () => loadDraws(json.slice(0, -3)),
      "chain 1: it is not JSON: it may have been cut; save the draws again [DRAWS_JSON]",
    ],
    ...["[]", " [1, 2]"].map((given): [string, () => Promise<unknown>, string] => [
      `JSON that is ${given}`,
      () => loadDraws(text(given)),
      'draws.json: it does not hold draws: "format" must be "ergodic-draws"; save the draws again [DRAWS_JSON]',
    ]),
    ["no files", () => loadDraws([]), "fromCmdStanCsv: there are no files; give one text per chain [DRAWS_EMPTY]"],
    ...["../a.csv", "a.txt", "a.csv/b", "", 3, null].map((name): [string, () => Promise<unknown>, string] => [
      `a listed ${JSON.stringify(name)}`,
      () => loadDraws(listing(name)),
      `chain 1: it lists ${JSON.stringify(name)}, which is not a CSV file in the same folder; save the draws again [DRAWS_FOLDER]`,
    ]),
    [
      "a listed file of bytes",
      () => loadDraws(listing("chain_1.csv")),
      "chain 1: it lists chain_1.csv, a file of its folder, but was given without the folder; give the folder's path or handle, or the CSV files [DRAWS_FOLDER]",
    ],
    [
      "an empty folder",
      () => loadDraws(folder),
      "there is neither draws.json nor a CSV file in this folder; give the folder of a run [DRAWS_FOLDER]",
    ],
    [
      "CSV in one file",
      () => saveDraws(draws, undefined as never, { format: "csv" }),
      'saveDraws: format is "csv", which writes a file per chain, but a single file was given; give a folder, or omit format to save as JSON [OPTION_CONFLICT]',
    ],
    [
      "a format that is none",
      () => saveDraws(draws, folder, { format: "arrow" as never }),
      'saveDraws: format is "arrow", but must be "csv" or "json" [OPTION_RANGE]',
    ],
    ["another option", () => saveDraws(draws, folder, { kind: "csv" } as never), 'saveDraws: unknown option "kind"'],
    [
      "no target",
      () => saveDraws(draws, 3 as never),
      "saveDraws: to is 3, but must be a folder's path, or the handle of a folder or of a file",
    ],
    [
      "a half of a handle",
      () => saveDraws(draws, { kind: "directory", name: "a" } as never),
      "but must be a folder's path, or the handle",
    ],
  ])("%s", async (_, attempt, message) => {
    const error = await attempt().then(
      () => new Error("nothing was thrown"),
      (thrown: Error) => thrown,
    );
    expect(error.message).toContain(message);
  });
});

it.each(["5", "null", '"text"', "lp__,x\n1,2\n"])(
  "a draws.json that holds %j is refused, even if it could begin a table",
  async (content) => {
    const at = join(mkdtempSync(join(tmpdir(), "draws-")), "draws.json");
    await writeFile(at, content);
    await expect(loadDraws(at)).rejects.toThrow(/DRAWS_JSON/);
  },
);
