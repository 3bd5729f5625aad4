/** Draws as a table of columns: names and order, lossless conversion, and rows in any order. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromDataFrame, toDataFrame } from "../../../src/bayes/draws/data-frame.ts";
import { Draws } from "../../../src/bayes/draws/draws.ts";
import { anyContent, example, plain } from "./contents.ts";

describe("draws as a data frame", () => {
  it("find numbers with three axes by their dotted names", () => {
    const A = Float64Array.from({ length: 2 * 8 }, (_, k) => k + 0.5);
    const quantities = [{ name: "A", shape: [2, 2, 2], kind: "parameter" as const }];
    const shared = { chains: 1, count: 2, fields: [], transitions: new Float64Array(0), description: {}, report: {} };
    const { columns, header } = toDataFrame(new Draws({ ...shared, quantities, values: { A } }));
    const dotted = new Map([...columns].map(([name, series]) => [name.replace(/[[,]/g, ".").replace("]", ""), series]));
    expect([...dotted.keys()]).toContain("A.2.1.2");
    expect([...fromDataFrame({ columns: dotted, header: header! }).draws("A")]).toEqual([...A]);
  });

  it("have posterior's columns", () => {
    const { columns } = toDataFrame(example());
    expect([...columns.keys()].join(" ")).toBe(
      ".chain .iteration .draw lp__ divergent__ stepsize__ swaps__ mu theta[1] theta[2] L[1,1] L[2,1] L[1,2] L[2,2] L[1,3] L[2,3]",
    );
    const rows = [".chain", ".iteration", ".draw", "mu", "L[2,1]"].map((name) => [...columns.get(name)!]);
    expect(rows).toEqual([
      [1, 1, 1, 2, 2, 2],
      [1, 2, 3, 1, 2, 3],
      [1, 2, 3, 4, 5, 6],
      [0.5, 1.5, 2.5, 3.5, 4.5, 5.5],
      [203.5, 209.5, 215.5, 221.5, 227.5, 233.5],
    ]);
  });

  it("are read back bit for bit from rows in any order", () => {
    fc.assert(
      fc.property(anyContent, fc.integer(), (content, seed) => {
        const { columns, header } = toDataFrame({ content });
        const length = content.chains * content.count;
        const order = Array.from({ length }, (_, k) => k).sort((a, b) => Math.sin(seed + a) - Math.sin(seed + b));
        const mixed = new Map([...columns].map(([name, series]) => [name, series.map((_, k) => series[order[k]])]));
        expect(plain(fromDataFrame({ columns: mixed, header }).content)).toEqual(plain(content));
      }),
      { seed: 14, numRuns: 200 },
    );
  });

  it("are read without a header too", () => {
    const { columns } = toDataFrame(example());
    const draws = fromDataFrame({ columns });
    expect(draws.quantities.map(({ name, shape }) => [name, ...shape])).toEqual([["mu"], ["theta", 2], ["L", 2, 3]]);
    expect(draws.draws("L")).toEqual(example().draws("L"));
    expect(draws.transition("stepSize")).toEqual(example().transition("stepSize"));
    const dotted = new Map(
      [...columns].map(([name, series]) => [name.replace("[", ".").replace(",", ".").replace("]", ""), series]),
    );
    expect(fromDataFrame({ columns: dotted }).draws("L")).toEqual(example().draws("L"));
    const one = fromDataFrame({ columns: new Map([["x", Float64Array.of(3, 1, 2)]]) });
    expect([one.chains, one.count, ...one.draws("x")]).toEqual([1, 3, 3, 1, 2]);
  });

  it("are refused if the columns are not draws", () => {
    const { columns, header } = toDataFrame(example());
    const changed = (name: string, series: Float64Array | Int32Array) => new Map([...columns, [name, series]]);
    const lost = new Map([...columns].filter(([name]) => name !== "mu"));
    expect(() => fromDataFrame({ columns: lost, header })).toThrow(
      /the header names 9 numbers per draw, but there are only 8 columns/,
    );
    expect(() => fromDataFrame({ columns: changed("mu", new Float64Array(5)), header })).toThrow(
      /"mu" has 5 rows, but other columns have 6/,
    );
    expect(() => fromDataFrame({ columns: changed(".chain", Int32Array.of(1, 1, 1, 1, 2, 2)) })).toThrow(
      /the chains have different lengths/,
    );
    const iterations = (...of: number[]) => fromDataFrame({ columns: changed(".iteration", Int32Array.from(of)) });
    for (const same of [
      [1, 2, 2, 1, 2, 3],
      [1, 1, 2, 1, 2, 3],
      [1, 2, 3, 1, 1, 3],
      [1, 2, 3, 1, 3, 1],
    ])
      expect(() => iterations(...same), String(same)).toThrow(/an iteration twice/);
    // A chain can begin with the iteration at which the previous chain ended.
    iterations(1, 2, 3, 3, 4, 5);
    const half = new Map([...columns].map(([name, series]) => [name, series.slice(0, 3)]));
    expect(() => fromDataFrame({ columns: half, header })).toThrow(/3 rows, but the header names 2 chains of 3 draws/);
    const twice = new Draws({ ...example().content, fields: ["logDensity", "lp"], transitions: new Float64Array(12) });
    expect(() => toDataFrame(twice)).toThrow(/two columns would have the same name/);
  });
});
