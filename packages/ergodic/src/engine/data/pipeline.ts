/**
 * Runs the steps of a pipeline: raw rows → source → transformation → … → rows. Datasets and pipelines create each
 * other, so the class `Pipeline`, which makes datasets, is in dataset.ts. Programs that only predict do not load the
 * code of datasets.
 *
 * @throws DataError [PIPELINE_STEP] for steps that do not fit together, or that this version cannot have written
 */

import type { Json } from "../contract/index.ts";
import { DataError, ErgodicError } from "../errors/errors.ts";
import { isListOf } from "../errors/list-of.ts";
import { checkRaw } from "./check-table.ts";
import { type RawRows, sourceOf } from "./raw.ts";
import {
  mapped,
  type RawColumn,
  type ReadRow,
  type RowSource,
  refuseValue,
  roundToF32,
  type Shape,
  type SourceStep,
  type Step,
  type TargetColumn,
  type Transformation,
} from "./rows.ts";
import { checkStep, isTexts } from "./step-check.ts";
import type { Row } from "./table.ts";
import { readOffset, readWeights } from "./target.ts";
import { sources, transformations } from "./transformations/index.ts";
import type { Source } from "./transformations/source.ts";

/** Steps that take table cells. */
const ofCells = new Set(["impute", "oneHot", "cells"]);

/** Returns the shape of rows after the last step. Checks that the steps fit together. */
export function shapeAfter(steps: readonly Step[]): Shape {
  let shape = sourceOfSteps(steps).output(steps[0] as SourceStep);
  for (const step of steps.slice(1)) {
    const transformation = transformationOf(step);
    if (!shape.stored) checkStep(step.kind, ofCells.has(step.kind), "columns of numbers before it, not the cells of a table");
    shape = transformation.output(step, shape);
  }
  return shape;
}

/** Runs raw rows through all steps. `where` prefixes errors about rows. */
export function runSteps(steps: readonly Step[], raw: RawRows, where: string): RowSource {
  let rows = roundedSource(sourceOfSteps(steps).open(steps[0] as SourceStep, raw, where));
  for (const step of steps.slice(1)) rows = runStep(rows, step, where);
  return rows;
}

export function runStep(rows: RowSource, step: Step, where: string): RowSource {
  return mapped(rows, transformationOf(step), step, where);
}

/** Reads the steps of a saved model, and checks them as far as their shapes allow. */
export function stepsFromJson(json: unknown): readonly Step[] {
  checkSteps(json);
  const steps: Step[] = structuredClone(json);
  try {
    if (shapeAfter(steps).stored) return deepFreeze(steps);
  } catch (error) {
    if (error instanceof ErgodicError) throw error;
    throw new DataError("pipeline", `a step lacks a part that its kind needs (${(error as Error).message})`, "PIPELINE_STEP", {
      cause: error,
    });
  }
  throw new DataError("pipeline", `its last step, ${steps.at(-1)!.kind}, leaves cells, not columns`, "PIPELINE_STEP");
}

export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

function checkSteps(steps: unknown): asserts steps is Step[] {
  if (isListOf<Step>(steps, isStep) && steps.length > 0) return;
  throw new DataError("pipeline", `is not a list of steps with a kind each (${typeof steps})`, "PIPELINE_STEP");
}

function isStep(value: unknown): value is Step {
  return typeof value === "object" && value !== null && typeof (value as { kind?: unknown }).kind === "string";
}

function sourceOfSteps(steps: readonly Step[]): Source<SourceStep> {
  const source = sources.get(steps[0]?.kind);
  if (!source) throw unknown(steps[0], "first", sources.keys());
  const { target, type, weights, offset = "", source: name } = steps[0] as SourceStep;
  if (!(isTarget(target) && (type === "f32" || type === "f64")))
    throw new DataError("pipeline", `step "${steps[0].kind}" lacks a target or a type`, "PIPELINE_STEP");
  checkStep(
    steps[0].kind,
    typeof name === "string" && (weights === null || typeof weights === "string") && typeof offset === "string",
    "a source, and weights or null",
  );
  return source;
}

function isTarget(target: Partial<TargetColumn> | null | undefined): boolean {
  if (typeof target?.name !== "string") return false;
  return target.kind === "number" ? target.levels === undefined : target.kind === "category" && isTexts(target.levels);
}

function transformationOf(step: Step): Transformation<Step> {
  const transformation = transformations.get(step.kind);
  if (!transformation) throw unknown(step, "later", transformations.keys());
  return transformation;
}

function unknown(step: Step | undefined, place: string, known: Iterable<string>): DataError {
  const message = `there is no ${place} step "${step?.kind}" (known: ${[...known].join(", ")}); was it saved by a newer version?`;
  return new DataError("pipeline", message, "PIPELINE_STEP");
}

function roundedSource(rows: RowSource): RowSource {
  if (!rows.shape.stored || rows.shape.type !== "f32") return rows;
  return {
    ...rows,
    open() {
      const read = rows.open();
      return (i) => {
        const row = read(i);
        roundToF32(row);
        return row;
      };
    },
  };
}

/** A pipeline that returns rows. Predictors use it. */
export class StepPipeline {
  protected static readonly typeName: string = "StepPipeline";
  /** The steps, in order. */
  readonly steps: readonly Step[];
  /** Shape of the rows after the last step. */
  readonly shape: Shape;
  #names: string[] | undefined;
  /** Cache of pipelines by their immutable steps, so that pipelines with a million columns are validated only once. */
  static readonly #made = new WeakMap<object, StepPipeline>();

  constructor(steps: readonly Step[]) {
    checkSteps(steps);
    this.steps = deepFreeze([...steps]);
    this.shape = shapeAfter(this.steps);
    StepPipeline.#made.set(this.steps, this);
  }

  /** Returns the pipeline described by the result of toJSON. @throws DataError for any other JSON */
  static fromJson(json: unknown): StepPipeline {
    return StepPipeline.#made.get(json as object) ?? make(stepsFromJson(json));
  }

  /** Returns the steps as JSON, from which `Pipeline.fromJson` rebuilds the pipeline. */
  toJSON(): Json[] {
    return this.steps as unknown as Json[];
  }

  /** Number of columns after the last step. */
  get columnCount(): number {
    return this.shape.columnCount;
  }

  /** Names of the columns after the last step. */
  get names(): string[] {
    this.#names ??= Object.freeze(this.shape.names()) as string[];
    return this.#names;
  }

  /** The predicted target: its name, and its classes if it has any. */
  get target(): TargetColumn {
    return (this.steps[0] as SourceStep).target;
  }

  /** Raw columns that rows must have, or null if the columns are x0, x1, … */
  get inputs(): readonly RawColumn[] | readonly { readonly name: string; readonly kind: "number" | "category" }[] | null {
    const step = this.steps[0] as SourceStep & { columns?: readonly RawColumn[]; names?: readonly string[] | null };
    // The parts of a date are consecutive columns. The text column that contains the date is listed once instead.
    const parted = step.columns?.filter(({ of }, j, all) => of === undefined || of !== all[j - 1]?.of);
    return (
      parted?.map((column) => (column.of === undefined ? column : { name: column.of, kind: "category", levels: [] })) ??
      step.names?.map((name) => ({ name, kind: "number" as const })) ??
      null
    );
  }

  /**
   * Returns a slot for one row of the same form as `row` (by name or by position), and a function that reads the row in
   * the slot. Weights are not read.
   */
  holding(row: Row | ArrayLike<number>): HeldRow {
    const held = [row] as readonly Row[] as Row[];
    return { held, read: this.#checked(held).open() };
  }

  /**
   * Converts raw rows to the pipeline's columns, as a dataset would store them. A target is ignored. @throws DataError
   */
  rowsOf(raw: RawRows): RowSource {
    const rows = this.#checked(raw);
    readWeights((this.steps[0] as SourceStep).weights, raw, sourceOf(raw, "rows"));
    return { ...rows, offset: this.offsetOf(raw) };
  }

  /** Returns the offset added to the output of each row, if there is one. @throws DataError */
  offsetOf(raw: RawRows): Float64Array | null {
    return readOffset((this.steps[0] as SourceStep).offset, raw, sourceOf(raw, "rows"));
  }

  #checked(raw: RawRows): RowSource {
    const where = sourceOf(raw, "rows");
    checkRaw(raw);
    const rows = runSteps(this.steps, raw, where);
    const { type, names, gaps = false } = rows.shape;
    return {
      ...rows,
      open() {
        const read = rows.open();
        return (i) => {
          const row = read(i);
          const { count, columns, values } = row;
          for (let k = 0; k < count; k++)
            if (values[k] - values[k] !== 0 && !(gaps && Number.isNaN(values[k])))
              refuseValue(where, i, names()[columns ? columns[k] : k], values[k], type);
          return row;
        };
      },
    };
  }
}

/** A slot for one raw row and a function that reads it, for rows that arrive one by one. */
export interface HeldRow {
  readonly held: unknown[];
  readonly read: ReadRow;
}

let make = (steps: readonly Step[]): StepPipeline => new StepPipeline(steps);

/**
 * Sets the constructor of pipelines. Programs that load datasets pass a constructor of pipelines that can make
 * datasets.
 */
export function makePipelinesBy(maker: typeof make): void {
  make = maker;
}
