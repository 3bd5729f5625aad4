/** A formula applied to data. It contains the numeric columns, and the choices that give new rows the same columns. */
import { DataError, OptionError } from "../../engine/errors/errors.ts";
import type { ModelData } from "../model/fields.ts";
import { refuseCollinear } from "./collinear.ts";
import { type Coding, codingOf, deviationsOf, ModelRows, meansOf, type Rows } from "./design.ts";
import type { Columns } from "./formula-data.ts";
import { type Response, type ResponseFamily, responseOf } from "./response-families.ts";
import { type Spline, splineOf } from "./splines.ts";
import type { Formula, GroupTerm, SmoothTerm, Term } from "./terms.ts";

const WHERE = "regression";
/** Names of the model's numeric fields. No column can have one of these names. */
export const FIXED = "(fixed effects)";
export const OFFSET = "(offset)";
export const TRIALS = "(trials)";
export const indexField = (j: number): string => `(group ${j + 1})`;
export const effectField = (j: number): string => `(effects of group ${j + 1})`;
export const smoothField = (j: number): string => `(smooth ${j + 1})`;

/** A group term `(effects | group)` applied to data. */
export interface PlannedGroup {
  readonly term: GroupTerm;
  /** Names of the varying effects, with "Intercept" first if it varies. */
  readonly effects: readonly string[];
  readonly levels: readonly string[];
  readonly coding: Coding;
}

export interface PlannedSmooth {
  readonly term: SmoothTerm;
  readonly spline: Spline;
}

/** Rows with known groups. */
export interface GroupedRows extends Rows {
  /** For each row, the index of its group in `levels`. A new group has the index `levels.length`. */
  groups(columns: readonly string[], levels: readonly string[]): Float64Array;
}

export class Plan {
  readonly formula: Formula;
  readonly family: ResponseFamily;
  readonly response: Response;
  /** Names of coefficients: first one per column, then one per smooth for its straight line. */
  readonly coefficients: readonly string[];
  /** Standard deviations of the coefficients' columns. */
  readonly deviations: Float64Array;
  /** Means of the coefficients' columns; 0 if they are not centred. */
  readonly means: Float64Array;
  readonly groups: readonly PlannedGroup[];
  readonly smooths: readonly PlannedSmooth[];
  /** The rows as numbers. */
  readonly data: ModelData;
  readonly #coding: Coding;

  constructor(formula: Formula, family: ResponseFamily, columns: Columns) {
    this.formula = formula;
    this.family = family;
    const rows = new ModelRows(WHERE, columns);
    this.response = responseOf(WHERE, formula, family, rows);
    this.#coding = codingOf(WHERE, formula, rows);
    const { names } = this.#coding;
    const matrix = this.#coding.matrix(rows);
    const intercept = formula.intercept || family.parameters.includes("threshold");
    if (names.length > 0) refuseCollinear(WHERE, this.#coding, matrix, intercept);
    this.smooths = formula.smooths.map((term) => ({
      term,
      spline: splineOf(WHERE, term.label, rows.numbers(term), term.dimension),
    }));
    this.coefficients = [...names, ...this.smooths.map(({ term }) => term.label)];
    this.deviations = Float64Array.from([...deviationsOf(matrix, names.length), ...this.smooths.map(() => 1)]);
    this.means = Float64Array.from(this.coefficients, () => 0);
    if (intercept) this.means.set(meansOf(matrix, names.length));
    this.groups = formula.groups.map((term) => plannedGroup(term, rows, family));
    const known = new ObservedRows(rows);
    this.data = { [formula.response.label]: this.response.values, ...this.numbersOf(known) };
  }

  /**
   * Returns the numbers that the model reads from the rows, as one row-major list per field. The response is excluded.
   */
  numbersOf(rows: GroupedRows): Record<string, Float64Array> {
    const { formula, groups, smooths } = this;
    const numbers: Record<string, Float64Array> = {};
    if (this.coefficients.length > 0) numbers[FIXED] = this.#fixed(rows);
    if (formula.offsets.length > 0) {
      const all = formula.offsets.map((variable) => rows.numbers(variable));
      numbers[OFFSET] = Float64Array.from({ length: rows.rowCount }, (_, i) => all.reduce((sum, one) => sum + one[i], 0));
    }
    if (formula.trials) numbers[TRIALS] = rows.numbers(formula.trials);
    for (const [j, { term, levels, coding }] of groups.entries()) {
      numbers[indexField(j)] = rows.groups(term.columns, levels);
      if (coding.names.length > 0) numbers[effectField(j)] = coding.matrix(rows);
    }
    for (const [j, { term, spline }] of smooths.entries()) numbers[smoothField(j)] = spline.wiggles(rows.numbers(term));
    return numbers;
  }

  #fixed(rows: Rows): Float64Array {
    const width = this.coefficients.length;
    const coded = this.#coding.matrix(rows);
    const own = this.#coding.names.length;
    const lines = this.smooths.map(({ term, spline }) => spline.line(rows.numbers(term)));
    return Float64Array.from({ length: rows.rowCount * width }, (_, at) => {
      const [i, j] = [Math.floor(at / width), at % width];
      return j < own ? coded[i * own + j] - this.means[j] : lines[j - own][i];
    });
  }
}

/** Rows of the model's own data. */
class ObservedRows implements GroupedRows {
  readonly rowCount: number;
  readonly #rows: ModelRows;

  constructor(rows: ModelRows) {
    this.#rows = rows;
    this.rowCount = rows.rowCount;
  }

  numbers(variable: Term["variables"][number]): Float64Array {
    return this.#rows.numbers(variable);
  }

  codes(variable: Term["variables"][number]): Int32Array {
    return this.#rows.codes(variable);
  }

  groups(columns: readonly string[]): Float64Array {
    return Float64Array.from(this.#rows.groups(columns, columns.join(":")).codes);
  }
}

function plannedGroup(term: GroupTerm, rows: ModelRows, { parameters }: ResponseFamily): PlannedGroup {
  const { levels } = rows.groups(term.columns, term.text);
  const wrong = (message: string): DataError => new DataError(WHERE, message, "DATA_LEVEL");
  if (levels.length < 2)
    throw wrong(
      `${term.text} has one group, "${levels[0]}", in all ${rows.rowCount} rows, and one group cannot show how groups differ; write its terms without | ${term.label}`,
    );
  if (levels.length === rows.rowCount && parameters.includes("sigma"))
    throw wrong(
      `${term.text} has a group for each of the ${rows.rowCount} rows, so group effects cannot be told from residuals; remove the term`,
    );
  const coding = codingOf(WHERE, term, rows);
  const effects = [...(term.intercept ? ["Intercept"] : []), ...coding.names];
  return { term, effects, levels, coding };
}

/** @throws OptionError if two quantities have the same name */
export function checkNames(names: readonly string[], own: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name))
      throw new OptionError(
        WHERE,
        own.includes(name)
          ? `"${name}" is a column, but also the name of a parameter of the model; give the column another name`
          : `"${name}" would be the name of two quantities; write each effect of a group once, or give the columns other names`,
        "MODEL_NAME",
      );
    seen.add(name);
  }
}
