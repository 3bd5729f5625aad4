import type { Json, JsonObject, Model } from "../../engine/contract/index.ts";
import { addAllSteps } from "../../engine/data/all-steps.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import { holds } from "../../engine/errors/checks.ts";
import { CapabilityError } from "../../engine/errors/errors.ts";
import { nameOf, readWhole } from "../../engine/files/files.ts";
import { decode } from "../../engine/files/safetensors.ts";
import { readCheckpoint } from "../../engine/loop/checkpoint.ts";
import { isObject } from "../../engine/loop/kept-part.ts";
import { ruleFromJson } from "../../engine/optimise/index.ts";
import type { EquationRule, Rule, RuleJson } from "../../engine/optimise/kinds.ts";
import { adagrad } from "../../engine/optimise/rules/adagrad.ts";
import { adam } from "../../engine/optimise/rules/adam.ts";
import { decodeModel } from "../../predict/model-file.ts";
import { Begun } from "../fit/from.ts";
import type { Trainable, TrainableModel } from "../fit/kinds/trainable.ts";
import { modelFromJson } from "../fit/model-from-json.ts";
import type { OnlineFrom } from "./types.ts";

/** Starting state of an online run, read from a model or a checkpoint. */
export interface Beginnings {
  readonly where: string;
  readonly bytes: Uint8Array;
  readonly kind: Trainable<Dataset, object>;
  readonly model: Model<Dataset>;
  readonly begun: Begun;
  /** Steps that turn raw rows into columns and targets. */
  readonly pipeline: Json;
  /** Rule with which gradientDescent() trained the model; undefined for another algorithm. */
  readonly trainedBy: RuleJson | undefined;
  /** Whether the optimiser state of `trainedBy` is available. */
  readonly hasOptimiser: boolean;
  /** Names of the two classes of a numeric target. */
  readonly levels: Json;
  /** Settings of the online run that wrote the checkpoint. */
  readonly online: JsonObject | undefined;
}

export async function readBeginnings(from: OnlineFrom): Promise<Beginnings> {
  addAllSteps();
  const source = holds(from, "toBytes")
    ? (from as { toBytes(): Uint8Array }).toBytes()
    : (from as Exclude<OnlineFrom, object> | Blob);
  const where = nameOf(source as string, "the trained model");
  const bytes = await readWhole(source as string);
  const isCheckpoint = decode(bytes, where).metadata.format === "ergodic checkpoint";
  const { recipe, loop } = isCheckpoint
    ? await readCheckpoint(bytes, where)
    : { recipe: described(bytes, where), loop: {} as JsonObject };
  const algorithm = isObject(recipe.algorithm) ? recipe.algorithm : {};
  const trained = isCheckpoint ? (recipe.trained as JsonObject | undefined) : recipe;
  const json = recipe.model;
  const name = isObject(json) ? String(json.model) : "";
  if ((name !== "linear" && name !== "network") || !isObject(trained) || trained.pipeline === undefined)
    throw notOnline(where, name);
  const { trainable, ...bare } = modelFromJson(json as JsonObject) as unknown as TrainableModel<Dataset, object>;
  refuseBalanced(json as JsonObject);
  refuseOffset(trained.pipeline);
  const trainedBy =
    algorithm.algorithm === "gradientDescent" && isObject(algorithm.rule) ? (algorithm.rule as unknown as RuleJson) : undefined;
  const hasOptimiser = isCheckpoint && trainedBy !== undefined && !algorithm.variance;
  const begun = await Begun.read({ from: bytes, ...(hasOptimiser ? { optimiser: "kept" } : {}) }, name);
  return {
    where,
    bytes,
    kind: trainable,
    model: begun.modelOf(bare),
    begun,
    pipeline: trained.pipeline,
    trainedBy,
    hasOptimiser,
    levels: (isObject(trained.target) ? trained.target.levels : undefined) ?? null,
    online: isObject(loop.online) ? loop.online : undefined,
  };
}

function described(bytes: Uint8Array, where: string): JsonObject {
  const file = decodeModel(bytes, where);
  file.verify();
  return file.describe();
}

/**
 * Returns the rule of an online run: `given` if it is defined, otherwise the rule that trained the model, or a default
 * if there is none.
 */
export function ruleOf(given: Rule | undefined, { trainedBy, model }: Beginnings): EquationRule {
  const own = given ?? (trainedBy ? ruleFromJson(trainedBy) : undefined);
  // A rule that needs the whole objective cannot learn row by row. The user did not request the training's rule here,
  // so the default replaces it silently.
  if (own?.kind === "equation") return own;
  if (given)
    throw new CapabilityError(
      "online",
      `${given.name} needs an objective at several points, but each row comes only once; use sgd() or adagrad()`,
      "RULE_NEEDS_FULL_GRADIENT",
    );
  return model.name === "network" ? adam({ rate: 0.001 }) : adagrad({ rate: 0.1 });
}

function notOnline(where: string, name: string): CapabilityError {
  const message = `holds a model "${name.slice(0, 60)}", but only linear models, networks and their checkpoints of gradient descent can learn row by row`;
  return new CapabilityError(where, message, "MODEL_CAPABILITY");
}

function refuseOffset(pipeline: Json): void {
  const [first] = Array.isArray(pipeline) ? pipeline : [];
  if (!isObject(first) || first.offset === undefined) return;
  throw new CapabilityError("online", "the model has an offset, which row-by-row learning does not support", "MODEL_OFFSET");
}

function refuseBalanced({ classWeights }: JsonObject): void {
  if (classWeights !== "balanced") return;
  throw new CapabilityError(
    "online",
    'classWeights is "balanced", but rows come one by one; train with weights by class name',
    "MODEL_TARGET",
  );
}
