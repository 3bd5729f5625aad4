import type { Dataset } from "../../engine/data/dataset.ts";
import type { StandardiseStep } from "../../engine/data/transformations/standardise.ts";
import { checkBoolean, isList, refuse } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber, OptionError } from "../../engine/errors/errors.ts";
import type { RowPredictor } from "../calibration/description.ts";
import { roomOf } from "../room-of.ts";
import { checkedData } from "./importance.ts";
import { replacedRows, valuesAt } from "./replaced-rows.ts";
import { type SourceColumn, sourceColumns } from "./source-columns.ts";

/** Options of `partialDependence`. */
export interface DependenceOptions {
  /**
   * Number of values of each number column, a whole number >= 2, or the values themselves: a list for one column, a list
   * of lists for two columns. Default 30. Values are equally spaced between the 5 % and the 95 % quantile. If the column
   * has at most this many different values, they are used instead. For categories, the default is all levels.
   */
  grid?: number | readonly (number | string)[] | readonly (readonly (number | string)[])[];
  /** Whether to return the curve of every row, too. Default false. For one column. */
  curves?: boolean;
}

/** Mean prediction as a function of one or two columns. */
export interface Dependence {
  /** Names of the columns, one or two. */
  readonly columns: readonly string[];
  /** Values of each column, in ascending order if the function chose them. */
  readonly grid: readonly (readonly (number | string)[])[];
  /** Names of the outputs: classes, or the target. Two classes have one output, the second class. */
  readonly outputs: readonly string[];
  /** Mean predictions: float64[outputs × grid], or float64[outputs × first grid × second grid]. */
  readonly values: Float64Array;
  /** Prediction of every row: float64[outputs × rows × grid]. Present if they were requested. */
  readonly curves?: Float64Array;
}

/** Largest number of points of the grid. */
const MOST = 10_000;

/**
 * Computes partial dependence: the mean prediction if a column, or a pair of columns, had a given value in every row.
 *
 *   values[k, g] = Σ_i w_i f_k(row i with column = grid[g]) / Σ_i w_i
 *
 * f: the probability of a class, or the predicted number or mean count. For models without probabilities: the score.
 * w: row weights of the data. Works for every predictor of rows. `curves` has the terms of the sum (individual
 * conditional expectation). If columns depend on each other, the mean includes rows that cannot occur.
 *
 * Time: one prediction of all rows per point of the grid. Source: Friedman 2001, section 8.2; Goldstein et al. 2015.
 * Equals scikit-learn's `partial_dependence` with method "brute" on the same grid.
 *
 * @param predictor a trained model of rows
 * @param data rows to average over; a few hundred suffice
 * @param columns name of a column of the table, or two names
 * @throws OptionError for unknown columns and values; CapabilityError for recommenders, and for dates
 *
 * @example
 * ```ts
 * const { grid, values } = partialDependence(model, test, "size");
 * ```
 */
export function partialDependence(
  predictor: RowPredictor,
  data: Dataset,
  columns: string | readonly [string, string],
  options: DependenceOptions = {},
): Dependence {
  const where = "partialDependence";
  checkKeys(where, options, ["grid", "curves"]);
  const rows = checkedData(where, predictor, data);
  const { curves: wanted = false } = options;
  checkBoolean(where, "curves", wanted);
  const chosen = chosenColumns(where, rows, columns);
  if (wanted && chosen.length > 1)
    throw new OptionError(where, "curves is for one column, but there are two; leave it out", "OPTION_CONFLICT");
  const grid = chosen.map((column, c) => gridOf(where, rows, column, options.grid, chosen.length, c));
  const points = grid.reduce((product, { length }) => product * length, 1);
  if (points > MOST)
    throw new OptionError(where, `grid has ${points} points, more than ${MOST}; give fewer values`, "OPTION_RANGE");
  const outputs = outputsOf(predictor);
  const values = new Float64Array(outputs.length * points);
  const curves = wanted ? roomOf(outputs.length * rows.rowCount * points, where) : undefined;
  const weights = rows.weights ?? new Float64Array(rows.rowCount).fill(1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  for (let g = 0; g < points; g++) {
    const at = grid.length === 1 ? [grid[0][g]] : [grid[0][Math.floor(g / grid[1].length)], grid[1][g % grid[1].length]];
    const answers = predicted(predictor, rows, chosen, at, outputs.length);
    for (let k = 0; k < outputs.length; k++) {
      let sum = 0;
      for (let i = 0; i < rows.rowCount; i++) {
        const answer = answers[i * outputs.length + k];
        sum += weights[i] * answer;
        if (curves) curves[(k * rows.rowCount + i) * points + g] = answer;
      }
      values[k * points + g] = sum / total;
    }
  }
  const answer = { columns: chosen.map(({ name }) => name), grid, outputs, values };
  return curves ? { ...answer, curves } : answer;
}

function chosenColumns(where: string, data: Dataset, given: unknown): SourceColumn[] {
  const names = typeof given === "string" ? [given] : given;
  if (!Array.isArray(names) || names.length < 1 || names.length > 2 || names.some((name) => typeof name !== "string"))
    refuse(where, "columns", given, "the name of a column, or two names", '"size"');
  const all = sourceColumns(data.pipeline);
  if (names.length === 2 && names[0] === names[1])
    throw new OptionError(where, `columns has "${names[0]}" twice; name two different columns`, "OPTION_RANGE");
  return names.map((name) => {
    const column = all.find((one) => one.name === name);
    if (!column) {
      const known = all.slice(0, 20).map((one) => one.name);
      const more = all.length > 20 ? ` and ${all.length - 20} more` : "";
      throw new OptionError(
        where,
        `there is no column ${JSON.stringify(name)}; there are ${known.join(", ")}${more}`,
        "OPTION_UNKNOWN",
      );
    }
    if (column.coding === "parts")
      throw new CapabilityError(
        where,
        `column "${name}" holds dates, whose parts cannot be set one by one; name another column`,
        "MODEL_CAPABILITY",
      );
    return column;
  });
}

function gridOf(
  where: string,
  data: Dataset,
  column: SourceColumn,
  given: DependenceOptions["grid"] = 30,
  count: number,
  c: number,
): readonly (number | string)[] {
  if (typeof given !== "number") {
    const lists = (count === 1 && isList(given) && !isList(given[0]) ? [given] : given) as readonly unknown[];
    const own = isList(lists) && lists.length === count ? lists[c] : undefined;
    if (!isList(own) || own.length === 0)
      refuse(where, "grid", given, "a number, or a list of values for each column", count === 1 ? "[1, 2]" : "[[1, 2], [0, 5]]");
    return Array.from(own, (value) => checkedValue(where, column, value));
  }
  checkNumber(where, "grid", given, { low: 2, high: MOST, integer: true });
  return column.levels ?? numbersOf(data, column, given);
}

function checkedValue(where: string, { name, levels }: SourceColumn, value: unknown): number | string {
  if (levels) {
    if (levels.includes(value as string)) return value as string;
    const known = levels.slice(0, 20).join(", ");
    const problem = `grid has ${JSON.stringify(value)}, which is not a level of column "${name}"; its levels are ${known}`;
    throw new OptionError(where, problem, "OPTION_RANGE");
  }
  checkNumber(where, `grid of column "${name}"`, value);
  return value;
}

/** Values of a number column for the grid. */
function numbersOf(data: Dataset, { name, places }: SourceColumn, count: number): number[] {
  const read = valuesAt(data.rows().open(), places.slice(0, 1));
  const restored = (value: number): number =>
    scalings(data)
      .reverse()
      .reduce((x, { centre, scale }) => x * scale[places[0]] + (centre?.[places[0]] ?? 0), value);
  const values = Float64Array.from({ length: data.rowCount }, (_, i) => restored(read(i)[0])).filter(Number.isFinite);
  values.sort();
  if (values.length === 0)
    throw new OptionError("partialDependence", `column "${name}" has no values in the data; give a grid`, "OPTION_RANGE");
  const distinct = [...new Set(values)];
  if (distinct.length <= count) return distinct;
  const quantile = (p: number): number => {
    const at = p * (values.length - 1);
    const below = Math.floor(at);
    const next = values[Math.min(below + 1, values.length - 1)];
    return values[below] + (at - below) * (next - values[below]);
  };
  const [low, high] = [quantile(0.05), quantile(0.95)];
  return low < high ? Array.from({ length: count }, (_, k) => low + (k / (count - 1)) * (high - low)) : distinct;
}

/** Standardisations that the rows have passed. */
const scalings = ({ pipeline }: Dataset): StandardiseStep[] =>
  pipeline.steps.filter((step): step is StandardiseStep => step.kind === "standardise");

/** Names of the outputs that `predicted` returns. */
function outputsOf({ classes, targetName, description }: RowPredictor): readonly string[] {
  if (!classes) return [targetName];
  const outputs = description.link === "sign" ? (description.outputs as number) : classes.length;
  return outputs > 2 || (outputs === 2 && description.link === "sign") ? classes : [classes[1]];
}

/** Predicts all rows with new values in the columns. Returns float64[rows × outputs]. */
function predicted(
  predictor: RowPredictor,
  data: Dataset,
  columns: readonly SourceColumn[],
  at: readonly (number | string)[],
  outputs: number,
): Float64Array {
  const codes = columns.flatMap((column, c) => codesOf(column, at[c])).sort(([a], [b]) => a - b);
  const places = codes.map(([place]) => place);
  const steps = scalings(data);
  const values = Float64Array.from(codes, ([j, value]) =>
    steps.reduce((x, { centre, scale }) => (x - (centre?.[j] ?? 0)) / scale[j], value),
  );
  const changed = data.withRows(replacedRows(data.rows(), places, () => (_, out) => out.set(values)));
  try {
    if (predictor.description.link === "sign") return predictor.outputs(changed);
    const { classes } = predictor;
    const answers = new Float64Array(data.rowCount * outputs);
    for (const [i, { value, probabilities }] of predictor.predict(changed).entries()) {
      if (!classes) answers[i] = value as number;
      else for (let k = 0; k < outputs; k++) answers[i * outputs + k] = probabilities![classes[outputs === 1 ? 1 : k]];
    }
    return answers;
  } finally {
    changed.dispose();
  }
}

/** Returns the places of a column with the numbers that encode a value. */
function codesOf({ coding, levels, places }: SourceColumn, value: number | string): [place: number, value: number][] {
  const code = levels ? levels.indexOf(value as string) : (value as number);
  if (coding === "indicators") return places.map((place, level) => [place, Number(level === code)]);
  // A second place has the indicator of gaps, and there is none.
  return places.map((place, p) => [place, p === 0 ? code : 0]);
}
