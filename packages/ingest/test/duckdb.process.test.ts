/**
 * Knowledge bases joined by a database: the graph of ground(), factor by factor, on random rules; tables of its files
 * as relations; and refusals.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FactorGraph, knowledgeBase, query, relation, weightedRule } from "ergodic";
import type { Joiner } from "ergodic/graphs";
import fc from "fast-check";
import { afterAll, describe, expect, it, vi } from "vitest";
import { power } from "../../ergodic/test/power.ts";
import { built, type Program, programs } from "../../ergodic/test/reference/random-knowledge-base.ts";
import { type DuckDb, duckdb } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "duckdb-"));
let db: DuckDb | undefined;
const opened = async (): Promise<DuckDb> => (db ??= await duckdb({ threads: 2 }));
afterAll(() => {
  db?.close();
  rmSync(folder, { recursive: true });
});

/** The final graph, or the error. */
async function made(program: Program, whole: boolean, ground: (kb: ReturnType<typeof built>["kb"]) => Promise<FactorGraph>) {
  const { kb, later } = built(program, whole);
  try {
    let graph = await ground(kb);
    if (!whole) {
      later();
      graph = await ground(kb);
    }
    return JSON.stringify(graph);
  } catch (error) {
    return String(error);
  }
}

describe("groundBy", () => {
  it("makes the graph of ground() with factors in the same order, for random rules, in one step and incrementally", async () => {
    const joiner = await opened();
    const seen = { graphs: 0, factors: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(programs, fc.boolean(), async (program, whole) => {
        const wanted = await made(program, whole, async (kb) => kb.ground());
        expect(await made(program, whole, (kb) => kb.groundBy(joiner))).toBe(wanted);
        if (!wanted.startsWith("{")) seen.refused++;
        else if (JSON.parse(wanted).factors.length > 0) seen.factors++;
        else seen.graphs++;
      }),
      { numRuns: power(16, 150), seed: 7 },
    );
    expect(seen.factors).toBeGreaterThan(power(4, 60));
    expect(seen.refused).toBeGreaterThan(0);
  });

  const likes = () => query("likes", { who: ["a", "b", "c"] }, { key: ["who"] });
  const rulesOf = (rows: object[]) => {
    const pairs = relation("pairs", rows as { one: string; other: string }[]);
    const about = likes();
    return [weightedRule({ head: about({ who: "q" }), body: [pairs({ one: "p", other: "q" }), about({ who: "p" })], weight: 1 })];
  };

  it("reads more rows than one chunk of the database", async () => {
    const rows = Array.from({ length: 5000 }, (_, i) => ({ one: "abc"[i % 2], other: "c", i }));
    const [one, other] = [knowledgeBase(rulesOf(rows)), knowledgeBase(rulesOf(rows))];
    const graph = await one.groundBy(await opened());
    expect(graph.factorCount).toBe(5000);
    expect(JSON.stringify(graph)).toBe(JSON.stringify(other.ground()));
    // There is nothing new to join.
    expect((await one.groundBy(await opened())).factorCount).toBe(5000);
  });

  it("matches a missing value with no constant, not even with one that occurs nowhere", async () => {
    const pairs = relation("pairs", { one: ["a", null, "b"], other: ["a", "b", "c"] });
    const about = likes();
    const rule = (equals: string) =>
      weightedRule({ name: equals, head: about({ who: "q" }), body: [pairs({ one: { equals }, other: "q" })], weight: 1 });
    const graph = await knowledgeBase([rule("nowhere"), rule("a")]).groundBy(await opened());
    expect(graph.factorCount).toBe(1);
  });

  it("changes nothing on failure, and runs one query at a time", async () => {
    const ended: string[] = [];
    const broken: Joiner = {
      begin: async () => ({
        load: async () => {
          throw new RangeError("no room");
        },
        join: () => {
          throw new Error("not asked for");
        },
        end: async () => void ended.push("end"),
      }),
    };
    const kb = knowledgeBase(rulesOf([{ one: "a", other: "b" }]));
    const failing = kb.groundBy(broken);
    expect(() => kb.ground()).toThrow(/groundBy\(\) is still running.*\[OPTION_MEANING\]/);
    expect(() => kb.explain()).toThrow(/still running/);
    await expect(kb.groundBy(broken)).rejects.toThrow(/still running/);
    await expect(failing).rejects.toThrow("no room");
    expect(ended).toEqual(["end"]);
    expect(kb.ground().factorCount).toBe(1);
    await expect(kb.groundBy({} as never)).rejects.toThrow(/joiner is .*\[OPTION_TYPE\]/);
  });

  it("refuses an unfinished join instead of returning a smaller graph", async () => {
    const { DuckDBConnection } = await import("@duckdb/node-api");
    const { stream } = DuckDBConnection.prototype;
    const rows = Array.from({ length: 5000 }, (_, i) => ({ one: "abc"[i % 2], other: "c", i }));
    for (const pieces of [0, 1, 2]) {
      // Imitates the package when the database fails on the way: no more rows arrive, and there is no error.
      const spy = vi.spyOn(DuckDBConnection.prototype, "stream").mockImplementation(async function (this: never, ...args) {
        const result = await stream.apply(this, args);
        const fetchChunk = result.fetchChunk.bind(result);
        let left = pieces;
        return Object.assign(result, { fetchChunk: async () => (left-- > 0 ? fetchChunk() : null) });
      });
      try {
        const kb = knowledgeBase(rulesOf(rows));
        await expect(kb.groundBy(await opened()), String(pieces)).rejects.toThrow(
          /stopped before the end of a join.*\[DUCKDB_QUERY\]/,
        );
        expect(spy).toHaveBeenCalled();
        spy.mockRestore();
        // Nothing is lost.
        expect((await kb.groundBy(await opened())).factorCount).toBe(5000);
      } finally {
        spy.mockRestore();
      }
    }
  });

  it("defers rules and rows that arrive during a join to the next one", async () => {
    const joiner = await opened();
    const make = () => {
      const about = query("likes", { who: ["a", "b", "c"] }, { key: ["who"] });
      const pairs = relation("pairs", [{ one: "a", other: "b" }]);
      const rule = (name: string, weight: number) =>
        weightedRule({ name, head: about({ who: "q" }), body: [pairs({ one: "p", other: "q" })], weight });
      const kb = knowledgeBase([rule("first", 1)]);
      const later = (): void => {
        kb.add(rule("second", 2));
        pairs.add([{ one: "b", other: "c" }]);
        about.add([{ who: "d" }]);
      };
      return { kb, later };
    };
    const wanted = make();
    expect(wanted.kb.ground().factorCount).toBe(1);
    wanted.later();
    const { kb, later } = make();
    const begun = await kb.groundBy({
      begin: async () => {
        later();
        return joiner.begin();
      },
    });
    expect([begun.factorCount, begun.variableCount]).toEqual([1, 3]);
    expect(JSON.stringify(kb.ground())).toBe(JSON.stringify(wanted.kb.ground()));
    expect([begun.factorCount, begun.variableCount]).toEqual([4, 4]);
  });

  it("refuses a graph that is too large, naming the rule and the remedy", async () => {
    const rows = Array.from({ length: 1200 }, (_, i) => ({ one: `x${i}`, other: "k" }));
    const pairs = relation("pairs", rows);
    const about = query("likes", { who: rows.map(({ one }) => one) }, { key: ["who"] });
    const body = [pairs({ one: "p", other: "k" }), pairs({ one: "q", other: "k" })];
    const kb = knowledgeBase([weightedRule({ name: "all", head: about({ who: "q" }), body, weight: 1 })], { memory: 0.01 });
    await expect(kb.groundBy(await opened())).rejects.toThrow(
      /rule "all": its factors would take more than the \S+ \S+ that are left; share more variables.*\[MEMORY_LIMIT\]/,
    );
  });
});

describe("columns", () => {
  it("reads Parquet, CSV and JSON files as relations, including missing values", async () => {
    const joiner = await opened();
    const values =
      "SELECT * FROM (VALUES ('Rome', 2.5, 3, true), ('Oslo', NULL, 4, false), (NULL, 0.5, NULL, NULL)) AS t(city, size, big, here)";
    const files = { parquet: "FORMAT parquet", csv: "FORMAT csv, HEADER", json: "FORMAT json" };
    for (const [ending, format] of Object.entries(files)) {
      const path = join(folder, `t.${ending}`);
      await joiner.columns(
        `COPY (SELECT city, size, CAST(big AS BIGINT) AS big, here FROM (${values})) TO '${path}' (${format})`,
      );
      const columns = await joiner.columns(`SELECT city, CAST(size AS DOUBLE) AS size, big, here FROM '${path}'`);
      expect(columns).toEqual({
        ...{ city: ["Rome", "Oslo", null], size: [2.5, null, 0.5] },
        ...{ big: [3, 4, null], here: [true, false, null] },
      });
      expect(relation("t", columns).rowCount).toBe(3);
    }
  });

  it("refuses values other than texts, numbers and Booleans, and invalid SQL", async () => {
    const joiner = await opened();
    await expect(joiner.columns("SELECT CAST('9007199254740993' AS BIGINT) AS n")).rejects.toThrow(
      /row 1: column "n" is 9007199254740993, .*CAST\(n AS VARCHAR\).*\[DATA_TYPE\]/,
    );
    await expect(joiner.columns("SELECT [1, 2] AS list")).rejects.toThrow(/column "list".*\[DATA_TYPE\]/);
    await expect(joiner.columns("SELEKT 1")).rejects.toThrow(/the database refused: .*SELEKT.*\[DUCKDB_QUERY\]/);
    await expect(joiner.columns("SELECT * FROM 'nowhere.parquet'")).rejects.toThrow(/nowhere\.parquet.*\[DUCKDB_QUERY\]/);
  });
});

describe("duckdb", () => {
  it("refuses meaningless options", async () => {
    await expect(duckdb({ threads: 0 })).rejects.toThrow(/threads is 0.*\[OPTION_RANGE\]/);
    await expect(duckdb({ memory: 0 })).rejects.toThrow(/memory is 0.*\[OPTION_RANGE\]/);
    await expect(duckdb({ file: "x" } as never)).rejects.toThrow(/unknown option "file".*\[OPTION_UNKNOWN\]/);
    await expect(duckdb({ path: join(folder, "no", "where.db") })).rejects.toThrow(/where\.db.*\[DUCKDB_QUERY\]/);
  });

  it("joins in a separate file and leaves nothing in it", async () => {
    const path = join(folder, "own.db");
    const own = await duckdb({ path, memory: 1, threads: 1 });
    const pairs = relation("pairs", { one: ["a"], other: ["b"] });
    const about = query("likes", { who: ["a", "b"] }, { key: ["who"] });
    const rules = [weightedRule({ head: about({ who: "q" }), body: [pairs({ one: "p", other: "q" })], weight: 1 })];
    expect((await knowledgeBase(rules).groundBy(own)).factorCount).toBe(1);
    expect((await own.columns("SELECT count(*) AS tables FROM information_schema.tables")).tables).toEqual([0]);
    own.close();
  });

  it("names the missing package and how to install it", async () => {
    vi.resetModules();
    vi.doMock("@duckdb/node-api", () => {
      throw new Error("Cannot find package");
    });
    try {
      const { duckdb: without } = await import("../src/duckdb.ts");
      await expect(without()).rejects.toThrow(/npm install @duckdb\/node-api.*\[DUCKDB_MISSING\]/);
    } finally {
      vi.doUnmock("@duckdb/node-api");
    }
  });
});
