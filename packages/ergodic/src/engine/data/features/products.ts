import { isList, refuse } from "../../errors/checks.ts";
import { checkKeys, checkNumber, DataError, OptionError } from "../../errors/errors.ts";
import {
  forEachRow,
  type RawColumn,
  type RowSource,
  type RowVector,
  type Shape,
  SparseRow,
  type Step,
  type Transformation,
} from "../rows.ts";
import { checkStep, isCount } from "../step-check.ts";
import { addTransformation } from "../transformations/index.ts";
import { levelName } from "../transformations/level-name.ts";

/** Options of `products`. */
export interface ProductOptions {
  /**
   * Groups of raw columns whose products are added, by name: [["age", "work"], ["age", "hours", "work"]]. A category
   * contributes the columns of its levels. Default: none.
   */
  interactions?: readonly (readonly string[])[];
  /**
   * Largest number of factors in a product. Adds all products of up to this many columns, including powers of numeric
   * columns. A whole number, 1 to 6. Default 1: none.
   */
  degree?: number;
}

/** Products with the user's options. */
export interface Products {
  /** "products". */
  readonly kind: "products";
  /** Returns the pipeline step for rows whose columns encode these raw columns. */
  resolve(rows: RowSource, inputs: readonly RawColumn[] | null): ProductsStep;
}

export interface ProductsStep extends Step {
  readonly kind: "products";
  /** Number of input columns. The step retains all input columns. */
  readonly inputs: number;
  /** Factor columns of each new column, in ascending order. A power repeats its column. */
  readonly terms: readonly (readonly number[])[];
}

const MOST_TERMS = 100_000;
const MOST_DEGREE = 6;

/**
 * Products of columns, for `data.map`: interactions and polynomials. The step is stored with a model and applied at
 * prediction.
 *
 * The original columns come first, followed by products with names such as "age:work=public" and "age^2". Products that
 * add nothing are omitted: products of two levels of one category are always 0, and powers of a 0/1 column equal the
 * column.
 *
 * @throws OptionError for options out of range, or if both are missing; from `map` for unknown column names and for
 * more than 100,000 products
 *
 * @example
 * ```ts
 * data.map(products({ interactions: [["age", "work"]] }));   // age × each level of work
 * data.map(products({ degree: 2 }));                         // squares, and products of every two columns
 * ```
 */
export function products(options: ProductOptions): Products {
  const where = "products";
  checkKeys(where, options, ["interactions", "degree"]);
  const { interactions = [], degree = 1 } = options;
  checkNumber(where, "degree", degree, { low: 1, high: MOST_DEGREE, integer: true });
  const isNames = (names: unknown): boolean =>
    isList(names) && names.length >= 2 && Array.from(names as ArrayLike<unknown>).every((name) => typeof name === "string");
  if (!isList(interactions) || !Array.from(interactions).every(isNames))
    refuse(where, "interactions", interactions, "a list of lists of two names or more", 'interactions: [["age", "work"]]');
  if (interactions.length === 0 && degree === 1)
    throw new OptionError(where, "neither interactions nor a degree above 1 is given; give one", "OPTION_MISSING");
  addTransformation(productsStep);
  return Object.freeze({
    kind: "products",
    resolve: (rows: RowSource, inputs: readonly RawColumn[] | null) => resolved(rows, inputs, interactions, degree),
  });
}

/** Columns that encode one raw column: one column for a number, or one column per level for a category. */
interface Factor {
  readonly name: string;
  readonly columns: readonly number[];
  /** Whether powers of the column differ from the column. */
  readonly powers: boolean;
}

function resolved(
  rows: RowSource,
  inputs: readonly RawColumn[] | null,
  interactions: readonly (readonly string[])[],
  degree: number,
): ProductsStep {
  const factors = factorsOf(rows, inputs, degree > 1);
  const places = new Map(factors.map(({ name }, k) => [name, k]));
  const chosen = interactions.map((names) =>
    names
      .map((name) => {
        const k = places.get(name);
        if (k !== undefined) return k;
        const known = factors.slice(0, 12).map((f) => JSON.stringify(f.name));
        throw new OptionError(
          "products",
          `interactions name a column ${JSON.stringify(name)} that does not exist; the columns are ${known.join(", ")}${factors.length > 12 ? " …" : ""}`,
          "DATA_COLUMN",
        );
      })
      .sort((a, b) => a - b),
  );
  const terms: number[][] = [];
  const seen = new Set<string>();
  for (const factorList of [...chosen, ...monomials(factors, degree)]) {
    const key = factorList.join(",");
    if (seen.has(key)) continue;
    seen.add(key);
    if (factorList.some((k, at) => k === factorList[at - 1] && !factors[k].powers && factors[k].columns.length > 1)) continue;
    expand(
      factorList.map((k) => factors[k].columns),
      terms,
    );
    if (terms.length > MOST_TERMS)
      throw new OptionError(
        "products",
        `more than ${MOST_TERMS.toLocaleString("en")} products of ${rows.shape.columnCount} columns; name fewer interactions, or use random features: rff()`,
        "OPTION_RANGE",
      );
  }
  return { kind: "products", inputs: rows.shape.columnCount, terms };
}

/** Groups the columns that encode one category. Other columns (hashed, parts of dates, indicators) stay alone. */
function factorsOf(rows: RowSource, inputs: readonly RawColumn[] | null, wantsPowers: boolean): Factor[] {
  const { columnCount, names } = rows.shape;
  const all = names();
  const powers = wantsPowers ? moreThanBits(rows) : new Uint8Array(columnCount);
  const number = (j: number): Factor => ({ name: all[j], columns: [j], powers: powers[j] === 1 });
  const places = new Map(inputs?.some(({ kind }) => kind === "category") ? all.map((name, j) => [name, j]) : []);
  const categories = new Map<number, Factor>();
  for (const column of inputs ?? []) {
    if (column.kind !== "category") continue;
    const columns = column.levels.map((level) => places.get(levelName(column.name, level)) ?? -1);
    const factor = { name: column.name, columns, powers: false };
    if (!columns.includes(-1)) for (const j of columns) categories.set(j, factor);
  }
  return [...new Set(Array.from({ length: columnCount }, (_, j) => categories.get(j) ?? number(j)))];
}

/** Returns a flag for each column: 1 if the column contains a number other than 0 and 1. */
function moreThanBits(rows: RowSource): Uint8Array {
  const found = new Uint8Array(rows.shape.columnCount);
  forEachRow(rows, ({ count, columns, values }) => {
    for (let k = 0; k < count; k++) if (values[k] !== 0 && values[k] !== 1) found[columns ? columns[k] : k] = 1;
  });
  return found;
}

/** Enumerates the factors of all products of 2 to `degree` factors, in order. */
function* monomials(factors: readonly Factor[], degree: number): Generator<number[]> {
  for (let size = 2; size <= degree; size++) yield* ofSize(factors, size, []);
}

function* ofSize(factors: readonly Factor[], size: number, begun: readonly number[]): Generator<number[]> {
  if (begun.length === size) {
    yield [...begun];
    return;
  }
  const last = begun.at(-1);
  for (let k = last ?? 0; k < factors.length; k++)
    if (k !== last || factors[k].powers) yield* ofSize(factors, size, [...begun, k]);
}

/** Adds a term for each combination of one column per factor. */
function expand(lists: readonly (readonly number[])[], into: number[][]): void {
  let terms: number[][] = [[]];
  for (const columns of lists) terms = terms.flatMap((term) => columns.map((j) => [...term, j]));
  for (const term of terms) {
    if (into.length > MOST_TERMS) return;
    into.push(term);
  }
}

/**
 * A product of numeric columns counts as a numeric column. A product with a level's column is mostly 0, so it does not
 * count as numeric.
 */
function withTerms({ numbers, most }: NonNullable<Shape["table"]>, { inputs, terms }: ProductsStep): Shape["table"] {
  const own = new Set(numbers);
  const products = terms.flatMap((term, k) => (term.every((j) => own.has(j)) ? [inputs + k] : []));
  return { numbers: [...numbers, ...products], most: most + terms.length };
}

/**
 * Step `products`: appends the product of each term's columns to the input columns. Sparse rows stay sparse: a product
 * has an entry only if all its factors are non-zero.
 */
export const productsStep: Transformation<ProductsStep> = {
  kind: "products",

  output(step, input) {
    const isTerm = (term: unknown): boolean =>
      Array.isArray(term) &&
      term.length >= 2 &&
      term.every((j, k) => isCount(j) && j < step.inputs && (k === 0 || j >= term[k - 1]));
    checkStep("products", isCount(step.inputs) && Array.isArray(step.terms) && step.terms.every(isTerm), "terms of columns");
    if (step.inputs !== input.columnCount)
      throw new DataError(
        "pipeline",
        `products were made for ${step.inputs} columns, but get ${input.columnCount}`,
        "PIPELINE_STEP",
      );
    const names = (): readonly string[] => {
      const own = input.names();
      return [...own, ...step.terms.map((term) => nameOf(term, own))];
    };
    const { format, type, table } = input;
    const made = { columnCount: step.inputs + step.terms.length, format, type, stored: true, names };
    return table ? { ...made, table: withTerms(table, step) } : made;
  },

  cost: ({ inputs }) => ({ work: inputs, bytes: 8 * inputs }),

  start({ inputs, terms }, input) {
    const cells = new Float64Array(inputs);
    const product = (term: readonly number[]): number => {
      let value = 1;
      for (const j of term) value *= cells[j];
      return value;
    };
    if (input.format === "dense") {
      const out: RowVector = { count: inputs + terms.length, columns: null, values: new Float64Array(inputs + terms.length) };
      return (row) => {
        cells.set(row.values.subarray(0, inputs));
        out.values.set(cells);
        for (let k = 0; k < terms.length; k++) out.values[inputs + k] = product(terms[k]);
        return out;
      };
    }
    const out = new SparseRow();
    return ({ count, columns, values }) => {
      out.count = 0;
      for (let k = 0; k < count; k++) {
        out.push(columns![k], values[k]);
        cells[columns![k]] = values[k];
      }
      for (let k = 0; k < terms.length; k++) {
        const value = product(terms[k]);
        if (value !== 0) out.push(inputs + k, value);
      }
      for (let k = 0; k < count; k++) cells[columns![k]] = 0;
      return out;
    };
  },
};

function nameOf(term: readonly number[], names: readonly string[]): string {
  const powers = new Map<number, number>();
  for (const j of term) powers.set(j, (powers.get(j) ?? 0) + 1);
  return [...powers].map(([j, power]) => (power === 1 ? names[j] : `${names[j]}^${power}`)).join(":");
}
