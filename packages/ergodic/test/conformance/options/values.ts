/**
 * Values that almost no option accepts, and predicates for those that an option does accept, declared with each option
 * in factories.ts and verbs.ts.
 */
import { cmaEs, ErgodicError, linear, nuts, relu, rff, saga, sgd } from "../../../src/entries/everything.ts";

/** Values by the name that a failed test prints. `undefined` always means the default. */
export const junk: readonly (readonly [name: string, value: unknown])[] = [
  ["null", null],
  ["true", true],
  ["false", false],
  ["0", 0],
  ["1", 1],
  ["-1", -1],
  ["0.5", 0.5],
  ["1.5", 1.5],
  ["64", 64],
  ["1e300", 1e300],
  ["-1e300", -1e300],
  ["2^53", 2 ** 53],
  ["2^31 + 0.5", 2 ** 31 + 0.5],
  ["NaN", Number.NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["an empty text", ""],
  ["the text no", "no"],
  ["the text 1", "1"],
  ["a name of prototypes", "constructor"],
  ["a very long text", "x".repeat(100_000)],
  ["an empty list", []],
  ["a list of one number", [1]],
  ["a list of null", [null]],
  ["a list of a text", ["a"]],
  ["a typed array", Float64Array.of(1, 2)],
  ["an empty object", {}],
  ["an object", { a: 1 }],
  ["an object without a prototype", Object.create(null)],
  ["a function", () => 1],
  ["a class", class Thing {}],
  ["a symbol", Symbol("s")],
  ["a big integer", 5n],
  ["a date", new Date(0)],
  ["an invalid date", new Date(Number.NaN)],
  ["a map", new Map([["a", 1]])],
  ["a pattern", /x/],
  ["a promise", Promise.resolve(1)],
  ["a controller", new AbortController()],
  // Objects from factories for other purposes, with a kind, a name and JSON like the right ones.
  ["random features", rff({ count: 4 })],
  ["a layer", relu()],
  ["a model", linear({ loss: "squared" })],
  ["a sampler", nuts()],
  ["a search", cmaEs()],
  ["a rule", sgd()],
  ["variance reduction", saga()],
];

/** Whether an option accepts a value. */
export type Takes = (value: unknown) => boolean;

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

/** Accepts a finite number from `low` to `high`. */
export const number =
  (low = -Infinity, high = Infinity): Takes =>
  (value) =>
    isNumber(value) && value >= low && value <= high;

/** Accepts a finite number above `low`. */
export const above =
  (low: number, high = Infinity): Takes =>
  (value) =>
    isNumber(value) && value > low && value <= high;

/** Accepts a whole number from `low` to `high`. */
export const whole =
  (low = -Infinity, high = Infinity): Takes =>
  (value) =>
    Number.isInteger(value) && number(low, high)(value);

export const seed = whole(0, Number.MAX_SAFE_INTEGER);
export const flag: Takes = (value) => typeof value === "boolean";
/** Accepts exactly these values. */
export const one =
  (...allowed: unknown[]): Takes =>
  (value) =>
    allowed.includes(value);
export const callable: Takes = (value) => typeof value === "function";
/** Accepts none of the values above: a signal, data, or an object whose factory is not among them. */
export const none: Takes = () => false;
/** Accepts the objects of these factories, by their name in the list above. */
export const made =
  (...names: string[]): Takes =>
  (value) =>
    junk.some(([name, one]) => one === value && names.includes(name));
export const text: Takes = (value) => typeof value === "string";
/** Accepts an object whose own options are also declared, by their path. */
export const group: Takes = (value) =>
  typeof value === "object" && value !== null && Object.keys(value).length === 0 && isPlain(value);
/** Accepts a list if it accepts every element. */
export const list =
  (of: Takes, { empty = false }: { empty?: boolean } = {}): Takes =>
  (value) =>
    isList(value) && (empty || value.length > 0) && Array.from(value).every(of);
export const either =
  (...all: Takes[]): Takes =>
  (value) =>
    all.some((takes) => takes(value));

const isPlain = (value: unknown): boolean =>
  Object.prototype.toString.call(value) === "[object Object]" && !(value instanceof AbortController);
const isList = (value: unknown): value is ArrayLike<unknown> => Array.isArray(value) || value instanceof Float64Array;

/** Returns options with the option at the path, such as "until.seconds", set to the value. */
export function withOption(options: object, path: string, value: unknown): object {
  const [first, ...rest] = path.split(".");
  const own = options as Record<string, unknown>;
  if (rest.length === 0) return { ...own, [first]: value };
  return { ...own, [first]: withOption((own[first] ?? {}) as object, rest.join("."), value) };
}

/** Error that a call throws or rejects with, or undefined. */
export async function failureOf(call: () => unknown): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("accepted: it had not ended after a while")), 1_500);
  });
  try {
    await Promise.race([call(), late]);
    return undefined;
  } catch (error) {
    return error ?? "nothing";
  } finally {
    clearTimeout(timer);
  }
}

/** Describes a wrong response to an option's value. Errors from a user's own function are the user's. */
export function wrongAnswer(option: string, taken: boolean, value: unknown, failure: unknown): string | undefined {
  if (taken && (failure === undefined || typeof value === "function")) return undefined;
  if (failure === undefined) return "accepted";
  if (!(failure instanceof ErgodicError)) return `raw ${String(failure).slice(0, 200)}`;
  // The value is accepted, but not together with the others. For lists and objects, the error can name an element
  // alone.
  const whole = typeof value !== "object" || value === null;
  if (taken || !whole || failure.message.includes(option.split(".").at(-1) as string)) return undefined;
  return `the option is not named: ${failure.message.slice(0, 200)}`;
}

/** Names that the error for an unknown option lists. */
export async function knownOptions(call: (options: never) => unknown): Promise<string[]> {
  const failure = await failureOf(() => call({ noSuchOption: 1 } as never));
  const known = /\(known: ([^)]*)\)/.exec(String((failure as Error | undefined)?.message));
  if (!known) throw new Error(`an unknown option was answered by ${String(failure)}`);
  return known[1] === "" ? [] : known[1].split(", ");
}
