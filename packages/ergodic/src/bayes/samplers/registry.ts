/** Every sampler that can be told in JSON, by the name of its algorithm: how a checkpoint's is made again, and what a command line knows. */

import type { Json, JsonObject } from "../../engine/contract/index.ts";
import { checkNamedJson } from "../../engine/errors/checks.ts";
import { DataError } from "../../engine/errors/errors.ts";
import { fullRank, meanField } from "../approximate/advi.ts";
import { pathfinder } from "../approximate/pathfinder.ts";
import { svgd } from "../approximate/svgd.ts";
import type { Sampler } from "./base/sampler.ts";
import { gibbsFromJson } from "./gibbs/gibbs.ts";
import { hmc } from "./hamiltonian/hmc.ts";
import { mala } from "./hamiltonian/mala.ts";
import { nuts } from "./hamiltonian/nuts.ts";
import { metropolisWithinGibbs } from "./metropolis/metropolis-within-gibbs.ts";
import { randomWalk } from "./metropolis/random-walk.ts";
import { prior } from "./prior.ts";
import { ellipticalSlice } from "./slice/elliptical-slice.ts";
import { slice } from "./slice/slice.ts";
import { psgld } from "./stochastic-gradient/psgld.ts";
import { sghmc } from "./stochastic-gradient/sghmc.ts";
import { sgld } from "./stochastic-gradient/sgld.ts";
import { sgnht } from "./stochastic-gradient/sgnht.ts";
import { parallelTempering } from "./tempering/parallel-tempering.ts";
import { sequentialMonteCarlo } from "./tempering/sequential-monte-carlo.ts";

/** Options are JSON: `sampler(options).toJSON()` is { algorithm, ...options } with every default filled in. */
// biome-ignore lint/suspicious/noExplicitAny: options of each kind, from JSON
export const samplerRegistry: Readonly<Record<string, (options: any) => Sampler>> = {
  nuts,
  hmc,
  randomWalk,
  metropolisWithinGibbs,
  mala,
  slice,
  ellipticalSlice,
  sgld,
  psgld,
  sghmc,
  sgnht,
  pathfinder,
  meanField,
  fullRank,
  svgd,
  prior,
  parallelTempering,
  sequentialMonteCarlo,
  gibbs: (options) => gibbsFromJson(options, samplerFromJson),
};

/** Names of the samplers that JSON can describe, as `samplerFromJson` knows them. */
export const samplerNames = (): string[] => Object.keys(samplerRegistry);

/**
 * The sampler that `toJSON` described; options that are samplers are given as their JSON.
 *
 * @throws DataError for an algorithm that JSON cannot hold, as it was made of functions
 */
export function samplerFromJson(json: JsonObject): Sampler {
  checkNamedJson("samplerFromJson", json, "algorithm", "a sampler");
  const { algorithm, ...options } = json;
  const name = algorithm as string;
  const make = Object.hasOwn(samplerRegistry, name) ? samplerRegistry[name] : undefined;
  if (make) return make(Object.fromEntries(Object.entries(options).map(([name, value]) => [name, optionOf(value)])));
  throw new DataError(
    "sampler",
    `"${name}" cannot be made again from JSON, as it holds functions or is not of this library; give the algorithm itself`,
    "SAMPLER_JSON",
  );
}

function optionOf(value: Json): unknown {
  const isSampler = typeof value === "object" && value !== null && !Array.isArray(value) && typeof value.algorithm === "string";
  return isSampler ? samplerFromJson(value) : value;
}
