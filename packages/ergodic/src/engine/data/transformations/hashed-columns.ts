import { DataError } from "../../errors/errors.ts";
import { isArrays, isSparseTable, type NamedCells, namedCells, rowCountOf } from "../raw.ts";
import type { RowSource, SourceStep } from "../rows.ts";
import { checkStep } from "../step-check.ts";
import { checkBits, HashCollector, hashedShape } from "./hash.ts";
import { levelName } from "./level-name.ts";
import { murmur3 } from "./murmur.ts";
import type { Source } from "./source.ts";

export interface HashedColumnsStep extends SourceStep {
  readonly kind: "hashedColumns";
  readonly columns: readonly { readonly name: string; readonly kind: "number" | "category" }[];
  readonly bits: number;
}

/**
 * Source step `hashedColumns`: the hashing trick applied directly to a table, without a list of levels. A number column
 * adds its value under "name", a category adds 1 under "name=level". New levels hash like any other. Missing cells add
 * nothing. For known levels, gives the same columns as `oneHot` followed by `hash`.
 */
export const hashedColumns: Source<HashedColumnsStep> = {
  kind: "hashedColumns",

  output(step) {
    checkBits(step.bits);
    // Hashing uses only the name of a category column, so its levels are not checked.
    const isColumn = ({ name, kind }: { name: unknown; kind: unknown }): boolean =>
      typeof name === "string" && (kind === "number" || kind === "category");
    const { columns } = step;
    checkStep(
      "hashedColumns",
      Array.isArray(columns) && columns.every((c) => c && isColumn(c)),
      "columns with a name and a kind each",
    );
    return hashedShape(step.bits, step.type);
  },

  open(step, raw, where): RowSource {
    const collector = new HashCollector(step.bits);
    if (isSparseTable(raw) || isArrays(raw)) {
      const problem = "the pipeline was made from a table with named columns; give a table or objects";
      throw new DataError(where, problem, "DATA_SHAPE");
    }
    const cells = namedCells(raw, where);
    const adders = step.columns.map((column) => adder(column, cells, collector));
    const rowCount = rowCountOf(raw);
    return {
      rowCount,
      shape: hashedShape(step.bits, step.type),
      entryCount: rowCount * step.columns.length,
      open: () => (i) => {
        collector.clear();
        for (const add of adders) add(i);
        return collector.row();
      },
    };
  },
};

function adder(
  { name, kind }: HashedColumnsStep["columns"][number],
  cells: NamedCells,
  collector: HashCollector,
): (i: number) => void {
  if (kind === "number") {
    const hash = murmur3(name);
    const read = cells.numbers(name);
    return (i) => {
      const value = read(i);
      if (!Number.isNaN(value)) collector.add(hash, value);
    };
  }
  const text = cells.texts(name);
  const hashes = new Map<string, number>();
  return (i) => {
    const level = text(i);
    if (level === null) return;
    let hash = hashes.get(level);
    if (hash === undefined) hashes.set(level, (hash = murmur3(levelName(name, level))));
    collector.add(hash, 1);
  };
}
