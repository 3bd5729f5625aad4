/** Reads a checkpoint for `fit.resume`. Loaded only when a run is resumed. */

import type { JsonObject, Plan } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import { CapabilityError, DataError, OptionError } from "../../engine/errors/errors.ts";
import { type Checkpoint, fromCheckpoint, readCheckpoint } from "../../engine/loop/checkpoint.ts";
import { checkWorkers, planFromJson } from "../../engine/loop/plan.ts";
import { resolveStopping, type StoppingOptions } from "../../engine/loop/stopping.ts";
import { algorithmFromJson } from "./algorithm-from-json.ts";
import { type FitOptions, refuseOtherData, type Trainable } from "./kinds/trainable.ts";
import type { Recipe } from "./launch.ts";

/** Options that can be changed when a run is resumed: stopping, validation and number of workers. */
export type ResumeOptions<D = Dataset> = Pick<
  FitOptions<D>,
  "epochs" | "until" | "validate" | "validateEvery" | "patience" | "signal" | "workers"
>;

export async function recipeFrom<D>(from: string | Uint8Array | Blob, data: D, options: ResumeOptions<D>): Promise<Recipe<D>> {
  const checkpoint = await readCheckpoint(from);
  const kind = await kindOf(data, checkpoint.recipe);
  return fromCheckpoint(() => recipeOf(checkpoint, data, options, kind));
}

/** Combines a checkpoint with the options of `fit.resume`. */
async function recipeOf<D>(
  checkpoint: Checkpoint,
  data: D,
  options: ResumeOptions<D>,
  kind: Trainable<D, object>,
): Promise<Recipe<D>> {
  const { recipe } = checkpoint;
  refuseOtherData("fit.resume", kind, data, recipe.data as JsonObject);
  const saved = recipe.stopping as unknown as StoppingOptions;
  const until = options.until ?? (options.epochs !== undefined ? { epochs: options.epochs } : saved.until);
  const { validateEvery = saved.validateEvery, patience = saved.patience ?? undefined } = options;
  const plan = planFromJson(recipe.plan);
  checkWorkers("fit.resume", options.workers);
  refuseOtherLanes(plan, options.workers);
  if (patience !== undefined && !options.validate) {
    throw new OptionError(
      "fit.resume",
      `the run ends after ${patience} validations without a lower loss; give validate: its held-out rows`,
      "OPTION_MISSING",
    );
  }
  const made = await kind.from(recipe.model as JsonObject);
  const isBegun = recipe.begun === true;
  return {
    kind,
    model: isBegun ? made.startingAt!({ description: recipe.trained as JsonObject, reset: [] }) : made,
    isBegun,
    options: {
      ...plan,
      ...options,
      ...(isOneLane(plan) ? { workers: 1 } : {}),
      algorithm: algorithmFromJson(recipe.algorithm as JsonObject),
    },
    stopping: resolveStopping("fit.resume", { until, validateEvery, patience }, options.validate !== undefined),
    checkpoint,
  };
}

/** Kinds of models by the name that a checkpoint gives them, one line each. */
const kinds: Readonly<Record<string, () => Promise<object>>> = {
  linear: async () => (await import("./kinds/linear.ts")).trainableLinear,
  network: async () => (await import("./kinds/network.ts")).trainableNetwork,
  trees: async () => (await import("./kinds/trees.ts")).trainableTrees,
  forest: async () => (await import("./kinds/forest.ts")).trainableForest,
  extraTrees: async () => (await import("./kinds/forest.ts")).trainableForest,
  tree: async () => (await import("./kinds/forest.ts")).trainableTree,
  factorisation: async () => (await import("./kinds/ratings.ts")).trainableRatings,
  boltzmannMachine: async () => (await import("./kinds/boltzmann.ts")).trainableBoltzmann,
};

/**
 * Returns the kind of model in the checkpoint. Throws if another verb wrote the checkpoint or if this kind of model
 * does not accept the data.
 */
async function kindOf<D>(data: D, { path, model }: JsonObject): Promise<Trainable<D, object>> {
  const name = (model as JsonObject | undefined)?.model;
  const refuse = (message: string): never => {
    throw new DataError("fit.resume", message, "CHECKPOINT_KIND");
  };
  if (path) refuse("the checkpoint is of a path, not of one fit; use fit.path.resume");
  if (name === undefined) refuse("the checkpoint is not of a fit; continue with the verb that wrote it, e.g. minimize.resume");
  const kind = Object.hasOwn(kinds, String(name)) ? ((await kinds[String(name)]()) as Trainable<D, object>) : undefined;
  if (!kind || !takes(kind, data))
    return refuse(`the checkpoint is of a model "${String(name)}", which takes other data; give the data of that run`);
  return kind;
}

function takes<D>(kind: Trainable<D, object>, data: unknown): boolean {
  try {
    kind.checkData("fit.resume", "data", data, "a Dataset", "the dataset of the run");
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether the run makes its updates strictly one after another. In this case, additional workers would have nothing to
 * do.
 */
const isOneLane = ({ batch, replicas }: Plan): boolean => batch !== "all" && replicas === 1;

/**
 * Throws if the number of racing workers changes, because each worker has its own sequence of updates in the
 * checkpoint.
 */
function refuseOtherLanes(plan: Plan, workers: number | undefined): void {
  if (plan.replicas !== "shared" || workers === undefined || workers === plan.workers) return;
  throw new CapabilityError(
    "fit.resume",
    `workers is ${workers}, but ${plan.workers} workers shared one model in this run; leave workers out`,
    "CHECKPOINT_PLAN",
  );
}
