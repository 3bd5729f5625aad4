/**
 * The registry of this library's searches: each by name, with options under which the conformance suite holds it to the family's promises.
 * A new search is one file here and one entry below. Searches that users define are known by name, too (define-search.ts).
 */

import type { JsonObject } from "../../engine/contract/index.ts";
import { checkNamedJson } from "../../engine/errors/checks.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { cmaEs } from "./cma-es.ts";
import { coordinateSearch } from "./coordinate-search.ts";
import { definedSearches, type SearchDefaults } from "./define-search.ts";
import { differentialEvolution } from "./differential-evolution.ts";
import { nelderMead } from "./nelder-mead.ts";
import { onePlusOneEs } from "./one-plus-one-es.ts";
import { openAiEs } from "./open-ai-es.ts";
import { powell } from "./powell.ts";
import { randomDirection } from "./random-direction.ts";
import { randomSearch } from "./random-search.ts";
import type { SearchAlgorithm } from "./search.ts";
import { simulatedAnnealing } from "./simulated-annealing.ts";
import { spsa } from "./spsa.ts";

export {
  cmaEs,
  coordinateSearch,
  differentialEvolution,
  nelderMead,
  onePlusOneEs,
  openAiEs,
  powell,
  randomDirection,
  randomSearch,
  simulatedAnnealing,
  spsa,
};

/** Options and a budget that bring a conformance problem below `share` of its first value. */
export interface SearchPreset {
  options: SearchDefaults;
  evaluations: number;
  share: number;
}

/** A search of the registry: its factory, and what the conformance tests hold it to. */
export interface SearchEntry {
  /** The factory. */
  make(options?: SearchDefaults): SearchAlgorithm;
  /** Σ z², from three steps away. */
  sphere: SearchPreset;
  /** Σ w_i z_i², w from 1 to 100. */
  scaled: SearchPreset;
  /** Solves Σ w_i |z_i| with the same preset, too. */
  kinks: boolean;
  /** It draws random numbers. */
  random: boolean;
  /** It reads values by their order alone: a monotone transformation of f changes nothing. */
  monotone: boolean;
}

const entry = (
  make: unknown,
  facts: { random?: boolean; monotone?: boolean; kinks?: boolean },
  sphere: number | SearchPreset,
  scaled: number | SearchPreset = sphere,
): SearchEntry => ({
  make: make as SearchEntry["make"],
  sphere: typeof sphere === "number" ? preset({}, sphere) : sphere,
  scaled: typeof scaled === "number" ? preset({}, scaled) : scaled,
  random: facts.random ?? false,
  monotone: facts.monotone ?? false,
  kinks: facts.kinks ?? true,
});

function preset(options: SearchDefaults, evaluations: number, share = 1e-3): SearchPreset {
  return { options, evaluations, share };
}

/** The library's search algorithms by name: `searchRegistry.cmaEs.make()`. */
export const searchRegistry: Readonly<Record<string, SearchEntry>> = {
  cmaEs: entry(cmaEs, { random: true, monotone: true }, 1000, 5000),
  differentialEvolution: entry(differentialEvolution, { random: true, monotone: true }, 6000, 12_000),
  simulatedAnnealing: entry(simulatedAnnealing, { random: true }, 3000),
  randomSearch: entry(randomSearch, { random: true, monotone: true }, preset({ spread: 3 }, 40_000, 0.05)),
  randomDirection: entry(
    randomDirection,
    { random: true, kinks: false },
    preset({ rate: 0.03 }, 1000),
    preset({ rate: 3e-4 }, 30_000),
  ),
  coordinateSearch: entry(coordinateSearch, { monotone: true }, 300),
  spsa: entry(spsa, { random: true, kinks: false }, 2000, preset({ c: 0.01 }, 20_000)),
  openAiEs: entry(openAiEs, { random: true, monotone: true }, preset({ rate: 0.05, decay: 1e-3 }, 10_000)),
  onePlusOneEs: entry(onePlusOneEs, { random: true, monotone: true, kinks: false }, 500, 2000),
  nelderMead: entry(nelderMead, {}, 1000, 3000),
  powell: entry(powell, {}, 500, 2000),
};

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
