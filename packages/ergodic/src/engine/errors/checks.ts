/**
 * Checks of option values by kind. Numbers and unknown names have their own checks, checkNumber and checkKeys
 * (errors.ts). JavaScript would convert a value of the wrong kind silently, which is seldom what the user meant. Such a
 * value is therefore refused, and the error shows an example of valid code.
 *
 * @throws OptionError [OPTION_TYPE], for a choice [OPTION_RANGE]
 */
import { checkNumber, OptionError } from "./errors.ts";
import { shown } from "./shown.ts";

/**
 * Throws the error for an option of the wrong type. `wanted`: description of valid values; `example`: code to write.
 */
export function refuse(where: string, name: string, value: unknown, wanted: string, example: string): never {
  throw new OptionError(where, `${name} is ${shown(value)}, but must be ${wanted}: write ${example}`, "OPTION_TYPE");
}

/** Whether a value is a plain object, including objects from other realms. */
export const isPlainObject = (value: unknown): value is object => Object.prototype.toString.call(value) === "[object Object]";

/**
 * Returns the reason why a name cannot be a key: every object inherits a property of that name. Undefined for a usable
 * name.
 */
export const refusedName = (name: string): string | undefined =>
  name in Object.prototype ? `"${name}" is a name that every object has; give another` : undefined;

/** Checks that the signal is undefined or an AbortSignal, from any realm. */
export function checkSignal(where: string, value: unknown): asserts value is AbortSignal | undefined {
  if (value === undefined || isSignal(value)) return;
  const own = typeof value === "object" && value !== null && isSignal((value as { signal?: unknown }).signal);
  if (own) refuse(where, "signal", value, "the controller's AbortSignal", "signal: controller.signal");
  refuse(where, "signal", value, "an AbortSignal", "signal: controller.signal, or signal: AbortSignal.timeout(60_000)");
}

function isSignal(value: unknown): value is AbortSignal {
  if (typeof value !== "object" || value === null) return false;
  const { aborted, throwIfAborted, addEventListener } = value as Partial<AbortSignal>;
  return typeof aborted === "boolean" && typeof throwIfAborted === "function" && typeof addEventListener === "function";
}

/** Checks that a value is one of `allowed`. */
export function checkChoice<T extends string | number | boolean>(
  where: string,
  name: string,
  value: unknown,
  allowed: readonly T[],
): asserts value is T {
  if (allowed.includes(value as T)) return;
  const all = allowed.map((one) => (typeof one === "string" ? JSON.stringify(one) : String(one)));
  const choice = all.length === 2 ? all.join(" or ") : `one of ${all.join(", ")}`;
  throw new OptionError(where, `${name} is ${shown(value)}, but must be ${choice}`, "OPTION_RANGE");
}

/** Checks for true or false. Without this check, strings such as "no" would count as true. */
export function checkBoolean(where: string, name: string, value: unknown): asserts value is boolean {
  if (typeof value === "boolean") return;
  throw new OptionError(where, `${name} is ${shown(value)}, but must be true or false`, "OPTION_TYPE");
}

/** Checks for a function. `example`: code to write. */
export function checkFunction(where: string, name: string, value: unknown, wanted: string, example: string): void {
  if (typeof value !== "function") refuse(where, name, value, wanted, example);
}

/** Error code for invalid JSON. Readers of checkpoints catch this error and report a damaged file. */
export const JSON_TYPE = "JSON_TYPE";

/**
 * Checks JSON from `toJSON()`: an object with a string property `name`. `of`: what the JSON describes, e.g. "a rule".
 */
export function checkNamedJson(where: string, json: unknown, name: string, of: string): void {
  const isPlain = typeof json === "object" && json !== null && !Array.isArray(json);
  if (!isPlain)
    throw new OptionError(where, `the JSON is ${shown(json)}, but must be the object that toJSON() of ${of} gave`, JSON_TYPE);
  const text = (json as Record<string, unknown>)[name];
  if (typeof text !== "string")
    throw new OptionError(where, `${name} of the JSON is ${shown(text)}, but must be the name of ${of}, a string`, JSON_TYPE);
}

/** Checks for an object of options by name, read from JSON. */
export function checkOptionsJson(where: string, options: unknown): asserts options is Record<string, unknown> {
  if (typeof options === "object" && options !== null && !Array.isArray(options)) return;
  throw new OptionError(where, `options of the JSON is ${shown(options)}, but must be an object of options by name`, JSON_TYPE);
}

/** Whether a value is an array or a typed array (not a DataView). */
export function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && "length" in value);
}

/** Checks for a list of numbers, each within the range. */
export function checkNumbers(
  where: string,
  name: string,
  value: unknown,
  range: Parameters<typeof checkNumber>[3] = {},
  example = "[1, 2]",
): asserts value is ArrayLike<number> {
  if (!isList(value)) refuse(where, name, value, "a list of numbers", example);
  for (let i = 0; i < value.length; i++) checkNumber(where, `${name}[${i}]`, value[i], range);
}

/**
 * Returns the options if they are an object. The object must not contain the names in `given`, which the factory adds.
 * Options that are not an object would silently add nothing when spread. An option with one of these names would
 * override the factory's value.
 */
export function plain<O extends object>(where: string, options: O, given: readonly string[] = []): O {
  if (Object.prototype.toString.call(options) !== "[object Object]") refuse(where, "options", options, "an object", "{}");
  const twice = given.find((name) => name in options);
  if (twice === undefined) return options;
  throw new OptionError(where, `${twice} is given twice, before the options and in them; leave one out`, "OPTION_CONFLICT");
}

/** Whether a value is an object with the property `member`. Factories make such objects. */
export function holds(value: unknown, member: string): boolean {
  return typeof value === "object" && value !== null && member in value;
}

/**
 * Returns an argument of a constructor or function if it has the property `member`. Programs usually get such objects
 * from the functions in `from`.
 */
export function made<T>(where: string, value: T, member: string, wanted: string, from: string, which = "first"): T {
  if (holds(value, member)) return value;
  const message = `the ${which} argument is ${shown(value)}, but must be ${wanted}; use ${from}`;
  throw new OptionError(where, message, "OPTION_TYPE");
}

const madeFor = { fit: "an algorithm of fit", sample: "a sampler", minimize: "a search", infer: "an algorithm of infer" };

/**
 * Checks for an algorithm that a verb can run. A user's own algorithm can omit `verb`. `example`: code to write.
 */
export function checkAlgorithm(where: string, name: string, value: unknown, verb: keyof typeof madeFor, example: string): void {
  const given = Object(value) as Record<string, unknown>;
  const { start, toJSON, kind, verb: own = verb } = given;
  const isMade = typeof value === "object" && typeof toJSON === "function" && typeof given.name === "string";
  // The check of `kind` excludes rules for full gradients, which also have a `start`.
  if (isMade && typeof start === "function" && kind === undefined && own === verb) return;
  const other = Object.hasOwn(madeFor, own as string) && own !== verb ? `, ${madeFor[own as keyof typeof madeFor]}` : "";
  const told = isMade ? `${given.name}()${other}` : shown(value);
  throw new OptionError(where, `${name} is ${told}, but must be ${madeFor[verb]}: write ${example}`, "OPTION_TYPE");
}
