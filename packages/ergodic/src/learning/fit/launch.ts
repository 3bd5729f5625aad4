import type { Json, JsonObject, Model, PredictionKind, Prepared, Progression, SavedModel } from "../../engine/contract/index.ts";
import type { Finding } from "../../engine/errors/finding.ts";
import { type Checkpoint, checkpointBytes, fromCheckpoint } from "../../engine/loop/checkpoint.ts";
import { type PlanOptions, planKeys, resolvePlan } from "../../engine/loop/plan.ts";
import { trainedNames } from "../../engine/loop/result-names.ts";
import { Run, type RunSummary, type Started } from "../../engine/loop/run.ts";
import type { StoppingOptions } from "../../engine/loop/stopping.ts";
import { openEngine } from "../../engine/memory/engine.ts";
import { later } from "../../engine/threads/later.ts";
import type { LinearPredictor } from "../../predict/linear.ts";
import type { Begun } from "./from.ts";
import type { FitOptions, SettledOptions, Trainable } from "./kinds/trainable.ts";
import type { Began } from "./training-findings.ts";

/** How it was made; `gap`: the certified duality gap, relative to the null model's loss (dual ascent: to the objective), where the algorithm knows one. */
export interface Trained {
  /** How the run went. */
  readonly run: RunSummary;
  /** The relative duality gap at the end, where the algorithm certifies one. */
  readonly gap?: number;
}

/** A predictor, and how it was made. */
export type Fitted<K extends PredictionKind = PredictionKind, Names extends string = string> = LinearPredictor<K, Names> &
  Trained;

/** All that a run is made from. */
export interface Recipe<D> {
  kind: Trainable<D, object>;
  model: Model<D>;
  options: SettledOptions<D>;
  stopping: StoppingOptions;
  /** Why this algorithm, where the user left the choice. */
  why?: string;
  checkpoint?: Checkpoint;
  /** What it begins with. */
  beginning?: Begun;
  /** Whether a resumed run began with something. */
  isBegun?: boolean;
}

/** A fit under way: from what a run is made of, given by a user or read from a checkpoint, to what it gives. */
export function launch<D>(data: D, { signal, validate }: FitOptions<D>, read: () => Promise<Recipe<D>>): Run<object & Trained> {
  let kind: Trainable<D, object>;
  let model: Model<D>;
  let prepared: D;
  let json: JsonObject;
  let began: Began;
  let findings: typeof import("./training-findings.ts");
  /** For what begins from a checkpoint. */
  let handedOn: JsonObject;
  /** Held-out rows with the model's features, made once: the map may cost more than an epoch. */
  let followed: Prepared<D> | undefined;
  const save = (parameters: Float64Array): SavedModel => {
    const saved = model.save(prepared, parameters);
    return { ...saved, description: { ...saved.description, algorithm: json.algorithm, plan: json.plan } };
  };
  const begun = async ({ options, stopping, checkpoint, beginning, ...recipe }: Recipe<D>): Promise<Started> => {
    const { deterministic } = options;
    const host = (await openEngine()).describe();
    const plan = resolvePlan("fit", planOf(options), host, kind.defaults(options), kind.typeOf(data));
    model = recipe.model;
    const learnt = kind.ofWeight?.(data) ?? data;
    const ready = model.prepare(learnt, plan);
    prepared = ready.dataset;
    const end = (): void => {
      followed?.dispose();
      ready.dispose();
      if (learnt !== data) (learnt as Partial<Disposable>)[Symbol.dispose]?.();
    };
    return orElse(end, async () => {
      // Loaded before the run: a page may be offline by its end.
      findings = await later(() => import("./training-findings.ts"));
      const engine = await openEngine({ deterministic, families: kind.families(options, { model, prepared }) });
      const problem = model.bind(prepared, plan, engine);
      return orElse(
        () => problem.dispose(),
        async () => {
          const algorithm = options.algorithm ?? kind.choose(options, { model, prepared, problem, plan });
          const { planChoice } = checkpoint?.recipe ?? {};
          const told: JsonObject = planChoice ? { planChoice } : {};
          json = {
            ...told,
            model: model.toJSON(),
            algorithm: algorithm.toJSON(),
            plan: plan as unknown as JsonObject,
            stopping: { ...stopping, patience: stopping.patience ?? null } as unknown as JsonObject,
          };
          beginning?.checkAlgorithm(algorithm);
          // Where nobody said how workers share the updates of descent, one lane begins, and others are tried.
          const isOpen = (options.replicas ?? 1) !== plan.replicas && algorithm.name === "gradientDescent";
          const progression = await algorithm.start(problem, isOpen ? { ...plan, workers: 1, replicas: 1 } : plan, engine);
          const { description } = save(new Float64Array(problem.parameterCount));
          const { pipeline, scales, loss } = description;
          const { parts } = problem;
          handedOn = {
            begun: recipe.isBegun ?? beginning !== undefined,
            ...(parts && pipeline
              ? { trained: { pipeline, loss, ...(scales ? { scales } : {}) }, parts: parts as unknown as Json }
              : {}),
          };
          const driven = await orElse(
            () => progression.dispose(),
            async () => {
              beginning?.takeOver(progression, { algorithm: json.algorithm as JsonObject, parts });
              began = { problem, plan, engine, algorithm, isBegun: beginning !== undefined };
              // Where a resumed run began is known if that was not an earlier model.
              if (!checkpoint) began.start = progression.parameters();
              else if (!recipe.isBegun) began.start = problem.start?.slice() ?? new Float64Array(problem.parameterCount);
              if (!isOpen) return progression;
              const { choosing } = await later(() => import("../descent/plan-trials.ts"));
              return choosing(progression, plan, engine, { until: stopping.until, settle: (its) => Object.assign(json, its) });
            },
          );
          const chosen = { ...description, plan: json.plan, ...told, ...(recipe.why === undefined ? {} : { why: recipe.why }) };
          return {
            progression: endingWith(inUnits(driven, problem.lossUnit), () => {
              problem.dispose();
              end();
            }),
            stopping,
            // The whole plan: what is kept of it in a file does not depend on the workers.
            chosen: driven.settled?.then((its) => ({ ...chosen, ...its })) ?? chosen,
            ...(checkpoint ? { resume: checkpoint } : {}),
          };
        },
      );
    });
  };
  const findingsAt = (parameters: Float64Array): Finding[] => {
    const measure = (rows: D): Record<string, number> => kind.measure(save(parameters), rows, prepared);
    return [...findings.worseThanStart(began, parameters), ...findings.separable(began.problem, prepared, measure)];
  };
  return new Run<object & Trained>({
    resultNames: trainedNames(),
    signal,
    hasMeanLoss: true,
    ...(validate
      ? {
          validate: (parameters) =>
            kind.measure(save(parameters), (followed ??= kind.follow(validate, prepared)).dataset, prepared),
        }
      : {}),
    start: async () => {
      const recipe = await read();
      const { checkpoint, beginning } = recipe;
      kind = recipe.kind;
      const begin = (): Promise<Started> => begun(recipe);
      return checkpoint ? fromCheckpoint(begin) : beginning ? beginning.blamed(begin) : begin();
    },
    finish: (parameters, summary) => {
      const { gap } = summary.report;
      const run = { ...summary, findings: findingsAt(parameters) };
      return Object.assign(kind.predictor(save(parameters)), { run }, gap === undefined ? {} : { gap });
    },
    keep: (snapshot, loop) => checkpointBytes({ snapshot, loop, recipe: { ...json, ...handedOn, data: kind.fingerprint(data) } }),
  });
}

/** Losses in the target's units. */
function inUnits(progression: Progression, unit = 1): Progression {
  const advance = progression.advance.bind(progression);
  progression.advance = async (steps) => {
    const made = await advance(steps);
    return { ...made, lossSum: unit * made.lossSum };
  };
  return progression;
}

/** `end` after the progression's own dispose(). */
function endingWith(progression: Progression, end: () => void): Progression {
  const dispose = progression.dispose.bind(progression);
  progression.dispose = () => {
    dispose();
    end();
  };
  return progression;
}

/** What `make` gives; where it throws, `undo` first. */
async function orElse<T>(undo: () => void, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    undo();
    throw error;
  }
}

export function planOf(options: object): PlanOptions {
  return Object.fromEntries(Object.entries(options).filter(([key]) => planKeys.includes(key)));
}
