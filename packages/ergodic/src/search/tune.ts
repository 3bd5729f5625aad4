import type { JsonObject } from "../engine/contract/index.ts";
import { checkChoice, checkFunction, checkSignal, refuse } from "../engine/errors/checks.ts";
import { checkKeys, checkNumber, OptionError } from "../engine/errors/errors.ts";
import { type Checkpoint, checkpointBytes, fromCheckpoint, readCheckpointOf } from "../engine/loop/checkpoint.ts";
import { isText, KeptPart } from "../engine/loop/kept-part.ts";
import { tunedNames } from "../engine/loop/result-names.ts";
import { Run, type RunSummary } from "../engine/loop/run.ts";
import { Search } from "./algorithms/ask-tell.ts";
import { cmaEs } from "./algorithms/cma-es.ts";
import { Halving, type HalvingOptions } from "./algorithms/halving.ts";
import { searchFromJson } from "./algorithms/index.ts";
import { randomSearch } from "./algorithms/random-search.ts";
import type { SearchAlgorithm } from "./algorithms/search.ts";
import { type SettingRange, spaceOf } from "./algorithms/settings.ts";
import { spaceOptionsFromJson } from "./algorithms/space.ts";
import type { MakeTrial, Trial, TrialTick } from "./algorithms/trial.ts";
import { Trials } from "./algorithms/trials.ts";

export type { HalvingOptions, Measured } from "./algorithms/halving.ts";
export type { SettingRange } from "./algorithms/settings.ts";
export type { MakeTrial, Trial, TrialContext, TrialTick } from "./algorithms/trial.ts";

/** Limits of a tuning run, which stops when the first of them is reached. */
export interface TuneUntil {
  /** Number of trials. */
  trials?: number;
  /** Seconds of tuning, > 0. */
  seconds?: number;
  /** Target value. The tuning stops when the value of a finished trial is at most this number. */
  target?: number;
}

/** Options of `tune`. */
export interface TuneOptions<K extends string = string, T extends TrialTick = TrialTick> {
  /** Settings to search, by name: { low, high, scale: "log", integer }. */
  over: Readonly<Record<K, SettingRange>>;
  /** Search algorithm. Default randomSearch(); cmaEs() for 20 or more trials per setting. */
  algorithm?: SearchAlgorithm;
  /** Number of trials. Default 30, or no limit if `until` gives seconds. */
  trials?: number;
  /** Limits of the run: trials, seconds and target, whichever is reached first. */
  until?: TuneUntil;
  /** Settings for stopping bad trials early: { eta: 3, first }; false to stop none. Default { eta: 3 }. */
  halving?: HalvingOptions | false;
  /** Returns the loss that a tick reports, undefined if it reports none. Default: its validation loss. */
  measure?: (tick: T) => number | undefined;
  /**
   * Value of a trial: its "last" loss, or its "best" loss, which suits runs that keep their best parameters. Default
   * "last".
   */
  value?: "last" | "best";
  /** Number of trials that run at the same time. More than one is useful if the runs compute elsewhere. Default 1. */
  concurrency?: number;
  /** Seed of the search, from which the trials' seeds are derived too. Default 0; a whole number >= 0. */
  seed?: number;
  /** Signal that aborts the tuning and its trials. */
  signal?: AbortSignal;
}

/** Options that a resumed run can change, and `measure`, a function that a checkpoint cannot store. */
export type TuneResumeOptions<T extends TrialTick = TrialTick> = Pick<
  TuneOptions<string, T>,
  "trials" | "until" | "measure" | "concurrency" | "signal"
>;

/** Result of `tune`. */
export interface Tuned<K extends string = string> {
  /**
   * Settings of the finished trial with the lowest value. If no trial finished, the settings of the best stopped trial.
   */
  settings: Record<K, number>;
  /** Lowest value. */
  value: number;
  /** Trial with these settings. */
  best: Trial<K>;
  /** Every trial that ended, by index. */
  trials: Trial<K>[];
  /** Number of trials that finished. */
  finished: number;
  /** Number of trials that were stopped early. */
  stopped: number;
  /** Number of trials that diverged. */
  failed: number;
  /** Number of epochs run in all trials. */
  epochs: number;
  /** Number of epochs saved by stopping early. */
  epochsSaved: number;
  /** Reason why the run stopped. */
  reason: string;
  /** Search algorithm as JSON. */
  algorithm: JsonObject;
  /** Summary of the run. */
  run: RunSummary;
}

const TRIALS = 30;
/**
 * Smallest number of trials per setting at which CMA-ES does better than random search. The number was measured on
 * noisy bowl-shaped functions of 1 to 5 settings.
 */
const TRIALS_FOR_LEARNING = 20;
const keys = ["over", "algorithm", "trials", "until", "halving", "measure", "value", "concurrency", "seed", "signal"];
const resumeKeys = ["trials", "until", "measure", "concurrency", "signal"];

function start<K extends string, T extends TrialTick>(make: MakeTrial<K, T>, options: TuneOptions<K, T>): Run<Tuned<K>> {
  checkMake("tune", make);
  if (typeof options !== "object" || options === null)
    refuse("tune", "options", options, "an object", '{ over: { rate: { low: 1e-4, high: 1, scale: "log" } } }');
  checkKeys("tune", options, keys);
  checkSignal("tune", options.signal);
  const { value = "last", halving: given = {}, seed = 0 } = options;
  checkChoice("tune", "value", value, ["last", "best"]);
  const limits = limitsOf("tune", options);
  const halving = given === false ? undefined : new Halving("tune.halving", given);
  const { names, space, count } = spaceOf("tune", options.over);
  const search = new Search("tune", {
    ...space,
    algorithm: options.algorithm ?? defaultAlgorithm(limits.trials, count),
    seed,
    ...(limits.trials === Infinity ? {} : { evaluations: limits.trials }),
  });
  const how = waysOf("tune", make as unknown as MakeTrial, options as unknown as TuneResumeOptions);
  return launch<K>(options.signal, async () => ({ search, names, value, halving, limits, ...how }));
}

/** Continues from a checkpoint; `make` and `measure` must be the same functions. */
function resume<K extends string = string, T extends TrialTick = TrialTick>(
  from: string | Uint8Array | Blob,
  make: MakeTrial<K, T>,
  options: TuneResumeOptions<T> = {},
): Run<Tuned<K>> {
  checkMake("tune.resume", make);
  checkKeys("tune.resume", options, resumeKeys);
  checkSignal("tune.resume", options.signal);
  const how = waysOf("tune.resume", make as unknown as MakeTrial, options as unknown as TuneResumeOptions);
  return launch<K>(options.signal, async () => {
    const { checkpoint, kept } = await readCheckpointOf(from, "tune");
    return fromCheckpoint(() => recipeOf(checkpoint, kept, options as unknown as TuneResumeOptions, how));
  });
}

function recipeOf(
  checkpoint: Checkpoint,
  kept: JsonObject,
  options: TuneResumeOptions,
  how: Pick<Recipe, "make" | "measure" | "concurrency">,
): Recipe {
  const part = new KeptPart("the tuning", { tensors: {}, state: kept });
  const { space, algorithm, evaluations, ...others } = part.object("search");
  const search = new Search("tune.resume", {
    ...others,
    ...spaceOptionsFromJson(space as JsonObject),
    algorithm: searchFromJson(algorithm as JsonObject),
    ...(evaluations === null ? {} : { evaluations: Number(evaluations) }),
  });
  const changed = options.until !== undefined || options.trials !== undefined;
  const limits = limitsOf("tune.resume", changed ? options : { until: withoutNulls(part.object("until")) }, Infinity);
  const halving = kept.halving === null ? undefined : new Halving("tune.resume", withoutNulls(part.object("halving")));
  return {
    search,
    names: part.list("names", isText, search.space.count),
    value: part.choice("value", ["last", "best"]),
    halving,
    limits,
    checkpoint,
    ...how,
  };
}

/**
 * Finds the settings with which runs reach the lowest held-out loss.
 *
 * `over`: low and high of each setting, by name. `scale` should be "log" for strengths and rates. `integer` restricts a
 * setting to whole numbers. `measure`: returns the loss that a tick reports, or undefined if the tick has none; default
 * validation.loss. The value of a trial is its last loss. With `value: "best"` it is the lowest loss, which suits runs
 * that keep their best parameters (`patience`).
 *
 * `algorithm`: default randomSearch(). For 20 or more trials per setting, the default is cmaEs(), which learns where to
 * search. `halving` stops bad trials early: { eta: 3, first }, or false. A trial that diverges counts as failed, which
 * is worse than every value. Other errors end the tuning.
 *
 * `trials`: default 30, unlimited if `until` has seconds. `until`: limits on trials and seconds, and a target for the
 * value of a finished trial; the first one reached ends the tuning. One trial runs at a time, unless `concurrency`
 * allows several. This is useful for runs that compute elsewhere (other threads, other machines). With one trial at a
 * time, the same seed gives the same trials and stops the same trials. This requires that `measure` reads validation
 * losses, which depend on epochs and not on the clock. With several trials at a time, halving depends on which trials
 * are faster. `tune.resume(checkpoint, make)` keeps the trials that ended, and restarts the trials in progress.
 *
 * @param make function that starts one run with given settings. Any kind of run that has ticks will do. Pass `signal`
 *   to it
 * @param options settings to search (`over`), algorithm, limits, measure of a run, seed
 * @throws OptionError when something does not fit; ErgodicError [TUNE_THROWN] if a run fails, with its error as the
 * cause;
 *   [TUNE_NO_VALUE] if all trials diverged; the reason of an aborted `signal`
 *
 * @example
 * ```ts
 * const best = await tune(
 *   ({ rate, l2 }, { signal, seed }) =>
 *     fit(linear({ l2 }), train, { rule: adagrad({ rate }), validate, signal, seed }),
 *   {
 *     over: { rate: { low: 1e-4, high: 1, scale: "log" }, l2: { low: 1e-6, high: 0.1, scale: "log" } },
 *     trials: 30,
 *     seed: 1,
 *   },
 * );
 * best.settings; // { rate: …, l2: … }
 * ```
 */
export const tune = Object.assign(start, { resume });

interface Limits {
  trials: number;
  seconds: number | undefined;
  target: number | undefined;
}

/** Inputs from which a run is made. */
interface Recipe {
  search: Search;
  names: readonly string[];
  value: "last" | "best";
  halving: Halving | undefined;
  limits: Limits;
  make: MakeTrial;
  measure(tick: TrialTick): number | undefined;
  concurrency: number;
  checkpoint?: Checkpoint;
}

function checkMake(where: string, make: unknown): void {
  const example = "({ rate }, { signal }) => fit(model, data, { …, signal })";
  checkFunction(where, "make", make, "a function that starts a run", example);
}

function limitsOf(where: string, { trials, until = {} }: Pick<TuneOptions, "trials" | "until">, otherwise = TRIALS): Limits {
  checkKeys(`${where}.until`, until, ["trials", "seconds", "target"]);
  if (trials !== undefined && until.trials !== undefined)
    throw new OptionError(where, "trials were given twice; leave them out of until", "OPTION_CONFLICT");
  const { seconds, target } = until;
  if (seconds !== undefined) checkNumber(`${where}.until`, "seconds", seconds, { low: 0, open: true });
  if (target !== undefined) checkNumber(`${where}.until`, "target", target);
  const limit = trials ?? until.trials ?? (seconds === undefined ? otherwise : Infinity);
  if (limit !== Infinity) checkNumber(where, "trials", limit, { low: 1, integer: true });
  return { trials: limit, seconds, target };
}

function waysOf(
  where: string,
  make: MakeTrial,
  { measure = ({ validation }) => validation?.loss, concurrency = 1 }: TuneResumeOptions,
): Pick<Recipe, "make" | "measure" | "concurrency"> {
  checkFunction(where, "measure", measure, "a function of a tick", "(tick) => tick.validation?.loss");
  checkNumber(where, "concurrency", concurrency, { low: 1, integer: true });
  return { make, measure, concurrency };
}

function defaultAlgorithm(trials: number, count: number): SearchAlgorithm {
  return trials < Infinity && trials >= TRIALS_FOR_LEARNING * count ? cmaEs() : randomSearch();
}

function launch<K extends string>(signal: AbortSignal | undefined, read: () => Promise<Recipe>): Run<Tuned<K>> {
  let search: Search;
  let progression: Trials;
  let json: JsonObject;
  return new Run<Tuned<K>>({
    resultNames: tunedNames(),
    signal,
    survivesFailure: true,
    start: async () => {
      const { limits, checkpoint, ...recipe } = await read();
      ({ search } = recipe);
      const { trials, seconds, target } = limits;
      const { names, value, halving } = recipe;
      json = {
        search: search.toJSON(),
        names: [...names],
        value,
        halving: halving ? halving.toJSON() : null,
        until: { trials: Number.isFinite(trials) ? trials : null, seconds: seconds ?? null, target: target ?? null },
      };
      progression = new Trials(search, { ...recipe, trials, target, signal });
      return {
        progression,
        stopping: { until: seconds === undefined ? {} : { seconds }, validateEvery: 1, patience: undefined },
        chosen: json,
        ...(checkpoint ? { resume: checkpoint } : {}),
      };
    },
    finish: (_, summary) => tuned<K>(progression, search, summary),
    keep: (snapshot, loop) => checkpointBytes({ snapshot, loop, recipe: { tune: json } }),
  });
}

function tuned<K extends string>(progression: Trials, search: Search, summary: RunSummary): Tuned<K> {
  const trials = progression.trials as Trial<K>[];
  const best = progression.best as Trial<K>;
  const { settings, value } = best;
  const counts = progression.counts();
  return {
    settings: { ...settings },
    value,
    best,
    trials,
    ...counts,
    reason: summary.reason,
    algorithm: search.algorithm.toJSON(),
    run: { ...summary, epochs: counts.epochs, loss: value },
  };
}

function withoutNulls(json: JsonObject): Record<string, number> {
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null)) as Record<string, number>;
}
