import { isList, refuse } from "../../base/checks.ts";
import { DataError } from "../../base/errors.ts";
import type { Pipeline } from "../../data/dataset.ts";
import { told } from "../../data/number-cells.ts";
import type { HeldRow } from "../../data/pipeline.ts";
import { listed, type RawRows, rowCountOf, sourceOf } from "../../data/raw.ts";
import { type ReadRow, type SourceStep, SparseRow } from "../../data/rows.ts";
import type { Row } from "../../data/table.ts";
import { checkedWeights, readWeights } from "../../data/target.ts";
import type { PreparedRows } from "./prepared-rows.ts";

/** Raw rows and targets on their way into memory, checked. */
export class RowReader {
  readonly #pipeline: Pipeline;
  readonly #task: string;
  /** Index of each class; undefined: the target is a number. */
  readonly #classes: ReadonlyMap<string, number> | undefined;
  #named: HeldRow | undefined;
  #listed: HeldRow | undefined;

  /** `levels`: of two classes that are numbers. */
  constructor(pipeline: Pipeline, task: string, levels: readonly string[] | null) {
    const { target } = pipeline;
    this.#pipeline = pipeline;
    this.#task = task;
    const names = target.levels ?? (task === "binary" ? levels : null);
    this.#classes = names ? new Map(names.map((name, k) => [name, k])) : undefined;
  }

  read(rows: RawRows, targets: ArrayLike<string | number | boolean>, weights: ArrayLike<number> | undefined): PreparedRows {
    if (typeof rows !== "object" || rows === null || !(Array.isArray(rows) || "rowCount" in rows))
      refuse("learn", "rows", rows, "a list of rows", "[{ age: 40 }]");
    if (!isList(targets)) refuse("learn", "targets", targets, "a list of targets, one a row", '["yes", "no"]');
    const where = sourceOf(rows, "rows");
    const rowCount = rowCountOf(rows);
    for (const [name, list] of Object.entries({ targets, weights }))
      if (list && list.length !== rowCount)
        throw new DataError(where, `there are ${rowCount} rows, but ${list.length} ${name}; give one a row`, "DATA_SHAPE");
    const read = this.#readerOf(rows);
    return {
      rowCount,
      ...this.#values(read, rowCount),
      targets: Float64Array.from({ length: rowCount }, (_, i) => this.#target(targets[i], i, where)),
      weights: this.#weights(rows, weights, where),
    };
  }

  #values(read: ReadRow, rowCount: number): Pick<PreparedRows, "values" | "starts" | "columns"> {
    const { columnCount, format, type } = this.#pipeline.shape;
    const numbers = type === "f64" ? Float64Array : Float32Array;
    if (format === "dense") {
      const values = new numbers(rowCount * columnCount);
      for (let i = 0; i < rowCount; i++) {
        const row = read(i);
        for (let j = 0; j < columnCount; j++) values[i * columnCount + j] = row.values[j];
      }
      return { values, starts: undefined, columns: undefined };
    }
    const all = new SparseRow();
    const starts = new Uint32Array(rowCount + 1);
    for (let i = 0; i < rowCount; i++) {
      const row = read(i);
      all.append(row.columns!, row.values, row.count);
      starts[i + 1] = all.count;
    }
    return { values: numbers.from(all.values.subarray(0, all.count)), starts, columns: all.columns.slice(0, all.count) };
  }

  /** One row by what was opened before; several by the pipeline, whose errors name the row. */
  #readerOf(rows: RawRows): ReadRow {
    if (!Array.isArray(rows) || rows.length !== 1) return this.#pipeline.rowsOf(rows).open();
    const row = rows[0] as Row | ArrayLike<number>;
    if (typeof row !== "object" || row === null) return this.#pipeline.rowsOf(rows).open();
    const holding = isList(row) ? (this.#listed ??= this.#pipeline.holding(row)) : (this.#named ??= this.#pipeline.holding(row));
    holding.held[0] = row;
    return holding.read;
  }

  #target(given: unknown, row: number, where: string): number {
    const { name } = this.#pipeline.target;
    if (this.#classes) {
      const found = this.#classes.get(typeof given === "string" ? given : isPlain(given) ? String(given) : "");
      if (found !== undefined && (typeof given === "string" || isPlain(given))) return found;
      const known = listed([...this.#classes.keys()]);
      throw new DataError(where, `row ${row + 1}: ${told(given)} is no class of the target "${name}" (${known})`, "DATA_TARGET");
    }
    if (typeof given === "number" && Number.isFinite(given) && !(this.#task === "count" && given < 0)) return given;
    const wanted = this.#task === "count" ? "a count >= 0" : "a finite number";
    throw new DataError(where, `row ${row + 1}: the target "${name}" is ${told(given)}, but must be ${wanted}`, "DATA_TARGET");
  }

  #weights(rows: RawRows, given: ArrayLike<number> | undefined, where: string): Float64Array | undefined {
    if (given === undefined) return readWeights((this.#pipeline.steps[0] as SourceStep).weights, rows, where) ?? undefined;
    if (!isList(given)) refuse("learn", "weights", given, "a list of numbers, one a row", "[1, 2]");
    const wrong = Array.from(given).findIndex((weight) => typeof weight !== "number");
    if (wrong >= 0)
      throw new DataError(where, `row ${wrong + 1} weighs ${told(given[wrong])}, but a weight is a number`, "DATA_WEIGHT");
    return checkedWeights(Float64Array.from(given), where);
  }
}

const isPlain = (value: unknown): boolean => typeof value === "number" || typeof value === "boolean";
