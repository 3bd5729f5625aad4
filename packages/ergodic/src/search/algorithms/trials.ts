import type { Advance, JsonObject, Progression, Snapshot } from "../../engine/contract/index.ts";
import { ErgodicError } from "../../engine/errors/errors.ts";
import { isObject, KeptPart } from "../../engine/loop/kept-part.ts";
import type { Search } from "./ask-tell.ts";
import { type BlackBoxContext, Evaluation } from "./evaluation.ts";
import type { Halving, Measured } from "./halving.ts";
import { inContext, type MakeTrial, runTrial, type Trial, type TrialTick } from "./trial.ts";

export interface TrialsOptions {
  names: readonly string[];
  make: MakeTrial;
  measure(tick: TrialTick): number | undefined;
  value: "last" | "best";
  halving: Halving | undefined;
  trials: number;
  target: number | undefined;
  concurrency: number;
  signal: AbortSignal | undefined;
}

/**
 * Adapts tuning to the loop. A step is one trial, which is a run with the settings that the search proposed.
 *
 * The search learns a trial's value, NaN if it failed (trial.ts). Errors of runs end the tuning. A snapshot contains
 * the trials that have ended. Trials in progress are restarted.
 */
export class Trials implements Progression {
  readonly stepsPerEpoch = Infinity;
  readonly updatesPerStep = 1;
  private readonly search: Search;
  private readonly options: TrialsOptions;
  private readonly evaluation: Evaluation;
  /** Trials that ended, by index. */
  private readonly ended = new Map<number, Trial>();
  /** Measurements of the trials that are in progress, by index. */
  private readonly live = new Map<number, Measured[]>();
  private failure: Error | undefined;
  private last = Number.NaN;

  constructor(search: Search, options: TrialsOptions) {
    this.search = search;
    this.options = options;
    const { concurrency, trials: evaluations, signal } = options;
    this.evaluation = new Evaluation(search, (x, context) => this.evaluate(x, context), {
      concurrency,
      evaluations,
      signal,
      target: undefined,
    });
  }

  get step(): number {
    return this.evaluation.step;
  }

  get updates(): number {
    return this.evaluation.updates;
  }

  get converged(): string | false {
    const { target } = this.options;
    const { best } = this;
    if (target !== undefined && best?.state === "finished" && best.value <= target) return `the target of ${target} is reached`;
    return this.evaluation.converged;
  }

  /** Trials that ended, in order of their indices. */
  get trials(): Trial[] {
    return [...this.ended.values()].sort((a, b) => a.number - b.number);
  }

  /**
   * Finished trial with the lowest value or, if no trial finished, the stopped trial with the lowest value. Among
   * trials of equal value, the first one counts.
   */
  get best(): Trial | undefined {
    const { trials } = this;
    for (const wanted of ["finished", "stopped"]) {
      const [first, ...others] = trials.filter(({ state }) => state === wanted);
      if (first) return others.reduce((best, trial) => (trial.value < best.value ? trial : best), first);
    }
    return undefined;
  }

  async advance(steps: number): Promise<Advance> {
    let updates = 0;
    while (updates < steps && !this.converged) {
      try {
        updates += (await this.evaluation.advance(1)).updates;
      } catch (error) {
        throw this.failure ?? error;
      }
    }
    // report() gives the loss: the best value, not a mean.
    return { updates, lossSum: 0, rows: updates };
  }

  /**
   * Returns the settings of the best trial.
   * @throws ErgodicError [TUNE_NO_VALUE] if every trial failed
   */
  parameters(): Float64Array {
    const { best } = this;
    if (best) return Float64Array.from(this.options.names, (name) => best.settings[name]);
    throw new ErgodicError(
      "tune",
      `all of ${this.ended.size} trials diverged; search lower rates, or settings under which runs stay finite`,
      "TUNE_NO_VALUE",
    );
  }

  report(): Record<string, number> {
    const { best: _, evaluations: __, ...search } = this.search.report();
    const { finished, stopped, failed, epochs, epochsSaved } = this.counts();
    const loss = this.best?.value ?? Number.NaN;
    return { ...search, value: this.last, best: loss, loss, finished, stopped, failed, epochs, epochsSaved };
  }

  /**
   * Counts the trials that ended. The number of epochs saved by stopping is estimated from the length of the first
   * finished trial.
   */
  counts(): { finished: number; stopped: number; failed: number; epochs: number; epochsSaved: number } {
    const { trials } = this;
    const count = (wanted: Trial["state"]): number => trials.filter(({ state }) => state === wanted).length;
    const length = this.options.halving?.length ?? Infinity;
    const left = ({ state, epochs }: Trial): number =>
      state === "stopped" && length < Infinity ? Math.max(0, length - epochs) : 0;
    return {
      finished: count("finished"),
      stopped: count("stopped"),
      failed: count("failed"),
      epochs: trials.reduce((sum, { epochs }) => sum + epochs, 0),
      epochsSaved: trials.reduce((sum, trial) => sum + left(trial), 0),
    };
  }

  snapshot(): Snapshot {
    const { tensors, state } = this.evaluation.snapshot();
    const trials = [...this.ended.values()].map((trial) => ({ ...trial, value: Number.isNaN(trial.value) ? null : trial.value }));
    // The trials are in the order in which they ended, because the first finished trial defines the rungs.
    return { tensors, state: { search: state, trials: trials as unknown as JsonObject[] } };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the trials", snapshot);
    this.evaluation.restore(kept.part("the search", "", kept.object("search")).snapshot);
    for (const one of kept.list("trials", isObject)) this.end(trialOf(kept.part("a trial", "", one), this.options.names));
  }

  dispose(): void {
    this.evaluation.dispose();
  }

  private async evaluate(x: Float64Array, context: BlackBoxContext): Promise<number> {
    const number = context.evaluation;
    // The trial ended before the checkpoint, but the search does not know its value yet, because earlier trials were
    // still running.
    const known = this.ended.get(number);
    if (known) return known.value;
    const settings = Object.fromEntries(this.options.names.map((name, i) => [name, x[i]]));
    const { make, measure, value, halving } = this.options;
    const losses: Measured[] = [];
    let passed = 0;
    const judge = (): number | undefined => {
      const verdict = halving?.judge(losses, this.rivals(losses), passed);
      passed = verdict?.passed ?? 0;
      return verdict?.stop;
    };
    this.live.set(number, losses);
    try {
      const { seed, signal } = context;
      const trial = await runTrial(settings, { seed, signal, trial: number }, { make, measure, value, judge, losses });
      this.end(trial);
      return trial.value;
    } catch (error) {
      if (!context.signal.aborted) this.failure ??= inContext(number, settings, error);
      throw error;
    } finally {
      this.live.delete(number);
    }
  }

  private end(trial: Trial): void {
    this.ended.set(trial.number, trial);
    this.last = trial.value;
    if (trial.state === "finished") this.options.halving?.finished(trial.losses);
  }

  private *rivals(own: readonly Measured[]): Generator<readonly Measured[]> {
    for (const { losses } of this.ended.values()) yield losses;
    for (const losses of this.live.values()) if (losses !== own) yield losses;
  }
}

/** Reads a trial from a snapshot. */
function trialOf(kept: KeptPart, names: readonly string[]): Trial {
  const settings = kept.part("a trial's settings", "", kept.object("settings"));
  const losses = kept.list("losses", isObject).map((one) => kept.part("a trial's loss", "", one));
  return {
    number: kept.count("number"),
    settings: Object.fromEntries(names.map((name) => [name, settings.number(name)])),
    value: kept.numberOr("value", Number.NaN),
    state: kept.choice("state", ["finished", "stopped", "failed"]),
    ...(kept.state.rung === undefined ? {} : { rung: kept.number("rung", 0) }),
    epochs: kept.number("epochs", 0),
    losses: losses.map((one) => ({ epoch: one.number("epoch", 0), loss: one.number("loss") })),
  };
}
