/** Samplers by name, so that checkpoints, saved draws and command lines can make them from JSON. */

import type { Json, JsonObject } from "../../engine/contract/index.ts";
import { byName } from "../../engine/contract/registry.ts";
import { checkNamedJson } from "../../engine/errors/checks.ts";
import { DataError } from "../../engine/errors/errors.ts";
import * as all from "./all.ts";
import type { Sampler, SamplerFactory } from "./base/sampler.ts";

const isRegistered = (value: unknown): value is SamplerFactory<object> => typeof value === "function" && "declaration" in value;

/**
 * Returns a factory that reads options in their JSON form. This form differs from the factory's own if the declaration
 * has `fromJson`.
 */
const byJson = (factory: SamplerFactory<object>): SamplerFactory<object> => {
  const { declaration } = factory;
  const { fromJson } = declaration;
  return fromJson
    ? Object.assign((options: object = {}) => fromJson(options as JsonObject, samplerFromJson), { declaration })
    : factory;
};

/**
 * Every sampler with a declaration, by name. `factory(options).toJSON()` is { algorithm, ...options } with all defaults
 * filled in.
 */
export const samplerRegistry: Readonly<Record<string, SamplerFactory<object>>> = Object.fromEntries(
  Object.entries(byName(all, isRegistered, ({ declaration }) => declaration.name)).map(([name, factory]) => [
    name,
    byJson(factory),
  ]),
);

/** Names of the samplers that `samplerFromJson` can make. */
export const samplerNames = (): string[] => Object.keys(samplerRegistry);

/**
 * Makes the sampler described by `toJSON`. A sampler inside an option is represented by its own JSON.
 *
 * @throws DataError for an algorithm that JSON cannot represent, because it was made from functions
 */
export function samplerFromJson(json: JsonObject): Sampler {
  checkNamedJson("samplerFromJson", json, "algorithm", "a sampler");
  const { algorithm, ...options } = json;
  const name = algorithm as string;
  const factory = Object.hasOwn(samplerRegistry, name) ? samplerRegistry[name] : undefined;
  if (factory?.declaration.fromJson) return factory(options);
  if (factory) return factory(Object.fromEntries(Object.entries(options).map(([name, value]) => [name, optionOf(value)])));
  throw new DataError(
    "sampler",
    `"${name}" cannot be rebuilt from JSON, because it contains functions or is not from this library; give the algorithm itself`,
    "SAMPLER_JSON",
  );
}

function optionOf(value: Json): unknown {
  const isSampler = typeof value === "object" && value !== null && !Array.isArray(value) && typeof value.algorithm === "string";
  return isSampler ? samplerFromJson(value) : value;
}
