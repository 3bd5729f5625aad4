/** Files of draws that claim what no run leaves: depths of trees, numbers that no column holds, chains without end. None is followed. */
import { describe, expect, it } from "vitest";
import { DataError } from "../../src/base/errors.ts";
import { fromCmdStanCsv } from "../../src/draws/csv-reader.ts";
import { fromDataFrame, toDataFrame } from "../../src/draws/data-frame.ts";
import { Draws } from "../../src/draws/draws.ts";
import { example } from "./contents.ts";

const csv = (depth: string) => `lp__,treedepth__,theta\n1,${depth},2\n1,3,2\n1,3,2\n`;

describe("depths of trees", () => {
  it.each(["4000000000", "5e9", "65", "-1", "2.5", "nan", "inf", "-inf"])(
    "%s is none in a CSV file, told by its line",
    (depth) => {
      expect(() => fromCmdStanCsv([csv(depth)], ["td.csv"])).toThrow(
        `td.csv:2: "${depth}" in column "treedepth__" is no depth of a tree: a whole number from 0 to 64; make the file anew, or remove the column [DATA_PARSE]`,
      );
    },
  );

  it.each([4e9, 65, -1, 2.5, NaN, Infinity])("%s is none from anywhere else, told by its transition", (depth) => {
    const content = { ...example().content, fields: ["logDensity", "treeDepth"], transitions: new Float64Array(12).fill(3) };
    expect(new Draws(content).treeDepths()!.counts).toEqual([0, 0, 0, 6]);
    content.transitions[2 * 4 + 1] = depth;
    expect(() => new Draws(content)).toThrow(
      `draws: transition 5 has a tree of depth ${depth}, but depths are whole numbers from 0 to 64; make the draws anew, or leave "treeDepth" out [DRAWS_DEPTH]`,
    );
    const json = new Draws({ ...content, transitions: new Float64Array(12) }).toJSON();
    (json.transitions as Record<string, unknown[]>).treeDepth[4] = Number.isFinite(depth) ? depth : String(depth);
    expect(() => Draws.fromJson(json)).toThrow(/transition 5 has a tree of depth.*DRAWS_DEPTH/);
    const { columns, header } = toDataFrame(new Draws({ ...content, transitions: new Float64Array(12) }));
    (columns.get("treedepth__") as Float64Array)[4] = depth;
    expect(() => fromDataFrame({ columns, ...(header ? { header } : {}) })).toThrow(DataError);
  });

  it("of 64 and 0 are, and are told without the steps that a file did not keep", () => {
    const draws = fromCmdStanCsv([csv("64")]);
    expect(draws.treeDepths()).toMatchObject({ mean: 70 / 3, leapfrogs: NaN, saturated: 0 });
    expect(draws.treeDepths()!.counts).toHaveLength(65);
    expect(String(draws)).toContain("theta");
    expect(fromCmdStanCsv([csv("0")]).treeDepths()!.counts).toEqual([1, 0, 0, 2]);
  });
});

describe("headers", () => {
  const { columns, header } = toDataFrame(example());
  const grown = (shape: number[]) => ({
    ...header!,
    quantities: [{ name: "mu", shape, kind: "parameter" }],
    fields: [],
  });

  it.each([[[1e9]], [[2 ** 31, 2 ** 31]], [[9]]])("of a table that speak of more numbers than there are columns: %s", (shape) => {
    const only = new Map([...columns].filter(([name]) => ["mu", ".chain", ".iteration"].includes(name)));
    const wanted = shape.reduce((product, size) => product * size, 1);
    expect(() => fromDataFrame({ columns: only, header: grown(shape) })).toThrow(
      `fromDataFrame: the header speaks of ${wanted} numbers a draw, but there are 1 columns of them; keep the table as it was made [DRAWS_COLUMNS]`,
    );
  });

  it("of JSON that speak of chains and draws of which nothing is kept", () => {
    const json = { ...example().toJSON(), quantities: [], fields: [], values: {}, transitions: {} };
    expect(() => Draws.fromJson({ ...json, chains: 2 ** 40, count: 0 })).toThrow(
      /it speaks of 1099511627776 chains, over a million.*DRAWS_JSON/,
    );
    expect(() => Draws.fromJson({ ...json, chains: 4, count: 2 ** 50 })).toThrow(
      /4 chains of 1125899906842624 draws, but keeps no number of them/,
    );
    expect(Draws.fromJson({ ...json, chains: 4, count: 1000 }).count).toBe(1000);
  });
});
