/** Searches by name, and what makes them from JSON. Searches that users define are known by name, too (define-search.ts). */

import type { JsonObject } from "../../engine/contract/index.ts";
import { byName } from "../../engine/contract/registry.ts";
import { checkNamedJson } from "../../engine/errors/checks.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import * as all from "./all.ts";
import {
  definedSearches,
  type SearchBudget,
  type SearchConformance,
  type SearchDefaults,
  type SearchFactory,
  type SearchPreset,
} from "./define-search.ts";
import type { SearchAlgorithm } from "./search.ts";

export * from "./all.ts";

/** A search of the registry: its factory, and what the conformance tests hold it to. */
export interface SearchEntry extends Required<SearchConformance> {
  /** The factory. */
  make(options?: SearchDefaults): SearchAlgorithm;
  /** Σ z², from three steps away. */
  readonly sphere: SearchPreset;
  /** Σ w_i z_i², w from 1 to 100. */
  readonly scaled: SearchPreset;
}

type Defined = SearchFactory<SearchDefaults>;
const isDefined = (value: unknown): value is Defined => typeof value === "function" && "searchName" in value;

const presetOf = (budget: SearchBudget): SearchPreset => ({
  options: {},
  share: 1e-3,
  ...(typeof budget === "number" ? { evaluations: budget } : budget),
});

function entryOf(make: Defined): SearchEntry {
  const { sphere = 0, scaled = sphere, kinks = true, random = false, monotone = false } = make.conformance ?? {};
  return { make: make as SearchEntry["make"], sphere: presetOf(sphere), scaled: presetOf(scaled), kinks, random, monotone };
}

/** The library's search algorithms by name: `searchRegistry.cmaEs.make()`. */
export const searchRegistry: Readonly<Record<string, SearchEntry>> = Object.fromEntries(
  Object.entries(byName(all, isDefined, ({ searchName }) => searchName)).map(([name, make]) => [name, entryOf(make)]),
);

/** Keeps the names of all searches so far for this library. */
export const reserveSearches = (): void => definedSearches.reserve(...Object.keys(searchRegistry));

/** Rebuilds what toJSON() gave: also searches that were defined here before. */
export function searchFromJson(json: JsonObject): SearchAlgorithm {
  checkNamedJson("searchFromJson", json, "search", "a search");
  const name = json.search as string;
  const make = Object.hasOwn(searchRegistry, name) ? searchRegistry[name].make : definedSearches.get(name);
  if (make) return make(json.options as SearchDefaults);
  const known = [...new Set([...Object.keys(searchRegistry), ...definedSearches.names()])];
  throw new OptionError(
    "search",
    `"${name}" is not a search of this version, nor one defined so far; if it is yours, import what defines it first (known: ${known.join(", ")})`,
    "SEARCH_UNKNOWN",
  );
}
