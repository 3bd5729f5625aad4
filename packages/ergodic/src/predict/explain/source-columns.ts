import type { StepPipeline } from "../../engine/data/pipeline.ts";
import type { RawColumn, Step } from "../../engine/data/rows.ts";
import type { ColumnsStep } from "../../engine/data/transformations/columns.ts";
import type { ImputeStep } from "../../engine/data/transformations/impute.ts";

/** A column of the raw table, and the columns that a pipeline made of it. */
export interface SourceColumn {
  readonly name: string;
  /** "code": a category as the index of its level. "indicators": a category as one column per level. "parts": a date. */
  readonly coding: "number" | "code" | "indicators" | "parts";
  /** Levels of a category. */
  readonly levels?: readonly string[];
  /** Ascending positions after the last step. For a number: its value, and possibly an indicator of gaps. */
  readonly places: readonly number[];
}

/** Steps that preserve the order of columns. */
const kept = new Set(["numbers", "standardise", "numberType", "rowShape"]);

/**
 * Returns the source columns of a pipeline, in the table's order. If a step mixes columns (hashing, random features,
 * products), each column after the last step counts as a source column.
 */
export function sourceColumns(pipeline: StepPipeline): SourceColumn[] {
  const { steps, names } = pipeline;
  const [first, ...later] = steps;
  const isTable = first.kind === "columns";
  const impute = later.find(({ kind }) => kind === "impute") as ImputeStep | undefined;
  const coding = later.find(({ kind }) => kind === "oneHot" || kind === "cells");
  const isKnown = ({ kind }: Step): boolean => kept.has(kind) || ["columns", "impute", "oneHot", "cells"].includes(kind);
  if (!isTable || !coding || !steps.every(isKnown))
    return names.map((name, j): SourceColumn => ({ name, coding: "number", places: [j] }));
  return fromCells((first as ColumnsStep).columns, impute?.indicators ?? [], coding.kind === "oneHot");
}

function fromCells(cells: readonly RawColumn[], indicators: readonly number[], isOneHot: boolean): SourceColumn[] {
  const found = new Map<string, { column: Omit<SourceColumn, "places">; places: number[] }>();
  let next = 0;
  for (const cell of cells) {
    const levels = cell.kind === "category" ? cell.levels : undefined;
    const name = cell.of ?? cell.name;
    const coding = cell.of === undefined ? (levels ? (isOneHot ? "indicators" : "code") : "number") : "parts";
    const own = found.get(name) ?? { column: { name, coding, ...(levels ? { levels } : {}) }, places: [] };
    found.set(name, own);
    const width = levels && isOneHot ? levels.length : 1;
    for (let k = 0; k < width; k++) own.places.push(next++);
  }
  for (const j of indicators) found.get(cells[j].of ?? cells[j].name)!.places.push(next++);
  return [...found.values()].map(({ column, places }) => ({ ...column, places }));
}
