/**
 * Parts of `fit.stream`. Blocks are converted to rows, and an online run first predicts the rows and then learns from
 * them. The training loop treats this run like any other.
 */

import type { Advance, JsonObject, Problem, Progression, Snapshot } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import { refuse } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber, DataError, OptionError } from "../../engine/errors/errors.ts";
import { isBlob } from "../../engine/files/kinds.ts";
import { fromCheckpoint, readCheckpoint } from "../../engine/loop/checkpoint.ts";
import { isObject, KeptPart } from "../../engine/loop/kept-part.ts";
import { resolvePlan } from "../../engine/loop/plan.ts";
import type { RunSummary, Started } from "../../engine/loop/run.ts";
import { openEngine } from "../../engine/memory/engine.ts";
import { isRule, type Rule } from "../../engine/optimise/kinds.ts";
import type { TrainableModel } from "../fit/kinds/trainable.ts";
import type { StreamOptions } from "../fit/stream-types.ts";
import { trained } from "../fit/trained.ts";
import { openLearner } from "./online.ts";
import { BlockReader, type BlockRows, firstBlock } from "./row-blocks.ts";
import type { RowLearner } from "./run.ts";
import { Seen } from "./seen.ts";

/** Longest wait for a block before the loop checks signals, in milliseconds. */
const WAIT_MS = 20;

/**
 * A stream in the form that the training loop expects, with functions that create the result and the checkpoints of
 * `fit.stream`.
 */
export interface Learning {
  readonly started: Started;
  finish(summary: RunSummary): Promise<object>;
  keep(snapshot: Snapshot, loop: JsonObject): Uint8Array;
}

type Stop = Pick<StreamOptions, "until" | "signal">;

/** Starts a stream with its first block. */
export async function begun(given: unknown, blocks: unknown, options: StreamOptions): Promise<Learning> {
  const model = checkModel(given);
  checkOptions(options);
  const source = iteratorOf(blocks);
  return closingOnFailure(source, async () => {
    const { value, done } = await abortable(Promise.resolve(source.next()), options.signal);
    if (done) throw new DataError("fit.stream", "the blocks hold no rows; give at least one block", "DATA_EMPTY");
    const { data, made } = firstBlock(value, options);
    refuseOneClass(data);
    const first = await initial(model, data, options);
    const learner = await openLearner(first.bytes, { ...first.online, ...(options.rule ? { rule: options.rule } : {}) });
    const reader = new BlockReader(learner.pipeline);
    const stream = new Stream(learner, source, reader, first.online.batch);
    stream.take(reader.rows(data));
    if (made) data.dispose();
    return learningOf(stream, learner, options, first.description);
  });
}

/** Continues a stream from a checkpoint. */
export async function resumed(from: string | Uint8Array | Blob, blocks: unknown, options: Stop): Promise<Learning> {
  checkKeys("fit.stream.resume", options, ["until", "signal"]);
  checkUntil(options.until);
  const source = iteratorOf(blocks);
  return closingOnFailure(source, async () => {
    const checkpoint = await readCheckpoint(from);
    const { loop, recipe } = checkpoint;
    if (!isObject(loop.stream)) {
      const message = "the checkpoint is not of a stream; use the verb that wrote it, e.g. fit.resume";
      throw new DataError("fit.stream.resume", message, "CHECKPOINT_KIND");
    }
    return fromCheckpoint(async () => {
      const bytes = typeof from === "string" || isBlob(from) ? from : from.slice();
      const learner = await openLearner(bytes);
      const stream = new Stream(learner, source, new BlockReader(learner.pipeline), learner.batch);
      const { description } = learner.predictor();
      return learningOf(stream, learner, options, { ...description, plan: recipe.plan }, checkpoint);
    });
  });
}

function checkModel(model: unknown): TrainableModel<Dataset, object> {
  const { name, trainable } = (model ?? {}) as TrainableModel<Dataset, object>;
  if ((name === "linear" || name === "network") && trainable) return model as TrainableModel<Dataset, object>;
  return refuse("fit.stream", "the model", model, "a linear model or a network", 'linear({ loss: "logistic" })');
}

function checkOptions(options: StreamOptions): void {
  checkKeys("fit.stream", options, ["rule", "batch", "seed", "table", "classes", "until", "signal"]);
  const { rule, batch = 1, seed = 0, until, classes } = options;
  if (rule !== undefined && !isRule(rule)) refuse("fit.stream", "rule", rule, "a rule", "adagrad({ rate: 0.1 })");
  checkNumber("fit.stream", "batch", batch, { low: 1, high: 65536, integer: true });
  checkNumber("fit.stream", "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  checkUntil(until);
  if (classes !== undefined && !(Array.isArray(classes) && new Set(classes).size > 1))
    refuse("fit.stream", "classes", classes, "a list of two classes or more", '["no", "yes"]');
}

function checkUntil(until: StreamOptions["until"]): void {
  if (until === undefined) return;
  checkKeys("fit.stream.until", until, ["updates", "seconds"]);
  if (Object.keys(until).length === 0)
    throw new OptionError(
      "fit.stream",
      "until is empty; give updates or seconds, or leave it out for all blocks",
      "OPTION_MISSING",
    );
  for (const [name, value] of Object.entries(until)) checkNumber("fit.stream.until", name, value, { low: 0, open: true });
}

function iteratorOf(blocks: unknown): AsyncIterator<unknown> {
  const of = (typeof blocks === "object" && blocks !== null ? blocks : {}) as Partial<AsyncIterable<unknown> & Iterable<unknown>>;
  const iterate = (of[Symbol.asyncIterator] ?? of[Symbol.iterator]) as (() => AsyncIterator<unknown>) | undefined;
  if (typeof iterate === "function") return iterate.call(blocks);
  return refuse("fit.stream", "blocks", blocks, "blocks to iterate over, sync or async", 'blocks("big.csv") of @ergodic/ingest');
}

function learningOf(
  stream: Stream,
  learner: RowLearner,
  { until }: Stop,
  chosen: JsonObject,
  resume?: { snapshot: Snapshot; loop: JsonObject },
): Learning {
  // A checkpoint does not contain the initial parameters of the stream.
  const start = resume ? undefined : learner.parameters();
  return {
    started: {
      progression: stream,
      // The length of a stream is not known in advance, so its single epoch ends when the stream ends.
      stopping: { until: { ...until, ...(until ? {} : { epochs: 2 }) }, validateEvery: 1, patience: undefined },
      chosen,
      ...(resume ? { resume } : {}),
    },
    finish: async (run) => {
      const findings = start ? await learner.worseThan(start) : [];
      return trained(learner.predictor(), { ...run, findings });
    },
    keep: (snapshot, loop) => learner.kept(snapshot, { ...loop, stream: {} }),
  };
}

/** Throws if the first block has only one class and neither the table nor the options list other classes. */
function refuseOneClass({ target, source }: Dataset): void {
  if (target.levels?.length !== 1) return;
  const message = `the first block holds only one class, ${JSON.stringify(target.levels[0])}; name all classes: classes: ["no", "yes"]`;
  throw new DataError(source, message, "DATA_TARGET");
}

/** Returns the initial model as a file. Its columns are those of the first block. */
async function initial(model: TrainableModel<Dataset, object>, data: Dataset, { rule, batch = 1, seed = 0 }: StreamOptions) {
  const kind = model.trainable;
  const options = { batch, seed, ...(rule ? { rule } : {}) };
  const given = { batch, seed, schedule: "ordered" as const, deterministic: true };
  const plan = resolvePlan("fit.stream", given, (await openEngine()).describe(), kind.defaults(options), kind.typeOf(data));
  const ready = model.prepare(data, plan);
  let problem: Problem | undefined;
  try {
    const prepared = ready.dataset;
    const engine = await openEngine({ deterministic: true, families: kind.families(options, { model, prepared }) });
    problem = model.bind(prepared, plan, engine);
    const algorithm = kind.choose(options, { model, prepared, problem, plan });
    refuseOthers(algorithm.toJSON(), rule);
    const progression = await algorithm.start(problem, plan, engine);
    const saved = model.save(prepared, progression.parameters());
    progression.dispose();
    const description = {
      ...saved.description,
      algorithm: algorithm.toJSON(),
      plan: plan as unknown as JsonObject,
    };
    const predictor = kind.predictor({ ...saved, description }) as { toBytes(): Uint8Array };
    return { bytes: predictor.toBytes(), description, online: { batch, seed } };
  } finally {
    problem?.dispose();
    ready.dispose();
  }
}

/** Throws for variance reduction, which visits rows repeatedly, and for rules that need the whole objective. */
function refuseOthers({ variance }: JsonObject, rule: Rule | undefined): void {
  if (variance === undefined && (rule === undefined || rule.kind === "equation")) return;
  throw new CapabilityError(
    "fit.stream",
    rule
      ? `${rule.name} needs an objective at several points, but each row comes only once; use sgd() or adagrad()`
      : "a group penalty needs variance reduction, which visits rows repeatedly, but rows of a stream come only once; give a rule, e.g. sgd({ rate: 0.01 })",
    "RULE_NEEDS_FULL_GRADIENT",
  );
}

/** Stream of blocks. A block is requested only when it is needed. */
class Stream implements Progression {
  readonly updatesPerStep = 1;
  converged: boolean | string = false;
  readonly #learner: RowLearner;
  readonly #source: AsyncIterator<unknown>;
  readonly #reader: BlockReader;
  readonly #batch: number;
  #waiting: Promise<IteratorResult<unknown>> | undefined;
  #block: BlockRows | undefined;
  /** Number of rows of the current block that have been learnt. */
  #at = 0;
  /** Number of rows of positive weight that have been learnt, and number of blocks that have been learnt completely. */
  #rows = 0;
  #blocks = 0;
  /** Progressive validation of the current block. */
  #seen: Seen;
  /** Number of rows still to be skipped after resuming from a checkpoint. */
  #passing = 0;
  /** Validation sums of the block that was incomplete when the checkpoint was written. */
  #kept: JsonObject = {};

  constructor(learner: RowLearner, source: AsyncIterator<unknown>, reader: BlockReader, batch: number) {
    this.#learner = learner;
    this.#source = source;
    this.#reader = reader;
    this.#batch = batch;
    this.#seen = new Seen(learner);
  }

  get step(): number {
    return this.#learner.updates;
  }

  /** Length of the only epoch. The length is infinite until the last block has been learnt. */
  get stepsPerEpoch(): number {
    return this.converged ? this.step : Infinity;
  }

  get updates(): number {
    return this.#learner.updates;
  }

  take(block: BlockRows): void {
    this.#block = block;
    this.#at = 0;
  }

  async advance(steps: number): Promise<Advance> {
    const made: Advance = { updates: 0, lossSum: 0, rows: 0 };
    const block = this.#block ?? (await this.#next());
    if (!block) return made;
    if (this.#passing > 0) {
      const passed = Math.min(this.#passing, block.rowCount - this.#at);
      this.#passing -= passed;
      this.#at += passed;
      if (this.#at === block.rowCount) this.#endBlock();
      else this.#seen = new Seen(this.#learner, this.#kept);
      return made;
    }
    const before = this.#learner.updates;
    const rows = block.slice(this.#at, Math.min(block.rowCount, this.#at + steps * this.#batch));
    await this.#learner.learn(rows, (loss, z, first, count) => {
      made.lossSum += loss;
      this.#seen.add(rows, loss, z, first, count);
    });
    this.#at += rows.rowCount;
    this.#rows += rows.rowCount;
    made.updates = this.#learner.updates - before;
    made.rows = rows.rowCount;
    if (this.#at === block.rowCount) {
      if (block.rowCount > 0) made.validation = this.#seen.measured();
      this.#endBlock();
    }
    return made;
  }

  #endBlock(): void {
    this.#block = undefined;
    this.#at = 0;
    this.#blocks++;
    this.#seen = new Seen(this.#learner);
  }

  /**
   * Returns the next block. If the block does not arrive soon, returns undefined so that the loop can check signals.
   */
  async #next(): Promise<BlockRows | undefined> {
    this.#waiting ??= Promise.resolve(this.#source.next());
    const found = await soon(this.#waiting);
    if (!found) return undefined;
    this.#waiting = undefined;
    if (found.done) {
      if (this.#passing > 0)
        throw new DataError(
          "fit.stream.resume",
          `the blocks ended ${this.#passing} rows before the checkpoint; give the same blocks, from their start`,
          "CHECKPOINT_DATA",
        );
      if (this.#rows === 0)
        throw new DataError("fit.stream", "all rows of the blocks have weight 0; give rows with positive weights", "DATA_EMPTY");
      this.converged = "the blocks ended";
      return undefined;
    }
    this.take(this.#reader.read(found.value));
    return this.#block;
  }

  parameters(): Float64Array {
    return this.#learner.parameters();
  }

  report(): Record<string, number> {
    return { ...this.#learner.report(), rows: this.#rows, blocks: this.#blocks };
  }

  snapshot(): Snapshot {
    const { tensors, state } = this.#learner.snapshot();
    return { tensors, state: { ...state, rows: this.#rows, seen: this.#seen.toJSON() } };
  }

  restore(snapshot: Snapshot): void {
    this.#learner.putBack(snapshot);
    const kept = new KeptPart("the stream", snapshot);
    this.#rows = kept.count("rows");
    this.#passing = this.#rows;
    this.#kept = kept.object("seen");
  }

  dispose(): void {
    this.#learner.dispose();
    this.#waiting?.catch(() => undefined);
    // The source closes its own files.
    Promise.resolve(this.#source.return?.()).catch(() => undefined);
  }
}

/** Returns the value of `promise` if it arrives within WAIT_MS. */
async function soon<T>(promise: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | number | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, WAIT_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function abortable<T>(promise: Promise<T> | T, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  signal.throwIfAborted();
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function closingOnFailure<T>(source: AsyncIterator<unknown>, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    Promise.resolve(source.return?.()).catch(() => undefined);
    throw error;
  }
}
