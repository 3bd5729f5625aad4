import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { codingOf, deviationsOf, ModelRows, meansOf } from "../../../src/bayes/formula/design.ts";
import { Columns } from "../../../src/bayes/formula/formula-data.ts";
import { readFormula } from "../../../src/bayes/formula/terms.ts";

const golden = JSON.parse(readFileSync(new URL("../../golden/formula-design.json", import.meta.url), "utf8")) as {
  data: Record<string, (number | string)[]>;
  matrices: Record<string, { names: string | string[]; rows: (number | number[])[] }>;
};

function design(formula: string) {
  const read = readFormula(`y ${formula}`);
  const rows = new ModelRows("test", new Columns("test", golden.data, {}));
  const coding = codingOf("test", read, rows);
  return { coding, matrix: coding.matrix(rows), intercept: read.intercept };
}

describe("columns of a formula equal those of R's model.matrix", () => {
  it.each(Object.entries(golden.matrices))("%s", (formula, { names, rows }) => {
    const { coding, matrix, intercept } = design(formula);
    expect([...(intercept ? ["(Intercept)"] : []), ...coding.names]).toEqual([names].flat());
    const width = coding.names.length;
    rows.forEach((row, i) => {
      const own = [...(intercept ? [1] : []), ...matrix.subarray(i * width, (i + 1) * width)];
      const wanted = [row].flat();
      expect(own.length).toBe(wanted.length);
      own.forEach((value, j) => {
        expect(Math.abs(value - wanted[j])).toBeLessThanOrEqual(4e-15 * Math.abs(wanted[j]));
      });
    });
  });

  it("each column has its term", () => {
    const { coding } = design("~ x * f");
    expect(coding.terms).toEqual(["x", "f", "f", "x:f", "x:f"]);
  });

  it("means and deviations equal R's mean and sd", () => {
    const matrix = Float64Array.of(1, 10, 2, 20, 6, 60);
    expect([...meansOf(matrix, 2)]).toEqual([3, 30]);
    expect([...deviationsOf(matrix, 2)]).toEqual([Math.sqrt(7), Math.sqrt(700)]);
  });
});

describe("levels", () => {
  const levels = (data: Record<string, ArrayLike<string | number | boolean>>, variable: string, given = {}) => {
    const rows = new ModelRows("test", new Columns("test", data, given));
    return codingOf("test", readFormula(`y ~ ${variable}`), rows);
  };

  it("are sorted by character code or keep the given order", () => {
    const data = { y: [1, 2, 3, 4], f: ["b", "B", "a", "b"] };
    expect(levels(data, "f").names).toEqual(["fa", "fb"]);
    expect(levels(data, "f", { f: ["b", "a", "B", "c"] }).names).toEqual(["fa", "fB", "fc"]);
  });

  it("are sorted numerically for numbers, and are false and true for Booleans", () => {
    expect(levels({ y: [1, 2, 3], x: [10, 9, -1] }, "factor(x)").names).toEqual(["factor(x)9", "factor(x)10"]);
    expect(levels({ y: [1, 2, 3], x: ["10", "9", "2"] }, "factor(x)").names).toEqual(["factor(x)2", "factor(x)9"]);
    expect(levels({ y: [1, 2], x: [true, false] }, "x").names).toEqual(["xtrue"]);
    expect(levels({ y: [1, 2, 3], x: [10, 9, 10] }, "x", { x: ["10", "9"] }).names).toEqual(["x9"]);
  });

  it("combine nested groups only as they occur, in order", () => {
    const rows = new ModelRows("test", new Columns("test", { a: ["2", "1", "2", "1"], b: [10, 9, 9, 9] }, {}));
    expect(rows.groups(["a", "b"], "").levels).toEqual(["1:9", "2:9", "2:10"]);
    expect([...rows.groups(["a", "b"], "").codes]).toEqual([2, 0, 1, 0]);
  });
});

describe("data", () => {
  const tables = {
    columns: { y: Float64Array.of(1, 2), f: ["a", "b"] },
    rows: [
      { y: 1, f: "a" },
      { y: 2, f: "b" },
    ],
    table: {
      rowCount: 2,
      source: "d.csv",
      columns: [
        { name: "y", kind: "number" as const, values: Float64Array.of(1, 2) },
        { name: "f", kind: "category" as const, codes: Int32Array.of(1, 0), levels: ["b", "a"] },
      ],
    },
  };

  it.each(Object.entries(tables))("are read as %s", (_, data) => {
    const columns = new Columns("test", data, {});
    expect(columns.rowCount).toBe(2);
    expect(columns.names).toEqual(["y", "f"]);
    expect(columns.column("y", "y")).toEqual({ kind: "number", values: Float64Array.of(1, 2) });
    expect(columns.column("f", "f")).toMatchObject({ levels: ["a", "b"], codes: Int32Array.of(0, 1) });
  });
});
