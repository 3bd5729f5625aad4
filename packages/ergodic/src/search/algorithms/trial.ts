import { ErgodicError, OptionError } from "../../engine/errors/errors.ts";
import type { Measured } from "./halving.ts";

/** Properties that the ticks of a trial must have. */
export interface TrialTick {
  /** Number of passes over the data so far. */
  readonly epoch: number;
  /** Training loss. */
  readonly loss?: number;
  /** Metrics on held-out rows. */
  readonly validation?: { readonly loss?: number };
}

/** Context that `tune` passes to the function that starts a trial. */
export interface TrialContext {
  /** Seed of 32 bits, derived from the tuning run's seed and the trial's index. */
  seed: number;
  /** Signal that is aborted when the trial is stopped, or the tuning ends. */
  signal: AbortSignal;
  /** Index of the trial, from 0. */
  trial: number;
}

/** Starts a run. The function must not be async, because a promise of a run would resolve to the run's result. */
export type MakeTrial<K extends string = string, T extends TrialTick = TrialTick> = (
  settings: Record<K, number>,
  context: TrialContext,
) => AsyncIterable<T>;

/**
 * A trial: a run with given settings. `tune` watches its ticks until the trial finishes, is stopped, or fails. To stop
 * a trial, `tune` aborts its signal and waits for its end. A trial fails if it diverges or a loss is not finite.
 *
 * @throws errors of the run, unless it diverged; OptionError [TUNE_NO_LOSS] if no tick reported a loss
 */
export interface Trial<K extends string = string> {
  /** Index of the trial, from 0. */
  number: number;
  /** Settings of the trial. */
  settings: Record<K, number>;
  /** Value of the trial; NaN if it failed. */
  value: number;
  /** State in which it ended. */
  state: "finished" | "stopped" | "failed";
  /** Epoch of the rung at which the trial was stopped, if it was stopped. */
  rung?: number;
  /** Number of epochs up to the last measurement of the trial. */
  epochs: number;
  /** Measurements of the trial. */
  losses: Measured[];
}

/** Error codes of runs that diverged because of their settings, rather than because of a fault. */
const divergences = ["RUN_DIVERGED", "MODEL_SATURATED", "SEARCH_DIVERGED"];

/** Functions that make and watch a trial. */
export interface Watched {
  make: MakeTrial;
  measure(tick: TrialTick): number | undefined;
  /** Determines whether the trial's value is its last loss or its best loss. */
  value: "last" | "best";
  /** Called after each measurement. Returns the rung at which the trial must stop, or undefined to continue. */
  judge(losses: readonly Measured[]): number | undefined;
  /** List to which each measurement is added. */
  losses: Measured[];
}

type Ending = Pick<Trial, "state" | "rung">;

export async function runTrial(
  settings: Record<string, number>,
  { seed, signal, trial: number }: TrialContext,
  watched: Watched,
): Promise<Trial> {
  const { losses } = watched;
  const stop = new AbortController();
  const pass = (): void => stop.abort(signal.reason);
  signal.addEventListener("abort", pass);
  try {
    const run: unknown = watched.make({ ...settings }, { seed, signal: stop.signal, trial: number });
    if (!isIterable(run)) throw notARun(run);
    const ending = await watch(run, watched, stop);
    if (ending.state === "finished" && losses.length === 0) throw withoutLoss();
    const value = valueAmong(ending.state, losses, watched.value);
    return { number, settings, value, ...ending, epochs: losses.at(-1)?.epoch ?? 0, losses };
  } finally {
    signal.removeEventListener("abort", pass);
  }
}

async function watch(run: AsyncIterable<TrialTick>, { measure, judge, losses }: Watched, stop: AbortController): Promise<Ending> {
  let ending: Ending | undefined;
  try {
    for await (const tick of run) {
      const loss = measure(tick);
      if (loss === undefined) continue;
      if (Number.isFinite(loss)) losses.push({ epoch: tick.epoch, loss });
      const rung = Number.isFinite(loss) ? judge(losses) : undefined;
      if (rung !== undefined) ending = { state: "stopped", rung };
      else if (!Number.isFinite(loss)) ending = { state: "failed" };
      if (!ending) continue;
      stop.abort(new ErgodicError("tune", "the trial is stopped", "TUNE_STOPPED"));
      break;
    }
    // Before the next trial begins, wait until the run has freed its resources.
    await run;
  } catch (error) {
    // If a run was stopped, it ends with an error, which is expected.
    if (ending) return ending;
    if (!divergences.includes((error as Partial<ErgodicError>).code ?? "")) throw error;
    return { state: "failed" };
  }
  return ending ?? { state: "finished" };
}

function valueAmong(state: Trial["state"], losses: readonly Measured[], value: "last" | "best"): number {
  if (state === "failed") return Number.NaN;
  const values = losses.map(({ loss }) => loss);
  return value === "best" ? values.reduce((a, b) => Math.min(a, b), Infinity) : values[values.length - 1];
}

function isIterable(value: unknown): value is AsyncIterable<TrialTick> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

function notARun(value: unknown): OptionError {
  const given = typeof (value as Partial<PromiseLike<unknown>> | null)?.then === "function" ? "a promise" : String(value);
  return new OptionError(
    "tune",
    `make gave ${given}, but must give a run: an async iterable of ticks, such as fit(…); do not await it, and leave async out`,
    "OPTION_TYPE",
  );
}

function withoutLoss(): OptionError {
  return new OptionError(
    "tune",
    "no tick of a finished run has validation.loss; give the run validate, or measure: (tick) => tick.loss",
    "TUNE_NO_LOSS",
  );
}

/** Returns an error that names a run's settings and has the run's error as its cause. */
export function inContext(number: number, settings: Record<string, number>, cause: unknown): Error {
  if (cause instanceof OptionError && cause.where === "tune") return cause;
  const shown = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ErgodicError(
    "tune",
    `trial ${number} (${shown.join(", ")}) failed: ${reason}; fix it, and resume from a checkpoint`,
    "TUNE_THROWN",
    { cause },
  );
}
