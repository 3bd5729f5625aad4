import type { LinearPredictor } from "ergodic";
import type { Paint } from "../terminal.ts";
import { grouped, significant } from "./numbers.ts";
import { table } from "./text-table.ts";

export interface Coefficient {
  column: string;
  /** Class, if there is one output per class; otherwise null. */
  output: string | null;
  weight: number;
}

/** Returns a linear model's coefficients, largest first, in the units of the pipeline's columns. */
export function coefficients({ weights, intercept, columns, classes }: LinearPredictor, most = Infinity): Coefficient[] {
  const at = [...weights.keys()].sort((a, b) => Math.abs(weights[b]) - Math.abs(weights[a]) || a - b).slice(0, most);
  return at.map((i) => ({
    column: columns[i % columns.length],
    output: intercept.length > 1 ? (classes?.[Math.floor(i / columns.length)] ?? null) : null,
    weight: weights[i],
  }));
}

export function nonZeroCoefficients(model: LinearPredictor): Coefficient[] {
  const count = model.weights.reduce((sum, w) => sum + Number(w !== 0), 0);
  return coefficients(model, count);
}

/** Formats coefficients as a table. `title`: heading of the names. */
export function coefficientTable(title: string, all: readonly Coefficient[], most: number, paint: Paint): string {
  const rows = all.slice(0, most);
  const classes = rows.some(({ output }) => output !== null);
  const text = table(
    [title, ...(classes ? ["class"] : []), ""],
    rows.map(({ column, output, weight }) => [column, ...(classes ? [output ?? ""] : []), significant(weight)]),
    { left: classes ? [0, 1] : [0], paint },
  );
  return all.length > most ? `${text}  … and ${grouped(all.length - most)} more\n` : text;
}
