/** Simulated tables with numbers, categories, dates and gaps. */
import { dateParts } from "../../../src/entries/data.ts";
import { Dataset, stream, type Table } from "../../../src/entries/index.ts";

/** A table with a category, two numbers, a date without effect, and a target. `gaps`: share of missing cells. */
export function homes(seed: number, rowCount: number, { gaps = 0, noise = 0.1 } = {}): Table {
  const draws = stream(seed, "homes").at(0);
  const numbers = (make: () => number) => Float64Array.from({ length: rowCount }, make);
  const town = Int32Array.from({ length: rowCount }, () => draws.integer(4));
  const size = numbers(() => draws.normal());
  const age = numbers(() => draws.normal());
  const day = Int32Array.from({ length: rowCount }, () => draws.integer(3));
  const y = numbers(() => 0);
  for (let i = 0; i < rowCount; i++) y[i] = 2 * (town[i] === 1 ? 1 : 0) + size[i] + noise * draws.normal();
  for (let i = 0; i < rowCount; i++) {
    if (draws.uniform() < gaps) town[i] = -1;
    if (draws.uniform() < gaps) size[i] = NaN;
  }
  return {
    source: "homes",
    rowCount,
    columns: [
      { name: "town", kind: "category", levels: ["Bern", "Lima", "Oslo", "Rome"], codes: town },
      { name: "size", kind: "number", values: size },
      { name: "age", kind: "number", values: age },
      { name: "sold", kind: "category", levels: ["2024-01-31", "2024-05-01", "2025-07-02"], codes: day },
      { name: "price", kind: "number", values: y },
    ],
  };
}

/** Ways of reading the table: categories as codes, as dense and sparse levels, and with indicators of gaps. */
export const readers = {
  cells: (table: Table) => Dataset.fromTable(table, { target: "price", encode: "none", dates: dateParts("sold") }),
  dense: (table: Table) => Dataset.fromTable(table, { target: "price", dates: dateParts("sold"), impute: "level" }),
  sparse: (table: Table) => Dataset.fromTable(table, { target: "price", format: "sparse", impute: "mode" }),
  indicators: (table: Table) => Dataset.fromTable(table, { target: "price", impute: "median", indicator: true }),
} satisfies Record<string, (table: Table) => Dataset>;
