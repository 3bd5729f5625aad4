import type { JsonObject, PredictionKind } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import { DataError } from "../../engine/errors/errors.ts";
import { type Checkpoint, checkpointBytes, fromCheckpoint, readCheckpoint } from "../../engine/loop/checkpoint.ts";
import { type PlanOptions, planFromJson, resolvePlan } from "../../engine/loop/plan.ts";
import type { Job, Started } from "../../engine/loop/run.ts";
import { resolveStopping } from "../../engine/loop/stopping.ts";
import { type Engine, openEngine } from "../../engine/memory/engine.ts";
import type { LinearPredictor } from "../../predict/linear.ts";
import type { PathProgression } from "../coordinates/path.ts";
import type { LinearModel } from "../models/linear/linear.ts";
import { dealFolds } from "./folds.ts";
import { trainableLinear } from "./kinds/linear.ts";
import { refuseOtherData, type TrainableModel } from "./kinds/trainable.ts";
import { LinearPath, type Saving, savingOf } from "./linear-path.ts";
import { pathFromJson, type ResolvedPath } from "./path-options.ts";
import { startPath } from "./path-solvers.ts";

/** The parts from which a path is fitted. */
interface Recipe {
  model: LinearModel & TrainableModel<Dataset, LinearPredictor>;
  options: ResolvedPath;
  plan: PlanOptions;
  checkpoint?: Checkpoint;
}

/** Reads the recipe of a checkpoint. `data` must be the same data as before. */
export async function keptRecipe(from: string | Uint8Array | Blob, data: Dataset, workers: number | undefined): Promise<Recipe> {
  const checkpoint = await readCheckpoint(from);
  return fromCheckpoint(() => recipeOf(checkpoint, data, workers));
}

async function recipeOf(checkpoint: Checkpoint, data: Dataset, workers: number | undefined): Promise<Recipe> {
  const { recipe } = checkpoint;
  if (!recipe.path)
    throw new DataError("fit.path.resume", "the checkpoint is of one fit, not of a path; use fit.resume", "CHECKPOINT_KIND");
  refuseOtherData("fit.path.resume", trainableLinear, data, recipe.data as JsonObject);
  const plan = { ...planFromJson(recipe.plan), ...(workers === undefined ? {} : { workers }) };
  const model = { ...((await trainableLinear.from(recipe.model as JsonObject)) as LinearModel), trainable: trainableLinear };
  return { model, options: pathFromJson(recipe.path as JsonObject, data), plan, checkpoint };
}

/** Returns the job that fits a path. `read` is called at the start. */
export function pathJob<K extends PredictionKind, Names extends string>(
  data: Dataset<Names>,
  read: () => Promise<Recipe>,
): Job<LinearPath<K, Names>> {
  let recipe: Recipe;
  let progression: PathProgression;
  let json: JsonObject;
  let saving: Saving;
  const begun = ({ model, options, checkpoint, ...kept }: Recipe, engine: Engine): Started => {
    const given = Object.fromEntries(Object.entries(kept.plan).filter(([, value]) => value !== undefined));
    const plan = resolvePlan("fit.path", given, engine.describe(), { batch: "all", precision: "f64" }, data.type);
    const meant = model.trainable.meant?.(data, model) ?? data;
    const learnt = meant.ofWeight();
    const ready = model.prepare(learnt, plan);
    const problem = model.bind(ready.dataset, plan, engine);
    const release = (): void => {
      problem.dispose();
      ready.dispose();
      if (learnt !== meant) learnt.dispose();
    };
    const folds = options.folds > 0 ? { of: dealFolds(learnt, options.folds, plan.seed), count: options.folds } : undefined;
    const { lambdas } = options;
    try {
      const falling = typeof lambdas === "number" ? lambdas : Float64Array.from(lambdas);
      const parts = { model, prepared: ready.dataset, problem, folds, plan, engine };
      progression = startPath(parts, { ...options, lambdas: falling });
    } catch (error) {
      release();
      throw error;
    }
    const end = progression.dispose.bind(progression);
    progression.dispose = () => {
      end();
      release();
    };
    json = { model: model.toJSON(), path: options as unknown as JsonObject, plan: plan as unknown as JsonObject };
    saving = savingOf(model, ready.dataset, problem.parameterCount, json);
    return {
      progression,
      stopping: resolveStopping("fit.path", { until: { epochs: progression.stepCount } }, false),
      chosen: { ...saving.saved.description, plan: json.plan },
      ...(checkpoint ? { resume: checkpoint } : {}),
    };
  };
  return {
    start: async () => {
      recipe = await read();
      const engine = await openEngine({ deterministic: recipe.plan.deterministic, families: ["coordinate"] });
      const begin = (): Started => begun(recipe, engine);
      return recipe.checkpoint ? fromCheckpoint(begin) : begin();
    },
    finish: (_, run) => new LinearPath<K, Names>({ record: progression.record, run, select: recipe.options.select, saving }),
    keep: (snapshot, loop) =>
      checkpointBytes({ snapshot, loop, recipe: { ...json, data: recipe.model.trainable.fingerprint(data) } }),
  };
}
