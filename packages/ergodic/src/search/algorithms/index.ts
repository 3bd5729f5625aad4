/**
 * Registry of searches by name, and their construction from JSON. Searches that users define are also registered by
 * name (define-search.ts).
 */

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

/** Entry of a search in the registry: its factory, and presets for conformance tests. */
export interface SearchEntry extends Required<SearchConformance> {
  /** Makes the search from its options. */
  make(options?: SearchDefaults): SearchAlgorithm;
  /** Preset for Σ z², from three steps away. */
  readonly sphere: SearchPreset;
  /** Preset for Σ w_i z_i², w from 1 to 100. */
  readonly scaled: SearchPreset;
}

type Defined = SearchFactory<SearchDefaults>;
const isDefined = (value: unknown): value is Defined => typeof value === "function" && "declaration" in value;

const presetOf = (budget: SearchBudget): SearchPreset => ({
  options: {},
  share: 1e-3,
  ...(typeof budget === "number" ? { evaluations: budget } : budget),
});

function entryOf(make: Defined): SearchEntry {
  const { sphere = 0, scaled = sphere, kinks = true, random = false, monotone = false } = make.conformance ?? {};
  return { make: make as SearchEntry["make"], sphere: presetOf(sphere), scaled: presetOf(scaled), kinks, random, monotone };
}

/** Search algorithms of the library by name, e.g. `searchRegistry.cmaEs.make()`. */
export const searchRegistry: Readonly<Record<string, SearchEntry>> = Object.fromEntries(
  Object.entries(byName(all, isDefined, ({ declaration }) => declaration.name)).map(([name, make]) => [name, entryOf(make)]),
);

/** Reserves the names of all searches of the library. */
export const reserveSearches = (): void => definedSearches.reserve(...Object.keys(searchRegistry));

/** Rebuilds a search from its toJSON(), including searches that the user has defined. */
export function searchFromJson(json: JsonObject): SearchAlgorithm {
  checkNamedJson("searchFromJson", json, "search", "a search");
  const name = json.search as string;
  const make = Object.hasOwn(searchRegistry, name) ? searchRegistry[name].make : definedSearches.get(name);
  if (make) return make(json.options as SearchDefaults);
  const known = [...new Set([...Object.keys(searchRegistry), ...definedSearches.names()])];
  throw new OptionError(
    "search",
    `"${name}" is neither a search of this version nor one defined so far; if it is yours, first import the module that defines it (known: ${known.join(", ")})`,
    "SEARCH_UNKNOWN",
  );
}
