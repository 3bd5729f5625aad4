/**
 * Signatures of operations. All operations share one check of their arguments, which runs when they are called.
 * `operation(name, parameters, build)` returns `build` with a check that refuses too many or too few arguments,
 * arguments of the wrong kind, and unknown options. Silently dropping an argument would change the model.
 *
 *   const take = operation("take", { x: array, indices: operand, axis: optional(whole) }, (x: SymbolicArray, …) => …);
 */
import { CompileError } from "../errors/errors.ts";
import { isListOf } from "../errors/list-of.ts";
import { nearest } from "../errors/nearest.ts";
import { typeNameOf } from "../errors/shown.ts";
import { userLine } from "./array/position.ts";
import { isArray, nodeText } from "./array/symbolic.ts";

/** Kind of value that an argument accepts. */
export interface Kind {
  /** Text that follows "…, but must be" in error messages. */
  readonly wanted: string;
  fits(given: unknown): boolean;
  readonly isOptional?: boolean;
  /** For an object with options: the kind of each option. */
  readonly keys?: Readonly<Record<string, Kind>>;
}

const kind = (wanted: string, fits: (given: unknown) => boolean): Kind => ({ wanted, fits });

const isNumber = (given: unknown): given is number => typeof given === "number";
const isBigints = (given: unknown): boolean => given instanceof BigInt64Array || given instanceof BigUint64Array;
const isNumberList = (given: unknown): boolean =>
  isListOf(given, isNumber) || (ArrayBuffer.isView(given) && !(given instanceof DataView) && !isBigints(given));
const isWhole = (given: unknown): boolean => Number.isInteger(given);
const isPlain = (given: unknown): given is object =>
  typeof given === "object" && given !== null && [Object.prototype, null].includes(Object.getPrototypeOf(given));

export const array = kind("a symbolic array", isArray);
export const operand = kind("a symbolic array or a number", (x) => isArray(x) || isNumber(x) || isNumberList(x));
/** An expression as used in rules and losses (expression.ts), a symbolic array, or a number. */
export const element = kind(
  "an expression, a symbolic array or a number",
  (x) => isNumber(x) || isArray(x) || (typeof x === "object" && x !== null && typeof (x as { op?: unknown }).op === "string"),
);
export const expression = kind("an expression", (x) => element.fits(x) && !isNumber(x) && !isArray(x));
export const arrays = kind("a list of symbolic arrays", (x) => isListOf(x, isArray));
export const number = kind("a number", (x) => isNumber(x) && !Number.isNaN(x));
/** Accepts NaN too, because a constant can be NaN. */
export const anyNumber = kind("a number", isNumber);
export const numbers = kind("a list of numbers", isNumberList);
export const whole = kind("a whole number", isWhole);
export const count = kind("a whole number from 0 on", (x) => isWhole(x) && (x as number) >= 0);
export const indices = kind("a number, or a list of them", (x) => number.fits(x) || isListOf(x, isNumber));
export const axes = kind("a whole number, or a list of them", (x) => isWhole(x) || isListOf(x, isWhole));
export const shape = kind("a list of extents", (x) => isListOf(x, isWhole));
export const extents = kind("a list of extents, whole numbers from 0 on", (x) => isListOf(x, count.fits));
export const flag = kind("true or false", (x) => typeof x === "boolean");
export const text = kind("a string", (x) => typeof x === "string");
export const callback = kind("a function", (x) => typeof x === "function");
/** Accepts anything, because the operation checks the argument itself. */
export const anything = kind("given", (x) => x !== undefined && x !== null);

export const optional = (of: Kind): Kind => ({ ...of, isOptional: true });

/** An object of options, all of which are optional except those in `required`. */
export const options = (keys: Readonly<Record<string, Kind>>, required: readonly string[] = []): Kind => ({
  ...kind(`an object: { ${Object.keys(keys).join(", ")} }`, isPlain),
  keys: Object.fromEntries(Object.entries(keys).map(([name, of]) => [name, required.includes(name) ? of : optional(of)])),
});

/** Axes to reduce, and whether to keep them. */
export const axisOptions = optional(options({ axis: axes, keep: flag }));
export const oneAxis = optional(options({ axis: whole }));

/** All functions made by `operation`. A test uses the set to find operations without a signature. */
const known = new WeakSet<object>();
export const isOperation = (given: unknown): boolean => typeof given === "function" && known.has(given);

/** Names a builder that calls `checkCount` and `checkArgument` itself, and marks it as an operation. */
export function checkedItself<F extends object>(name: string, build: F): F {
  known.add(build);
  return Object.defineProperty(build, "name", { value: name });
}

/** Returns `build` with a check of its arguments. */
export function operation<F extends (...given: never[]) => unknown>(
  name: string,
  parameters: Readonly<Record<string, Kind>>,
  build: F,
): F {
  const names = Object.keys(parameters);
  const kinds = Object.values(parameters);
  const fewest = kinds.filter(({ isOptional }) => !isOptional).length;
  const checked = (...given: never[]): unknown => {
    if (given.length > names.length || given.length < fewest) checkCount(name, given, names, fewest, names.length, kinds);
    for (let i = 0; i < names.length; i++) checkArgument(name, names[i], kinds[i], given[i], given);
    return build(...given);
  };
  return checkedItself(name, checked as F);
}

/**
 * Checks the number of arguments.
 * @throws CompileError unless `fewest` to `most` arguments were given
 */
export function checkCount(
  where: string,
  given: readonly unknown[],
  names: readonly string[],
  fewest: number,
  most: number,
  kinds: readonly Kind[] = [],
): void {
  if (given.length >= fewest && given.length <= most) return;
  const were = `${given.length} ${given.length === 1 ? "argument was" : "arguments were"} given`;
  const takes = most === Infinity ? `${fewest} or more` : fewest === most ? String(most) : `${fewest} to ${most}`;
  const keys = kinds[most - 1]?.keys;
  const more = keys && given.length > most ? `; options are one object: { ${Object.keys(keys).join(", ")} }` : "";
  throw refusal(where, `${were}, but it takes ${takes}: ${names.join(", ") || "none"}${more}${callbackHint(where, given)}`);
}

/**
 * Checks one argument and its options. `all`: all arguments of the call.
 * @throws CompileError if the argument or an option is of the wrong kind
 */
export function checkArgument(where: string, name: string, kind: Kind, given: unknown, all: readonly unknown[] = []): void {
  if (given === undefined && kind.isOptional) return;
  if (!kind.fits(given)) {
    const missing = given === undefined && [array, operand, element].includes(kind) ? "; a name may be missing" : "";
    const axis = kind.keys && "axis" in kind.keys && isWhole(given) ? `; write { axis: ${String(given)} }` : "";
    const wrap = wrapHint(kind, given);
    throw refusal(
      where,
      `${name} is ${described(given)}, but must be ${kind.wanted}${missing}${axis}${wrap}${callbackHint(where, all)}`,
    );
  }
  if (kind.keys) checkOptions(where, kind.keys, given as Readonly<Record<string, unknown>>);
}

/** Returns a hint on how to convert lists of numbers, or lists of rows, to arrays. */
function wrapHint(kind: Kind, given: unknown): string {
  if (kind !== array && kind !== operand && kind !== element) return "";
  if (isNumberList(given) || (kind === array && isNumber(given))) return "; write toArray(…)";
  const areRows = isListOf<ArrayLike<number>>(given, isNumberList) && given.length > 0;
  return areRows ? `; write constantArray(rows.flat(), [${given.length}, ${given[0].length}])` : "";
}

function checkOptions(where: string, keys: Readonly<Record<string, Kind>>, given: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(given)) {
    if (!Object.hasOwn(keys, key)) {
      const names = Object.keys(keys);
      const near = nearest(key, names);
      throw new CompileError(
        where,
        `unknown option "${key}"${near ? `; did you mean "${near}"?` : ""} (known: ${names.join(", ")})${userLine()}`,
        "COMPILE_OPTION",
      );
    }
    checkArgument(where, key, keys[key], value);
  }
  for (const [key, { isOptional }] of Object.entries(keys)) if (!isOptional) checkArgument(where, key, keys[key], given[key]);
}

const refusal = (where: string, message: string): CompileError =>
  new CompileError(where, `${message}${userLine()}`, "COMPILE_OPERAND");

/**
 * Returns a hint if the function was passed to map(), forEach() or reduce(), which also supply the index and the list.
 */
function callbackHint(where: string, given: readonly unknown[]): string {
  const list = given[given.length - 1];
  if (given.length < 3 || !isWhole(given[given.length - 2]) || !Array.isArray(list)) return "";
  return given.length === 3
    ? `; to pass it to map(), write (x) => ${where}(x)`
    : `; to pass it to reduce(), write (a, b) => ${where}(a, b)`;
}

const LONG = 60;

/** Describes a value for error messages. */
export function described(given: unknown): string {
  if (isArray(given)) return `the symbolic array ${nodeText(given)}`;
  if (typeof given === "function") return given.name ? `the function ${given.name}; call it` : "a function";
  if (typeof given === "string") return JSON.stringify(given);
  if (given instanceof Promise) return "a promise; await it first";
  if (typeof given !== "object" || given === null) return String(given);
  if (Array.isArray(given)) {
    const few = Array.from({ length: Math.min(given.length, 20) }, (_, i): unknown => given[i]);
    const text = `[${few
      .map((x) => (typeof x === "object" && x !== null ? "…" : typeof x === "string" ? JSON.stringify(x) : String(x)))
      .join(", ")}]`;
    return text.length > LONG ? `${text.slice(0, LONG)}…]` : text;
  }
  if (isPlain(given)) return `an object of ${Object.keys(given).join(", ") || "nothing"}`;
  const { name } = given as { name?: unknown };
  const kind = typeNameOf(given) ?? "value";
  return typeof name === "string" ? `the ${kind.toLowerCase()} ${name}` : `a ${kind}`;
}
