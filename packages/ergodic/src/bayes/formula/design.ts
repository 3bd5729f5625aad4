/**
 * Terms as columns of numbers, coded as in R's model.matrix.
 *
 * If an earlier term contains all other variables of a factor's term, the factor is coded by contrasts with its first
 * level. In all other cases, the factor is coded by all its levels. Without an intercept, the first factor is coded by
 * all its levels. In the columns of an interaction, the first factor's level varies fastest.
 *
 * Source: Chambers, Hastie 1992, Statistical Models in S, page 38.
 *
 * Levels and reference levels depend on the data and are stored, so that new rows get the same columns.
 *
 * @throws DataError for factors with only one level, columns that are combinations of others, and numbers written as
 *   text
 */
import { DataError } from "../../engine/errors/errors.ts";
import { columnsBelow, evaluate } from "./expressions.ts";
import { type Columns, type LevelColumn, levelsOfNumbers } from "./formula-data.ts";
import type { Effects, Variable } from "./terms.ts";

/** Values of variables in a set of rows: either the rows to which the model was fitted, or new rows. */
export interface Rows {
  readonly rowCount: number;
  /** @throws DataError unless the variable is a number in each row */
  numbers(variable: Variable): Float64Array;
  /** Level index of each row. */
  codes(variable: Variable, levels: readonly string[]): Int32Array;
}

/** Variable of a term with its coding: a number, or levels from index `first` on. */
type Part =
  | { readonly kind: "number"; readonly variable: Variable }
  | { readonly kind: "levels"; readonly variable: Variable; readonly levels: readonly string[]; readonly first: 0 | 1 };

interface CodedTerm {
  readonly label: string;
  readonly parts: readonly Part[];
  readonly names: readonly string[];
}

/** The numeric columns that represent terms. */
export interface Coding {
  readonly names: readonly string[];
  /** For each column, the label of its term. */
  readonly terms: readonly string[];
  /** Returns the matrix, [row, column]. */
  matrix(rows: Rows): Float64Array;
}

/** Rows that a model is fitted to. */
export class ModelRows implements Rows {
  readonly rowCount: number;
  readonly #where: string;
  readonly #columns: Columns;

  constructor(where: string, columns: Columns) {
    this.#where = where;
    this.#columns = columns;
    this.rowCount = columns.rowCount;
  }

  /** Returns a variable's levels; undefined if it is a number. */
  levels(variable: Variable): LevelColumn | undefined {
    const { expression, label } = variable;
    if (expression.kind === "call" && expression.name === "factor" && expression.given[0].kind === "name") {
      const column = this.#columns.column(expression.given[0].name, label);
      return column.kind === "levels" ? column : levelsOfNumbers(column.values);
    }
    if (expression.kind !== "name") return undefined;
    const column = this.#columns.column(expression.name, label);
    if (column.kind === "number") return undefined;
    if (column.isNumeric && column.levels.length > 1)
      throw this.#wrong(
        `the column "${label}" holds numbers as text ("${column.levels[0]}"); convert them to numbers, column.map(Number), or write factor(${label}) if they name levels`,
        "DATA_SHAPE",
      );
    return column;
  }

  numbers({ expression, label }: Variable): Float64Array {
    const columns = new Map(
      columnsBelow(expression).map((name) => {
        const column = this.#columns.column(name, label);
        if (column.kind === "number") return [name, column.values];
        const given = column.isNumeric ? "numbers as text" : "levels";
        throw this.#wrong(
          `the term "${label}" needs numbers, but the column "${name}" holds ${given} ("${column.levels[0]}"); convert them to numbers`,
          "DATA_SHAPE",
        );
      }),
    );
    return Float64Array.from({ length: this.rowCount }, (_, i) => {
      const value = evaluate(expression, (name) => columns.get(name)![i]);
      if (Number.isFinite(value)) return value;
      const where = [...columns].map(([name, values]) => `"${name}" is ${values[i]}`).join(" and ");
      throw this.#wrong(
        `"${label}" is ${value} in row ${i + 1}, where ${where}; correct it, or write another expression`,
        "DATA_RANGE",
      );
    });
  }

  /** Returns the distinct numbers of a response as levels, in ascending order. */
  numbersAsLevels(variable: Variable): LevelColumn {
    return levelsOfNumbers(this.numbers(variable));
  }

  codes(variable: Variable): Int32Array {
    return this.levels(variable)!.codes;
  }

  /**
   * Combines the levels of the columns that define groups, and returns each row's code. Codes follow the sorted order
   * of each column.
   */
  groups(columns: readonly string[], of: string): LevelColumn {
    const own = columns.map((name) => {
      const column = this.#columns.column(name, of);
      return column.kind === "levels" ? column : levelsOfNumbers(column.values);
    });
    if (own.length === 1) return own[0];
    const keys = Array.from({ length: this.rowCount }, (_, i) => own.map(({ codes }) => codes[i]));
    const sorted = [...new Map(keys.map((key) => [key.join(), key])).values()].sort((a, b) => {
      const k = a.findIndex((code, j) => code !== b[j]);
      return k < 0 ? 0 : a[k] - b[k];
    });
    const places = new Map(sorted.map((key, k) => [key.join(), k]));
    const levels = sorted.map((key) => key.map((code, j) => own[j].levels[code]).join(":"));
    return {
      kind: "levels",
      levels,
      codes: Int32Array.from(keys, (key) => places.get(key.join())!),
      isNumeric: false,
      isOrdered: false,
    };
  }

  #wrong(message: string, code: string): DataError {
    return new DataError(this.#where, message, code);
  }
}

/** Maximum number of values in a matrix, which then takes 2 GiB. No model here could hold a larger matrix. */
const MOST_NUMBERS = 2 ** 28;

/** @throws DataError if a term has more columns than fit into memory; the message names the term's largest factor */
function refuseHuge(where: string, label: string, parts: readonly Part[], rowCount: number): void {
  const countOf = (part: Part): number => (part.kind === "number" ? 1 : part.levels.length - part.first);
  const count = parts.reduce((product, part) => product * countOf(part), 1);
  if (count * rowCount <= MOST_NUMBERS) return;
  const largest = parts.reduce((a, b) => (countOf(b) > countOf(a) ? b : a));
  throw new DataError(
    where,
    `the term "${label}" has ${count} columns in ${rowCount} rows, which does not fit into memory, because "${largest.variable.label}" has ${countOf(largest)} levels with a coefficient each; write it as a group, (1 | ${columnsBelow(largest.variable.expression).join()}), or join rare levels`,
    "DATA_LEVEL",
  );
}

/** Makes the coding of terms. `where`: prefix of error messages. */
export function codingOf(where: string, { intercept, terms }: Effects, rows: ModelRows): Coding {
  const levels = new Map<string, LevelColumn | undefined>();
  for (const variable of terms.flatMap(({ variables }) => variables)) {
    if (levels.has(variable.label)) continue;
    const found = rows.levels(variable);
    if (found && found.levels.length < 2)
      throw new DataError(
        where,
        `the factor "${variable.label}" has one level, "${found.levels[0]}", in all ${rows.rowCount} rows, so its effect cannot be estimated; remove it from the formula`,
        "DATA_LEVEL",
      );
    levels.set(variable.label, found);
  }
  let isWhole = !intercept;
  const coded = terms.map(({ label, variables }, k): CodedTerm => {
    const parts = variables.map((variable): Part => {
      const column = levels.get(variable.label);
      if (!column) return { kind: "number", variable };
      const others = variables.filter((other) => other !== variable);
      const isMargin = others.length === 0 || terms.slice(0, k).some((earlier) => holdsAll(earlier.variables, others));
      const first = isWhole || !isMargin ? 0 : 1;
      isWhole = false;
      return { kind: "levels", variable, levels: column.levels, first };
    });
    refuseHuge(where, label, parts, rows.rowCount);
    return { label, parts, names: namesOf(parts) };
  });
  const names = coded.flatMap((term) => term.names);
  return {
    names,
    terms: coded.flatMap((term) => term.names.map(() => term.label)),
    matrix(from) {
      const out = new Float64Array(from.rowCount * names.length);
      let offset = 0;
      for (const { parts, names: own } of coded) {
        fill(parts, from, out, { width: names.length, offset, count: own.length });
        offset += own.length;
      }
      return out;
    },
  };
}

const holdsAll = (all: readonly Variable[], some: readonly Variable[]): boolean =>
  some.every(({ label }) => all.some((one) => one.label === label));

/** Returns column names such as "x", "woolB", "woolB:tensionM". */
function namesOf(parts: readonly Part[]): string[] {
  let names = [""];
  for (const part of parts) {
    const own =
      part.kind === "number"
        ? [part.variable.label]
        : part.levels.slice(part.first).map((level) => `${part.variable.label}${level}`);
    names = own.flatMap((name) => names.map((before) => (before === "" ? name : `${before}:${name}`)));
  }
  return names;
}

function fill(
  parts: readonly Part[],
  rows: Rows,
  out: Float64Array,
  { width, offset, count }: { width: number; offset: number; count: number },
): void {
  const values = parts.map((part) =>
    part.kind === "number" ? rows.numbers(part.variable) : rows.codes(part.variable, part.levels),
  );
  for (let i = 0; i < rows.rowCount; i++) {
    let [product, column, stride] = [1, 0, 1];
    for (const [k, part] of parts.entries()) {
      const value = values[k][i];
      if (part.kind === "number") product *= value;
      else {
        if (value < part.first) product = 0;
        column += stride * Math.max(0, value - part.first);
        stride *= part.levels.length - part.first;
      }
    }
    if (column < count) out[i * width + offset + column] = product;
  }
}

/** Returns the means of columns. */
export function meansOf(matrix: Float64Array, width: number): Float64Array {
  const means = new Float64Array(width);
  const count = matrix.length / width;
  for (let at = 0; at < matrix.length; at++) means[at % width] += matrix[at];
  return means.map((sum) => sum / count);
}

/** Returns the standard deviations of columns, with divisor n − 1. */
export function deviationsOf(matrix: Float64Array, width: number): Float64Array {
  const means = meansOf(matrix, width);
  const squares = new Float64Array(width);
  for (let at = 0; at < matrix.length; at++) squares[at % width] += (matrix[at] - means[at % width]) ** 2;
  const count = matrix.length / width;
  return squares.map((sum) => Math.sqrt(sum / Math.max(1, count - 1)));
}
