import { Registry } from "../../engine/contract/registry.ts";
import { refuse } from "../../engine/errors/checks.ts";
import { acceptedBy, checkOptions, type Declaration, type Range } from "../../engine/errors/options.ts";
import { isWhole, KeptPart } from "../../engine/loop/kept-part.ts";
import type { SearchAlgorithm, SearchSnapshot, SearchStart, SearchState } from "./search.ts";

export type SearchOptionValue = number | boolean | string | null;
export type SearchDefaults = Record<string, SearchOptionValue>;
type Widened<V> = V extends number ? number : V extends boolean ? boolean : V;
export type SearchOptionsOf<D extends SearchDefaults> = { readonly [K in keyof D]: Widened<D[K]> };

/** What a search's definition says in addition to its start: a line for lists, its source, the ranges of its options. */
export interface SearchFacts<D extends SearchDefaults> {
  /** One line for lists, and where it comes from. */
  summary: string;
  /** Where it was published. */
  source: string;
  /** Of numbers their range, of strings the choices. */
  ranges?: { [K in keyof D]?: Range | readonly string[] };
  /** What options must be together. */
  check?(options: SearchOptionsOf<D>): void;
  /** What conformance tests hold it to. Searches of this library state it. */
  conformance?: SearchConformance;
}

/** Options and a budget that bring a conformance problem below `share` of its first value. */
export interface SearchPreset {
  /** Options of the search. */
  readonly options: SearchDefaults;
  /** Evaluations of the function. */
  readonly evaluations: number;
  /** Share of the first value. */
  readonly share: number;
}

/** A preset whose options and share have defaults: none, and 1e-3. A number: evaluations alone. */
export type SearchBudget = number | (Pick<SearchPreset, "evaluations"> & Partial<SearchPreset>);

/** What conformance tests hold a search to. */
export interface SearchConformance {
  /** Σ z², from three steps away. */
  readonly sphere: SearchBudget;
  /** Σ w_i z_i², w from 1 to 100. Default: as `sphere`. */
  readonly scaled?: SearchBudget;
  /** Whether it solves Σ w_i |z_i| with the same preset. Default true. */
  readonly kinks?: boolean;
  /** Whether it draws random numbers. Default false. */
  readonly random?: boolean;
  /** Whether it reads values by their order alone, so that a monotone transformation of f changes nothing. Default false. */
  readonly monotone?: boolean;
}

/** Makes a search algorithm from options, any subset of its `defaults`. */
export type SearchFactory<D extends SearchDefaults> = ((options?: Partial<SearchOptionsOf<D>>) => SearchAlgorithm) & {
  /** The name of the search. */
  readonly searchName: string;
  /** Defaults of its options. */
  readonly defaults: D;
  /** Its name, and values that its options accept. */
  readonly declaration: Declaration;
  /** What conformance tests hold it to. */
  readonly conformance?: SearchConformance;
};

/** What to do where memory grows with the square of the number of coordinates. */
export const FEWER = "search fewer coordinates, or take spsa(), whose memory grows with their number alone";

/** Every search by the name that a file gives it. */
export const definedSearches = new Registry<(options: SearchDefaults) => SearchAlgorithm>("search");

/**
 * defineSearch(name, defaults, start, facts): the factory of a search, and the search known by its name, so that a checkpoint can make it again.
 *
 *   export const walk = defineSearch("walk", { rate: 1 }, ({ rate }, { start, stream }) => ({ propose, update, … }), facts)
 *
 * Options are numbers, booleans and strings; a default of null is chosen at the start, where the dimension is known. The library's names are
 * reserved (index.ts); a user's definition may be repeated, and the last counts.
 *
 * @throws OptionError for an unknown option, one out of its range, or a name that is taken
 */
export function defineSearch<D extends SearchDefaults>(
  name: string,
  defaults: D,
  start: (options: SearchOptionsOf<D>, given: SearchStart) => SearchState,
  facts: SearchFacts<D>,
): SearchFactory<D> {
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
  return Object.assign(make, { searchName: name, defaults, declaration, conformance: facts.conformance });
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

/** What a search remembers, as one record that it mutates. */
export interface KeptState {
  numbers: Record<string, number>;
  arrays: Record<string, Float64Array>;
}

/** Numbers by these names count: they choose random numbers, rows and points. */
const COUNTERS = new Set(["batch", "drawn", "restarts", "updates", "phase", "firstRow", "axis", "index", "largestIndex"]);

/** snapshot and restore of a record: copies go out and come in. All of it are tensors, since JSON has no infinity. */
export function keepState(state: KeptState): Pick<SearchState, "snapshot" | "restore"> {
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
