import { Registry } from "../../engine/contract/registry.ts";
import { made, refuse } from "../../engine/errors/checks.ts";
import { acceptedBy, checkOptions, type Declaration, type Range } from "../../engine/errors/options.ts";
import { isWhole, KeptPart } from "../../engine/loop/kept-part.ts";
import type { SearchAlgorithm, SearchSnapshot, SearchStart, SearchState } from "./search.ts";

export type SearchOptionValue = number | boolean | string | null;
export type SearchDefaults = Record<string, SearchOptionValue>;
type Widened<V> = V extends number ? number : V extends boolean ? boolean : V;
export type SearchOptionsOf<D extends SearchDefaults> = { readonly [K in keyof D]: Widened<D[K]> };

/**
 * Properties of a search that its start function does not contain: a summary, its source and the ranges of its options.
 */
export interface SearchFacts<D extends SearchDefaults> {
  /** One-line description for lists. */
  summary: string;
  /** Publication that introduced it. */
  source: string;
  /** Ranges of numeric options, and choices of string options. */
  ranges?: { [K in keyof D]?: Range | readonly string[] };
  /** Checks that options fit together. */
  check?(options: SearchOptionsOf<D>): void;
  /** Problems on which conformance tests run this search. Every built-in search states them. */
  conformance?: SearchConformance;
}

/** Options and a budget with which a search reduces a conformance problem below `share` of its first value. */
export interface SearchPreset {
  /** Options of the search. */
  readonly options: SearchDefaults;
  /** Number of evaluations of the function. */
  readonly evaluations: number;
  /** Share of the first value. */
  readonly share: number;
}

/**
 * A preset. By default, it has no options, and its share is 1e-3. If a number is given, it is the number of
 * evaluations.
 */
export type SearchBudget = number | (Pick<SearchPreset, "evaluations"> & Partial<SearchPreset>);

/** Problems on which conformance tests run a search. */
export interface SearchConformance {
  /** Budget for Σ z², from three steps away. */
  readonly sphere: SearchBudget;
  /** Budget for Σ w_i z_i², w from 1 to 100. Default: same as `sphere`. */
  readonly scaled?: SearchBudget;
  /** Whether the search solves Σ w_i |z_i| with the same preset. Default true. */
  readonly kinks?: boolean;
  /** Whether the search draws random numbers. Default false. */
  readonly random?: boolean;
  /**
   * Whether the search uses only the order of values, so that monotone transformations of f do not change its points.
   * Default false.
   */
  readonly monotone?: boolean;
}

/** Makes a search algorithm from any subset of the options in `defaults`. */
export type SearchFactory<D extends SearchDefaults> = ((options?: Partial<SearchOptionsOf<D>>) => SearchAlgorithm) & {
  /** Default values of its options. */
  readonly defaults: D;
  /** Name of the search, and the values that its options accept. */
  readonly declaration: Declaration;
  /** Problems on which conformance tests run this search. */
  readonly conformance?: SearchConformance;
};

/** Advice for searches whose memory grows with the square of the number of coordinates. */
export const FEWER = "search fewer coordinates, or use spsa(), whose memory is proportional to their number";

/** Every search by its name in files. */
export const definedSearches = new Registry<(options: SearchDefaults) => SearchAlgorithm>("search");

/**
 * Returns the factory of a search: defineSearch(name, defaults, start, facts). The search is registered under its name,
 * so that a checkpoint can rebuild it.
 *
 * Options are numbers, booleans and strings. If a default is null, it is replaced when the search starts and the
 * dimension is known. Built-in names are reserved (index.ts). A user can define a name again, in which case the last
 * definition applies.
 *
 * @throws OptionError for an unknown option, one out of its range, or a name that is taken
 *
 * @example
 * ```ts
 * const walk = defineSearch("walk", { rate: 1 }, ({ rate }, { start, stream }) => ({ propose, update, ...others }), facts);
 * ```
 */
export function defineSearch<D extends SearchDefaults>(
  name: string,
  defaults: D,
  start: (options: SearchOptionsOf<D>, given: SearchStart) => SearchState,
  facts: SearchFacts<D>,
): SearchFactory<D> {
  if (typeof name !== "string") refuse("defineSearch", "name", name, "a string", '"randomPoints"');
  if (typeof facts !== "object" || facts === null)
    refuse(name, "the description of the search", facts, "its facts", '{ summary: "random points", source: "own" }');
  const declaration: Declaration = { name, options: acceptedBy(defaults, facts.ranges) };
  const make = (given: Partial<SearchOptionsOf<D>> = {}): SearchAlgorithm => {
    const options = resolve(declaration, defaults, given);
    facts.check?.(options);
    return {
      name,
      verb: "minimize",
      options,
      summary: facts.summary,
      source: facts.source,
      toJSON: () => ({ search: name, options: { ...options } }),
      start: (where) => start(options, where),
    };
  };
  definedSearches.define(name, (options) => make(options as Partial<SearchOptionsOf<D>>));
  return Object.assign(make, { defaults, declaration, conformance: facts.conformance });
}

function resolve<D extends SearchDefaults>(
  declaration: Declaration,
  defaults: D,
  given: Partial<SearchOptionsOf<D>>,
): SearchOptionsOf<D> {
  checkOptions(declaration.name, given, declaration);
  const filled = Object.entries(defaults).map(([name, fallback]) => [name, given[name] ?? fallback]);
  return Object.freeze(Object.fromEntries(filled)) as SearchOptionsOf<D>;
}

/** State of a search, as one record that the search mutates. */
export interface KeptState {
  numbers: Record<string, number>;
  arrays: Record<string, Float64Array>;
}

/** Numbers with these names must be whole numbers ≥ 0, because they select random numbers, rows and points. */
const COUNTERS = new Set(["batch", "drawn", "restarts", "updates", "phase", "firstRow", "axis", "index", "largestIndex"]);

/**
 * Returns functions `snapshot` and `restore`, which copy a record's state. Everything is stored as tensors, because
 * JSON has no infinity.
 */
export function keepState(state: KeptState): Pick<SearchState, "snapshot" | "restore"> {
  const example = "keepState({ numbers: { best: 0 }, arrays: { x } })";
  made(
    "keepState",
    made("keepState", state, "numbers", "a record of numbers and arrays", example),
    "arrays",
    "a record of numbers and arrays",
    example,
  );
  const names = Object.keys(state.numbers);
  return {
    snapshot: (): SearchSnapshot => ({
      tensors: {
        numbers: Float64Array.from(names, (name) => state.numbers[name]),
        ...Object.fromEntries(Object.entries(state.arrays).map(([name, values]) => [name, values.slice()])),
      },
      state: {},
    }),
    restore(snapshot): void {
      const kept = new KeptPart("the search", snapshot);
      const numbers = kept.floats("numbers", names.length);
      for (const [i, name] of names.entries()) {
        if (COUNTERS.has(name) && !isWhole(numbers[i])) kept.refuse(`${name} is ${numbers[i]}`);
        state.numbers[name] = numbers[i];
      }
      for (const [name, values] of Object.entries(state.arrays)) state.arrays[name] = kept.floats(name, values.length).slice();
    },
  };
}
