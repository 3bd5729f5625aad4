import { Dataset, Pipeline } from "../../engine/data/dataset.ts";
import { type SparseOptions, stepsOfTable, type TableOptions } from "../../engine/data/from-table.ts";
import { datasetMark, isMarked } from "../../engine/data/marks.ts";
import { told } from "../../engine/data/number-cells.ts";
import type { SourceStep } from "../../engine/data/rows.ts";
import type { SparseTable, Table } from "../../engine/data/table.ts";
import { sortedLevels } from "../../engine/data/target.ts";
import { isList } from "../../engine/errors/checks.ts";
import { DataError, OptionError } from "../../engine/errors/errors.ts";
import type { StreamOptions } from "../fit/stream-types.ts";
import type { OnlineRows } from "./types.ts";

/**
 * Returns the first block as a dataset. Its pipeline contains all levels and classes in the table, and those in the
 * options.
 */
export function firstBlock(value: unknown, { table: options, classes }: StreamOptions): { data: Dataset; made: boolean } {
  if (isMarked(value, datasetMark)) {
    if (options !== undefined)
      throw new OptionError(
        "fit.stream",
        "table says how to convert tables to datasets, but the blocks are datasets already; leave it out",
        "OPTION_CONFLICT",
      );
    const data = value as Dataset;
    return classes ? { data: data.withTargetOf(withClasses(data.pipeline, classes)), made: true } : { data, made: false };
  }
  const found = checkTable(value);
  if (options === undefined)
    throw new OptionError(
      "fit.stream",
      'the blocks are tables; say how to convert them, as in table: { target: "income" }',
      "OPTION_MISSING",
    );
  const pipeline = isSparse(found)
    ? Dataset.fromSparse(found, options as SparseOptions).pipeline
    : new Pipeline(stepsOfTable(found, options as TableOptions, true));
  const whole = classes ? withClasses(pipeline, classes) : pipeline;
  return { data: whole.apply(found, { target: true }), made: true };
}

function withClasses(pipeline: Pipeline, classes: readonly string[]): Pipeline {
  return pipeline.withTarget({ name: pipeline.target.name, kind: "category", levels: sortedLevels(classes.map(String)) });
}

const isSparse = (table: Table | SparseTable): table is SparseTable => "rowStart" in table;

function checkTable(value: unknown): Table | SparseTable {
  if (typeof value === "object" && value !== null && (isList((value as Table).columns) || "rowStart" in value))
    return value as Table | SparseTable;
  throw new OptionError("fit.stream", `a block is ${told(value)}, but must be a Dataset or a table`, "OPTION_TYPE");
}

/** Rows with positive weight, as columns of a model. */
export class BlockRows implements OnlineRows {
  readonly rowCount: number;
  readonly targets: Float64Array;
  readonly weights: Float64Array | undefined;
  readonly starts: Uint32Array | undefined;
  readonly columns: Uint32Array | undefined;
  readonly values: Float32Array | Float64Array;

  constructor({ rowCount, targets, weights, starts, columns, values }: OnlineRows) {
    this.rowCount = rowCount;
    this.targets = targets;
    this.weights = weights;
    this.starts = starts;
    this.columns = columns;
    this.values = values;
  }

  /** Views of rows [from, to). */
  slice(from: number, to: number): OnlineRows {
    const { targets, weights, starts, columns, values, rowCount } = this;
    const width = values.length / Math.max(1, rowCount);
    return {
      rowCount: to - from,
      targets: targets.subarray(from, to),
      weights: weights?.subarray(from, to),
      starts: starts?.subarray(from, to + 1),
      columns,
      values: starts ? values : values.subarray(from * width, to * width),
    };
  }
}

const none: OnlineRows = { rowCount: 0, targets: new Float64Array(0), values: new Float64Array(0) };

/** Converts blocks to rows with the columns of a pipeline. */
export class BlockReader {
  readonly #pipeline: Pipeline;

  constructor(pipeline: Pipeline) {
    this.#pipeline = pipeline;
  }

  read(value: unknown): BlockRows {
    if (isMarked(value, datasetMark)) return this.rows(value as Dataset);
    const table = checkTable(value);
    // Without a row of positive weight, no dataset can be made.
    if (table.rowCount === 0 || this.#weighsNothing(table)) return new BlockRows(none);
    const data = this.#pipeline.apply(table, { target: true });
    try {
      return this.rows(data);
    } finally {
      data.dispose();
    }
  }

  rows(data: Dataset): BlockRows {
    const followed = data.follow(this.#pipeline);
    const targeted = followed.withTargetOf(this.#pipeline);
    try {
      return rowsOf(targeted);
    } finally {
      if (targeted !== followed) targeted.dispose();
      if (followed !== data) followed.dispose();
    }
  }

  #weighsNothing(table: Table | SparseTable): boolean {
    const { weights } = this.#pipeline.steps[0] as SourceStep;
    const own = isSparse(table) ? undefined : table.columns.find(({ name }) => name === weights);
    const values = isSparse(table) ? table.weights : own?.kind === "number" ? own.values : undefined;
    return values?.every((weight) => weight === 0) ?? false;
  }
}

/** Copies the rows that have positive weight. */
function rowsOf(data: Dataset): BlockRows {
  const { weights: all, columnCount, source } = data;
  const { shape } = data.pipeline;
  const targetsOfAll = data.target.values;
  const chosen: number[] = [];
  for (let i = 0; i < data.rowCount; i++) if (all === null || all[i] > 0) chosen.push(i);
  const rowCount = chosen.length;
  const pick = (values: Float64Array): Float64Array => Float64Array.from(chosen, (i) => values[i]);
  const targets = pick(targetsOfAll);
  const missing = targets.findIndex((y) => !Number.isFinite(y));
  if (missing >= 0)
    throw new DataError(source, `row ${chosen[missing] + 1} has no value in the target "${data.target.name}"`, "DATA_TARGET");
  const read = data.rows().open();
  const Numbers = shape.type === "f64" ? Float64Array : Float32Array;
  const weights = all === null ? undefined : pick(all);
  if (shape.format === "dense") {
    const values = new Numbers(rowCount * columnCount);
    chosen.forEach((i, k) => void values.set(read(i).values.subarray(0, columnCount), k * columnCount));
    return new BlockRows({ rowCount, targets, weights, values });
  }
  const starts = new Uint32Array(rowCount + 1);
  chosen.forEach((i, k) => {
    starts[k + 1] = starts[k] + read(i).count;
  });
  const columns = new Uint32Array(starts[rowCount]);
  const values = new Numbers(starts[rowCount]);
  chosen.forEach((i, k) => {
    const row = read(i);
    columns.set(row.columns!.subarray(0, row.count), starts[k]);
    values.set(row.values.subarray(0, row.count), starts[k]);
  });
  return new BlockRows({ rowCount, targets, weights, starts, columns, values });
}
