import type { JsonObject, Snapshot } from "../../engine/contract/index.ts";
import { checkSignal } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber, OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { type Checkpoint, checkpointBytes, fromCheckpoint, readCheckpointOf } from "../../engine/loop/checkpoint.ts";
import { minimumNames } from "../../engine/loop/result-names.ts";
import { Run, type RunSummary } from "../../engine/loop/run.ts";
import { Evaluators } from "../../engine/memory/evaluators.ts";
import type { CoordinateTarget } from "../../engine/optimise/coordinates/coordinate-target.ts";
import { type History, Search, type SearchOptions, searchKeys } from "../algorithms/ask-tell.ts";
import { type BlackBox, Evaluation, refuseOtherFunction } from "../algorithms/evaluation.ts";
import { searchFromJson } from "../algorithms/index.ts";
import { Space, spaceOptionsFromJson } from "../algorithms/space.ts";
import {
  type CoordinateFunction,
  type CoordinateMinimum,
  type CoordinateResumeOptions,
  isCoordinateDescent,
  type MinimizeCoordinatesOptions,
  minimizeCoordinates,
  resumeCoordinates,
} from "./coordinates.ts";
import {
  type Differentiated,
  type GivenByName,
  type GradientMinimum,
  type GradientResumeOptions,
  isCompiled,
  type MinimizeGradientOptions,
  minimizeGradient,
  resumeGradient,
} from "./gradient.ts";

/** Limits of a search, which stops when the first of them is reached. */
export interface MinimizeUntil {
  /** Number of evaluations. */
  evaluations?: number;
  /** Seconds of searching, > 0. */
  seconds?: number;
  /** Value at or below which the search stops. */
  target?: number;
}

/** Options of `minimize` for a function known only by its values. */
export interface MinimizeOptions extends SearchOptions {
  /** Limits of the run: evaluations, seconds and target, whichever is reached first. */
  until?: MinimizeUntil;
  /** Signal that aborts the run. */
  signal?: AbortSignal;
  /**
   * Number of evaluations that run at the same time, for functions that return promises. Default 1. The result does not
   * depend on it.
   */
  concurrency?: number;
  /**
   * Number of evaluating threads, for a function given as the URL of a module. Default 1. The result does not depend on
   * it.
   */
  workers?: number;
}

/** Options that a resumed run can change: its limits, and how it evaluates. */
export type MinimizeResumeOptions = Pick<MinimizeOptions, "evaluations" | "until" | "signal" | "concurrency" | "workers">;

export type { CoordinateMinimum, MinimizeCoordinatesOptions } from "./coordinates.ts";
export type { GradientMinimum, GradientResumeOptions, MinimizeGradientOptions } from "./gradient.ts";

/** Result of a search: the best point, and details of the run. */
export interface Minimum {
  /** Best point. */
  x: Float64Array;
  /** Value of the best point, the mean of its evaluations. */
  value: number;
  /**
   * The algorithm's own estimate of the minimum, if it has one. If the objective is noisy, this estimate is better than
   * the best point, because the best point's low value is partly due to luck.
   */
  centre?: Float64Array;
  /** Number of evaluations made. */
  evaluations: number;
  /** Number of evaluations without a value. */
  failed: number;
  /** History of every point, in order. */
  history: History;
  /** Reason why the run stopped. */
  reason: string;
  /** Algorithm as JSON. */
  algorithm: JsonObject;
  /** Summary of the run. */
  run: RunSummary;
  /** The result as JSON, without the history but with the space, the seed and the budget. */
  saved: JsonObject;
}

const EVALUATIONS_A_COORDINATE = 1000;
const ownKeys = ["until", "signal", "concurrency", "workers"];
const resumeKeys = ["evaluations", "until", "signal", "concurrency", "workers"];

function start(f: Differentiated, x0: ArrayLike<number> | GivenByName, options?: MinimizeGradientOptions): Run<GradientMinimum>;
function start(f: CoordinateFunction, x0: ArrayLike<number>, options: MinimizeCoordinatesOptions): Run<CoordinateMinimum>;
function start(f: BlackBox | URL, x0: ArrayLike<number>, options?: Omit<MinimizeOptions, "x0">): Run<Minimum>;
function start(f: BlackBox | URL, options: MinimizeOptions): Run<Minimum>;
function start(
  f: BlackBox | URL | CoordinateFunction | Differentiated,
  where: ArrayLike<number> | MinimizeOptions | GivenByName,
  more: MinimizeOptions | MinimizeCoordinatesOptions | MinimizeGradientOptions = {},
): Run<Minimum> | Run<CoordinateMinimum> | Run<GradientMinimum> {
  if (isCompiled(f)) return minimizeGradient(f, where as ArrayLike<number> | GivenByName, more as MinimizeGradientOptions);
  if (isCoordinateDescent(more?.algorithm))
    return minimizeCoordinates(f as CoordinateFunction, where as ArrayLike<number>, more as MinimizeCoordinatesOptions);
  return search(f as BlackBox | URL, where as ArrayLike<number> | MinimizeOptions, more as MinimizeOptions);
}

function search(f: BlackBox | URL, where: ArrayLike<number> | MinimizeOptions, more: MinimizeOptions): Run<Minimum> {
  const options = gather(where, more);
  checkKeys("minimize", options, [...searchKeys, ...ownKeys]);
  checkSignal("minimize", options.signal);
  const limits = limitsOf("minimize", options, () => EVALUATIONS_A_COORDINATE * new Space("minimize", options).count);
  const open = opener("minimize", f, options);
  const made = new Search("minimize", { ...options, evaluations: limits.evaluations });
  return launch(options.signal, async () => ({ search: made, limits, open }));
}

/** Continues from a checkpoint, bit for bit; `f` must be the same function. */
function resume(from: string | Uint8Array | Blob, f: Differentiated, options?: GradientResumeOptions): Run<GradientMinimum>;
function resume(
  from: string | Uint8Array | Blob,
  target: CoordinateTarget,
  options?: CoordinateResumeOptions,
): Run<CoordinateMinimum>;
function resume(from: string | Uint8Array | Blob, f: BlackBox | URL, options?: MinimizeResumeOptions): Run<Minimum>;
function resume(
  from: string | Uint8Array | Blob,
  f: BlackBox | URL | CoordinateTarget | Differentiated,
  options: MinimizeResumeOptions | CoordinateResumeOptions | GradientResumeOptions = {},
): Run<Minimum> | Run<CoordinateMinimum> | Run<GradientMinimum> {
  if (isCompiled(f)) return resumeGradient(from, f, options as GradientResumeOptions);
  if (typeof f === "object" && f !== null && "kind" in f) return resumeCoordinates(from, f, options as CoordinateResumeOptions);
  return resumeSearch(from, f, options as MinimizeResumeOptions);
}

function resumeSearch(from: string | Uint8Array | Blob, f: BlackBox | URL, options: MinimizeResumeOptions): Run<Minimum> {
  checkKeys("minimize.resume", options, resumeKeys);
  checkSignal("minimize.resume", options.signal);
  const open = opener("minimize.resume", f, options);
  return launch(options.signal, async () => {
    const { checkpoint, kept } = await readCheckpointOf(from, "search");
    return fromCheckpoint(() => recipeOf(checkpoint, kept, options, open));
  });
}

function recipeOf(checkpoint: Checkpoint, kept: JsonObject, options: MinimizeResumeOptions, open: Open): Recipe {
  const before = checkpoint.recipe.until as JsonObject;
  const { space, algorithm, evaluations, ...others } = kept;
  const search = new Search("minimize.resume", {
    ...others,
    ...spaceOptionsFromJson(space as JsonObject),
    algorithm: searchFromJson(algorithm as JsonObject),
    ...(evaluations === null ? {} : { evaluations: Number(evaluations) }),
  });
  const changed = options.until !== undefined || options.evaluations !== undefined;
  const kind = changed ? options : { until: withoutNulls(before) };
  return { search, limits: limitsOf("minimize.resume", kind, () => Number(before.evaluations ?? Infinity)), open, checkpoint };
}

/**
 * Minimises a function of several numbers, using its values, its gradient, or steps along single coordinates.
 *
 * A plain function needs only values. A function that `compileFunction` compiled with a gradient is minimised by its
 * gradient. With `algorithm: coordinateDescent()`, a plain function or a target is minimised along coordinates.
 *
 * `algorithm`: default cmaEs(). `evaluations`: default 1000 per searched coordinate, unlimited if `until` has seconds.
 * `until`: limits on evaluations and seconds, and a target value; the first one reached ends the run. A run can be
 * awaited, or iterated over its ticks.
 *
 * `concurrency` and `workers` do not change the result. The result depends only on f, the space, the algorithm, the
 * seed, the budget and `until.seconds`. `minimize.resume(checkpoint, f)` resumes bit for bit, even after a failure or
 * an abort. To detect a different function, `minimize.resume` evaluates the best point again, and evaluates it a third
 * time if the value differs.
 *
 * With `algorithm: coordinateDescent()`, f may be a coordinateTarget(). If f was returned by compileFunction and has a
 * gradient, f is minimised over its inputs by any step `rule` (default lbfgs()).
 *
 * @param f (x, { seed, signal, evaluation }) → a number or a promise of one; lower is better, NaN is a failed
 *   evaluation. Or the URL of a module whose default export is such a function
 * @param x0 starting point: a list of numbers, or inputs by name for a compiled function. Can be omitted if `bounds`
 *   are given
 * @param options search space, algorithm, budget, seed and workers
 * @throws OptionError, CapabilityError when something does not fit; ErgodicError [SEARCH_THROWN] if f throws, with its
 * error as the cause;
 *   [SEARCH_NO_VALUE] if every evaluation failed; the reason of an aborted `signal`
 *
 * @example
 * ```ts
 * const { x, value } = await minimize((x) => (x[0] - 1) ** 2 + Math.abs(x[1]), [0, 3], { seed: 1 });
 * await minimize(f, {
 *   bounds: [[1e-4, 1], [1, 9]],
 *   scale: ["log", "linear"],
 *   integer: [false, true],
 *   evaluations: 300,
 * });
 * // from compileFunction, with a gradient:
 * await minimize(objective, { w: [0, 0] }, { rule: lbfgs(), data: { x, y } });
 * ```
 */
export const minimize = Object.assign(start, { resume });

interface Limits {
  evaluations: number;
  seconds: number | undefined;
  target: number | undefined;
}

/** Prepares f for evaluation when the run begins. */
type Open = () => { f: BlackBox; concurrency: number; dispose?(): void };

function gather(where: ArrayLike<number> | MinimizeOptions, more: MinimizeOptions): MinimizeOptions {
  if (typeof where !== "object" || where === null) {
    const example = typeof where === "number" ? `[${where}]` : "[0, 0]";
    throw new OptionError("minimize", `x0 is ${shown(where)}, but must be an array: write ${example}`, "OPTION_TYPE");
  }
  checkKeys("minimize", more, [...searchKeys, ...ownKeys]);
  if (!("length" in where)) return where;
  if (more.x0 !== undefined) throw new OptionError("minimize", "x0 was given twice; leave one out", "OPTION_CONFLICT");
  return { ...more, x0: where };
}

function limitsOf(
  where: string,
  { evaluations, until = {} }: Pick<MinimizeOptions, "evaluations" | "until">,
  otherwise: () => number,
): Limits {
  checkKeys(`${where}.until`, until, ["evaluations", "seconds", "target"]);
  if (evaluations !== undefined && until.evaluations !== undefined) {
    throw new OptionError(where, "evaluations were given twice; leave them out of until", "OPTION_CONFLICT");
  }
  const { seconds, target } = until;
  if (seconds !== undefined) checkNumber(`${where}.until`, "seconds", seconds, { low: 0, open: true });
  if (target !== undefined) checkNumber(`${where}.until`, "target", target);
  const limit = evaluations ?? until.evaluations ?? (seconds === undefined ? otherwise() : Infinity);
  if (limit !== Infinity) checkNumber(where, "evaluations", limit, { low: 1, integer: true });
  return { evaluations: limit, seconds, target };
}

function opener(where: string, f: unknown, { workers, concurrency }: MinimizeOptions): Open {
  for (const [name, value] of Object.entries({ workers, concurrency }))
    if (value !== undefined) checkNumber(where, name, value, { low: 1, integer: true });
  if (typeof f === "function") {
    if (workers !== undefined && workers > 1) {
      throw new CapabilityError(
        where,
        `workers is ${workers}, but f is a function, and a closure cannot be sent to a thread; make it the default export of a module and give new URL("./f.js", import.meta.url), or use concurrency for an f that gives promises`,
        "MINIMIZE_CLOSURE",
      );
    }
    return () => ({ f: f as BlackBox, concurrency: concurrency ?? 1 });
  }
  if (!(f instanceof URL)) {
    throw new OptionError(
      where,
      `f is ${shown(f)}, but must be a function of x, or the URL of a module: write new URL("./f.js", import.meta.url)`,
      "OPTION_TYPE",
    );
  }
  if (workers !== undefined && concurrency !== undefined) {
    throw new OptionError(
      where,
      "both workers and concurrency were given, but each worker makes one evaluation at a time; leave concurrency out",
      "OPTION_CONFLICT",
    );
  }
  const count = workers ?? concurrency ?? 1;
  return () => {
    const threads = new Evaluators(f, count);
    return {
      f: (x, { seed, evaluation }) => threads.evaluate(x, { seed, evaluation }) as Promise<number>,
      concurrency: count,
      dispose: () => threads.dispose(),
    };
  };
}

/** Inputs from which a run is made. */
interface Recipe {
  search: Search;
  limits: Limits;
  open: Open;
  checkpoint?: Checkpoint;
}

function launch(signal: AbortSignal | undefined, read: () => Promise<Recipe>): Run<Minimum> {
  let search: Search;
  let json: JsonObject;
  return new Run<Minimum>({
    resultNames: minimumNames(),
    signal,
    survivesFailure: true,
    start: async () => {
      const { limits, open, checkpoint, ...made } = await read();
      search = made.search;
      const { evaluations, seconds, target } = limits;
      json = {
        search: search.toJSON(),
        until: {
          evaluations: Number.isFinite(evaluations) ? evaluations : null,
          seconds: seconds ?? null,
          target: target ?? null,
        },
      };
      const { f, ...how } = open();
      if (checkpoint)
        await refuseOtherFunction(f, checkpoint.snapshot, signal).catch((error) => {
          how.dispose?.();
          throw error;
        });
      return {
        progression: new Evaluation(search, f, { ...how, evaluations, target, signal }),
        stopping: { until: seconds === undefined ? {} : { seconds }, validateEvery: 1, patience: undefined },
        chosen: json,
        ...(checkpoint ? { resume: checkpoint } : {}),
      };
    },
    finish: (x, summary) => minimum(search, x, summary, json),
    keep: (snapshot: Snapshot, loop: JsonObject) => checkpointBytes({ snapshot, loop, recipe: json }),
  });
}

function minimum(search: Search, x: Float64Array, summary: RunSummary, json: JsonObject): Minimum {
  const value = search.best?.value ?? Number.NaN;
  const { centre, evaluations, failed, history } = search;
  const { reason } = summary;
  const algorithm = search.algorithm.toJSON();
  return {
    x,
    value,
    ...(centre ? { centre } : {}),
    evaluations,
    failed,
    history,
    reason,
    algorithm,
    run: { ...summary, loss: value },
    saved: {
      x: [...x],
      value: Number.isFinite(value) ? value : null,
      ...(centre ? { centre: [...centre] } : {}),
      evaluations,
      failed,
      reason,
      seconds: summary.seconds,
      ...json,
    },
  };
}

function withoutNulls(json: JsonObject): MinimizeUntil {
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null)) as MinimizeUntil;
}
