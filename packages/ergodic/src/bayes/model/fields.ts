/**
 * Data fields of a model: numbers, and arrays with named extents. `readData` derives each array's shape from the data.
 *
 * A whole or real number becomes a plain number, known while the model is traced; an array becomes a symbolic one.
 * Extents with the same name must agree. If the data contain a number with the name of an extent, this number is the
 * extent. Matrices are lists of rows, or flat and row-major.
 *
 * @throws DataError for missing or non-finite data, or extents that do not agree
 */

import type { Shape, SymbolicArray } from "../../engine/compiler/index.ts";
import { described } from "../../engine/compiler/signature.ts";
import { checkBoolean } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, DataError, OptionError } from "../../engine/errors/errors.ts";
import { elementName } from "./element.ts";

/** Extent of an axis: a number, or a name whose value follows from the data. */
export type Extent = number | string;

/** List of numbers: an array or a typed array. */
export type Numbers = ArrayLike<number>;
/** A list of numbers, or a list of rows, of matrices and so on. */
export type Nested = Numbers | readonly Nested[];

/** Data by name: numbers, lists of numbers, lists of rows. Names that the model does not use are allowed. */
export type ModelData = Readonly<Record<string, number | Nested>>;

/** Bounds on a field's numbers. Violations are refused before anything is sampled, and the error names the element. */
export interface DataBounds {
  /** Smallest allowed value. Default: none. */
  readonly lower?: number;
  /** Largest allowed value. Default: none. */
  readonly upper?: number;
  /** Whether all numbers must be whole. Default false. */
  readonly integer?: boolean;
}

/**
 * Field of a model's data, made by vector("N"), matrix("N", "K"), integer() or real(). `T`: type of the data given for
 * it.
 */
export interface DataField<T = number | Nested> {
  /** Kind of the field: an array or a single number. */
  readonly kind: "array" | "integer" | "real";
  /** Extents: numbers or names. */
  readonly extents: readonly Extent[];
  /** Bounds on its numbers. */
  readonly bounds?: DataBounds;
  /** Type-level only. */
  readonly given?: T;
}

export type DataFields = Readonly<Record<string, DataField>>;
/** Type of data inside the model's function: a single number stays a number; anything else becomes a symbolic array. */
export type Symbolic<T> = T extends number ? number : SymbolicArray;
export type DataOf<F extends DataFields> = { readonly [K in keyof F]: F[K] extends DataField<infer T> ? Symbolic<T> : never };

/**
 * Declares a list of numbers.
 *
 * @param size number of elements, or the name of a size, such as "N"
 * @param bounds limits that every number must satisfy, as in vector("N", { lower: 0, integer: true }). Default: none
 */
export const vector = (size: Extent, bounds: DataBounds = {}): DataField<Numbers> => field("vector", "array", [size], bounds);
/**
 * Declares a matrix of numbers: a list of rows, or flat and row-major.
 *
 * @param rows number of rows, or the name of a size
 * @param columns number of columns, or the name of a size
 * @param bounds limits that every number must satisfy: `lower`, `upper`, `integer`. Default: none
 */
export const matrix = (rows: Extent, columns: Extent, bounds: DataBounds = {}): DataField<Numbers | readonly Numbers[]> =>
  field("matrix", "array", [rows, columns], bounds);
/**
 * Declares an array with any number of axes. The arguments are the extents of the axes, optionally followed by bounds
 * on the numbers.
 */
export const tensor = (...given: [...Extent[], Extent | DataBounds] | []): DataField<Nested> => {
  const last = given.at(-1);
  const isBounded = last !== undefined && typeof last !== "number" && typeof last !== "string";
  return field("tensor", "array", (isBounded ? given.slice(0, -1) : given) as Extent[], isBounded ? last : {});
};
/** Declares a single whole number. `bounds`: bounds on the number. */
export const integer = (bounds: Omit<DataBounds, "integer"> = {}): DataField<number> => field("integer", "integer", [], bounds);
/** Declares a single number. `bounds`: bounds on the number. */
export const real = (bounds: DataBounds = {}): DataField<number> => field("real", "real", [], bounds);

function field<T>(where: string, kind: DataField["kind"], extents: readonly Extent[], bounds: DataBounds): DataField<T> {
  checkKeys(where, bounds, kind === "integer" ? ["lower", "upper"] : ["lower", "upper", "integer"]);
  const { lower, upper, integer } = bounds;
  for (const [name, bound] of Object.entries({ lower, upper })) if (bound !== undefined) checkNumber(where, name, bound);
  if (lower !== undefined && upper !== undefined && lower > upper)
    throw new OptionError(where, `lower is ${lower}, but upper is ${upper}; exchange them`, "OPTION_RANGE");
  if (integer !== undefined) checkBoolean(where, "integer", integer);
  return { kind, extents, ...(Object.values(bounds).some((bound) => bound !== undefined) ? { bounds } : {}) };
}

/**
 * Returns the requirement that a number violates, such as "a whole number from 0 to 5"; undefined if it satisfies the
 * bounds.
 */
export function broken({ lower = -Infinity, upper = Infinity, integer = false }: DataBounds, value: number): string | undefined {
  if (value >= lower && value <= upper && (!integer || Number.isInteger(value))) return undefined;
  const range =
    lower > -Infinity && upper < Infinity
      ? `from ${lower} to ${upper}`
      : lower > -Infinity
        ? `>= ${lower}`
        : upper < Infinity
          ? `<= ${upper}`
          : "";
  return `${integer ? "a whole number" : "a number"} ${range}`.trimEnd();
}

export interface ReadField {
  readonly shape: Shape;
  readonly values: Float64Array;
}

/** Reads the data of all fields. `sizes`: extents known so far; new ones are added. */
export function readData(fields: DataFields, data: ModelData, sizes: Map<string, number>): Record<string, ReadField> {
  for (const [name, field] of Object.entries(fields as Readonly<Record<string, unknown>>)) checkField(name, field);
  const given = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, flatten(name, field, data)]));
  for (const [name, { kind, extents }] of Object.entries(fields)) {
    if (kind === "integer") learn(sizes, name, given[name].values[0], name);
    given[name].shape?.forEach((found, axis) => {
      const extent = extents[axis];
      if (typeof extent === "string") learn(sizes, extent, found, name);
      else if (extent !== found) throw mismatch(name, `axis ${axis} has ${found} elements, but must have ${extent}`);
    });
  }
  return Object.fromEntries(
    Object.entries(fields).map(([name, { extents, bounds }]) => {
      const { values } = given[name];
      const shape = shapeOf(name, extents, given[name], data, sizes);
      if (bounds) checkBounds(name, bounds, { shape, values });
      return [name, { shape, values }];
    }),
  );
}

/** @throws DataError for the first element that violates the field's bounds */
function checkBounds(name: string, bounds: DataBounds, { shape, values }: ReadField): void {
  for (const [i, value] of values.entries()) {
    const wanted = broken(bounds, value);
    if (wanted === undefined) continue;
    const where = `data ${elementName(`"${name}"`, shape, i)}`;
    throw new DataError(where, `it is ${value}, but must be ${wanted}, as its field requires; change one of them`, "DATA_RANGE");
  }
}

function checkField(name: string, field: unknown): void {
  const { kind, extents } = (field ?? {}) as Partial<DataField>;
  const isField = typeof field === "object" && ["array", "integer", "real"].includes(String(kind)) && Array.isArray(extents);
  const wrong = isField
    ? extents.find((extent) => !(typeof extent === "string" ? extent !== "" : Number.isInteger(extent) && extent > 0))
    : undefined;
  if (isField && wrong === undefined) return;
  const given = isField ? `an array with the extent ${described(wrong)}` : described(field);
  throw new OptionError(
    `data "${name}"`,
    `it is declared as ${given}, but must be a field; write data({ ${name}: vector("N") }), or matrix("N", "K"), integer(), real()`,
    "OPTION_TYPE",
  );
}

interface Flat {
  readonly values: Float64Array;
  /** Undefined if a flat list represents several axes. */
  readonly shape: Shape | undefined;
}

function flatten(name: string, { kind, extents }: DataField, data: ModelData): Flat {
  if (!Object.hasOwn(data, name)) {
    const known = Object.keys(data).join(", ") || "none";
    throw new DataError("data", `the model asks for "${name}", but the data have ${known}; add it`, "DATA_MISSING");
  }
  const value: unknown = data[name];
  if (isMissing(value)) throw missing(`data "${name}"`, value);
  const shape = nestedShape(value);
  if (kind !== "array" && shape.length > 0)
    throw mismatch(name, `it has ${shape.length} ${shape.length === 1 ? "axis" : "axes"}, but must be one number`);
  if (shape.includes(0)) throw mismatch(name, "it is empty, but must have an element on every axis");
  const values = new Float64Array(shape.reduce((a, b) => a * b, 1));
  fill(name, value, shape, 0, 0, values);
  if (kind === "integer" && !Number.isInteger(values[0])) throw mismatch(name, `it is ${values[0]}, but must be a whole number`);
  if (kind !== "array" || shape.length === extents.length) return { values, shape: kind === "array" ? shape : [] };
  if (shape.length === 1 && extents.length > 1) return { values, shape: undefined };
  throw mismatch(name, `it has ${shape.length} axes, but must have ${extents.length}`);
}

/** Whether a value is missing: null, undefined, NaN, or a missing-value marker of R or CSV files. */
const isMissing = (value: unknown): boolean =>
  value === null || value === undefined || Number.isNaN(value) || value === "NA" || value === "";

const missing = (where: string, value: unknown): DataError =>
  new DataError(
    where,
    `it is missing (${typeof value === "string" ? JSON.stringify(value) : String(value)}), but every number must be given; leave its row out, or make it a parameter`,
    "DATA_MISSING",
  );

/** @throws DataError for an element that is missing or not a finite number */
export function checkFinite(name: string, list: ArrayLike<number>): void {
  for (let i = 0; i < list.length; i++) numberOf(name, [list.length], i, list[i]);
}

function numberOf(name: string, shape: Shape, at: number, value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const where = `data ${elementName(`"${name}"`, shape, at)}`;
  if (isMissing(value)) throw missing(where, value);
  const given = typeof value === "string" ? JSON.stringify(value) : Array.isArray(value) ? "a list" : String(value);
  const advice =
    typeof value === "string"
      ? "; write it without quotes, or number the categories from 0"
      : typeof value === "boolean"
        ? "; write 1 or 0"
        : "";
  throw new DataError(where, `it is ${given}, but must be a finite number${advice}`, "DATA_SHAPE");
}

function nestedShape(value: unknown): number[] {
  if (typeof value !== "object" || value === null || !("length" in value)) return [];
  const list = value as ArrayLike<unknown>;
  return [list.length, ...(list.length > 0 ? nestedShape(list[0]) : [])];
}

function fill(name: string, value: unknown, shape: Shape, axis: number, from: number, out: Float64Array): void {
  if (axis === shape.length) {
    out[from] = numberOf(name, shape, from, value);
    return;
  }
  const list = value as ArrayLike<unknown>;
  const size = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  if (axis > 0 && isMissing(value))
    throw missing(`data ${elementName(`"${name}"`, shape.slice(0, axis), from / (size * shape[axis]))}`, value);
  if (typeof value !== "object" || list?.length !== shape[axis])
    throw mismatch(name, `its rows have different lengths: ${list?.length ?? "a number"} and ${shape[axis]}`);
  for (let i = 0; i < list.length; i++) fill(name, list[i], shape, axis + 1, from + i * size, out);
}

function learn(sizes: Map<string, number>, extent: string, found: number, name: string): void {
  const known = sizes.get(extent);
  if (known !== undefined && known !== found)
    throw mismatch(name, `it makes "${extent}" ${found}, but earlier data make it ${known}; make them agree`);
  sizes.set(extent, found);
}

function shapeOf(
  name: string,
  extents: readonly Extent[],
  { values, shape }: Flat,
  data: ModelData,
  sizes: Map<string, number>,
): Shape {
  for (const extent of extents) if (typeof extent === "string") checkStated(name, extent, data, sizes);
  if (shape) return shape;
  const known = extents.map((extent) => (typeof extent === "number" ? extent : sizes.get(extent)));
  const missing = known.filter((n) => n === undefined).length;
  const product = known.reduce<number>((a, n) => a * (n ?? 1), 1);
  const rest = values.length / product;
  if (missing > 1 || !Number.isInteger(rest) || (missing === 0 && rest !== 1))
    throw mismatch(
      name,
      `it is a flat list of ${values.length} numbers, which do not fill [${extents.join(", ")}]; give a list of rows`,
    );
  extents.forEach((extent, axis) => {
    if (known[axis] === undefined) sizes.set(extent as string, rest);
  });
  return known.map((n) => n ?? rest);
}

/** Checks that a size given as a number agrees with the arrays. */
function checkStated(name: string, extent: string, data: ModelData, sizes: Map<string, number>): void {
  const stated = Object.hasOwn(data, extent) ? data[extent] : undefined;
  if (typeof stated === "number") learn(sizes, extent, stated, name);
}

const mismatch = (name: string, message: string): DataError => new DataError(`data "${name}"`, `${message}`, "DATA_SHAPE");
