/**
 * Writes a model's pipeline as ONNX nodes, which convert a matrix of raw columns to a matrix of the model's columns.
 *
 * Raw columns are numbers. A category is given as the index of a level in the column's list of levels. Any other number
 * (such as −1) means an unknown level. If the model fills gaps, NaN means a missing value. Arithmetic is in float64 and
 * is rounded where the library rounds, so that the results are the same.
 *
 * @throws CapabilityError [ONNX_STEP] for steps that ONNX cannot express: hashing of strings, and random features,
 * which are generated from a seed
 */
import { CapabilityError } from "ergodic";
import type { Graph } from "./graph.ts";
import { TYPES } from "./graph.ts";

/** A raw column of the model's pipeline. */
export type RawColumn =
  | { readonly name: string; readonly kind: "number" }
  | { readonly name: string; readonly kind: "category"; readonly levels: readonly string[] };

interface Step {
  readonly kind: string;
  readonly [key: string]: unknown;
}

/** An intermediate matrix [rows, columns]. */
interface Matrix {
  readonly name: string;
  readonly type: "float32" | "float64";
}

/** Returns the raw columns of a pipeline whose input is numbers or cells. @throws CapabilityError */
export function rawColumns(steps: readonly unknown[], names: readonly { readonly name: string }[] | null): readonly RawColumn[] {
  const [source] = steps as readonly Step[];
  const dated = (source.columns as { of?: string }[] | undefined)?.find(({ of }) => of !== undefined);
  if (dated) throw refused(`dates of ${dated.of}`);
  if (source.kind === "columns") return source.columns as RawColumn[];
  if (source.kind !== "numbers") throw refused(source.kind);
  const own = names?.map(({ name }) => name);
  return Array.from({ length: source.columnCount as number }, (_, j) => ({ name: own ? own[j] : `x${j}`, kind: "number" }));
}

/** Writes the nodes that compute the model's columns from the raw columns. `columns`: float32 [rows, raw columns]. */
export function writePipeline(graph: Graph, given: readonly unknown[], raw: readonly RawColumn[], columns: string): Matrix {
  const [source, ...steps] = given as readonly Step[];
  let type = source.type as "f32" | "f64";
  let matrix: Matrix = { name: columns, type: "float32" };
  let cells = raw;
  for (const step of steps) {
    if (step.kind === "numberType") type = step.type as "f32" | "f64";
    const write = Object.hasOwn(writers, step.kind) ? writers[step.kind] : undefined;
    if (!write) throw refused(step.kind);
    const made = write(graph, matrix, step, cells);
    const indicators = (step.kind === "impute" ? (step.indicators as number[] | undefined) : undefined) ?? [];
    cells = [...cells, ...indicators.map((j) => ({ name: cells[j].name, kind: "number" as const }))];
    // Cells of a table are not rounded yet.
    matrix = type === "f32" && step.kind !== "impute" ? as(graph, made, "float32") : made;
  }
  return matrix;
}

/** Casts to another type. */
export function as(graph: Graph, { name, type }: Matrix, wanted: Matrix["type"]): Matrix {
  return type === wanted ? { name, type } : { name: graph.node("Cast", [name], { to: TYPES[wanted] }), type: wanted };
}

const writers: Readonly<Record<string, (graph: Graph, x: Matrix, step: Step, raw: readonly RawColumn[]) => Matrix>> = {
  numberType: (_, x) => x,
  rowShape: (_, x) => x,
  // A category stays an index. Trees read it only in sets of categories, which are refused.
  cells: (_, x) => x,
  impute(graph, x, { fills, indicators }) {
    const { name, type } = as(graph, x, "float64");
    const numbers = (fills as (number | null)[]).map((fill) => fill ?? Number.NaN);
    const filled = graph.constant(type, numbers, [1, numbers.length], "fills");
    const gaps = graph.node("IsNaN", [name]);
    const whole = graph.node("Where", [gaps, filled, name]);
    if (indicators === undefined) return { name: whole, type };
    const places = graph.constant("int64", indicators as number[], [(indicators as number[]).length], "indicators");
    const told = graph.node("Cast", [graph.node("Gather", [gaps, places], { axis: 1 })], { to: TYPES[type] });
    return { name: graph.node("Concat", [whole, told], { axis: 1 }), type };
  },
  oneHot(graph, { name, type }, _, raw) {
    if (raw.every(({ kind }) => kind === "number")) return { name, type };
    const parts = runsOf(raw).map(({ from, to, levels }) => {
      const list = (value: number): string => graph.constant("int64", [value]);
      const part = graph.node("Slice", [name, list(from), list(to), list(1)]);
      if (levels === undefined) return part;
      const places = graph.constant(
        type,
        Array.from({ length: levels }, (_unused, k) => k),
        [1, levels],
      );
      return graph.node("Cast", [graph.node("Equal", [part, places])], { to: TYPES[type] });
    });
    return { name: parts.length === 1 ? parts[0] : graph.node("Concat", parts, { axis: 1 }), type };
  },
  standardise(graph, x, { centre, scale }) {
    const { name, type } = as(graph, x, "float64");
    const row = (values: unknown, hint: string): string =>
      graph.constant(type, values as number[], [1, (values as number[]).length], hint);
    const centred = centre === null ? name : graph.node("Sub", [name, row(centre, "centre")]);
    return { name: graph.node("Div", [centred, row(scale, "scale")]), type };
  },
};

interface ColumnRun {
  readonly from: number;
  readonly to: number;
  /** Number of levels of a category. */
  readonly levels: number | undefined;
}

/**
 * Splits the columns into runs. Consecutive numeric columns form one run, whereas each category forms a run of its own.
 * A category without levels has no columns and therefore no run.
 */
function runsOf(raw: readonly RawColumn[]): ColumnRun[] {
  const runs: { from: number; to: number; levels: number | undefined }[] = [];
  for (const [j, column] of raw.entries()) {
    const before = runs.at(-1);
    if (column.kind === "category") {
      if (column.levels.length > 0) runs.push({ from: j, to: j + 1, levels: column.levels.length });
    } else if (before && before.levels === undefined && before.to === j) before.to = j + 1;
    else runs.push({ from: j, to: j + 1, levels: undefined });
  }
  return runs;
}

function refused(kind: string): CapabilityError {
  const why: Readonly<Record<string, string>> = {
    hash: "hashes the texts of cells",
    hashedColumns: "hashes the texts of cells",
  };
  const reason = why[kind] ?? (kind.startsWith("dates") ? "reads texts" : undefined) ?? "makes columns from a seed";
  return new CapabilityError(
    "toOnnx",
    `the model's pipeline has the step ${kind}, which ${reason}; ONNX cannot do this: apply the step before, and train on its columns`,
    "ONNX_STEP",
  );
}
