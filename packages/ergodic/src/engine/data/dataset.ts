import { checkBoolean, checkChoice, isList, made, refuse } from "../errors/checks.ts";
import { CapabilityError, checkKeys, DataError, ErgodicError, OptionError } from "../errors/errors.ts";
import { type Allocation, engineMemory, own } from "../memory/memory.ts";
import { checkRoom } from "../memory/room.ts";
import { checkRaw } from "./check-table.ts";
import { columnsOf } from "./columns-of.ts";
import { convert } from "./conversion.ts";
import { type RandomFeatures, resolveFeatures } from "./features/feature-map.ts";
import type { Products } from "./features/products.ts";
import { following, placed } from "./follow.ts";
import { type ArraysOptions, stepsOfArrays } from "./from-arrays.ts";
import { type SparseOptions, stepsOfSparse, stepsOfTable, type TableOptions } from "./from-table.ts";
import type { ColumnLayout, DataLayout, Format, NumberType } from "./layout.ts";
import { datasetMark } from "./marks.ts";
import { makePipelinesBy, runStep, runSteps, StepPipeline } from "./pipeline.ts";
import { type RawRows, rowCountOf, sourceOf } from "./raw.ts";
import type { RawColumn, RowSource, SourceStep, Step, TargetColumn } from "./rows.ts";
import { sampleRows, splitRows } from "./sampling.ts";
import { copyRows, type Labels, readRows, rowReader, type Stored, store } from "./storage.ts";
import type { Remark, SparseTable, Table } from "./table.ts";
import { describeTarget, readOffset, readTarget, readWeights, targetsAs } from "./target.ts";
import { checkBits, type HashStep } from "./transformations/hash.ts";
import { addImpute, type ImputeMethod, type ImputeStep } from "./transformations/impute.ts";
import type { NumberTypeStep } from "./transformations/number-type.ts";
import { type ColumnMoments, columnMoments, fitStandardise, type Scaling } from "./transformations/standardise.ts";

/** The target of a dataset. */
export interface Target {
  /** Name of the column. */
  readonly name: string;
  /** Whether the target is a number or a class. */
  readonly kind: "number" | "category";
  /** Classes in order, for a category. */
  readonly levels?: string[];
  /** A copy of the targets: one number or class index per row. If the raw rows had no target, all values are NaN. */
  readonly values: Float64Array;
}

/** Hidden key, so that editors do not suggest it. */
declare const knownNames: unique symbol;

/** For a dataset that borrows arrays, the dataset that owns them. */
interface Lending<Names extends string> {
  readonly from: Dataset<Names>;
  /**
   * Whether this dataset contains the rows of `from`, converted to another number type. If so, a further conversion
   * starts from `from` again.
   */
  readonly conversion: boolean;
}

/**
 * An immutable table of numbers, together with the target, the weights and the pipeline that made the table.
 *
 * x: rowCount × columnCount, as dense or sparse rows, in f32, f64, or quantised to i8 or i16. Methods that would change
 * a dataset return a new dataset with its own memory instead. The results of `as`, `asClasses` and `columns` are cached
 * instead, and freed together with the original dataset. Readers of files (CSV, Parquet, …) are in `@ergodic/ingest`.
 *
 * Pipeline: the steps from raw rows to these columns. Applied to the original table, the pipeline gives the same bits
 * again. The pipeline is stored with a model, so that prediction takes raw rows. `as("i8")` and `as("i16")` only change
 * how numbers are computed and are not steps: a quantised dataset has the pipeline of the floats that it represents.
 *
 * Long because Dataset and Pipeline create each other, so that two files would import each other.
 *
 * `Names`: names of all raw columns except the target, if the compiler knows them. `predict` then refuses rows that
 * lack one.
 *
 * @throws DataError for tables and rows with invalid content; OptionError; MemoryLimitError
 *
 * @example
 * ```ts
 * const data = Dataset.fromArrays({ x: [[1, 2], [3, 4], [5, 6]], y: ["no", "yes", "yes"] });
 * const { train, test } = data.split(0.8, { seed: 1 });
 * data.dispose();   // or `using data = …`; otherwise the garbage collector frees the memory
 * ```
 */
export class Dataset<Names extends string = string> implements Disposable {
  protected static readonly typeName: string = "Dataset";
  /** Names of the raw columns. Exists only in types. */
  declare readonly [knownNames]?: Names;
  /** Number of rows. */
  readonly rowCount: number;
  /** Number of columns, with each one-hot column counted separately. */
  readonly columnCount: number;
  /** "dense" or "sparse" rows. */
  readonly format: Format;
  /** Type of the stored numbers. */
  readonly type: NumberType;
  /** Steps from raw rows to these columns. */
  readonly pipeline: Pipeline;
  /** Name of the data in errors. */
  readonly source: string;
  #stored: Stored | null;
  #lending: Lending<Names> | null;
  readonly #remarks: readonly Remark[];
  #target: Target | undefined;
  #weights: Float64Array | null | undefined;
  #made = new Map<NumberType | "classes", Dataset<Names>>();
  #columns: { columns: ColumnLayout; allocation: Allocation } | undefined;

  /** For internal use. Users should call fromTable, fromSparse, fromArrays or Pipeline.apply. */
  constructor(
    stored: Stored,
    pipeline: Pipeline,
    source: string,
    lending: Lending<Names> | null = null,
    remarks: readonly Remark[] = lending?.from.remarks ?? [],
  ) {
    const { layout } = made("Dataset", stored, "layout", "stored rows", "Dataset.fromTable(…) or Dataset.fromArrays(…)");
    const { rowCount, columnCount, format, type } = layout;
    this.rowCount = rowCount;
    this.columnCount = columnCount;
    this.format = format;
    this.type = type;
    this.pipeline = pipeline;
    this.source = source;
    this.#stored = stored;
    this.#lending = lending;
    this.#remarks = remarks;
    own(this, stored.allocation);
  }

  /**
   * Makes a dataset from a table of raw columns. Categories become one-hot columns. The levels of categories and the
   * classes of the target are sorted. @throws DataError
   */
  static fromTable<Names extends string, Out extends string>(
    table: Table<Names>,
    options: TableOptions<Out>,
  ): Dataset<string extends Out ? string : Exclude<Names, Out>> {
    return new Pipeline(stepsOfTable(table, options)).apply(table, { target: true }) as Dataset<never>;
  }

  /** Makes a dataset from compressed sparse rows. @throws DataError */
  static fromSparse(table: SparseTable, options: SparseOptions = {}): Dataset {
    return new Pipeline(stepsOfSparse(table, options)).apply(table, { target: true });
  }

  /**
   * Makes a dataset from rows of numbers `x` and a target `y` of numbers or class names. Columns can have `names`.
   * @throws DataError
   */
  static fromArrays<Names extends string = string>(options: ArraysOptions<Names>): Dataset<Names> {
    const { steps, rows, source, ...labels } = stepsOfArrays(options);
    return new Dataset(store(runSteps(steps, rows, source), labels, source), new Pipeline(steps), source);
  }

  /** @internal */
  get [datasetMark](): true {
    return true;
  }

  /** Returns the rows in order, as transformed by the pipeline. @internal */
  rows(): RowSource {
    return { ...readRows(this.layout, this.pipeline.shape), offset: this.offset };
  }

  /**
   * Remarks from reading the rows: skipped rows, levels that a model does not know, and columns that look like
   * identifiers.
   */
  get remarks(): readonly Remark[] {
    return this.#remarks;
  }

  /** Column names, in order. */
  get names(): string[] {
    return this.pipeline.names;
  }

  /**
   * Array shape of a row, such as [height, width, channels]. The last index varies fastest. Undefined if columns are a
   * plain list.
   */
  get rowShape(): readonly number[] | undefined {
    return this.pipeline.shape.rowShape;
  }

  /**
   * Pointers for kernels, which are valid until dispose(). Callers must keep this object reachable while they use the
   * pointers.
   */
  get layout(): DataLayout {
    if (this.#stored) return this.#stored.layout;
    throw new ErgodicError(this.source, "the dataset was used after dispose()", "DATASET_DISPOSED");
  }

  /** The target: name, kind, classes and values. */
  get target(): Target {
    const { target, rowCount } = this.layout;
    this.#target ??= Object.freeze({ ...this.pipeline.target, values: engineMemory().f64(target, rowCount).slice() });
    return this.#target;
  }

  /** A copy of the row weights, or null if all weights are 1. */
  get weights(): Float64Array | null {
    const { weights, rowCount } = this.layout;
    this.#weights ??= weights ? engineMemory().f64(weights, rowCount).slice() : null;
    return this.#weights;
  }

  /** A copy of the offsets added to the outputs of rows, or null if there are none. */
  get offset(): Float64Array | null {
    const { offset, rowCount } = this.layout;
    return offset ? engineMemory().f64(offset, rowCount).slice() : null;
  }

  /** Whether the memory has been freed. */
  get disposed(): boolean {
    return this.#stored === null;
  }

  /** Returns a copy of row `index` as numbers by column, without the intercept. */
  row(index: number): Float64Array {
    const { rowCount, columnCount } = this.layout;
    if (!(Number.isInteger(index) && index >= 0 && index < rowCount)) throw outside(this.source, index, rowCount);
    const { columns, count, values } = rowReader(this.layout)(index);
    const row = new Float64Array(columnCount);
    for (let k = 0; k < count; k++) row[columns ? columns[k] : k] = values[k];
    return row;
  }

  /**
   * Returns √mean(x²) or max|x| of each column, computed over all rows. Zeros that sparse rows do not store are
   * included.
   */
  columnScales(by: "rootMeanSquare" | "largest" = "rootMeanSquare"): Float64Array {
    return this.columnMoments()[by];
  }

  /**
   * Returns the mean, deviation and magnitude of each column, and flags for columns that only contain 0 and 1.
   * @internal
   */
  columnMoments(): ColumnMoments {
    checkMoments(this);
    return columnMoments(readRows(this.layout, this.pipeline.shape));
  }

  /**
   * Splits the rows at random into shares of `share` and 1 − share. The rows of each part are in storage order.
   * `stratify` preserves the class proportions.
   */
  split(share: number, options: { seed: number; stratify?: boolean }): { train: Dataset<Names>; test: Dataset<Names> } {
    checkKeys("split", options, ["seed", "stratify"]);
    if (options.stratify !== undefined) checkBoolean("split", "stratify", options.stratify);
    if (options.stratify && this.target.kind !== "category") {
      throw new OptionError(
        "split",
        `stratify needs classes, but "${this.target.name}" is a number; see asClasses()`,
        "OPTION_RANGE",
      );
    }
    const classes = options.stratify ? this.target.values : undefined;
    const { train, test } = splitRows(this.rowCount, share, options.seed, classes);
    return { train: this.select(train), test: this.select(test) };
  }

  /** Returns `count` random rows, drawn without replacement, in storage order. */
  subsample(count: number, options: { seed: number }): Dataset<Names> {
    checkKeys("subsample", options, ["seed"]);
    return this.select(sampleRows(this.rowCount, count, options.seed));
  }

  /** Returns a copy of the given rows in the given order. A row can be repeated. */
  select(rows: ArrayLike<number>): Dataset<Names> {
    if (!isList(rows)) refuse("select", "rows", rows, "a list of row numbers", "[0, 2, 5]");
    if (rows.length === 0) throw new OptionError("select", "rows is empty, but a dataset needs at least 1 row", "OPTION_RANGE");
    for (let i = 0; i < rows.length; i++) {
      if (!(Number.isInteger(rows[i]) && rows[i] >= 0 && rows[i] < this.rowCount))
        throw outside("select", rows[i], this.rowCount);
    }
    return new Dataset(copyRows(this.layout, Uint32Array.from(rows), this.source), this.pipeline, this.source);
  }

  /** Returns the rows with positive weights. If all weights are positive, returns this dataset. */
  ofWeight(): Dataset<Names> {
    const { weights } = this;
    if (!weights?.includes(0)) return this;
    return this.select(Array.from(weights, (_, i) => i).filter((i) => weights[i] > 0));
  }

  /**
   * Standardises columns. Dense rows get mean 0 and standard deviation 1. With "max", columns are scaled to |x| ≤ 1 and
   * not centred. Columns of sparse rows are only scaled, except that numeric columns of a table are also centred.
   * `indicators`: whether to standardise columns that only contain 0 and 1; default true.
   */
  standardise(options: { by?: "sd" | "max"; indicators?: boolean } = {}): Dataset<Names> {
    checkKeys("standardise", options, ["by", "indicators"]);
    const { by = "sd", indicators = true } = options;
    checkChoice("standardise", "by", by, ["sd", "max"]);
    checkBoolean("standardise", "indicators", indicators);
    return this.standardiseBy(this.columnMoments(), by, indicators);
  }

  /** Standardises with given moments. @internal */
  standardiseBy(moments: ColumnMoments, by: Scaling, indicators: boolean): Dataset<Names> {
    return this.#after(fitStandardise(this.pipeline.shape, moments, by, indicators));
  }

  /**
   * Applies the hashing trick to column names, giving 2^bits sparse columns. To hash the levels of a table, including
   * levels not seen yet, use fromTable's option `hash`.
   */
  hash(bits: number): Dataset<Names> {
    checkBits(bits);
    const step: HashStep = { kind: "hash", bits };
    return this.#after(step);
  }

  /**
   * Maps rows to random features of a kernel (rff, orthogonal, sorf or fastfood), or adds products of columns
   * (interactions and polynomials).
   */
  map(features: RandomFeatures | Products): Dataset<Names> {
    const rows = this.#rows(features.kind);
    return this.#after("resolve" in features ? features.resolve(rows, this.#columnsKept()) : resolveFeatures(features, rows));
  }

  /** Returns the raw columns if the current columns still encode each raw column separately. Otherwise returns null. */
  #columnsKept(): readonly RawColumn[] | null {
    const { steps, inputs } = this.pipeline;
    const coded = ["columns", "numbers", "impute", "oneHot", "standardise", "numberType", "rowShape"];
    return steps.every(({ kind }) => coded.includes(kind)) ? (inputs as readonly RawColumn[] | null) : null;
  }

  /** The dataset that `as` converted to this dataset, or this dataset if it was not converted. */
  get original(): Dataset<Names> {
    return this.#lending?.conversion ? this.#lending.from : this;
  }

  /** Returns the same rows in another number type. The result is cached and freed with this dataset. */
  as(type: NumberType): Dataset<Names> {
    if (type === this.type) return this;
    if (this.#lending?.conversion) return this.#lending.from.as(type);
    if (!["f32", "f64", "i16", "i8"].includes(type)) {
      throw new OptionError("as", `type is "${type}", but must be "f32", "f64", "i16" or "i8"`, "OPTION_RANGE");
    }
    if (type === "i16" || type === "i8") refuseGaps("as", this);
    const isStep = (type === "f32" || type === "f64") && (this.type === "f32" || this.type === "f64");
    const step: NumberTypeStep | null = isStep ? { kind: "numberType", type } : null;
    return this.#keep(type, () => {
      const pipeline = step ? this.pipeline.with(step) : this.pipeline;
      return new Dataset(convert(this.layout, type, this.source), pipeline, this.source, { from: this, conversion: true });
    });
  }

  /**
   * Returns the dataset with a numeric target converted to classes, one class per distinct value. The result is cached
   * and freed with this dataset.
   */
  asClasses(): Dataset<Names> {
    if (this.pipeline.target.kind === "category") return this;
    return this.#keep("classes", () => {
      const { name, values } = this.target;
      const target = describeTarget(name, Array.from(new Set(values), String), this.source);
      const index = new Map(target.levels!.map((level, k) => [Number(level), k]));
      return this.#retargeted(
        target,
        values.map((value) => index.get(value)!),
      );
    });
  }

  /**
   * Returns the same rows with targets encoded by a model's pipeline, that is, with the model's class indices. If the
   * targets already match, returns this dataset. @throws DataError for classes that the model does not know @internal
   */
  withTargetOf(pipeline: Pipeline): Dataset<Names> {
    const values = targetsAs(this.target, pipeline.target, this.source);
    if (values === this.target.values) return this;
    return this.#retargeted({ ...pipeline.target, name: this.target.name }, values);
  }

  /**
   * Applies the steps of `pipeline` that this dataset does not have yet, so that held-out rows are transformed like the
   * model's training rows. The dataset can come from another file that has the required columns (follow.ts). The
   * dataset keeps its own target.
   *
   * @throws DataError that describes the difference
   */
  follow(pipeline: Pipeline): Dataset<Names> {
    const how = following(this.pipeline.steps, pipeline.steps, this.columnCount);
    if (typeof how === "string") {
      const advice =
        "read and transform these rows like the training rows, split both from one dataset, or give raw rows: model.pipeline.apply(table)";
      throw new DataError(this.source, `its columns are not the model's: ${how}; ${advice}`, "DATASET_PIPELINE");
    }
    let followed: Dataset<Names> = how.places ? this.#placed(how.places, pipeline.steps.slice(0, how.next)) : this;
    for (const step of pipeline.steps.slice(how.next)) {
      if (step.kind === "numberType") continue;
      const before = followed;
      followed = before.#after(step);
      if (before !== this) before.dispose();
    }
    return followed;
  }

  /** Returns a dataset of other rows, with the shape of these rows and with their targets. @internal */
  withRows(rows: RowSource): Dataset<Names> {
    return new Dataset(store(rows, this.#labels(), this.source), this.pipeline, this.source);
  }

  /**
   * Returns the same numbers stored column by column, without the intercept. The result is cached and freed with this
   * dataset.
   */
  columns(): ColumnLayout {
    const { layout } = this;
    if (!this.#columns) {
      this.#columns = columnsOf(layout, this.source);
      own(this, this.#columns.allocation);
    }
    return this.#columns.columns;
  }

  /** Returns a line with the source, the numbers of rows and columns, and the target. */
  toString(): string {
    const { name, levels } = this.pipeline.target;
    const target = levels ? `${levels.length} classes` : "numbers";
    return `dataset ${JSON.stringify(this.source)}: ${this.rowCount} rows, ${this.columnCount} columns; target ${name}: ${target}`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Frees the memory. The dataset cannot be used afterwards. */
  dispose(): void {
    for (const made of this.#made.values()) made.dispose();
    this.#made.clear();
    this.#columns?.allocation.dispose();
    this.#columns = undefined;
    this.#stored?.allocation.dispose();
    this.#stored = null;
    this.#lending = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #keep(key: NumberType | "classes", make: () => Dataset<Names>): Dataset<Names> {
    const kept = this.#made.get(key);
    if (kept && !kept.disposed) return kept;
    const made = make();
    this.#made.set(key, made);
    return made;
  }

  #retargeted(target: TargetColumn, values: Float64Array): Dataset<Names> {
    const allocation = engineMemory().allocate(this.rowCount * 8, `targets of dataset ${this.source}`);
    engineMemory().f64(allocation.pointer, this.rowCount).set(values);
    const layout = Object.freeze({ ...this.layout, target: allocation.pointer });
    const lending = { from: this, conversion: false };
    return new Dataset({ layout, allocation }, this.pipeline.withTarget(target), this.source, lending);
  }

  #rows(where: string): RowSource {
    refuseGaps(where, this);
    if (this.type === "f32" || this.type === "f64") return readRows(this.layout, this.pipeline.shape);
    throw new CapabilityError(
      where,
      `the dataset is ${this.type}, but transformations need floats; transform first, then as("${this.type}")`,
      "DATASET_QUANTISED",
    );
  }

  #placed(places: Int32Array, steps: readonly Step[]): Dataset<Names> {
    const pipeline = new Pipeline(steps).withTarget(this.pipeline.target);
    const rows = placed(this.#rows("follow"), places, pipeline.shape);
    return new Dataset(store(rows, this.#labels(), this.source), pipeline, this.source);
  }

  #after(step: Step): Dataset<Names> {
    const rows = runStep(this.#rows(step.kind), step, this.source);
    return new Dataset(store(rows, this.#labels(), this.source), this.pipeline.with(step), this.source);
  }

  #labels(): Labels {
    return { target: this.target.values, weights: this.weights, offset: this.offset };
  }
}

/**
 * Steps that convert raw rows to a dataset's columns: imputation, one-hot columns, standardisation, random features.
 * Stored with a model.
 */
export class Pipeline extends StepPipeline {
  protected static override readonly typeName: string = "Pipeline";
  static {
    makePipelinesBy((steps) => new Pipeline(steps));
    addImpute();
  }

  /** Returns the pipeline described by the result of toJSON. @throws DataError for any other JSON */
  static override fromJson(json: unknown): Pipeline {
    return StepPipeline.fromJson(json) as Pipeline;
  }

  /**
   * Converts raw rows to a dataset with the columns that the pipeline computes. `target`: true = required, false =
   * ignored, undefined = read if present. Target values are NaN if there is no target.
   */
  apply(raw: RawRows, options: { target?: boolean } = {}): Dataset {
    checkKeys("apply", options, ["target"]);
    const where = sourceOf(raw, "rows");
    checkRaw(raw);
    const rows = runSteps(this.steps, raw, where);
    const target = readTarget(this.target, raw, options.target, where) ?? new Float64Array(rowCountOf(raw)).fill(NaN);
    const step = this.steps[0] as SourceStep;
    const labels = { target, weights: readWeights(step.weights, raw, where), offset: readOffset(step.offset, raw, where) };
    return new Dataset(store(rows, labels, where), this, where, null, (raw as Table).remarks);
  }

  /**
   * Columns that had missing cells, which the pipeline filled when it was made. Each entry states the number of missing
   * cells, the method and the fill value.
   */
  get imputed(): readonly { name: string; missing: number; method: ImputeMethod; value: number | string }[] {
    const { columns } = this.steps[0] as SourceStep & { columns?: readonly RawColumn[] };
    const step = this.steps.find((one): one is ImputeStep => one.kind === "impute");
    if (!step || !columns) return [];
    return columns.flatMap((column, j) => {
      const fill = step.fills[j];
      if (step.missing[j] === 0 || fill === null) return [];
      const category = column.kind === "category";
      // Files written by earlier versions have one method for all columns.
      const method = typeof step.method === "string" ? (category ? "mode" : step.method) : step.method[j]!;
      return { name: column.name, missing: step.missing[j], method, value: category ? column.levels[fill] : fill };
    });
  }

  /** Returns this pipeline with one more step. */
  with(step: Step): Pipeline {
    return new Pipeline([...this.steps, step]);
  }

  /** Returns this pipeline with another target. */
  withTarget(target: TargetColumn): Pipeline {
    return new Pipeline([{ ...this.steps[0], target } as SourceStep, ...this.steps.slice(1)]);
  }
}

/** Refuses a dataset whose cells were kept as they are, for models and transformations that need encoded columns. */
export function refuseGaps(where: string, { pipeline, source }: Pick<Dataset, "pipeline" | "source">): void {
  if (!pipeline.shape.gaps) return;
  const message = `the dataset "${source}" keeps categories and gaps as they are (encode: "none"), which only trees() reads; make it without encode`;
  throw new CapabilityError(where, message, "DATASET_CELLS");
}

function outside(where: string, row: number, rowCount: number): OptionError {
  return new OptionError(where, `row ${row} was asked for, but rows are integers from 0 to ${rowCount - 1}`, "OPTION_RANGE");
}

/**
 * Moments need six float64 numbers and one byte per column. @throws MemoryLimitError if there are too many columns for
 * this
 */
function checkMoments({ columnCount, source }: Dataset): void {
  checkRoom(source, `moments of ${columnCount} columns`, 49 * columnCount, undefined, "hash them to fewer: hash: 20");
}
