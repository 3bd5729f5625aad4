/** Encodes arguments of verbs as messages. Data, models, rules and algorithms are sent as descriptions. */

import type { JsonObject } from "../../engine/contract/index.ts";
import { Dataset } from "../../engine/data/dataset.ts";
import { portableData } from "../../engine/data/portable.ts";
import { Ratings } from "../../engine/data/ratings.ts";
import { holds } from "../../engine/errors/checks.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { isBlob, isUrl } from "../../engine/files/kinds.ts";
import { trainedBy } from "../../engine/loop/later-run.ts";
import { isVariance } from "../../engine/optimise/variance.ts";

import { ownIn } from "./own.ts";

/** Key that marks a description of an object that a message cannot carry directly. */
export const TAG = "ergodic/worker";

/** Reference to an export of the user's module, by name. */
export class Exported {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** Data that the thread has already received, by id. Each dataset is sent once. */
export interface KnownData {
  /** Whether the thread has loaded a user-defined module. */
  readonly hasModule: boolean;
  numberOf(data: object): { readonly number: number; readonly isNew: boolean };
}

/**
 * Returns `value` in a form that a message can carry. `path` names the value in errors.
 *
 * @throws OptionError [WORKER_ARGUMENT] for functions and symbols, and for rules that are not equations
 */
export function encode(value: unknown, path: string, known: KnownData): unknown {
  if (typeof value === "function") throw refusal(path, "a function");
  if (typeof value === "symbol") throw refusal(path, shown(value));
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value;
  if (isBlob(value)) return value;
  // A trained model, as the starting point of training.
  if (holds(value, "toBytes")) return (value as unknown as { toBytes(): Uint8Array }).toBytes();
  if (isUrl(value)) return { [TAG]: "url", href: value.href };
  if (value instanceof Exported) return { [TAG]: "export", name: value.name };
  if (value instanceof Dataset) {
    // The original data are sent, because runs convert them themselves.
    const { original, type } = value;
    return { ...dataOf(original, "dataset", () => portableData(original), known), type };
  }
  if (value instanceof Ratings) return dataOf(value, "ratings", () => value.portable(), known);
  if (Array.isArray(value)) return value.map((one, i) => encode(one, `${path}[${i}]`, known));
  const described = value as { kind?: string; toJSON?(): JsonObject };
  if (described.toJSON) {
    const json = described.toJSON();
    return { [TAG]: tagOf(described), json, own: ownIn(json, known.hasModule) };
  }
  if (![Object.prototype, null].includes(Object.getPrototypeOf(value))) throw refusal(path, shown(value));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, encode(one, `${path}.${key}`, known)]));
}

function tagOf(described: { kind?: string }): string {
  if (trainedBy(described) === "graph") return "graph";
  if ("trainable" in described) return "model";
  if (holds(described, "objective")) return "learner";
  if (isVariance(described)) return "variance";
  return ["equation", "search", "host"].includes(String(described.kind)) ? "rule" : "algorithm";
}

function dataOf(data: object, tag: string, portable: () => unknown, known: KnownData): object {
  const { number, isNew } = known.numberOf(data);
  return { [TAG]: tag, number, ...(isNew ? { portable: portable() } : {}) };
}

function refusal(path: string, what: string): OptionError {
  return new OptionError(
    "worker",
    `${path} is ${what}, which cannot be sent to a worker; export it from a module of its own, and give worker({ module }) the module's URL and exported("name") in its place`,
    "WORKER_ARGUMENT",
  );
}
