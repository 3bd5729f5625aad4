/**
 * DuckDB as a reader. It reads exactly one local file, whatever its name. It refuses some options and sources, and it
 * closes the database on a signal and after every error.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { DataError, OptionError } from "ergodic";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { blocks, openSource, type ReadTableOptions, readTable, type Source } from "../../src/index.ts";
import { folder, refusal, written } from "./made.ts";

const { DuckDBInstance, DuckDBConnection } = createRequire(import.meta.url)(
  "@duckdb/node-api",
) as typeof import("@duckdb/node-api");
const duck = (source: Source, options: ReadTableOptions = {}) =>
  readTable(source, { format: "csv", engine: "duckdb", ...options });
const levels = async (path: Source) => {
  const [, column] = (await duck(path)).columns;
  return column.kind === "category" ? column.levels : [];
};

let opened: InstanceType<typeof DuckDBInstance>[];
const closed = new Set<unknown>();
beforeEach(() => {
  opened = [];
  closed.clear();
  const create = DuckDBInstance.create.bind(DuckDBInstance);
  vi.spyOn(DuckDBInstance, "create").mockImplementation(async (...given) => {
    const instance = await create(...given);
    opened.push(instance);
    return instance;
  });
  const close = DuckDBInstance.prototype.closeSync;
  vi.spyOn(DuckDBInstance.prototype, "closeSync").mockImplementation(function (this: InstanceType<typeof DuckDBInstance>) {
    closed.add(this);
    close.call(this);
  });
});
/** Each test closes as many databases as it opened. */
afterEach(() => {
  expect(opened.filter((instance) => !closed.has(instance))).toEqual([]);
  vi.restoreAllMocks();
});

describe("the file that is read", () => {
  it("is the file at the path, even if the path contains pattern characters", async () => {
    const names = [
      "*.csv",
      "st*r.csv",
      "a?.csv",
      "[b].csv",
      "[!x].csv",
      "{x,y}.csv",
      "**.csv",
      "it's.csv",
      "';--.csv",
      'dq".csv',
      "~.csv",
      "$HOME.csv",
      "a b.csv",
      "é.csv",
    ];
    const place = mkdtempSync(join(folder, "names-"));
    for (const sibling of ["star.csv", "ab.csv", "b.csv", "x.csv", "y.csv", "q.csv"])
      writeFileSync(join(place, sibling), "a,b\n1,sibling\n");
    for (const name of names) {
      writeFileSync(join(place, name), "a,b\n1,own\n");
      expect(await levels(join(place, name))).toEqual(["own"]);
    }
    expect(opened).toHaveLength(names.length);
  });

  it("is local even if the path looks like an address or a folder pattern", async () => {
    const place = mkdtempSync(join(folder, "places-"));
    for (const part of ["s3:", "file:", "hf:", "*", "[ab]", "a"]) {
      mkdirSync(join(place, part));
      writeFileSync(join(place, part, "x.csv"), `a,b\n1,${part}\n`);
    }
    const before = process.cwd();
    try {
      process.chdir(place);
      for (const part of ["s3:", "file:", "hf:", "*", "[ab]"]) expect(await levels(`${part}//x.csv`)).toEqual([part]);
    } finally {
      process.chdir(before);
    }
  });

  it("can be given as a URL, a link or a relative path", async () => {
    const path = written("a,b\n1,own\n");
    symlinkSync(path, join(folder, "link.csv"));
    for (const source of [pathToFileURL(path), join(folder, "link.csv"), relative(process.cwd(), path), openSource(path)])
      expect(await levels(source)).toEqual(["own"]);
  });

  it("is the only file that the database can access", async () => {
    const other = written("a,b\n1,other\n");
    const run = DuckDBConnection.prototype.run;
    const tried: string[] = [];
    vi.spyOn(DuckDBConnection.prototype, "run").mockImplementation(async function (
      this: InstanceType<typeof DuckDBConnection>,
      ...given
    ) {
      const result = await run.apply(this, given);
      if (!/^SET lock/.test(given[0])) return result;
      for (const sql of [
        `SELECT * FROM read_csv('${other}')`,
        "SET enable_external_access = true",
        "INSTALL httpfs",
        `COPY (SELECT 1) TO '${other}'`,
      ])
        await run.call(this, sql).catch((error) => tried.push(String(error)));
      return result;
    });
    expect(await levels(written("a,b\n1,own\n"))).toEqual(["own"]);
    expect(tried).toHaveLength(4);
    expect(await levels(other)).toEqual(["other"]);
  });
});

describe("refusals", () => {
  it("refuses sources that are not regular files", async () => {
    const fifo = join(folder, "fifo.csv");
    execFileSync("mkfifo", [fifo]);
    const text = "a,b\n1,x\n";
    const bytes = new TextEncoder().encode(text);
    const sources: Source[] = [
      "-",
      text,
      bytes,
      { content: text, name: "t.csv" },
      new Blob([text]),
      new Response(text),
      fifo,
      "https://example.invalid/t.csv",
      "/dev/null",
    ];
    for (const source of sources) {
      const error = await refusal(duck(source));
      expect(error).toBeInstanceOf(OptionError);
      expect(error.message).toMatch(
        /engine is "duckdb", which opens only regular files, by path, but .* is not one; .* \[OPTION_CONFLICT\]$/,
      );
    }
    expect(opened).toHaveLength(0);
    expect(await refusal(duck(join(folder, "none.csv")))).toMatchObject({ code: "DATA_FILE_MISSING" });
    expect(await refusal(duck(join(folder, "none.parquet"), { format: "parquet" }))).toMatchObject({ code: "DATA_FILE_MISSING" });
    expect(await refusal(duck(folder))).toMatchObject({ code: "OPTION_CONFLICT" });
  });

  it("refuses folders and unreadable files with our own errors", async () => {
    for (const path of [folder, join(folder, "."), "/proc/self/mem"])
      await expect(duck(path)).rejects.toSatisfy((error) => error instanceof DataError || error instanceof OptionError);
  });

  it("refuses paths with a zero byte, or with a backslash that the database would interpret", async () => {
    const place = mkdtempSync(join(folder, "backslash-"));
    for (const sibling of ["*.csv", "?.csv", "[x].csv", "x.csv", "a.csv"])
      writeFileSync(join(place, sibling), "a,b\n1,sibling\n");
    for (const name of ["\\*.csv", "\\?.csv", "\\[x].csv", "[x]\\.csv", "a\\b*.csv", "a.csv\0.txt"]) {
      if (!name.includes("\0")) writeFileSync(join(place, name), "a,b\n1,own\n");
      const error = await refusal(duck(join(place, name)));
      expect(error).toBeInstanceOf(OptionError);
      expect(error.message).toMatch(
        /which cannot open a path that contains a zero byte, or \\ together with \*, \? or \[, but .*; rename it, or use engine: "own"/,
      );
    }
    expect(opened).toHaveLength(0);
    writeFileSync(join(place, "\\x.csv"), "a,b\n1,own\n");
    expect(await levels(join(place, "\\x.csv"))).toEqual(["own"]);
  });

  it("refuses options with another meaning there, files of one column and column names of two lines", async () => {
    const path = written("a,b\n1,x\n");
    expect((await refusal(duck(path, { comment: "#" }))).message).toMatch(
      /comments anywhere in a line.*leave comment out.*\[OPTION_CONFLICT\]$/,
    );
    expect((await refusal(duck(path, { ragged: "skip" }))).message).toMatch(/leave ragged: "skip" out.*\[OPTION_CONFLICT\]$/);
    expect((await duck(path, { comment: "", ragged: "refuse" })).rowCount).toBe(1);
    expect((await refusal(duck(written("a\n1\n\n2\n")))).message).toMatch(/only one column, "a"; .*\[OPTION_CONFLICT\]$/);
    expect((await refusal(duck(written('"a\nb",c\n1,2\n')))).message).toMatch(/the name "a\\nb" .*\[OPTION_CONFLICT\]$/);
  });

  it("refuses unknown engines and unsupported formats", async () => {
    const path = written("a,b\n1,x\n");
    for (const engine of ["pandas", "", "DuckDB", 5, true])
      expect((await refusal(readTable(path, { engine: engine as "own" }))).message).toMatch(
        /engine is .*, but must be "own" or "duckdb" \[OPTION_RANGE\]$/,
      );
    expect((await readTable(path, { engine: "own" })).rowCount).toBe(1);
    expect((await readTable(path, { engine: undefined })).rowCount).toBe(1);
    expect(await refusal(readTable(written('{"a":1}\n', "t.jsonl"), { engine: "duckdb" }))).toMatchObject({
      code: "OPTION_UNKNOWN",
    });
  });

  it("refuses malformed files by name and row, without advice about database options", async () => {
    const lines = `a,b\n${"1,x\n".repeat(300_000)}`; // more rows than our own decoder examines
    const cases: [string | Uint8Array, string, RegExp][] = [
      [`${lines}1\n`, "DATA_RAGGED", /:300002:1: DuckDB refuses the row \(.*Expected Number of Columns: 2 Found: 1\); /],
      [`${lines}1,"x\n`, "DATA_PARSE", /:300002:1: .*unterminated quote/],
      [Buffer.from(`${lines}1,\xe9\n`, "latin1"), "DATA_ENCODING", /:300002:1: .*utf-8/],
    ];
    for (const [content, code, words] of cases) {
      const error = await refusal(duck(written(content)));
      expect(error).toBeInstanceOf(DataError);
      expect(error).toMatchObject({ code });
      expect(error.message).toMatch(words);
      expect(error.message).toMatch(/^t\d+\.csv:/);
      expect(error.message).toMatch(/correct the file, or read it with engine: "own", which may say more/);
      expect(error.message).not.toMatch(/ignore_errors|strict_mode|null_padding|\n/);
    }
    expect(await refusal(duck(written("")))).toMatchObject({ code: "DATA_EMPTY" });
    expect(await refusal(duck(written("a,b\n")))).toMatchObject({ code: "DATA_EMPTY" });
  });

  it("reports the missing package in both readers", async () => {
    vi.resetModules();
    vi.doMock("@duckdb/node-api", () => {
      throw new Error("Cannot find package");
    });
    try {
      const without = await import("../../src/index.ts");
      const path = written("a,b\n1,x\n");
      for (const read of [without.readCsv, without.readParquet]) {
        const error = await refusal(read(path, { target: "b", engine: "duckdb" }));
        expect(error.name).toBe("CapabilityError");
        expect(error.message).toMatch(/npm install @duckdb\/node-api, or use engine: "own" \[DUCKDB_MISSING\]$/);
      }
    } finally {
      vi.doUnmock("@duckdb/node-api");
    }
  });
});

describe("closing of the database", () => {
  const large = () => written(`a,b\n${Array.from({ length: 50_000 }, (_, i) => `${i},l${i % 9}\n`).join("")}`);

  it("closes after an abort signal, before and during reading", async () => {
    const path = large();
    const reason = new Error("enough");
    expect(await refusal(duck(path, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    const controller = new AbortController();
    const reading = (async () => {
      let rows = 0;
      for await (const block of blocks(path, { engine: "duckdb", rows: 5000, signal: controller.signal })) {
        rows += block.rowCount;
        controller.abort(reason);
      }
      return rows;
    })();
    expect(await refusal(reading)).toBe(reason);
    expect(opened.length).toBeGreaterThan(0);
  });

  it("closes if the consumer stops taking blocks", async () => {
    for await (const block of blocks(large(), { engine: "duckdb", rows: 5000 })) {
      expect(block.rowCount).toBe(5000);
      break;
    }
  });

  it("closes every database after many reads", async () => {
    const path = written("a,b\n1,x\n");
    for (let i = 0; i < 8; i++) await duck(path);
    expect(opened).toHaveLength(8);
  });
});
