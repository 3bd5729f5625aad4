import { DataError } from "ergodic";
import type { OnlineRows, OnlineRun } from "ergodic/extend";

type Pipeline = OnlineRun["pipeline"];
type HeldRow = ReturnType<Pipeline["holding"]>;
type Rows = readonly ArrayLike<number>[];

const isList = (row: unknown): boolean => Array.isArray(row) || ArrayBuffer.isView(row);
const isPlain = (value: unknown): boolean => ["string", "number", "boolean"].includes(typeof value);

/** Checks raw rows and targets, and applies a model's pipeline to them. */
export class RowReader {
  readonly #pipeline: Pipeline;
  readonly #isCount: boolean;
  /** Index of each class. Undefined if the target is a number. */
  readonly #classes: ReadonlyMap<string, number> | undefined;
  /** Column of weights, if the model was trained with one. */
  readonly #weightName: string | null;
  #named: HeldRow | undefined;
  #listed: HeldRow | undefined;

  constructor({ pipeline, task, levels }: Pick<OnlineRun, "pipeline" | "task" | "levels">) {
    this.#pipeline = pipeline;
    this.#isCount = task === "count";
    const names = pipeline.target.levels ?? (task === "binary" ? levels : null);
    this.#classes = names ? new Map(names.map((name, k) => [name, k])) : undefined;
    this.#weightName = (pipeline.steps[0] as { weights?: string | null }).weights ?? null;
  }

  /** Reads rows. @throws DataError for rows that the model cannot take, and for invalid targets and weights */
  read(rows: unknown, targets: unknown, weights: unknown): OnlineRows {
    if (!Array.isArray(rows)) throw refusal(`rows is ${told(rows)}, but must be a list of rows`, "DATA_SHAPE");
    const rowCount = rows.length;
    const lists: [string, unknown][] = [["targets", targets]];
    if (weights !== undefined) lists.push(["weights", weights]);
    for (const [name, list] of lists) {
      if (!isList(list)) throw refusal(`${name} is ${told(list)}, but must be a list, one per row`, "DATA_SHAPE");
      const { length } = list as ArrayLike<unknown>;
      if (length !== rowCount) throw refusal(`there are ${rowCount} rows, but ${length} ${name}; give one per row`, "DATA_SHAPE");
    }
    const read = this.#readerOf(rows as Rows);
    return {
      ...this.#values(read, rowCount),
      rowCount,
      targets: Float64Array.from({ length: rowCount }, (_, i) => this.#target((targets as ArrayLike<unknown>)[i], i)),
      weights: this.#weights(rows, weights as ArrayLike<unknown> | undefined),
    };
  }

  #values(read: HeldRow["read"], rowCount: number): Pick<OnlineRows, "values" | "starts" | "columns"> {
    const { columnCount, format, type } = this.#pipeline.shape;
    const numbers = type === "f64" ? Float64Array : Float32Array;
    if (format === "dense") {
      const values = new numbers(rowCount * columnCount);
      for (let i = 0; i < rowCount; i++) {
        const row = read(i).values;
        for (let j = 0; j < columnCount; j++) values[i * columnCount + j] = row[j]!;
      }
      return { values };
    }
    const starts = new Uint32Array(rowCount + 1);
    const [columns, values]: [number[], number[]] = [[], []];
    for (let i = 0; i < rowCount; i++) {
      const row = read(i);
      for (let e = 0; e < row.count; e++) {
        columns.push(row.columns![e]!);
        values.push(row.values[e]!);
      }
      starts[i + 1] = columns.length;
    }
    return { values: numbers.from(values), starts, columns: Uint32Array.from(columns) };
  }

  /**
   * Returns a reader. A single row reuses an open pipeline. Several rows take the general path, whose errors say which
   * row is at fault.
   */
  #readerOf(rows: Rows): HeldRow["read"] {
    const [row] = rows;
    if (rows.length !== 1 || typeof row !== "object" || row === null) return this.#pipeline.rowsOf(rows).open();
    const holding = isList(row) ? (this.#listed ??= this.#pipeline.holding(row)) : (this.#named ??= this.#pipeline.holding(row));
    holding.held[0] = row;
    return holding.read;
  }

  /** Whether a number is a valid encoded target. This is checked for prepared rows that come from elsewhere. */
  isTarget(number: number): boolean {
    if (this.#classes) return Number.isInteger(number) && number >= 0 && number < this.#classes.size;
    return Number.isFinite(number) && !(this.#isCount && number < 0);
  }

  #target(given: unknown, row: number): number {
    const { name } = this.#pipeline.target;
    if (this.#classes) {
      const found = isPlain(given) ? this.#classes.get(String(given)) : undefined;
      if (found !== undefined) return found;
      const known = [...this.#classes.keys()];
      const shown = `${known
        .slice(0, 8)
        .map((level) => JSON.stringify(level))
        .join(", ")}${known.length > 8 ? ", …" : ""}`;
      throw refusal(`row ${row + 1}: ${told(given)} is not a class of the target "${name}" (${shown})`, "DATA_TARGET");
    }
    if (typeof given === "number" && Number.isFinite(given) && !(this.#isCount && given < 0)) return given;
    const wanted = this.#isCount ? "a count >= 0" : "a finite number";
    throw refusal(`row ${row + 1}: the target "${name}" is ${told(given)}, but must be ${wanted}`, "DATA_TARGET");
  }

  #weights(rows: readonly unknown[], given: ArrayLike<unknown> | undefined): Float64Array | undefined {
    const name = this.#weightName;
    const inRows = name !== null && rows.every((row) => typeof row === "object" && row !== null && Object.hasOwn(row, name));
    if (!given && !inRows) return undefined;
    const all = Array.from(given ?? rows.map((row) => (row as Record<string, unknown>)[name!]));
    for (const [i, weight] of all.entries())
      if (!(typeof weight === "number" && weight >= 0 && weight < Infinity))
        throw refusal(`row ${i + 1} has weight ${told(weight)}, but a weight must be a finite number >= 0`, "DATA_WEIGHT");
    if (all.every((weight) => weight === 0))
      throw refusal("all rows have weight 0; at least one weight must be > 0", "DATA_WEIGHT");
    return Float64Array.from(all as number[]);
  }
}

const refusal = (problem: string, code: string): DataError => new DataError("learn", problem, code);

/** Formats a value for an error. */
function told(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
