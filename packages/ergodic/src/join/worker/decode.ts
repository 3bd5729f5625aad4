/** Decodes messages into arguments of verbs, on the worker thread. */

import type { PortableMode } from "../../bayes/mode/mode-target.ts";
import type { PortableDensity } from "../../bayes/model/portable.ts";
import type { JsonObject } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import type { NumberType } from "../../engine/data/layout.ts";
import { dataFrom, type PortableData } from "../../engine/data/portable.ts";
import { type PortableRatings, Ratings } from "../../engine/data/ratings.ts";
import { assert, OptionError } from "../../engine/errors/errors.ts";
import { isBlob } from "../../engine/files/kinds.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import type { RuleJson } from "../../engine/optimise/kinds.ts";
import { later } from "../../engine/threads/later.ts";
import type { PortableColumns, PortableTables } from "../../graphs/infer/tables-of.ts";
import { TAG } from "./encode.ts";
import type { VerbName } from "./messages.ts";
import type { OwnDefinitions } from "./own.ts";

/** State of the thread: data by id, the user's module and the engine. */
export interface Known {
  readonly data: Map<number, Dataset | Ratings>;
  readonly module: Readonly<Record<string, unknown>>;
  readonly engine: Engine;
}

/** Models by the name in their JSON. The thread loads only the code of models that it receives. */
const models: Readonly<Record<string, (json: JsonObject) => Promise<object>>> = {
  linear: async (json) => {
    const { linearFromJson } = await import("../../learning/models/linear/from-json.ts");
    const { trainableLinear } = await import("../../learning/fit/kinds/linear.ts");
    return { ...linearFromJson(json), trainable: trainableLinear };
  },
  network: async (json) => {
    const { networkFromJson } = await import("../../learning/models/neural/network-from.ts");
    const { trainableNetwork } = await import("../../learning/fit/kinds/network.ts");
    return { ...networkFromJson(json), trainable: trainableNetwork };
  },
  trees: async (json) => {
    const { treesFromJson } = await import("../../learning/models/trees/trees.ts");
    const { trainableTrees } = await import("../../learning/fit/kinds/trees.ts");
    return { ...treesFromJson(json), trainable: trainableTrees };
  },
  forest: forestOf,
  extraTrees: forestOf,
  tree: forestOf,
  factorisation: async (json) => {
    const { factorisationFromJson } = await import("../../learning/models/ratings/factorisation.ts");
    const { trainableRatings } = await import("../../learning/fit/kinds/ratings.ts");
    return { ...factorisationFromJson(json), trainable: trainableRatings };
  },
};

async function forestOf(json: JsonObject): Promise<object> {
  const { forestFromJson } = await import("../../learning/models/trees/forest.ts");
  const { trainableForest, trainableTree } = await import("../../learning/fit/kinds/forest.ts");
  return { ...forestFromJson(json), trainable: json.model === "tree" ? trainableTree : trainableForest };
}

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
export async function decode(value: unknown, verb: VerbName, known: Known): Promise<unknown> {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value;
  if (isBlob(value)) return value;
  if (Array.isArray(value)) return Promise.all(value.map((one) => decode(one, verb, known)));
  if (TAG in value) return made(value as Tagged, verb, known);
  const entries = Object.entries(value).map(async ([key, one]) => [key, await decode(one, verb, known)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

export interface Tagged {
  readonly [TAG]: string;
  readonly [key: string]: unknown;
}

async function made(value: Tagged, verb: VerbName, { data, module, engine }: Known): Promise<unknown> {
  const json = value.json as JsonObject;
  if (value.own) {
    const { defineOwn } = await later(() => import("./own.ts"));
    defineOwn(value.own as OwnDefinitions);
  }
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
      return (await later(() => import("../../graphs/model/from-json.ts"))).factorGraphFromJson(json);
    case "learner":
      return (await later(() => import("../../graphs/learn/registry.ts"))).learnerFromJson(json);
    case "variance":
      return (await later(() => import("../../engine/optimise/variance.ts"))).varianceFromJson(json);
    case "rule":
      return (await later(() => import("../../engine/optimise/index.ts"))).ruleFromJson(json as unknown as RuleJson);
    case "mode": {
      const { PortedMode } = await later(() => import("../../bayes/mode/mode-target.ts"));
      return new PortedMode(value.portable as PortableMode, engine);
    }
    case "tables":
      return (await later(() => import("../../graphs/infer/tables-of.ts"))).tablesFromPortable(value.portable as PortableTables);
    case "columns":
      return (await later(() => import("../../graphs/infer/tables-of.ts"))).columnsFromPortable(
        value.portable as PortableColumns,
      );
    case "density": {
      const { PortedDensity } = await later(() => import("../../bayes/model/portable.ts"));
      return new PortedDensity(value.portable as PortableDensity, engine);
    }
    default:
      return algorithmOf(verb, json);
  }
}

async function algorithmOf(verb: VerbName, json: JsonObject): Promise<unknown> {
  if (verb.startsWith("sample") || verb === "calibrate")
    return (await later(() => import("../../bayes/samplers/registry.ts"))).samplerFromJson(json);
  if (verb.startsWith("infer")) return (await later(() => import("../../graphs/infer/registry.ts"))).inferenceFromJson(json);
  if (verb.startsWith("fit") || json.algorithm === "coordinateDescent")
    return (await later(() => import("../../learning/fit/algorithm-from-json.ts"))).algorithmFromJson(json);
  return (await later(() => import("../../search/algorithms/index.ts"))).searchFromJson(json);
}

function exported(module: Known["module"], name: string): unknown {
  if (Object.hasOwn(module, name)) return module[name];
  throw new OptionError(
    "worker",
    `exported("${name}") was given, but the module exports ${Object.keys(module).join(", ") || "nothing"}; export it, and give the module's URL by worker({ module })`,
    "WORKER_ARGUMENT",
  );
}
