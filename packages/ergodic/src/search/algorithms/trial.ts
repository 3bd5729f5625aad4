import { ErgodicError, OptionError } from "../../engine/errors/errors.ts";
import type { Measured } from "./halving.ts";

/** What a tick of a trial must tell. */
export interface TrialTick {
  /** Passes over the data so far. */
  readonly epoch: number;
  /** The training loss. */
  readonly loss?: number;
  /** Numbers measured on held-out rows. */
  readonly validation?: { readonly loss?: number };
}

/** What `tune` hands to the function that starts a trial. */
export interface TrialContext {
  /** 32 bits, by the seed of the tuning and the trial's number. */
  seed: number;
  /** Aborted where the trial is stopped, or the tuning ends. */
  signal: AbortSignal;
  /** From 0. */
  trial: number;
}

/** Starts a run. Not async: a promise of a run would be the promise of its result. */
export type MakeTrial<K extends string = string, T extends TrialTick = TrialTick> = (
  settings: Record<K, number>,
  context: TrialContext,
) => AsyncIterable<T>;

/**
 * One trial: a run with given settings, watched by its ticks until it finishes, is stopped (its signal is aborted, then its end
 * awaited), or fails: it diverged, or a loss is not finite.
 *
 * @throws what the run throws, unless it diverged; OptionError [TUNE_NO_LOSS] where no tick told a loss
 */
export interface Trial<K extends string = string> {
  /** Number of the trial, from 0. */
  number: number;
  /** Its settings. */
  settings: Record<K, number>;
  /** NaN where it failed. */
  value: number;
  /** How it ended. */
  state: "finished" | "stopped" | "failed";
  /** Where it was stopped, in epochs. */
  rung?: number;
  /** Epochs until its last measurement. */
  epochs: number;
  /** Its measurements. */
  losses: Measured[];
}

/** The settings were too bold: no fault of the run's. */
const divergences = ["RUN_DIVERGED", "MODEL_SATURATED", "SEARCH_DIVERGED"];

/** How a trial is made and watched. */
export interface Watched {
  make: MakeTrial;
  measure(tick: TrialTick): number | undefined;
  /** Which of its losses is its value. */
  value: "last" | "best";
  /** Called after each measurement: the rung at which the trial must stop. */
  judge(losses: readonly Measured[]): number | undefined;
  /** Booked as they come. */
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
    // What it holds is given back before the next trial begins.
    await run;
  } catch (error) {
    // A run that was told to stop says so.
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

/** The error of a run, with the settings under which it arose. */
export function inContext(number: number, settings: Record<string, number>, cause: unknown): Error {
  if (cause instanceof OptionError && cause.where === "tune") return cause;
  const shown = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ErgodicError(
    "tune",
    `trial ${number} (${shown.join(", ")}) failed: ${reason}; mend it, and resume from a checkpoint`,
    "TUNE_THROWN",
    { cause },
  );
}
