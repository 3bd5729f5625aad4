import type { Conditionals, EndedChains, FactorTables, JsonObject } from "../../engine/contract/index.ts";
import { checkAlgorithm, checkBoolean, checkChoice, checkSignal } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber, DataError, OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { type Checkpoint, checkpointBytes, fromCheckpoint, readCheckpointOf } from "../../engine/loop/checkpoint.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import { answerNames } from "../../engine/loop/result-names.ts";
import { Run } from "../../engine/loop/run.ts";
import { resolveStopping, type Until } from "../../engine/loop/stopping.ts";
import { openEngine } from "../../engine/memory/engine.ts";
import { inTurns } from "../../engine/threads/steps.ts";
import { Answer } from "../answers/index.ts";
import type { Evidence } from "../model/evidence.ts";
import type { InferenceAlgorithm, InferencePlan, InferenceTask } from "../parts/algorithm.ts";
import { automatic } from "./automatic.ts";
import { gathering } from "./facts.ts";
import { impossible } from "./impossible.ts";
import { Inference } from "./inference.ts";
import { graphFor, type Inferred, tasks, weightsOf } from "./tables-of.ts";
import { wholeAnswer } from "./whole-answer.ts";

/** Options of `infer` that can change when a run is resumed. */
export interface InferWatchOptions {
  /**
   * Evidence by variable, in addition to the graph's own evidence. Each value is a state (name or number) or a
   * likelihood per state.
   */
  evidence?: Evidence;
  /** Number of threads. The answer does not depend on the number of threads. Default 1. */
  workers?: number;
  /**
   * Ends the run after this many seconds of work on the graph and returns the best answer so far. There is always an
   * answer, but it can be rough and without a guarantee.
   */
  until?: { seconds?: number };
  /** Aborts the run. */
  signal?: AbortSignal;
}

/** Options of `infer`. */
export interface InferOptions extends InferWatchOptions {
  /**
   * Quantity to compute: the probabilities of states, the partition function, or the most probable state. Default
   * "marginals".
   */
  task?: InferenceTask;
  /** Algorithm. Default: chosen by width, zeros and size. */
  algorithm?: InferenceAlgorithm;
  /**
   * Earlier answer about this graph, computed before weights or factors changed or rows were added. The chains of the
   * new run start where the chains of the earlier answer ended. This is useful after small changes, because the old
   * states are then still typical. Algorithms without chains ignore this option.
   */
  from?: Pick<Answer, "chains">;
  /** Seed of all random numbers. Default 0; a whole number >= 0. */
  seed?: number;
  /** Memory limit for tables in GiB. Default 1.5; > 0, at most 4. */
  memory?: number;
  /**
   * Whether to reject algorithms with racing workers, whose answers depend on timing. All other answers are
   * bit-identical on every host and for every number of workers. Default false.
   */
  deterministic?: boolean;
}

const keys = ["evidence", "task", "algorithm", "from", "seed", "memory", "deterministic", "workers", "until", "signal"];
const absent = {
  precision: "tables and weights are float64; replicaGibbs() packs the states of its replicas into bits",
  batch: "every step reads all factors of the variables that it updates",
  replicas: "give algorithm: graphGibbs({ chains: 8 }) or replicaGibbs({ replicas: 128 })",
};
const MEMORY = 1.5;

function start(graph: Inferred, options: InferOptions = {}): Run<Answer> {
  checkKeys("infer", options, keys, { absent });
  const { task = "marginals", seed = 0, memory = MEMORY, algorithm = automatic(), until = {}, workers = 1, evidence } = options;
  const { deterministic = false } = options;
  checkFrom(options.from);
  checkBoolean("infer", "deterministic", deterministic);
  checkSignal("infer", options.signal);
  checkChoice("infer", "task", task, tasks);
  checkNumber("infer", "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  checkNumber("infer", "memory", memory, { low: 0, high: 4, open: true });
  checkNumber("infer", "workers", workers, { low: 1, high: 1024, integer: true });
  checkUntil("infer", until);
  if (algorithm !== undefined) checkAlgorithm("infer", "algorithm", algorithm, "infer", "elimination()");
  if (!algorithm.tasks.includes(task))
    throw new CapabilityError(
      "infer",
      `task is "${task}", but ${algorithm.name}() answers ${algorithm.tasks.map((one) => `"${one}"`).join(", ")} only; use another algorithm, or omit it`,
      "INFER_TASK",
    );
  return launch(options, async () => ({
    ...(await timed(graphFor("infer", graph, task, algorithm, evidence), options.signal)),
    algorithm,
    plan: {
      ...{ task, seed, memory, workers },
      ...(deterministic ? { deterministic } : {}),
      ...(until.seconds === undefined ? {} : { seconds: until.seconds }),
      ...(options.from?.chains ? { from: options.from.chains } : {}),
    },
    until,
  }));
}

/** Resumes a run from a checkpoint. The graph must be the same. */
function resume(
  from: string | Uint8Array | Blob,
  graph: Inferred,
  options: InferWatchOptions & {
    /** Algorithm that continues the run. Default: the algorithm of the checkpoint. */
    algorithm?: InferenceAlgorithm;
  } = {},
): Run<Answer> {
  checkKeys("infer.resume", options, ["evidence", "algorithm", "workers", "until", "signal"]);
  checkSignal("infer.resume", options.signal);
  checkUntil("infer.resume", options.until ?? {});
  checkNumber("infer.resume", "workers", options.workers ?? 1, { low: 1, high: 1024, integer: true });
  if (options.algorithm !== undefined) checkAlgorithm("infer.resume", "algorithm", options.algorithm, "infer", "graphGibbs()");
  return launch(options, async () => {
    const { checkpoint, kept } = await readCheckpointOf(from, "inference");
    return fromCheckpoint(async () => {
      const part = new KeptPart("the inference", { tensors: {}, state: kept });
      const plan = new KeptPart("the plan of inference", { tensors: {}, state: part.object("plan") });
      const task = plan.choice("task", tasks);
      const { inferenceFromJson } = await import("./registry.ts");
      const algorithm = options.algorithm ?? inferenceFromJson(part.object("algorithm"));
      const planned = {
        ...{ task, seed: plan.count("seed"), memory: plan.number("memory", 0), workers: options.workers ?? 1 },
        ...(plan.state.deterministic === undefined ? {} : { deterministic: plan.flag("deterministic") }),
        // A choice that was made for the original time limit is kept, whatever the new limit is.
        ...(plan.state.seconds === undefined ? {} : { seconds: plan.number("seconds", 0) }),
      };
      const { signal } = options;
      const timedGraph = await timed(graphFor("infer.resume", graph, task, algorithm, options.evidence), signal);
      const facts = JSON.stringify(await inTurns(gathering(timedGraph.graph), signal));
      const wanted = JSON.stringify(part.object("graph"));
      if (wanted !== facts)
        throw new DataError(
          "infer.resume",
          `the checkpoint is of another graph (${wanted}, here ${facts}); give the graph and evidence from which it was made`,
          "CHECKPOINT_MODEL",
        );
      const isSame = JSON.stringify(algorithm.toJSON()) === JSON.stringify(part.object("algorithm"));
      return {
        ...{ ...timedGraph, algorithm, plan: planned, until: options.until ?? {} },
        checkpoint: isSame ? checkpoint : withoutEnds(checkpoint),
      };
    });
  });
}

/**
 * Runs inference on a graph of discrete variables, given evidence. Computes the probabilities of the variables' states,
 * the partition function, or the most probable state.
 *
 * First the graph is reduced: evidence is absorbed, zeros are propagated, determined variables are removed, and
 * connected parts are separated. A run can be awaited, or iterated over its ticks. A run can also be paused, stopped
 * with the best answer so far, checkpointed and resumed. Answers depend on the graph, the seed and the amount of work
 * done, never on `workers`.
 *
 * @param graph factor graph, or factors as tables or in columns
 * @param options `evidence`: known states by variable. `task`: "marginals" (default), "partition" or "map". Algorithm,
 *   seed, limits
 * @throws OptionError, DataError; CapabilityError if the algorithm cannot handle the graph; DataError
 * [GRAPH_IMPOSSIBLE] if the evidence has probability 0; the reason of an aborted `signal`
 *
 * @example
 * ```ts
 * const answer = await infer(graph, { until: { seconds: 10 } });
 * await infer(graph, { evidence: { wet: "yes" } });
 * answer.marginal("rain");  // { states, p, certificate }
 * answer.certificate;       // the weakest: exact, bounds, an interval, …, or no guarantee and why
 * await infer(graph, { task: "partition" }).then(({ logZ }) => logZ);
 * ```
 */
export const infer = Object.assign(start, { resume });

function checkUntil(where: string, until: Until): void {
  checkKeys(`${where}.until`, until, ["seconds"]);
  if (until.seconds !== undefined) resolveStopping(where, { until }, false);
}

function checkFrom(from: unknown): void {
  if (from === undefined) return;
  const chains = (from as Pick<Answer, "chains"> | null)?.chains;
  if (Array.isArray(chains?.states) && chains.states[0] instanceof Int16Array && chains.variances instanceof Float64Array) return;
  throw new OptionError(
    "infer",
    `from is ${shown(from)}, but must be an answer that chains computed, such as those of graphGibbs(); leave it out, or infer with algorithm: graphGibbs() first`,
    "OPTION_TYPE",
  );
}

/**
 * @throws OptionError if the answer has more variables than the graph, or variables with different numbers of states
 */
function checkSame({ states, cardinalities: before }: EndedChains, { cardinalities, name }: FactorTables | Conditionals): void {
  const refuse = (about: string, has: number): never => {
    throw new OptionError(
      "infer",
      `from is an answer about ${about}, but the graph has ${has}; give one about this graph`,
      "OPTION_RANGE",
    );
  };
  const [{ length }] = states;
  if (length > cardinalities.length) refuse(`${length} variables`, cardinalities.length);
  before?.forEach((count, variable) => {
    if (count !== cardinalities[variable]) refuse(`${count} states of the variable ${name(variable)}`, cardinalities[variable]);
  });
}

/**
 * Returns the checkpoint with all parts marked as running. The run can then continue these parts with other options of
 * the algorithm.
 */
function withoutEnds({ snapshot, ...rest }: Checkpoint): Checkpoint {
  const { ended: _, reports: __, ...state } = snapshot.state;
  return { ...rest, snapshot: { ...snapshot, state } };
}

/**
 * Returns `until` with its seconds reduced by `spent` milliseconds of work on the graph. At least one stretch of
 * inference always runs.
 */
const lessSpent = ({ seconds, ...until }: Until, spent: number): Until =>
  seconds === undefined ? until : { ...until, seconds: Math.max(Number.MIN_VALUE, seconds - spent / 1000) };

interface Recipe {
  readonly graph: FactorTables | Conditionals;
  /** Milliseconds spent building the graph's tables. */
  readonly made: number;
  readonly algorithm: InferenceAlgorithm;
  /** The plan, with `memory` in GiB. */
  readonly plan: InferencePlan;
  readonly until: Until;
  readonly checkpoint?: Checkpoint;
}

async function timed<T>(steps: Generator<void, T>, signal: AbortSignal | undefined): Promise<{ graph: T; made: number }> {
  const begun = performance.now();
  const graph = await inTurns(steps, signal);
  return { graph, made: performance.now() - begun };
}

function launch({ signal }: { signal?: AbortSignal }, read: () => Promise<Recipe>): Run<Answer> {
  let recipe: Recipe;
  let inference: Inference;
  let json: JsonObject;
  return new Run<Answer>({
    ...(signal ? { signal } : {}),
    resultNames: answerNames(),
    start: async () => {
      recipe = await read();
      const { graph, made, algorithm, plan, until, checkpoint } = recipe;
      const engine = await openEngine({ families: ["graphs"] });
      const begun = performance.now();
      const { workers: _, from, ...kept } = plan;
      if (from) checkSame(from, graph);
      json = { graph: await inTurns(gathering(graph), signal), algorithm: algorithm.toJSON(), plan: kept };
      // The inference is opened last, because it would not be disposed of if a later step failed.
      inference = await Inference.open(graph, algorithm, { ...plan, memory: plan.memory * 2 ** 30 }, engine, signal);
      return {
        progression: inference,
        stopping: { until: lessSpent(until, made + performance.now() - begun), validateEvery: 1, patience: undefined },
        chosen: json,
        ...(checkpoint ? { resume: checkpoint } : {}),
      };
    },
    finish: async (_, { seconds, reason, updates }) => {
      const { graph, plan } = recipe;
      const description = { ...json, run: { seconds, reason, updates } };
      await inference.completeEnded(signal);
      const found = await inTurns(inference.finding(), signal);
      const content = await inTurns(wholeAnswer(graph, plan.task, inference.reduction, found, description), signal).catch(
        (error: unknown) => {
          throw (error as { code?: unknown } | null)?.code === "GRAPH_IMPOSSIBLE" ? impossible(graph, plan.task) : error;
        },
      );
      return new Answer({ ...content, ...weightsOf(graph) });
    },
    keep: (snapshot, loop) => checkpointBytes({ snapshot, loop, recipe: { inference: json } }),
  });
}
