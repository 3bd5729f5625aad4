import { checkBoolean, checkChoice, checkFunction, checkNumbers, isList, refuse } from "./checks.ts";
import { checkKeys, checkNumber } from "./errors.ts";

/** A range of finite numbers: from `low` (excluded if `open`) to `high`; whole numbers only if `integer`. */
export type Range = NonNullable<Parameters<typeof checkNumber>[3]>;

/**
 * Values that an option accepts: a range of numbers, a list of choices, a type, a list of numbers, a nested object of
 * options, or one of several alternatives. "own": the factory checks the value itself.
 */
export type Accepts =
  | Range
  | readonly (string | number | boolean | null)[]
  | "boolean"
  | "string"
  | "function"
  | "own"
  | { readonly numbers: Range }
  | { readonly options: Accepted; readonly required?: readonly string[] }
  | { readonly either: readonly Accepts[] };

/** Accepted values of options, by option name. */
export type Accepted = Readonly<Record<string, Accepts>>;

/**
 * Declaration of a factory: its name and the values that its options accept. Conformance tests check the factory
 * against its declaration.
 */
export interface Declaration {
  /** Name of the factory in errors, files and command lines. */
  readonly name: string;
  /** Accepted values by option name. */
  readonly options: Accepted;
  /** Names of options without a default. */
  readonly required?: readonly string[];
  /** Options of other factories, with the replacement to suggest. */
  readonly absent?: Readonly<Record<string, string>>;
}

/**
 * Type that makes a declaration list every option of O. At run time, an option that is missing from the declaration
 * would be refused as unknown.
 */
export interface DeclaresAll<O> {
  readonly options: { readonly [K in keyof NoInfer<O>]-?: Accepts };
}

/** A function that makes something from options and carries its declaration. */
export interface Factory<O, T, D extends Declaration = Declaration> {
  (options?: O): T;
  /** The factory's declaration. */
  readonly declaration: D;
}

/**
 * Derives the accepted values of options from the types of their defaults. Numbers must lie within `ranges`. If
 * `ranges` lists strings for an option, the option accepts only these strings. If the default of an option is null, the
 * option also accepts null.
 */
export function acceptedBy(
  defaults: Readonly<Record<string, number | boolean | string | null>>,
  ranges: Readonly<Record<string, Range | readonly string[] | undefined>> = {},
): Accepted {
  const of = ([name, value]: [string, unknown]): [string, Accepts] => {
    const range = ranges[name];
    if (value === null) return [name, { either: [[null], range ?? "boolean"] }];
    if (typeof value === "number" || range) return [name, range ?? {}];
    return [name, typeof value === "boolean" ? "boolean" : "string"];
  };
  return Object.fromEntries(Object.entries(defaults).map(of));
}

/** Makes a factory that checks its options against `declaration` before it calls `make`. */
export function declare<O extends object, T, D extends Declaration = Declaration>(
  declaration: D & DeclaresAll<O>,
  make: (options: O) => T,
): Factory<O, T, D> {
  const factory = (options: O = {} as O): T => {
    checkOptions(declaration.name, options, declaration);
    return make(Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as O);
  };
  return Object.assign(factory, { declaration });
}

/**
 * Checks all given options. Undefined options take their defaults.
 *
 * @throws OptionError for an unknown option, a value that the option does not accept, and a required option that is
 * missing
 */
export function checkOptions(where: string, given: object, { options, required = [], absent }: Omit<Declaration, "name">): void {
  const nullable = Object.keys(options).filter((name) => takesNull(options[name]));
  checkKeys(where, given, Object.keys(options), { nullable, absent });
  for (const [name, accepts] of Object.entries(options)) {
    const value = (given as Record<string, unknown>)[name];
    if (value !== undefined || required.includes(name)) check(where, name, value, accepts);
  }
}

const isChoice = (accepts: Accepts): accepts is readonly (string | number | boolean | null)[] => Array.isArray(accepts);
const takesNull = (accepts: Accepts): boolean =>
  (isChoice(accepts) && accepts.includes(null)) ||
  (typeof accepts === "object" && "either" in accepts && accepts.either.some(takesNull));

function check(where: string, name: string, value: unknown, accepts: Accepts): void {
  if (accepts === "own") return;
  if (accepts === "boolean") checkBoolean(where, name, value);
  else if (accepts === "function") checkFunction(where, name, value, "a function", `${name}: () => …`);
  else if (accepts === "string") {
    if (typeof value !== "string") refuse(where, name, value, "a string", `${name}: "…"`);
  } else if (isChoice(accepts)) checkChoice(where, name, value, accepts as readonly string[]);
  else if ("either" in accepts) checkEither(where, name, value, accepts.either);
  else if ("numbers" in accepts) checkNumbers(where, name, value, accepts.numbers, `${name}: [0.1, 1]`);
  else if ("options" in accepts) checkOptions(`${where}.${name}`, value as object, accepts);
  else checkNumber(where, name, value, accepts);
}

/** If no alternative fits, the error describes the last alternative. */
function checkEither(where: string, name: string, value: unknown, either: readonly Accepts[]): void {
  const fits = either.find((accepts) => fitsKind(accepts, value)) ?? either[either.length - 1];
  check(where, name, value, fits);
}

function fitsKind(accepts: Accepts, value: unknown): boolean {
  if (isChoice(accepts)) return accepts.includes(value as string);
  if (typeof accepts === "string") return typeof value === accepts;
  if ("options" in accepts) return typeof value === "object" && value !== null;
  return "numbers" in accepts ? isList(value) : typeof value === "number";
}
