import type { Json, JsonObject, LogDensity } from "../engine/contract/index.ts";
import { checkAlgorithm, checkBoolean, checkSignal, refuse } from "../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber, DataError, OptionError } from "../engine/errors/errors.ts";
import { type Checkpoint, checkpointBytes, fromCheckpoint, readCheckpointOf } from "../engine/loop/checkpoint.ts";
import { isNumber, isText, KeptPart } from "../engine/loop/kept-part.ts";
import { drawsNames } from "../engine/loop/result-names.ts";
import { Run } from "../engine/loop/run.ts";
import { resolveStopping, type Until } from "../engine/loop/stopping.ts";
import { type Engine, openEngine } from "../engine/memory/engine.ts";
import { inTurns } from "../engine/threads/steps.ts";
import type { Draws } from "./draws/index.ts";
import { type FunctionDensity, type FunctionDensityOptions, functionDensity } from "./model/functional/index.ts";
import {
  ConditionedModel,
  type ConditionOptions,
  type DataOfModel,
  type ModelData,
  type NamesOf,
  type StatisticalModel,
} from "./model/index.ts";
import { type Drawn, drawsOf } from "./named-draws.ts";
import { edgesOf } from "./places/edges.ts";
import { checkGivenOptions, type Sampler, type Sampling, type SamplingPlan } from "./samplers/base/sampler.ts";
import { nuts } from "./samplers/hamiltonian/nuts.ts";
import { slice } from "./samplers/slice/slice.ts";
import { type Start, startOf } from "./starts.ts";

/** Options of `sample` for execution and stopping. These options may be changed when a run is resumed. */
export interface SampleWatchOptions {
  /** Number of draws stored per chain. Default 1000; a whole number >= 0. */
  draws?: number;
  /**
   * Number of threads. Draws do not depend on this number. Default: one per chain, up to the number that the machine
   * runs in parallel.
   */
  workers?: number;
  /** Number of seconds of sampling after which the run stops. The run returns the draws made so far. */
  until?: { seconds?: number };
  /** Aborts the run. */
  signal?: AbortSignal;
}

/** Options of `sample`. */
export interface SampleOptions extends SampleWatchOptions {
  /** Sampler, e.g. nuts({ targetAcceptance: 0.95 }). Default nuts(); slice() for a function without a gradient. */
  algorithm?: Sampler;
  /** Number of independent chains. Default 4; a whole number >= 1. */
  chains?: number;
  /**
   * Number of warm-up transitions per chain, which adapt the sampler and are not stored. Default 1000; a whole number
   * >= 0.
   */
  warmup?: number;
  /** Seed of all random numbers. Default 0; a whole number >= 0. */
  seed?: number;
  /** Whether draws are bitwise identical on every host, at some cost in speed. Default false. */
  deterministic?: boolean;
  /** Name of the size that counts rows of data, for samplers that draw rows, such as sgld(). */
  rows?: string;
  /**
   * Starting points of chains. Give one starting point for all chains, or a list with one per chain. A starting point
   * contains values of some or all parameters by name (a matrix as a flat row-major list or as a list of rows), or the
   * unconstrained numbers of all parameters. Missing values are drawn for each chain, uniformly in (−2, 2) on the
   * unconstrained scale.
   */
  start?: Start | readonly Start[];
}

/** A log density as a plain function of unconstrained numbers. */
export type PlainLogDensity = (x: Float64Array) => number;

/** Anything that can be sampled: a model(), a log density, or a plain function of x. */
export type Sampled = StatisticalModel<never> | LogDensity | PlainLogDensity;

/** Data of a model; for a function, its dimension, and optionally its gradient and names. */
export type SampleData = ModelData | FunctionData;
/** Data of a plain function: its dimension, and optionally its gradient and names. */
export type FunctionData = Omit<FunctionDensityOptions, "logDensity">;

const CHAINS = 4;
const COUNT = 1000;
/** Coordinate value of the point at which densities are compared. All coordinates have this value. */
export const PROBE = 0.1;
const PROBE_TOLERANCE = 1e-9;
const absent = {
  precision: "log densities are evaluated in float64",
  batch: 'give it to a sampler that draws rows, as in sample(model, data, { algorithm: sgld({ batch: 100 }), rows: "N" })',
  thin: "every draw is stored; write draws: 500 to store fewer. Only sgld() and its relatives thin, as in sgld({ thin: 10 })",
  targetAcceptance: "it is an option of samplers; write algorithm: nuts({ targetAcceptance: 0.95 })",
  maxTreeDepth: "it is an option of samplers; write algorithm: nuts({ maxTreeDepth: 12 })",
  rule: "samplers adapt their steps themselves; fit(model, data, { rule }) finds a mode",
};
const keys = ["algorithm", "chains", "warmup", "draws", "seed", "workers", "deterministic", "rows", "start", "until", "signal"];

/** Data argument: the data of a model, the dimension of a function, or nothing for a density. */
export type SampleDataOf<M> = M extends StatisticalModel<never> ? DataOfModel<M> : SampleData;

/** Names of a model's data. */
type DataNamesOf<M> = M extends StatisticalModel<infer D, string> ? NamesIn<D> : string;
/** Any string is allowed if the model does not declare its data by name. */
type NamesIn<D> = [keyof D & string] extends [never] ? string : keyof D & string;

function start<M extends Sampled>(
  model: M,
  data: SampleDataOf<M>,
  options: SampleOptions = {},
): Run<Draws<NamesOf<M>, DataNamesOf<M>>> {
  return startWith(model, data as SampleData, options, drawsOf);
}

/** Runs `sample`. `finish` creates the result from the raw draws. */
export function startWith<R>(model: Sampled, data: SampleData, options: SampleOptions, finish: Finish<R>): Run<R> {
  checkKeys("sample", options, keys, { absent });
  const { chains = CHAINS, warmup = COUNT, draws = COUNT, seed = 0, deterministic = false, rows, until = {} } = options;
  checkSignal("sample", options.signal);
  checkNumber("sample", "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  checkNumber("sample", "chains", chains, { low: 1, integer: true });
  checkNumber("sample", "warmup", warmup, { low: 0, integer: true });
  checkNumber("sample", "draws", draws, { low: 0, integer: true });
  checkBoolean("sample", "deterministic", deterministic);
  if (rows !== undefined && typeof rows !== "string") refuse("sample", "rows", rows, "the name of a size", 'rows: "N"');
  checkLimits("sample", until);
  return launch("sample", options, finish, async () => {
    checkGivenOptions("sample", checkSampler("sample", options.algorithm ?? nuts()), options);
    const density = await conditioned("sample", model, data, { deterministic, ...(rows === undefined ? {} : { rows }) });
    const algorithm = checkSampler("sample", options.algorithm ?? (density.hasGradient === false ? slice() : nuts()));
    const places = options.start === undefined ? {} : { start: startOf(density, options.start, chains, seed) };
    return { density, algorithm, plan: { chains, warmup, draws, seed, deterministic, ...places }, until, rows };
  });
}

/**
 * Resumes from a run's checkpoint, bit for bit. Model and data must be the same as before. A larger `draws` extends the
 * run.
 */
function resume<M extends Sampled>(
  from: string | Uint8Array | Blob,
  model: M,
  data: SampleDataOf<M>,
  options: SampleWatchOptions & {
    /** Sampler that continues the run, of the same kind as before. Default: the sampler of the checkpoint. */
    algorithm?: Sampler;
  } = {},
): Run<Draws<NamesOf<M>, DataNamesOf<M>>> {
  return resumeWith(from, model, data as SampleData, options, drawsOf);
}

export function resumeWith<R>(
  from: string | Uint8Array | Blob,
  model: Sampled,
  data: SampleData,
  options: SampleWatchOptions & { algorithm?: Sampler },
  finish: Finish<R>,
): Run<R> {
  checkKeys("sample.resume", options, ["algorithm", "draws", "workers", "until", "signal"]);
  checkSignal("sample.resume", options.signal);
  checkLimits("sample.resume", options.until ?? {});
  return launch("sample.resume", options, finish, async () => {
    const { checkpoint, kept } = await readCheckpointOf(from, "sampling");
    const { plan, rows, names } = await fromCheckpoint(() => keptSampling(kept));
    const given = { deterministic: plan.deterministic, ...(rows === undefined ? {} : { rows }) };
    const density = await conditioned("sample.resume", model, data, given);
    const known = (density as Partial<ConditionedModel>).quantities?.map(({ name }) => name) ?? [];
    if (kept.dimension !== density.dimension || JSON.stringify(names) !== JSON.stringify(known))
      throw new DataError(
        "sample.resume",
        `the checkpoint has ${String(kept.dimension)} unconstrained numbers (${names.join(", ")}), but the model has ${density.dimension} (${known.join(", ")}); give the model and data from which it was made`,
        "CHECKPOINT_MODEL",
      );
    checkProbe(typeof kept.probe === "number" ? kept.probe : null, probeOf(density));
    const algorithm = await fromCheckpoint(() => samplerOf(kept.algorithm as JsonObject, options.algorithm));
    algorithm.checkGiven?.("sample.resume", options.draws === undefined ? {} : { draws: options.draws });
    return {
      density,
      algorithm,
      plan: { ...plan, draws: options.draws ?? plan.draws },
      until: options.until ?? {},
      rows,
      checkpoint,
    };
  });
}

/** Reads a checkpoint's description of the run, except for its sampler. */
function keptSampling(json: JsonObject): {
  plan: Omit<SamplingPlan, "workers" | "explain">;
  rows: string | undefined;
  names: readonly string[];
} {
  const kept = new KeptPart("the sampling", { tensors: {}, state: json });
  const names = kept.list("names", isText);
  const part = new KeptPart("the sampling plan", { tensors: {}, state: kept.object("plan") });
  const seed = part.number("seed", -Number.MAX_SAFE_INTEGER);
  const plan = {
    chains: part.count("chains", 1),
    warmup: part.count("warmup"),
    draws: part.count("draws"),
    seed: Number.isSafeInteger(seed) ? seed : part.refuse(`seed is ${seed}`),
    deterministic: part.flag("deterministic"),
  };
  const isPoint = (point: Json): point is number[] => Array.isArray(point) && point.every(isNumber);
  const placed =
    part.state.start === undefined ? {} : { start: part.list("start", isPoint, plan.chains).map((p) => Float64Array.from(p)) };
  const rows = json.rows === null || json.rows === undefined ? undefined : kept.state.rows;
  if (rows !== undefined && typeof rows !== "string") return kept.refuse("rows is not a name");
  return { plan: { ...plan, ...placed }, rows, names };
}

function checkSampler(where: string, given: Sampler): Sampler {
  checkAlgorithm(where, "algorithm", given, "sample", "nuts()");
  return given;
}

/** Recreates the checkpoint's sampler. A sampler that contains user functions must be given again. */
async function samplerOf(kept: JsonObject, given: Sampler | undefined): Promise<Sampler> {
  if (given === undefined) {
    const { samplerFromJson } = await import("./samplers/registry.ts");
    return samplerFromJson(kept);
  }
  if (checkSampler("sample.resume", given).toJSON().algorithm === kept.algorithm) return given;
  throw new OptionError(
    "sample.resume",
    `algorithm is ${given.name}, but the checkpoint was made with ${kept.algorithm}; leave algorithm out, or give the same algorithm`,
    "OPTION_CONFLICT",
  );
}

/**
 * Returns the log density at one point, which distinguishes models and data with the same names and sizes. Returns null
 * if the density is not finite or not available.
 */
export function probeOf(density: LogDensity): number | null {
  if (!("evaluate" in density)) return null;
  const { value } = (density as FunctionDensity | ConditionedModel).evaluate(new Float64Array(density.dimension).fill(PROBE));
  return Number.isFinite(value) ? value : null;
}

/** Whether two probes agree. The tolerance allows for kernel builds that round differently. */
export const alike = (kept: number | null, found: number | null): boolean =>
  kept === null || found === null ? kept === found : Math.abs(kept - found) <= PROBE_TOLERANCE * (1 + Math.abs(kept));

function checkProbe(kept: number | null, found: number | null): void {
  if (alike(kept, found)) return;
  throw new DataError(
    "sample.resume",
    `the log density where all unconstrained numbers are ${PROBE} is ${found ?? "not finite"}, but it was ${kept ?? "not finite"} when the checkpoint was made; give the model and data from which it was made`,
    "CHECKPOINT_MODEL",
  );
}

/**
 * Draws from a model's posterior given data, or from any log density.
 *
 * Returns `Draws`. A run can be awaited, or iterated over its ticks (draws, divergences, stepSize, rhat so far). A run
 * can also be paused, checkpointed and resumed, or stopped early without losing its draws. Defaults: nuts(), or slice()
 * for a function without a gradient; 4 chains of 1000 warm-up transitions and 1000 draws; seed 0; as many workers as
 * the machine runs in parallel. Draws depend only on the seed; with `deterministic` they are bitwise identical on every
 * host.
 *
 * @param model model(), regression(), or a function from a point to its log density in nats, up to a constant
 * @param data values of the model's data by name. For a function, its { dimension }
 * @param options algorithm, numbers of chains, warm-up transitions and draws, seed, workers, time limit
 * @throws OptionError, DataError, CapabilityError for invalid input; ErgodicError [SAMPLE_START], [SAMPLE_STEP] if a
 *   density is not finite; the reason of an aborted `signal`
 *
 * @example
 * ```ts
 * const posterior = await sample(eightSchools, { y, sigma }, { seed: 1 });
 * posterior.summary()["mu"].mean;   // also sd, quantiles, effective sizes, R̂
 * posterior.verdict().text;         // can these draws be trusted, and what to do if not
 * await sample((x) => -0.5 * x[0] ** 2, { dimension: 1 });                              // a plain function
 * await sample.resume("run.checkpoint", eightSchools, { y, sigma }, { draws: 2000 });   // resumes bit for bit
 * ```
 */
export const sample = Object.assign(start, { resume });

function checkLimits(where: string, until: Until): void {
  checkKeys(`${where}.until`, until, ["seconds"]);
  if (until.seconds !== undefined) resolveStopping(where, { until }, false);
}

async function conditioned(
  where: string,
  model: Sampled,
  data: SampleData,
  options: ConditionOptions & { deterministic: boolean },
): Promise<LogDensity> {
  if (typeof model === "function") return functionDensity({ ...(data as FunctionData), logDensity: model });
  if (typeof model !== "object" || model === null || !("condition" in model || "bind" in model))
    throw new OptionError(
      where,
      `the first argument is ${model === null ? "null" : typeof model}, but must be a model() or a function x => log density`,
      "OPTION_TYPE",
    );
  if ("condition" in model) return model.condition((data ?? {}) as never, options);
  const { deterministic } = options;
  if (model instanceof ConditionedModel && model.deterministic !== deterministic)
    throw new OptionError(
      where,
      `deterministic is ${deterministic}, but the model was conditioned with ${model.deterministic}; give both the same`,
      "OPTION_CONFLICT",
    );
  return model;
}

interface Recipe {
  density: LogDensity;
  algorithm: Sampler;
  plan: Omit<SamplingPlan, "workers" | "explain">;
  until: Until;
  rows: string | undefined;
  checkpoint?: Checkpoint;
}

type Finish<R> = (density: LogDensity, drawn: Drawn) => R;

function launch<R>(
  where: string,
  { workers, signal }: SampleWatchOptions,
  finish: Finish<R>,
  read: () => Promise<Recipe>,
): Run<R> {
  let json: JsonObject;
  let recipe: Recipe;
  let sampling: Sampling;
  let engine: Engine;
  return new Run<R>({
    ...(signal ? { signal } : {}),
    resultNames: drawsNames(),
    start: async () => {
      recipe = await read();
      const { density, algorithm, plan, until, checkpoint } = recipe;
      engine = await openEngine({ deterministic: plan.deterministic, families: ["sampling"] });
      const threads = workersFor(where, workers, plan.chains, density, engine);
      const explain = (points: readonly Float64Array[]): string | undefined => density.explain?.(points);
      sampling = algorithm.start(density, { ...plan, workers: threads, explain }, engine);
      json = describe(recipe);
      const resumed = checkpoint ? { resume: checkpoint } : {};
      return { progression: sampling, stopping: { until, validateEvery: 1, patience: undefined }, chosen: json, ...resumed };
    },
    finish: async (_, { seconds, reason, updates, report }) => {
      const { density, plan } = recipe;
      const raw = sampling.draws();
      return finish(density, {
        raw,
        places: sampling.places?.() ?? [],
        edges: await inTurns(edgesOf(density, raw, plan.seed, engine)),
        description: { ...json, run: { seconds, reason, updates } },
        report,
      });
    },
    keep: (snapshot, loop) => checkpointBytes({ snapshot, loop, recipe: { sampling: json } }),
  });
}

function workersFor(where: string, given: number | undefined, chains: number, density: LogDensity, engine: Engine): number {
  checkNumber(where, "workers", given ?? 1, { low: 1, high: 1024, integer: true });
  const { onThisThread = false } = density;
  if (onThisThread && (given ?? 1) > 1)
    throw new CapabilityError(
      where,
      `workers is ${given}, but a plain function runs on the calling thread alone; leave workers out, or write it as a model()`,
      "PLAN_MEANING",
    );
  if (onThisThread) return 1;
  return given ?? Math.max(1, Math.min(chains, engine.describe().workers));
}

function describe({ density, algorithm, plan, rows }: Recipe): JsonObject {
  const { start: given, ...rest } = plan;
  const model = density as Partial<ConditionedModel>;
  const hints = (model.hints ?? []).map((hint) => ({ ...hint }));
  return {
    ...(hints.length > 0 ? { hints } : {}),
    model: model.name ?? "function",
    dimension: density.dimension,
    probe: probeOf(density),
    names: model.quantities?.map(({ name }) => name) ?? [],
    ...(model.dataShapes ? { data: model.dataShapes } : {}),
    algorithm: algorithm.toJSON(),
    density: allowed(density),
    rows: rows ?? null,
    plan: { ...rest, ...(given ? { start: points(given, rest.chains) } : {}) },
  };
}

/** Facts about the density that a verdict's advice needs. */
function allowed(density: LogDensity): JsonObject {
  const hasGradient = density.hasGradient !== false;
  const discrete = (density.discrete ?? []).map(({ name }) => name);
  return { hasGradient, discrete, ...((density as Partial<ConditionedModel>).facts ?? {}) };
}

function points(given: Float64Array | readonly Float64Array[], chains: number): number[][] {
  const each = given instanceof Float64Array ? Array.from({ length: chains }, () => given) : given;
  return each.map((point) => [...point]);
}
