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

/** When a tuning stops: at the first of these. */
export interface TuneUntil {
  /** Trials made. */
  trials?: number;
  /** Seconds of tuning, > 0. */
  seconds?: number;
  /** A finished trial's value at most this. */
  target?: number;
}

/** Options of `tune`. */
export interface TuneOptions<K extends string = string, T extends TrialTick = TrialTick> {
  /** The settings to search, by name: { low, high, scale: "log", integer }. */
  over: Readonly<Record<K, SettingRange>>;
  /** The search algorithm. Default randomSearch(); cmaEs() from 20 trials per setting on. */
  algorithm?: SearchAlgorithm;
  /** Trials to make. Default 30; unlimited where `until` has seconds. */
  trials?: number;
  /** When to stop: the first of trials, seconds and target. */
  until?: TuneUntil;
  /** Stops bad trials early: { eta: 3, first }; false for none. Default { eta: 3 }. */
  halving?: HalvingOptions | false;
  /** The loss that a tick reports, undefined if it reports none. Default: its validation loss. */
  measure?: (tick: T) => number | undefined;
  /** A trial's value: its "last" loss, or its "best", for runs that keep their best parameters. Default "last". */
  value?: "last" | "best";
  /** Trials under way at once, for runs that work elsewhere. Default 1. */
  concurrency?: number;
  /** Seed of the search, and of the trials' seeds. Default 0; a whole number >= 0. */
  seed?: number;
  /** Aborts the tuning and its trials. */
  signal?: AbortSignal;
}

/** What a resumed run may change, and the function that a checkpoint cannot hold. */
export type TuneResumeOptions<T extends TrialTick = TrialTick> = Pick<
  TuneOptions<string, T>,
  "trials" | "until" | "measure" | "concurrency" | "signal"
>;

/** What `tune` found. */
export interface Tuned<K extends string = string> {
  /** Those of the least value among the trials that finished (where none did, that were stopped). */
  settings: Record<K, number>;
  /** The least value. */
  value: number;
  /** The trial that had them. */
  best: Trial<K>;
  /** Every one that ended, by number. */
  trials: Trial<K>[];
  /** Trials that finished. */
  finished: number;
  /** Trials that were stopped early. */
  stopped: number;
  /** Trials that diverged. */
  failed: number;
  /** Run in all trials, and how many more it would have been without stopping. */
  epochs: number;
  /** Epochs that stopping early has saved. */
  epochsSaved: number;
  /** Why the run stopped. */
  reason: string;
  /** The search algorithm, as JSON. */
  algorithm: JsonObject;
  /** How the run went. */
  run: RunSummary;
}

const TRIALS = 30;
/** On noisy bowls in boxes of 1 to 5 settings CMA-ES is ahead of random points from here on, whatever their number. */
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

/** Goes on from a checkpoint; `make` and `measure` must be the same functions. */
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
 * Finds the settings under which runs end with the least held-out loss.
 *
 *   const best = await tune(
 *     ({ rate, l2 }, { signal, seed }) => fit(linear({ l2 }), train, { rule: adagrad({ rate }), validate, signal, seed }),
 *     { over: { rate: { low: 1e-4, high: 1, scale: "log" }, l2: { low: 1e-6, high: 0.1, scale: "log" } }, trials: 30, seed: 1 },
 *   );
 *   best.settings; // { rate: …, l2: … }
 *
 * make: starts one run, anything with ticks, and passes `signal` to it. `over`: by name low and high, scale "log" for strengths
 * and rates, integer. `measure`: the loss that a tick reports, undefined if it reports none; default validation.loss. A trial's
 * value is the last of its losses; with `value: "best"` the least, for runs that keep their best parameters (`patience`).
 *
 * `algorithm`: default randomSearch(); cmaEs(), which learns where to look, from 20 trials per setting on. `halving` stops bad
 * trials early:
 * { eta: 3, first }, or false. A trial that diverges has failed: it is counted, and is worse than every other. Other errors end
 * the tuning.
 *
 * `trials`: default 30, unlimited where `until` has seconds. `until`: the first of trials, seconds and target (a finished
 * trial's value at most this). One trial runs at a time; `concurrency`: so many at once, for runs that work elsewhere (other
 * threads, other machines). With one at a time the same seed gives the same trials and stops, if `measure` reads validations,
 * which come by epochs and not by the clock; with more, halving depends on which comes first. `tune.resume(checkpoint, make)`
 * keeps the trials that ended, and restarts those under way.
 *
 * @throws OptionError when something does not fit; ErgodicError [TUNE_THROWN] where a run fails, with its error as the cause;
 * [TUNE_NO_VALUE]
 *   where all trials diverged; the reason of an aborted `signal`
 */
export const tune = Object.assign(start, { resume });

interface Limits {
  trials: number;
  seconds: number | undefined;
  target: number | undefined;
}

/** All that a run is made from. */
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
