import type { Advance, Progression, Snapshot } from "../../engine/contract/index.ts";
import { assert, ErgodicError, OptionError } from "../../engine/errors/errors.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import type { Asked, Search } from "./ask-tell.ts";

/**
 * Arguments of f besides x: a seed, a signal that is aborted when the run ends, and the index of the evaluation, from
 * 0.
 */
export interface BlackBoxContext {
  /** Seed of 32 bits, for an objective that draws random numbers. */
  seed: number;
  /** Signal that is aborted when the run ends. */
  signal: AbortSignal;
  /** Index of the evaluation, from 0. */
  evaluation: number;
}

/** Returns the value at x, which is a copy. Lower values are better, and NaN is a failed evaluation. */
export type BlackBox = (x: Float64Array, context: BlackBoxContext) => number | Promise<number>;

export interface EvaluationOptions {
  concurrency: number;
  /** Value at or below which the run ends. */
  target: number | undefined;
  /** Evaluation budget, which includes evaluations made before a checkpoint. */
  evaluations: number;
  signal: AbortSignal | undefined;
  /** Called last, when the run has ended. */
  dispose?(): void;
}

/** Name under which a snapshot stores the value of the last evaluation. */
const LAST = "lastValue";

/** An evaluation whose value the search has not yet received. */
interface Flight {
  id: number;
  x: Float64Array;
  value?: number;
}

/**
 * Adapts a search to the loop: a step is one evaluation of f.
 *
 * Up to `concurrency` evaluations are in progress at a time, even between two calls to `advance`. The search receives
 * values in the order of their indices. Therefore, neither the moment at which a target stops the run nor the contents
 * of a checkpoint depends on the order in which evaluations end. If an evaluation is in progress when a run is
 * checkpointed, the resumed run repeats it.
 */
export class Evaluation implements Progression {
  readonly stepsPerEpoch = Infinity;
  readonly updatesPerStep = 1;
  private readonly search: Search;
  private readonly f: BlackBox;
  private readonly options: EvaluationOptions;
  /** Evaluations in the order of their indices. */
  private readonly flights: Flight[] = [];
  private unfinished = 0;
  /** Evaluations requested before a checkpoint. They must be repeated. */
  private again: Asked[] = [];
  private failure: { error: unknown } | undefined;
  private value = Number.NaN;
  private wake: () => void = () => {};
  private readonly end = new AbortController();
  private readonly onAbort = (): void => this.fail(this.options.signal?.reason);

  constructor(search: Search, f: BlackBox, options: EvaluationOptions) {
    this.search = search;
    this.f = f;
    this.options = options;
    search.grant(options.evaluations);
    options.signal?.addEventListener("abort", this.onAbort);
  }

  get step(): number {
    return this.search.evaluations;
  }

  get updates(): number {
    return this.search.evaluations;
  }

  get converged(): string | false {
    const { target } = this.options;
    const { best, stopped } = this.search;
    if (target !== undefined && best && best.value <= target) return `the target of ${target} is reached`;
    return stopped ?? false;
  }

  async advance(steps: number): Promise<Advance> {
    let updates = 0;
    while (updates < steps && !this.converged) {
      this.launch();
      if (this.failure) throw this.failure.error;
      const next = this.flights[0];
      assert(next, "a search that goes on has nothing to evaluate");
      if (next.value === undefined) {
        await new Promise<void>((resolve) => (this.wake = resolve));
        continue;
      }
      this.flights.shift();
      this.value = next.value;
      this.search.tell(next.id, next.value);
      updates++;
    }
    // report() gives the loss: the best value, not a mean.
    return { updates, lossSum: 0, rows: 0 };
  }

  /**
   * Returns the best point.
   * @throws ErgodicError [SEARCH_NO_VALUE] if every evaluation failed
   */
  parameters(): Float64Array {
    const { best, evaluations } = this.search;
    if (best) return best.x;
    throw new ErgodicError(
      "minimize",
      `none of ${evaluations} evaluations gave a number below Infinity; start where f has a value, or let f return one`,
      "SEARCH_NO_VALUE",
    );
  }

  snapshot(): Snapshot {
    const { tensors, state } = this.search.snapshot();
    return { tensors: { ...tensors, [LAST]: Float64Array.of(this.value) }, state };
  }

  restore(snapshot: Snapshot): void {
    this.search.restore(snapshot);
    const kept = new KeptPart("the search", snapshot);
    // Older checkpoints lack it.
    if (kept.has(LAST)) [this.value] = kept.floats(LAST, 1);
    this.search.grant(this.options.evaluations);
    this.again = this.search.pending;
  }

  report(): Record<string, number> {
    const report = this.search.report();
    return { ...report, value: this.value, loss: report.best };
  }

  dispose(): void {
    this.options.signal?.removeEventListener("abort", this.onAbort);
    this.end.abort(new ErgodicError("minimize", "the run has ended", "RUN_ENDED"));
    this.options.dispose?.();
  }

  /**
   * Starts evaluations until enough of them are in progress, or until the value that the search needs next is known.
   * Because of the second condition, an f that returns plain numbers is not called in advance.
   */
  private launch(): void {
    const { concurrency } = this.options;
    while (this.unfinished < concurrency && this.flights[0]?.value === undefined && !this.failure) {
      const asked = this.again.shift() ?? this.search.ask(1)[0];
      if (!asked) return;
      this.start(asked);
    }
  }

  private start({ id, x, seed }: Asked): void {
    const flight: Flight = { id, x };
    this.flights.push(flight);
    const settle = (value: unknown): void => {
      if (typeof value === "number") flight.value = value;
      else this.fail(notANumber(x, value));
    };
    try {
      const made: unknown = this.f(x.slice(), { seed, signal: this.end.signal, evaluation: id });
      if (!isThenable(made)) {
        settle(made);
        return;
      }
      this.unfinished++;
      made
        .then(settle, (cause: unknown) => this.fail(threw(x, cause)))
        .then(() => {
          this.unfinished--;
          this.wake();
        });
    } catch (cause) {
      this.fail(threw(x, cause));
    }
  }

  /** Only the first failure is reported. */
  private fail(error: unknown): void {
    this.failure ??= { error };
    if (this.options.signal?.aborted) this.end.abort(this.options.signal.reason);
    this.wake();
  }
}

/** Relative tolerance, because builds and hosts round differently. */
const SAME = 1e-9;

/**
 * Evaluates the best point of a snapshot again. If f returns a different value than before, the point is evaluated once
 * more. If the two new values are equal, f is a different function. If the two new values differ, f is noisy, and
 * nothing can be concluded.
 *
 * @throws OptionError [CHECKPOINT_FUNCTION]; ErgodicError [SEARCH_THROWN] if f fails
 */
export async function refuseOtherFunction(f: BlackBox, snapshot: Snapshot, signal = new AbortController().signal): Promise<void> {
  const kept = new KeptPart("the search", snapshot);
  if (!kept.has("bestFirst")) return;
  const [evaluation, seed, value] = kept.floats("bestFirst", 3);
  const x = kept.floats("bestX");
  const again = async (): Promise<number> => {
    try {
      const given: unknown = await f(x.slice(), { seed, signal, evaluation });
      if (typeof given === "number") return given;
      throw notANumber(x, given);
    } catch (cause) {
      throw cause instanceof OptionError ? cause : threw(x, cause);
    }
  };
  const found = await again();
  const isSame = (other: number): boolean =>
    Object.is(found, other) || Math.abs(found - other) <= SAME * Math.max(Math.abs(found), Math.abs(other), Number.MIN_VALUE);
  if (isSame(value) || !isSame(await again())) return;
  throw new OptionError(
    "minimize.resume",
    `f gives ${found} at the best point, x = ${shown(x)}, but gave ${value} when the checkpoint was made; give the function that it was made with`,
    "CHECKPOINT_FUNCTION",
  );
}

function isThenable(value: unknown): value is Promise<unknown> {
  return typeof value === "object" && value !== null && typeof (value as Partial<Promise<unknown>>).then === "function";
}

function threw(x: Float64Array, cause: unknown): ErgodicError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ErgodicError(
    "minimize",
    `f failed at x = ${shown(x)}: ${reason}; let it return NaN where it has no value, or fix it and resume from a checkpoint`,
    "SEARCH_THROWN",
    { cause },
  );
}

function notANumber(x: Float64Array, value: unknown): OptionError {
  return new OptionError(
    "minimize",
    `f gave ${String(value)} at x = ${shown(x)}, but must give a number, or NaN where it has no value`,
    "SEARCH_VALUE",
  );
}

function shown(x: Float64Array): string {
  return `[${[...x.subarray(0, 10)].join(", ")}${x.length > 10 ? `, … ${x.length} in all` : ""}]`;
}
