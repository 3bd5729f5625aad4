/**
 * A pipeline's steps, run: raw rows → source → transformation → … → rows. `Pipeline`, which makes a dataset of the result, stands in
 * dataset.ts, since datasets and pipelines make each other.
 *
 * @throws DataError [PIPELINE_STEP] for steps that do not fit together or are not what this version writes
 */
import { DataError, ErgodicError } from "../base/errors.ts";
import type { RawRows } from "./raw.ts";
import {
  mapped,
  type RowSource,
  roundToF32,
  type Shape,
  type SourceStep,
  type Step,
  type TargetColumn,
  type Transformation,
} from "./rows.ts";
import { checkStep, isTexts } from "./step-check.ts";
import { sources, transformations } from "./transformations/index.ts";
import type { Source } from "./transformations/source.ts";

/** Steps that take the cells of a table. */
const ofCells = new Set(["impute", "oneHot"]);

/** What comes out of the last step; checks that the steps fit. */
export function shapeAfter(steps: readonly Step[]): Shape {
  let shape = sourceOfSteps(steps).output(steps[0] as SourceStep);
  for (const step of steps.slice(1)) {
    const transformation = transformationOf(step);
    if (!shape.stored) checkStep(step.kind, ofCells.has(step.kind), "columns of numbers before it, not the cells of a table");
    shape = transformation.output(step, shape);
  }
  return shape;
}

/** `where` opens the errors of rows. */
export function runSteps(steps: readonly Step[], raw: RawRows, where: string): RowSource {
  let rows = roundedSource(sourceOfSteps(steps).open(steps[0] as SourceStep, raw, where));
  for (const step of steps.slice(1)) rows = runStep(rows, step, where);
  return rows;
}

export function runStep(rows: RowSource, step: Step, where: string): RowSource {
  return mapped(rows, transformationOf(step), step, where);
}

/** Steps from a saved model, checked as far as their shapes go. */
export function stepsFromJson(json: unknown): readonly Step[] {
  if (!Array.isArray(json) || json.length === 0 || !json.every(isStep)) {
    throw new DataError("pipeline", `is not a list of steps with a kind each (${typeof json})`, "PIPELINE_STEP");
  }
  const steps: Step[] = structuredClone(json);
  try {
    if (shapeAfter(steps).stored) return deepFreeze(steps);
  } catch (error) {
    if (error instanceof ErgodicError) throw error;
    throw new DataError("pipeline", `a step lacks what its kind needs (${(error as Error).message})`, "PIPELINE_STEP", {
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

function isStep(value: unknown): value is Step {
  return typeof value === "object" && value !== null && typeof (value as { kind?: unknown }).kind === "string";
}

function sourceOfSteps(steps: readonly Step[]): Source<SourceStep> {
  const source = sources.get(steps[0]?.kind);
  if (!source) throw unknown(steps[0], "first", sources.keys());
  const { target, type, weights, source: name } = steps[0] as SourceStep;
  if (!(isTarget(target) && (type === "f32" || type === "f64")))
    throw new DataError("pipeline", `step "${steps[0].kind}" lacks a target or a type`, "PIPELINE_STEP");
  checkStep(
    steps[0].kind,
    typeof name === "string" && (weights === null || typeof weights === "string"),
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
    forEach: (visit) =>
      rows.forEach((row, i) => {
        roundToF32(row);
        visit(row, i);
      }),
  };
}
