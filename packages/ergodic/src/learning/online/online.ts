import type { Json, JsonObject, Problem, RowGradient, SavedModel } from "../../engine/contract/index.ts";
import { Pipeline } from "../../engine/data/dataset.ts";
import { checkKeys, checkNumber } from "../../engine/errors/errors.ts";
import { checkpointBytes, readCheckpoint } from "../../engine/loop/checkpoint.ts";
import { resolvePlan } from "../../engine/loop/plan.ts";
import { openEngine } from "../../engine/memory/engine.ts";
import { refuseMisfits } from "../../engine/optimise/fits.ts";
import type { EquationRule } from "../../engine/optimise/kinds.ts";
import type { AnyPredictor } from "../../predict/any-predictor.ts";
import { gradientDescent } from "../descent/gradient-descent.ts";
import { OnlineDescent } from "../descent/online.ts";
import { DIGEST } from "../fit/kinds/trainable.ts";
import { classWeights } from "../models/choose-loss.ts";
import { readBeginnings, ruleOf } from "./begin.ts";
import { HeldRows } from "./held-rows.ts";
import { RowLearner } from "./run.ts";
import type { OnlineFrom, OnlineOptions, OnlineRun } from "./types.ts";

/**
 * Opens a trained linear model or network for online learning, row by row. The updates are the same as in `fit` with
 * schedule: "ordered" and deterministic: true. `rule`: step rule, by default the rule of the training. `batch`: rows
 * per update. `seed`: seed of dropout. The optimiser state of a checkpoint is used if the rule is the same. For sparse
 * rows, penalties act only on the columns that occur in the batch. A watch function receives the outputs from the
 * training pass, so dropout is active in them.
 *
 * @throws CapabilityError for models that cannot learn row by row; DataError for damaged files; OptionError
 */
export const online = (from: OnlineFrom, options: OnlineOptions = {}): Promise<OnlineRun> => openLearner(from, options);

/** The same as `online`, but returns the RowLearner itself, which streams need. */
export async function openLearner(from: OnlineFrom, options: OnlineOptions = {}): Promise<RowLearner> {
  checkKeys("online", options, ["rule", "batch", "seed"]);
  const beginnings = await readBeginnings(from);
  const { kind, model, begun, bytes, levels, online: before } = beginnings;
  const own = before as { batch?: number; seed?: number; levels?: Json } | undefined;
  const { batch = own?.batch ?? 1, seed = own?.seed ?? 0 } = options;
  checkNumber("online", "batch", batch, { low: 1, high: 65536, integer: true });
  checkNumber("online", "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  const rule = ruleOf(options.rule, beginnings);
  return begun.blamed(async () => {
    const pipeline = Pipeline.fromJson(beginnings.pipeline);
    const called = own?.levels ?? levels;
    const held = new HeldRows(pipeline, batch, twoTargets(called));
    const plan = resolvePlan(
      "online",
      { batch, seed, schedule: "ordered", deterministic: true, precision: pipeline.shape.type },
      (await openEngine()).describe(),
      {},
    );
    const algorithm = gradientDescent({ rule });
    const families = kind.families({ algorithm }, { model, prepared: held.dataset });
    const engine = await openEngine({ deterministic: true, families });
    const problem = model.bind(held.dataset, plan, engine) as Problem & { readonly target: number; readonly weights: number };
    const target = watched(problem.rowGradient as RowGradient);
    refuseMisfits({ problem, target, rule, variance: undefined, plan });
    const descent = new OnlineDescent({ problem, target, rule, variance: undefined, plan }, engine);
    const recipe: JsonObject = { model: model.toJSON(), algorithm: algorithm.toJSON(), plan: plan as unknown as JsonObject };
    const sameRule = JSON.stringify(beginnings.trainedBy) === JSON.stringify(rule.toJSON());
    if (before && sameRule && batch === own?.batch && seed === own.seed) descent.restore((await readCheckpoint(bytes)).snapshot);
    else if (beginnings.hasOptimiser && sameRule)
      begun.takeOver(descent, { algorithm: recipe.algorithm as JsonObject, parts: problem.parts });
    const save = (parameters: Float64Array): SavedModel => {
      const saved = model.save(held.dataset, parameters);
      return { ...saved, description: { ...saved.description, algorithm: recipe.algorithm, plan: recipe.plan } };
    };
    const { pipeline: steps, scales, loss, task, outputs } = save(descent.parameters()).description;
    // Checkpoints still need `parts` after the problem has been disposed of.
    const parts = problem.parts as unknown as Json;
    const weights = (recipe.model as JsonObject).classWeights as Record<string, number> | undefined;
    return new RowLearner({
      ...{ engine, plan, held, problem, descent, pipeline, rule: rule as EquationRule, batch, seed, save },
      predictor: (saved) => kind.predictor(saved) as AnyPredictor,
      task: task as string,
      outputs: outputs as number,
      levels: pipeline.target.kind === "number" ? (called as string[] | null) : null,
      classWeights: weights && classWeights("online", weights, held.dataset),
      checkpoint: (snapshot, loop) =>
        checkpointBytes({
          snapshot,
          loop: { ...loop, online: { batch, seed, levels: called } },
          recipe: {
            ...recipe,
            begun: true,
            trained: { pipeline: steps, loss, ...(scales ? { scales } : {}) },
            parts,
            data: { rowCount: 0, columnCount: pipeline.columnCount, classes: 0, digest: "", method: DIGEST },
          },
        }),
    });
  });
}

/**
 * Returns the problem with stored outputs. Penalties act only on touched columns, because it is unknown how often each
 * column occurs.
 */
function watched(problem: RowGradient): RowGradient {
  const { sparse, penalty } = problem;
  return Object.create(problem, {
    bind: { value: (lane: Parameters<RowGradient["bind"]>[0]) => problem.bind({ ...lane, outputs: true }) },
    ...(sparse ? { density: { value: new Float64Array(penalty.weights.length).fill(1) } } : {}),
  }) as RowGradient;
}

/** Returns the two values of a numeric target that served as classes in training. */
function twoTargets(levels: Json): [number, number] {
  if (!Array.isArray(levels) || levels.length !== 2) return [0, 0];
  const [low, high] = levels.map(Number);
  if (low <= 0 && high > 0) return [low, high];
  // Classes with names are coded as 0 and 1.
  return [0, 1];
}
