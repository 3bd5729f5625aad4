/** Decodes messages into arguments of verbs, on the worker thread. */

import { type PortableMode, PortedMode } from "../../bayes/mode/mode-target.ts";
import { type PortableDensity, PortedDensity } from "../../bayes/model/portable.ts";
import { samplerFromJson } from "../../bayes/samplers/index.ts";
import type { JsonObject } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import type { NumberType } from "../../engine/data/layout.ts";
import { dataFrom, type PortableData } from "../../engine/data/portable.ts";
import { type PortableRatings, Ratings } from "../../engine/data/ratings.ts";
import { assert, OptionError } from "../../engine/errors/errors.ts";
import { isBlob } from "../../engine/files/kinds.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { ruleFromJson } from "../../engine/optimise/index.ts";
import type { RuleJson } from "../../engine/optimise/kinds.ts";
import { varianceFromJson } from "../../engine/optimise/variance.ts";
import { inferenceFromJson } from "../../graphs/infer/registry.ts";
import {
  columnsFromPortable,
  type PortableColumns,
  type PortableTables,
  tablesFromPortable,
} from "../../graphs/infer/tables-of.ts";
import { learnerFromJson } from "../../graphs/learn/registry.ts";
import { factorGraphFromJson } from "../../graphs/model/from-json.ts";
import { algorithmFromJson } from "../../learning/fit/algorithm-from-json.ts";
import { trainableForest, trainableTree } from "../../learning/fit/kinds/forest.ts";
import { trainableLinear } from "../../learning/fit/kinds/linear.ts";
import { trainableNetwork } from "../../learning/fit/kinds/network.ts";
import { trainableRatings } from "../../learning/fit/kinds/ratings.ts";
import { trainableTrees } from "../../learning/fit/kinds/trees.ts";
import { linearFromJson } from "../../learning/models/linear/from-json.ts";
import { networkFromJson } from "../../learning/models/neural/network-from.ts";
import { factorisationFromJson } from "../../learning/models/ratings/factorisation.ts";
import { forestFromJson } from "../../learning/models/trees/forest.ts";
import { treesFromJson } from "../../learning/models/trees/trees.ts";
import { searchFromJson } from "../../search/algorithms/index.ts";
import { TAG } from "./encode.ts";
import type { VerbName } from "./messages.ts";
import { defineOwn, type OwnDefinitions } from "./own.ts";

/** State of the thread: data by id, the user's module and the engine. */
export interface Known {
  readonly data: Map<number, Dataset | Ratings>;
  readonly module: Readonly<Record<string, unknown>>;
  readonly engine: Engine;
}

const forestOf = (json: JsonObject): object => ({
  ...forestFromJson(json),
  trainable: json.model === "tree" ? trainableTree : trainableForest,
});

const models: Readonly<Record<string, (json: JsonObject) => object>> = {
  linear: (json) => ({ ...linearFromJson(json), trainable: trainableLinear }),
  network: (json) => ({ ...networkFromJson(json), trainable: trainableNetwork }),
  trees: (json) => ({ ...treesFromJson(json), trainable: trainableTrees }),
  forest: forestOf,
  extraTrees: forestOf,
  tree: forestOf,
  factorisation: (json) => ({ ...factorisationFromJson(json), trainable: trainableRatings }),
};

/**
 * Stores all data in the arguments. Data are sent only once, so this function stores them even if an argument is
 * refused later.
 */
export function receive(value: unknown, data: Known["data"]): void {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return;
  if (isBlob(value)) return;
  const { [TAG]: tag, number, portable } = value as Tagged;
  if ((tag === "dataset" || tag === "ratings") && portable !== undefined)
    data.set(
      number as number,
      tag === "ratings" ? Ratings.fromPortable(portable as PortableRatings) : dataFrom(portable as PortableData),
    );
  else if (tag === undefined) for (const one of Object.values(value)) receive(one, data);
}

/** Decodes the arguments of a verb. `receive` must be called first, to store their data. */
export function decode(value: unknown, verb: VerbName, known: Known): unknown {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value;
  if (isBlob(value)) return value;
  if (Array.isArray(value)) return value.map((one) => decode(one, verb, known));
  if (TAG in value) return made(value as Tagged, verb, known);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, decode(one, verb, known)]));
}

export interface Tagged {
  readonly [TAG]: string;
  readonly [key: string]: unknown;
}

function made(value: Tagged, verb: VerbName, { data, module, engine }: Known): unknown {
  const json = value.json as JsonObject;
  if (value.own) defineOwn(value.own as OwnDefinitions);
  switch (value[TAG]) {
    case "url":
      return new URL(value.href as string);
    case "checkpoint":
      return value.from;
    case "export":
      return exported(module, value.name as string);
    case "dataset":
    case "ratings": {
      const known = data.get(value.number as number);
      return known instanceof Ratings ? known : known?.as(value.type as NumberType);
    }
    case "model":
      assert(Object.hasOwn(models, String(json.model)), `a message names the model ${json.model}`);
      return models[String(json.model)](json);
    case "graph":
      return factorGraphFromJson(json);
    case "learner":
      return learnerFromJson(json);
    case "variance":
      return varianceFromJson(json);
    case "rule":
      return ruleFromJson(json as unknown as RuleJson);
    case "mode":
      return new PortedMode(value.portable as PortableMode, engine);
    case "tables":
      return tablesFromPortable(value.portable as PortableTables);
    case "columns":
      return columnsFromPortable(value.portable as PortableColumns);
    case "density":
      return new PortedDensity(value.portable as PortableDensity, engine);
    default:
      return algorithmOf(verb, json);
  }
}

function algorithmOf(verb: VerbName, json: JsonObject): unknown {
  if (verb.startsWith("sample") || verb === "calibrate") return samplerFromJson(json);
  if (verb.startsWith("infer")) return inferenceFromJson(json);
  if (verb.startsWith("fit") || json.algorithm === "coordinateDescent") return algorithmFromJson(json);
  return searchFromJson(json);
}

function exported(module: Known["module"], name: string): unknown {
  if (Object.hasOwn(module, name)) return module[name];
  throw new OptionError(
    "worker",
    `exported("${name}") was given, but the module exports ${Object.keys(module).join(", ") || "nothing"}; export it, and give the module's URL by worker({ module })`,
    "WORKER_ARGUMENT",
  );
}
