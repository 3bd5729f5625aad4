import { nearest } from "./nearest.ts";
import { shown } from "./shown.ts";

/** Errors: `where: what was given, what was wanted, what to do [CODE]`. The user's fault throws one of these; ours is an assertion. */
export class ErgodicError extends Error {
  /** Written out in each class: a minifier renames the class itself. */
  override readonly name: string = "ErgodicError";
  /** Stable, for programs. */
  readonly code: string;
  /** The function, option, or file:line:column at fault. */
  readonly where: string;
  /** The message without either. */
  readonly said: string;

  constructor(where: string, message: string, code: string, options?: ErrorOptions) {
    super(`${where}: ${message} [${code}]`, options);
    this.where = where;
    this.said = message;
    this.code = code;
  }
}

/** An option is out of range, of the wrong type, or unknown. */
export class OptionError extends ErgodicError {
  override readonly name: string = "OptionError";
}
/** A file or a table does not hold what it should. */
export class DataError extends ErgodicError {
  override readonly name: string = "DataError";
}
/** Two parts do not fit: an algorithm needs what the model does not offer, or a plan has no meaning. */
export class CapabilityError extends ErgodicError {
  override readonly name: string = "CapabilityError";
}
/** The engine's memory (4 GiB at most) cannot hold a request. */
export class MemoryLimitError extends ErgodicError {
  override readonly name: string = "MemoryLimitError";
}
/** A worker failed; `cause` holds the reason. The engine stays usable. */
export class WorkerError extends ErgodicError {
  override readonly name: string = "WorkerError";
}
/** A model was written in a way that the compiler cannot take. */
export class CompileError extends ErgodicError {
  override readonly name: string = "CompileError";
}

/** Our own fault, never the user's. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`ergodic: internal error: ${message}; please report it`);
}

/** What an error says, without the words by which an assertion asks to be reported: of what a file holds, the file is at fault. */
export function saidBy(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.replace(/^ergodic: internal error: (.*); please report it$/s, "$1");
}

/** Throws unless `value` is a finite number within [low, high]; `open` excludes the low end. */
export function checkNumber(
  where: string,
  name: string,
  value: unknown,
  {
    low = -Infinity,
    high = Infinity,
    open = false,
    integer = false,
    or = "",
  }: { low?: number; high?: number; open?: boolean; integer?: boolean; or?: string } = {},
): asserts value is number {
  const fits =
    typeof value === "number" &&
    Number.isFinite(value) &&
    (open ? value > low : value >= low) &&
    value <= high &&
    (!integer || Number.isInteger(value));
  if (fits) return;
  const bounds = [low > -Infinity ? `${open ? ">" : ">="} ${low}` : "", high < Infinity ? `<= ${high}` : ""]
    .filter(Boolean)
    .join(" and ");
  throw new OptionError(
    where,
    `${name} is ${shown(value)}, but must be ${integer ? "an integer" : "a number"}${bounds ? ` ${bounds}` : ""}${or}`,
    "OPTION_RANGE",
  );
}

/**
 * Throws unless `options` is an object, every key of it is known and no value is null; names the nearest known key. `nullable`: options whose null
 * has a meaning. Any other null came from where a value was missing, and would be taken for the default in silence. `absent`: options of other verbs
 * or algorithms, and what there is here instead.
 */
export function checkKeys(
  where: string,
  options: object,
  known: readonly string[],
  { nullable = [], absent = {} }: { nullable?: readonly string[]; absent?: Readonly<Record<string, string>> } = {},
): void {
  // Of any realm: instanceof and prototypes would not know the objects of another.
  if (Object.prototype.toString.call(options) !== "[object Object]")
    throw new OptionError(
      where,
      `${shown(options)} was given, but must be an object: { ${known.slice(0, 8).join(", ")}${known.length > 8 ? ", …" : ""} }`,
      "OPTION_TYPE",
    );
  for (const [key, value] of Object.entries(options)) {
    if (value === null && known.includes(key) && !nullable.includes(key))
      throw new OptionError(where, `${key} is null; leave it out to have its default`, "OPTION_TYPE");
    if (known.includes(key)) continue;
    if (Object.hasOwn(absent, key))
      throw new OptionError(where, `${key} is not an option of ${where}: ${absent[key]}`, "OPTION_UNKNOWN");
    const near = nearest(key, known);
    throw new OptionError(
      where,
      `unknown option "${key}"${near ? `; did you mean "${near}"?` : ""} (known: ${known.join(", ")})`,
      "OPTION_UNKNOWN",
    );
  }
}
