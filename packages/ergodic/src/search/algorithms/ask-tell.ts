import type { JsonObject, Snapshot, Tensor } from "../../engine/contract/index.ts";
import { checkAlgorithm, checkBoolean } from "../../engine/errors/checks.ts";
import { checkKeys, checkNumber, ErgodicError, OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import { stream } from "../../engine/random/stream.ts";
import { Batch } from "./batch.ts";
import { cmaEs } from "./cma-es.ts";
import type { SearchAlgorithm, SearchState } from "./search.ts";
import { Space, type SpaceOptions, spaceKeys } from "./space.ts";

/** Options of `search`: the space, the algorithm, and how noise is handled. */
export interface SearchOptions extends SpaceOptions {
  /** Search algorithm, e.g. nelderMead(). Default cmaEs(). */
  algorithm?: SearchAlgorithm;
  /** Seed of the search's random numbers. Default 0; a whole number >= 0. */
  seed?: number;
  /** Evaluation budget in total. Cooling and other schedules depend on this budget. Default: no limit. */
  evaluations?: number;
  /** Number of evaluations per point. The point's value is their mean. Default 1; a whole number >= 1. */
  repeat?: number;
  /** Whether the i-th repetitions of all points in a batch share a seed. Only the points then differ. Default false. */
  commonRandomNumbers?: boolean;
}

export const searchKeys = [...spaceKeys, "algorithm", "seed", "evaluations", "repeat", "commonRandomNumbers"];

/** Evaluation to be made. */
export interface Asked {
  /** Index of the evaluation, as passed to `tell`. */
  id: number;
  /** Copy of the point. */
  x: Float64Array;
  /** Seed of 32 bits, for an objective that draws random numbers. */
  seed: number;
}

/** Best point so far, and its value. */
export interface Best {
  /** Best point in the user's space. */
  x: Float64Array;
  /** Mean of its evaluations. */
  value: number;
}

/** History of every point, in order. */
export interface History {
  /** Number of evaluations made until each point was complete, including those of the point itself. */
  evaluations: Float64Array;
  /** Value of each point, NaN if it failed. */
  values: Float64Array;
  /** Best value among the points up to and including each point. */
  best: Float64Array;
}

/** Maximum number of injected points that can wait for the end of a batch. */
const MOST_WAITING = 2 ** 24;

/** First evaluation of the best point. A resumed run repeats this evaluation to detect a different function. */
interface Probe {
  id: number;
  seed: number;
  value: number;
}

/**
 * Ask and tell: a search that leaves evaluations to a loop (minimize.ts), a cluster, or a person at a lab bench.
 *
 * Points are in the user's space (space.ts); evaluations have the indices 0, 1, 2 … in the order of requests. Values
 * can be told in any order. The algorithm learns a batch only when all its values are known, and it learns the values
 * in the order of the points. The order of `tell` calls and the size of each `ask` therefore do not change the result.
 *
 * Noise: with `repeat` k, a point's value is the mean of k evaluations. Every evaluation has its own seed. With
 * `commonRandomNumbers`, the i-th repetitions of all points of a batch share a seed, so that they differ only in their
 * points.
 *
 * NaN, or `fail`, is a failed evaluation: it counts, and is worse than every number, like +Infinity. −Infinity ends the
 * search.
 *
 * @throws OptionError for invalid options and tells; ErgodicError [SEARCH_DIVERGED] if a proposed point is NaN
 */
export class Search {
  protected static readonly typeName: string = "Search";
  /** Search algorithm. */
  readonly algorithm: SearchAlgorithm;
  /** Space that is searched. */
  readonly space: Space;
  /** Number of evaluations whose values were told, excluding injected points. */
  evaluations = 0;
  /** Number of evaluations that failed. */
  failed = 0;
  private readonly state: SearchState;
  private readonly seeds: ReturnType<typeof stream>;
  private readonly options: { seed: number; evaluations: number; repeat: number; commonRandomNumbers: boolean };
  private limit: number;
  /** Values of all points in the batches before the open batch. */
  private values: number[] = [];
  private batch: Batch | undefined;
  /** State of the algorithm before it proposed the open batch. Undefined if the proposal did not change the state. */
  private before: Snapshot | undefined;
  /** Points injected while a batch is open. The algorithm learns these points after the batch has ended. */
  private waiting: { z: Float64Array; value: number }[] = [];
  /** Best point. `point`: index of the point; −1 if it was injected. */
  private found: { x: Float64Array; value: number; point: number; first?: Probe } | undefined;

  constructor(where: string, given: SearchOptions) {
    const { algorithm = cmaEs(), seed = 0, evaluations = Infinity, repeat = 1, commonRandomNumbers = false } = given;
    checkAlgorithm(where, "algorithm", algorithm, "minimize", "cmaEs()");
    checkNumber(where, "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
    if (evaluations !== Infinity) checkNumber(where, "evaluations", evaluations, { low: 1, integer: true });
    checkNumber(where, "repeat", repeat, { low: 1, integer: true });
    checkBoolean(where, "commonRandomNumbers", commonRandomNumbers);
    this.space = new Space(where, given);
    this.algorithm = algorithm;
    this.options = { seed, evaluations, repeat, commonRandomNumbers };
    this.limit = evaluations;
    this.seeds = stream(seed, "search", "evaluations");
    const { count, lower, upper } = this.space;
    this.state = algorithm.start({
      start: new Float64Array(count),
      lower,
      upper,
      budget: Math.max(1, Math.floor(evaluations / repeat)),
      stream: stream(seed, "search", "algorithm"),
    });
  }

  /** Reason why the search ended; null while it continues. */
  get stopped(): string | null {
    if (this.found?.value === -Infinity) return "the value is -Infinity, the lowest possible";
    return this.state.stopped ?? (this.evaluations >= this.limit ? "all evaluations made" : null);
  }

  /** Point with the lowest value so far, or the first such point. Undefined before the first value. */
  get best(): Best | undefined {
    return this.found && { x: this.found.x.slice(), value: this.found.value };
  }

  /** The algorithm's own estimate of the minimum, if any. For noisy functions, it is better than the best point. */
  get centre(): Float64Array | undefined {
    const z = this.state.centre?.();
    return z && this.space.toUser(z);
  }

  /** History of the points in order, which ends before the first missing point. */
  get history(): History {
    const open = this.batch?.values() ?? [];
    const missing = open.indexOf(undefined);
    const values = Float64Array.from([...this.values, ...(missing < 0 ? open : open.slice(0, missing))] as number[]);
    let least = Infinity;
    return {
      evaluations: values.map((_, i) => (i + 1) * this.options.repeat),
      values,
      best: values.map((value) => {
        if (value < least) least = value;
        return least;
      }),
    };
  }

  /**
   * Returns the next evaluations to make: at most `count`, or all that remain in the batch if `count` is not given.
   * Returns an empty list if the batch still waits for values, if the budget is used up, or if the search has stopped.
   */
  ask(count = Infinity): Asked[] {
    if (count !== Infinity) checkNumber("search.ask", "count", count, { low: 1, integer: true });
    if (this.stopped !== null) return [];
    this.batch ??= this.open();
    const { batch } = this;
    return batch.take(Math.min(count, this.limit - batch.first - batch.asked)).map((id) => this.evaluation(batch, id));
  }

  /** Evaluations that were requested but have no value yet. A restored search waits for these values. */
  get pending(): Asked[] {
    const { batch } = this;
    if (!batch) return [];
    const asked = Array.from({ length: batch.asked }, (_, i) => batch.first + i);
    return asked.filter((id) => !batch.has(id)).map((id) => this.evaluation(batch, id));
  }

  /** Sets a new total evaluation budget. Schedules still follow the first budget. */
  grant(evaluations: number): void {
    if (evaluations !== Infinity) checkNumber("search.grant", "evaluations", evaluations, { low: 1, integer: true });
    this.limit = evaluations;
  }

  /** Reports the value of an evaluation, given its id, or the value of a point that the search did not request. */
  tell(what: number | ArrayLike<number>, value: number): void {
    if (typeof value !== "number") {
      throw new OptionError(
        "search.tell",
        `the value is ${describe(value)}, but must be a number, NaN for a failure`,
        "SEARCH_VALUE",
      );
    }
    if (typeof what === "number") this.book(what, value);
    else this.inject(what, value);
  }

  /** Tells the search that an evaluation failed. A failed evaluation counts as worse than every number. */
  fail(id: number): void {
    this.book(id, Number.NaN);
  }

  /** Returns numbers that show the progress of the search. */
  report(): Record<string, number> {
    return {
      ...this.state.report(),
      evaluations: this.evaluations,
      failed: this.failed,
      best: this.found?.value ?? Number.NaN,
    };
  }

  /** Returns the complete state, including the pending evaluations. A restored search waits for the same ids. */
  snapshot(): Snapshot {
    const { batch, before } = this;
    const kept = batch && before ? before : this.state.snapshot();
    // The name "best" is not used here, because the loop stores its own parameters under that name.
    const tensors: Record<string, Tensor> = { values: Float64Array.from(this.values) };
    for (const [name, tensor] of Object.entries(kept.tensors)) tensors[`algorithm.${name}`] = tensor;
    if (batch) tensors.told = batch.told.slice();
    if (this.found) {
      tensors.bestX = this.found.x.slice();
      tensors.bestValue = Float64Array.of(this.found.value);
      const { first } = this.found;
      if (first) tensors.bestFirst = Float64Array.of(first.id, first.seed, first.value);
    }
    for (const [i, { z, value }] of this.waiting.entries()) tensors[`waiting.${i}`] = Float64Array.of(value, ...z);
    return {
      tensors,
      state: {
        of: this.toJSON(),
        algorithm: kept.state,
        evaluations: this.evaluations,
        failed: this.failed,
        limit: Number.isFinite(this.limit) ? this.limit : null,
        asked: batch ? batch.asked : null,
        bestPoint: this.found?.point ?? null,
        waiting: this.waiting.length,
      },
    };
  }

  /** Continues from a snapshot, bit for bit. @throws OptionError [SEARCH_OTHER] for the snapshot of another search */
  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the search", snapshot);
    this.refuseOther(kept.object("of"));
    this.state.restore(kept.part("the search's algorithm", "algorithm.", kept.object("algorithm")).snapshot);
    const { count } = this.space;
    const values = Array.from(kept.floats("values"));
    this.values = values;
    this.evaluations = kept.count("evaluations");
    this.failed = kept.count("failed", 0, this.evaluations);
    this.limit = kept.state.limit === null ? Infinity : kept.count("limit", 1);
    this.found = undefined;
    if (kept.state.bestPoint !== null) {
      const [value] = kept.floats("bestValue", 1);
      this.found = { x: kept.floats("bestX", count).slice(), value, point: kept.count("bestPoint", -1) };
      if (Number.isNaN(value)) kept.refuse("its best value is NaN");
      if (kept.has("bestFirst")) {
        const [id, seed, first] = kept.floats("bestFirst", 3);
        this.found.first = { id, seed, value: first };
      }
    }
    this.waiting = Array.from({ length: kept.count("waiting", 0, MOST_WAITING) }, (_, i) => {
      const [value, ...z] = kept.floats(`waiting.${i}`, 1 + count);
      return { z: Float64Array.from(z), value };
    });
    this.batch = undefined;
    const { repeat } = this.options;
    let told = 0;
    if (kept.state.asked !== null) {
      const batch = this.open();
      const size = batch.points.length * repeat;
      const known = kept.floats("told", 2 * size);
      if (known.subarray(size).some((one) => one !== 0 && one !== 1)) kept.refuse("the flags of told evaluations must be 0 or 1");
      this.batch = new Batch(batch.points, batch.first, repeat, kept.count("asked", 0, size), known);
      told = known.subarray(size).reduce((sum, one) => sum + one, 0);
      if (told === size) kept.refuse("its batch is complete, but open");
    }
    const made = values.length * repeat + told;
    if (this.evaluations !== made) kept.refuse(`evaluations is ${this.evaluations}, but it holds ${made} values`);
  }

  /** Returns JSON from which the same search can be made. */
  toJSON(): JsonObject {
    const { evaluations, ...others } = this.options;
    return {
      space: this.space.toJSON(),
      algorithm: this.algorithm.toJSON(),
      evaluations: Number.isFinite(evaluations) ? evaluations : null,
      ...others,
    };
  }

  private open(): Batch {
    this.before = this.state.proposesPurely ? undefined : this.state.snapshot();
    const { repeat } = this.options;
    return new Batch(this.state.proposal?.() ?? this.state.propose(), this.values.length * repeat, repeat);
  }

  private evaluation(batch: Batch, id: number): Asked {
    const { point, repetition } = batch.place(id);
    const draw = this.options.commonRandomNumbers ? batch.first + repetition : id;
    return { id, x: this.userPoint(batch.point(point)), seed: this.seeds.at(draw).bits() };
  }

  private userPoint(z: Float64Array): Float64Array {
    const x = this.space.toUser(z);
    const wrong = x.findIndex(Number.isNaN);
    if (wrong < 0) return x;
    throw new ErgodicError(
      this.algorithm.name,
      `coordinate ${wrong} of a proposed point is not finite after ${this.evaluations} evaluations: the search diverged; use a smaller rate or step size, or bounds`,
      "SEARCH_DIVERGED",
    );
  }

  private book(id: number, value: number): void {
    const { batch } = this;
    const last = this.values.length * this.options.repeat;
    if (!Number.isInteger(id) || id < 0 || id >= last + (batch?.asked ?? 0))
      throw new OptionError("search.tell", `id ${String(id)} was never asked for; tell the ids that ask() gave`, "SEARCH_ID");
    if (!batch || id < batch.first || batch.has(id))
      throw new OptionError("search.tell", `id ${id} was told before; tell each once`, "SEARCH_TOLD");
    batch.tell(id, value);
    this.evaluations++;
    if (Number.isNaN(value)) this.failed++;
    const { point } = batch.place(id);
    const mean = batch.valueOf(point);
    const at = batch.first + point * this.options.repeat;
    const first = (): Probe => ({ id: at, seed: this.evaluation(batch, at).seed, value: batch.told[at - batch.first] });
    if (mean !== undefined) this.note(mean, this.values.length + point, () => this.space.toUser(batch.point(point)), first);
    if (batch.complete) this.close(batch);
  }

  private inject(x: ArrayLike<number>, value: number): void {
    const z = this.space.toInternal("search.tell", x);
    this.note(value, -1, () => Float64Array.from(x));
    if (!this.state.inject) return;
    const point = { z, value: usable(value) };
    if (this.batch) this.waiting.push(point);
    else this.state.inject(point.z, point.value);
  }

  /** Remembers the best point. Among equal values, the point that was requested first is best. */
  private note(value: number, point: number, x: () => Float64Array, probe?: () => Probe): void {
    const { found } = this;
    const first = found && found.value === value && point >= 0 && found.point > point;
    if (!(value < (found?.value ?? Infinity) || first)) return;
    this.found = { x: x(), value, point, ...(probe ? { first: probe() } : {}) };
  }

  private close(batch: Batch): void {
    const values = batch.values() as number[];
    for (const value of values) this.values.push(value);
    this.batch = undefined;
    this.before = undefined;
    const points = Array.from(values, (_, point) => batch.point(point));
    this.state.update(points, Float64Array.from(values, usable));
    for (const { z, value } of this.waiting.splice(0)) this.state.inject?.(z, value);
  }

  private refuseOther(of: JsonObject): void {
    if (JSON.stringify(of) === JSON.stringify(this.toJSON())) return;
    throw new OptionError(
      "search.restore",
      "the snapshot is of a search with other options; give it the same space, algorithm, seed, evaluations and repeat",
      "SEARCH_OTHER",
    );
  }
}

/** Replaces NaN and −Infinity, because algorithms cannot compute with them. */
function usable(value: number): number {
  return Number.isNaN(value) ? Infinity : Math.max(value, -Number.MAX_VALUE);
}

function describe(value: unknown): string {
  return shown(value);
}

/**
 * Ask and tell: a search whose points you evaluate yourself, for example on a cluster or at a lab bench.
 *
 * Lower values are better; NaN, or `fail(id)`, is a failed evaluation. Values can be told in any order. @throws
 * OptionError
 *
 * @example
 * ```ts
 * const s = search({ bounds: [[0, 1], [1e-4, 1]], scale: ["linear", "log"], algorithm: cmaEs(), seed: 1 });
 * while (!s.stopped) for (const { id, x } of s.ask()) s.tell(id, f(x));
 * s.best; // { x, value }
 * ```
 */
export function search(options: SearchOptions): Search {
  checkKeys("search", options, searchKeys);
  return new Search("search", options);
}
