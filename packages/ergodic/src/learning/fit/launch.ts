import type {
  Json,
  JsonObject,
  Model,
  Plan,
  PredictionKind,
  Prepared,
  Problem,
  Progression,
  SavedModel,
} from "../../engine/contract/index.ts";
import type { Finding } from "../../engine/errors/finding.ts";
import { type Checkpoint, checkpointBytes, fromCheckpoint } from "../../engine/loop/checkpoint.ts";
import { type PlanOptions, planKeys, resolvePlan } from "../../engine/loop/plan.ts";
import { trainedNames } from "../../engine/loop/result-names.ts";
import { Run, type Started } from "../../engine/loop/run.ts";
import type { StoppingOptions } from "../../engine/loop/stopping.ts";
import { type Engine, openEngine } from "../../engine/memory/engine.ts";
import { later } from "../../engine/threads/later.ts";
import type { LinearPredictor } from "../../predict/linear.ts";
import type { Begun } from "./from.ts";
import type { FitOptions, SettledOptions, Trainable } from "./kinds/trainable.ts";
import { type Trained, trained } from "./trained.ts";
import type { Began } from "./training-findings.ts";

export type { Trained } from "./trained.ts";

/** A predictor with information about its training. */
export type Fitted<K extends PredictionKind = PredictionKind, Names extends string = string> = LinearPredictor<K, Names> &
  Trained;

/** Everything needed to start a run. */
export interface Recipe<D> {
  kind: Trainable<D, object>;
  model: Model<D>;
  options: SettledOptions<D>;
  stopping: StoppingOptions;
  /** Reason for the choice of algorithm, if the user left it open. */
  why?: string;
  checkpoint?: Checkpoint;
  /** Starting point of training. */
  beginning?: Begun;
  /** Whether the original run of a resumed run started from an earlier model. */
  isBegun?: boolean;
}

/** Starts a run. `read` supplies the run's recipe, from the user's options or from a checkpoint. */
export function launch<D>(data: D, { signal, validate }: FitOptions<D>, read: () => Promise<Recipe<D>>): Run<object & Trained> {
  const fit = new FitUnderWay(data);
  return new Run<object & Trained>({
    resultNames: trainedNames(),
    signal,
    hasMeanLoss: true,
    ...(validate ? { validate: (parameters) => fit.measuredOn(validate, parameters) } : {}),
    start: async () => {
      const recipe = await read();
      const { checkpoint, beginning } = recipe;
      fit.kind = recipe.kind;
      const begin = (): Promise<Started> => fit.begun(recipe);
      return checkpoint ? fromCheckpoint(begin) : beginning ? beginning.blamed(begin) : begin();
    },
    finish: (parameters, summary) => {
      const { gap } = summary.report;
      const run = { ...summary, findings: fit.findingsAt(parameters) };
      return trained(fit.kind.predictor(fit.saved(parameters)), run, gap);
    },
    keep: (snapshot, loop) => checkpointBytes({ snapshot, loop, recipe: fit.recipe() }),
  });
}

class FitUnderWay<D> {
  kind!: Trainable<D, object>;
  private readonly data: D;
  private model!: Model<D>;
  private prepared!: D;
  private json!: JsonObject;
  private began!: Began;
  private findings!: typeof import("./training-findings.ts");
  /** Part of the checkpoint from which other runs can start. */
  private handedOn: JsonObject | undefined;
  /** Held-out rows with the model's features. Computed once, because the feature map can take longer than an epoch. */
  private followed: Prepared<D> | undefined;

  constructor(data: D) {
    this.data = data;
  }

  saved(parameters: Float64Array): SavedModel {
    const { model, prepared, json } = this;
    const saved = model.save(prepared, parameters);
    return { ...saved, description: { ...saved.description, algorithm: json.algorithm, plan: json.plan } };
  }

  measuredOn(rows: D, parameters: Float64Array): Record<string, number> {
    const saved = this.saved(parameters);
    this.followed ??= this.kind.follow(rows, this.prepared);
    return this.kind.measure(saved, this.followed.dataset, this.prepared);
  }

  findingsAt(parameters: Float64Array): Finding[] {
    const { findings, began, prepared } = this;
    const measure = (rows: D): Record<string, number> => this.kind.measure(this.saved(parameters), rows, prepared);
    return [
      ...findings.readAsClasses(this.data, prepared, this.model),
      ...findings.worseThanStart(began, parameters),
      ...findings.separable(began.problem, prepared, measure),
    ];
  }

  /** Description of the run for a checkpoint. */
  recipe(): JsonObject {
    return { ...this.json, ...this.handedOn, data: this.kind.fingerprint(this.data) };
  }

  async begun(recipe: Recipe<D>): Promise<Started> {
    const { data, kind } = this;
    const { options } = recipe;
    const { deterministic } = options;
    const host = (await openEngine()).describe();
    const plan = resolvePlan("fit", planOf(options), host, kind.defaults(options), kind.typeOf(data));
    const { model } = recipe;
    this.model = model;
    // A model that starts from an earlier one keeps the target of that one.
    const meant = recipe.beginning ? data : (kind.meant?.(data, model) ?? data);
    const learnt = kind.ofWeight?.(meant) ?? meant;
    const ready = model.prepare(learnt, plan);
    const prepared = ready.dataset;
    this.prepared = prepared;
    const end = (): void => {
      this.followed?.dispose();
      ready.dispose();
      if (learnt !== meant) (learnt as Partial<Disposable>)[Symbol.dispose]?.();
    };
    return orElse(end, async () => {
      // Loaded before the run, because a page can be offline by the end of the run.
      this.findings = await later(() => import("./training-findings.ts"));
      const engine = await openEngine({ deterministic, families: kind.families(options, { model, prepared }) });
      const problem = model.bind(prepared, plan, engine);
      const release = (): void => {
        problem.dispose();
        end();
      };
      return orElse(
        () => problem.dispose(),
        () => this.startedOn({ problem, plan, engine, release }, recipe),
      );
    });
  }

  private async startedOn({ problem, plan, engine, release }: Bound, recipe: Recipe<D>): Promise<Started> {
    const { kind, model, prepared } = this;
    const { options, stopping, checkpoint, beginning } = recipe;
    const algorithm = options.algorithm ?? kind.choose(options, { model, prepared, problem, plan });
    const json: JsonObject = {
      model: model.toJSON(),
      algorithm: algorithm.toJSON(),
      plan: plan as unknown as JsonObject,
      stopping: { ...stopping, patience: stopping.patience ?? null } as unknown as JsonObject,
    };
    this.json = json;
    beginning?.checkAlgorithm(algorithm);
    const progression = await algorithm.start(problem, plan, engine);
    const { description } = this.saved(new Float64Array(problem.parameterCount));
    const { pipeline, scales, loss } = description;
    const { parts } = problem;
    this.handedOn = {
      begun: recipe.isBegun ?? beginning !== undefined,
      ...(parts && pipeline
        ? { trained: { pipeline, loss, ...(scales ? { scales } : {}) }, parts: parts as unknown as Json }
        : {}),
    };
    await orElse(
      () => progression.dispose(),
      async () => {
        beginning?.takeOver(progression, { algorithm: json.algorithm as JsonObject, parts });
        const began: Began = { problem, plan, engine, algorithm, isBegun: beginning !== undefined };
        this.began = began;
        // A checkpoint does not store the initial parameters. They are known only if the run did not start from an
        // earlier model.
        if (!checkpoint) began.start = progression.parameters();
        else if (!recipe.isBegun) began.start = problem.start?.slice() ?? new Float64Array(problem.parameterCount);
      },
    );
    const chosen = { ...description, plan: json.plan, ...(recipe.why === undefined ? {} : { why: recipe.why }) };
    return {
      progression: endingWith(inUnits(progression, problem.lossUnit), release),
      stopping,
      // This is the complete plan. A model file contains only the part of the plan that does not depend on the number
      // of workers.
      chosen,
      ...(checkpoint ? { resume: checkpoint } : {}),
    };
  }
}

/** A model bound to its data and to memory. */
interface Bound {
  readonly problem: Problem;
  readonly plan: Plan;
  readonly engine: Engine;
  /** Frees the problem and the data that were made for the run. */
  readonly release: () => void;
}

/** Converts losses to the target's units. */
function inUnits(progression: Progression, unit = 1): Progression {
  const advance = progression.advance.bind(progression);
  progression.advance = async (steps) => {
    const made = await advance(steps);
    return { ...made, lossSum: unit * made.lossSum };
  };
  return progression;
}

/** Adds `end` to the progression's dispose(). */
function endingWith(progression: Progression, end: () => void): Progression {
  const dispose = progression.dispose.bind(progression);
  progression.dispose = () => {
    dispose();
    end();
  };
  return progression;
}

/** Returns the result of `make`. If `make` throws, calls `undo` first. */
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
