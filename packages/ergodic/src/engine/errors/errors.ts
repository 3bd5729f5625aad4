import { nearest } from "./nearest.ts";
import { shown } from "./shown.ts";

/**
 * Base class of errors, with messages of the form `where: what was given, what was wanted, what to do [CODE]`. A user's
 * mistake throws one of these classes. A bug in the library fails an assertion.
 */
export class ErgodicError extends Error {
  /** Name of the class. Each class sets its name explicitly, because minifiers rename classes. */
  override readonly name: string = "ErgodicError";
  /** Stable error code, for programs. */
  readonly code: string;
  /** Function, option, or file:line:column that caused the error. */
  readonly where: string;
  /** Message without `where` and `code`. */
  readonly said: string;

  constructor(where: string, message: string, code: string, options?: ErrorOptions) {
    super(`${text(where)}: ${text(message)} [${text(code)}]`, options);
    this.where = where;
    this.said = message;
    this.code = code;
  }
}

/** Converts parts of a message that are not strings, some of which template strings refuse, such as symbols. */
const text = (part: unknown): string => (typeof part === "string" ? part : shown(part));

/** An option is out of range, of the wrong type, or unknown. */
export class OptionError extends ErgodicError {
  override readonly name: string = "OptionError";
}
/** A file or a table has invalid content. */
export class DataError extends ErgodicError {
  override readonly name: string = "DataError";
}
/**
 * Two parts do not fit together. For example, the model lacks a capability that the algorithm needs, or an option of
 * the plan has no meaning.
 */
export class CapabilityError extends ErgodicError {
  override readonly name: string = "CapabilityError";
}
/** The engine's memory (at most 4 GiB) cannot satisfy a request. */
export class MemoryLimitError extends ErgodicError {
  override readonly name: string = "MemoryLimitError";
}
/** A worker failed; `cause` holds the reason. The engine stays usable. */
export class WorkerError extends ErgodicError {
  override readonly name: string = "WorkerError";
}
/** The compiler does not support the way in which a model was written. */
export class CompileError extends ErgodicError {
  override readonly name: string = "CompileError";
}

/** Throws if `condition` is false. Use this function only for bugs in the library, never for a user's mistakes. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`ergodic: internal error: ${message}; please report it`);
}

/**
 * Returns the message of an error. Removes the words "internal error" and "please report it" from assertion messages,
 * because a damaged file can also cause such a failure.
 */
export function saidBy(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.replace(/^ergodic: internal error: (.*); please report it$/s, "$1");
}

/** Throws an error unless `value` is a finite number within [low, high]. With `open`, `low` itself is refused, too. */
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
  }: {
    /** Smallest value. Default −Infinity. */
    low?: number;
    /** Largest value. Default Infinity. */
    high?: number;
    /** Whether `low` itself is refused. Default false. */
    open?: boolean;
    /** Whether the value must be a whole number. Default false. */
    integer?: boolean;
    /** Text that the message adds to what is accepted. Default: none. */
    or?: string;
  } = {},
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
    `${text(name)} is ${shown(value)}, but must be ${integer ? "an integer" : "a number"}${bounds ? ` ${bounds}` : ""}${or}`,
    "OPTION_RANGE",
  );
}

/**
 * Throws an error unless `options` is an object whose keys are all known and whose values are not null. The error for
 * an unknown key suggests the nearest known key. `nullable`: options for which null has a meaning. For all other
 * options, null is probably a missing value, and using the default instead would hide the mistake. `absent`: options of
 * other verbs or algorithms, with what to use here instead.
 */
export function checkKeys(
  where: string,
  options: object,
  known: readonly string[],
  { nullable = [], absent = {} }: { nullable?: readonly string[]; absent?: Readonly<Record<string, string>> } = {},
): void {
  // Object.prototype.toString also recognises objects from other realms, which instanceof and prototypes do not.
  if (Object.prototype.toString.call(options) !== "[object Object]")
    throw new OptionError(
      where,
      `${shown(options)} was given, but must be an object: { ${known.slice(0, 8).join(", ")}${known.length > 8 ? ", …" : ""} }`,
      "OPTION_TYPE",
    );
  for (const [key, value] of Object.entries(options)) {
    if (value === null && known.includes(key) && !nullable.includes(key))
      throw new OptionError(where, `${key} is null; leave it out to use the default`, "OPTION_TYPE");
    if (known.includes(key)) continue;
    const near = nearest(key, [...known, ...Object.keys(absent)]);
    if (near !== undefined && Object.hasOwn(absent, near))
      throw new OptionError(where, `${key} is not an option of ${where}: ${absent[near]}`, "OPTION_UNKNOWN");
    throw new OptionError(
      where,
      `unknown option "${key}"${near ? `; did you mean "${near}"?` : ""} (known: ${known.join(", ")})`,
      "OPTION_UNKNOWN",
    );
  }
}
