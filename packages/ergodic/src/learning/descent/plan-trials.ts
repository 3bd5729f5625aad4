import type { Advance, JsonObject, Plan, Progression, Snapshot } from "../../engine/contract/index.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { later } from "../../engine/threads/later.ts";
import { type Faster, faster, shortens } from "./faster.ts";
import { Descent, refuseMisfits } from "./gradient-descent.ts";
import { handOn, sameRows, stepIn } from "./hand-on.ts";
import { choosePlan, hopeless, type PlanChoice, ROUNDS, type Round, type Sharing, type Stretch } from "./plan-choice.ts";
import { type End, secondsLeft, stretchOf } from "./stretch-length.ts";
import { TrialLoss } from "./trial-loss.ts";

/** Largest share of one-lane run time for trials, including the time to copy parameters and measure losses. */
const WHOLE_SHARE = 0.08;
/** Maximum number of rounds, including extra rounds for undecided candidates. */
const MOST_ROUNDS = 9;
/** Share of the run that passes before the first round. Early steps are the longest; the choice must suit the rest. */
const BEFORE_SHARE = 1 / 30;
/** Seconds that one lane must run before its speed can be estimated. */
const CALIBRATION = 0.005;
/** Largest share of training time for averaging replicas. */
const AVERAGE_SHARE = 0.02;
/** Approximate cost of one average, in seconds: a fixed part while threads wait, and a part per number averaged. */
const AVERAGE_SECONDS = 1e-4;
const AVERAGE_SECONDS_PER_NUMBER = 3e-9;
/** Smallest and largest number of rows on which losses are compared. */
const LEAST_ROWS = 256;
const MOST_ROWS = 4096;

export interface TrialOptions {
  readonly until: End;
  /**
   * Called once, with the chosen plan (`plan`) and the reason for it (`planChoice`). If the replicas step at another
   * rate than the user's, `algorithm` describes their rule.
   */
  readonly settle: (chosen: JsonObject) => void;
  /** Clock, in milliseconds. Default performance.now(). */
  readonly now?: () => number;
}

/**
 * Wraps a run on one lane in trials that choose how the workers of `plan` share its updates.
 *
 * @throws CapabilityError if the problem does not support racing workers, as for any plan with racing
 */
export function choosing(one: Progression, plan: Plan, engine: Engine, options: TrialOptions): Progression {
  if (!(one instanceof Descent)) return one;
  refuseMisfits({ ...one.parts, plan });
  return new PlanTrials(one, plan, engine, options);
}

/** A round in progress: each candidate makes one stretch of updates. */
interface OpenRound {
  /** Starting point of every candidate: the one lane's run before its stretch. */
  readonly base: Snapshot;
  readonly before: number;
  readonly made: Partial<Record<Sharing, Stretch>>;
  /** Updates that the one lane has yet to make in its stretch; `seconds` is the time it has taken so far. */
  left: number;
  seconds: number;
}

/**
 * Descent that first measures how workers should share the updates: one lane, averaged replicas, or lanes that race on
 * one model. The choice follows DimmWitted (Zhang, Ré 2014), which uses a cost model instead of measurements.
 *
 * The run begins on one lane. Once its speed is known and a thirtieth of the run is over, `ROUNDS` rounds follow. In
 * each round, the one lane continues for a stretch of updates. Every other candidate makes the same number of updates
 * from the same parameters and optimiser state. Each stretch is timed, and the objective is measured on the same rows
 * before and after. Only the one lane's results are kept, so a run that stays on one lane gives the same numbers as
 * `workers: 1`. The other candidates' work is discarded, but still counts as updates and time (not as epochs).
 * Discarded stretches take at most 5 % of the remaining time (more if undecided candidates need extra rounds). Trials
 * stop once their total cost exceeds 8 %. Runs and epochs too short for trials stay on one lane. choosePlan picks the
 * plan, and the run continues with it from the one lane's parameters and state.
 *
 * A snapshot ends the trials with the rounds made so far, so that checkpoints are those of plain descent with a fixed
 * plan. On linear models, k replicas use a larger rate if the rule allows it (faster.ts), and `algorithm` in
 * checkpoints records it. Networks keep the rate, because their objective can become steeper later. Replicas are
 * averaged as often as the cost allows (`averageEvery`). Variance reduction is tried with racing only, because replicas
 * would have to recompute its stored means over rows.
 *
 * @throws WorkerError if threads cannot be started, as for any plan with several workers
 */
export class PlanTrials implements Progression {
  readonly converged = false;
  readonly settled: Promise<JsonObject>;
  private settle: (chosen: JsonObject) => void = () => {};
  private readonly plan: Plan;
  private readonly engine: Engine;
  private readonly options: TrialOptions;
  private readonly now: () => number;
  private readonly one: Descent;
  private readonly others = new Map<Sharing, Descent>();
  /** Rule of the replicas, if their rate differs from the one lane's. */
  private faster: Faster | undefined;
  /** Completed rounds. */
  readonly rounds: Round[] = [];
  private round: OpenRound | undefined;
  private loss: TrialLoss | undefined;
  private taken: Descent | undefined;
  /** Number of updates whose results were discarded. */
  private discarded = 0;
  /** Speed of the one lane so far, without its first call, which includes compilation. */
  private calibrating: { seconds: number; steps: number } | undefined;
  /** Steps of each candidate in a stretch; 0 until its length is known. */
  private stretch = 0;
  /** Seconds that trials may take, and seconds that they have taken. */
  private mayTake = Infinity;
  private spent = 0;
  /** Part of `spent` that later rounds do not repeat: threads compile their kernels. */
  private spentOnce = 0;
  private threads: "asleep" | "starting" | "ready" = "asleep";
  private failure: unknown;
  /** Step from which the first round can begin. */
  private firstAt = 0;
  /** Absolute objective when the first round begins, or its decrease since the start if that is smaller. */
  private scale = 0;

  /** `one`: one-lane run at its start, which the trials now own. `plan`: plan with the workers to try. */
  constructor(one: Descent, plan: Plan, engine: Engine, options: TrialOptions) {
    this.one = one;
    this.plan = plan;
    this.engine = engine;
    this.options = options;
    this.now = options.now ?? (() => performance.now());
    this.settled = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  get stepsPerEpoch(): number {
    return (this.taken ?? this.one).stepsPerEpoch;
  }

  get updatesPerStep(): number {
    return (this.taken ?? this.one).updatesPerStep;
  }

  get step(): number {
    return (this.taken ?? this.one).step;
  }

  get updates(): number {
    return this.taken ? this.taken.updates : this.one.updates + this.discarded;
  }

  async advance(steps: number): Promise<Advance> {
    if (this.taken) return this.taken.advance(steps);
    if (this.failure !== undefined) throw this.failure;
    const { round } = this;
    if (round && round.left === 0) return this.tryNext(round);
    if (!round && this.threads === "ready" && this.step >= this.firstAt && this.fits) this.begin();
    return this.goOn(steps);
  }

  parameters(): Float64Array {
    return (this.taken ?? this.one).parameters();
  }

  report(): Record<string, number> {
    return (this.taken ?? this.one).report();
  }

  snapshot(): Snapshot {
    return this.decide().snapshot();
  }

  restore(snapshot: Snapshot): void {
    this.decide().restore(snapshot);
  }

  dispose(): void {
    this.decide().dispose();
  }

  /** Advances the one lane, within its stretch if a round is open. */
  private async goOn(steps: number): Promise<Advance> {
    const { round } = this;
    const start = this.now();
    const made = await this.one.advance(round ? Math.min(steps, round.left) : steps);
    const seconds = (this.now() - start) / 1000;
    if (!round) this.calibrate(made.updates, seconds);
    else {
      round.left -= made.updates;
      round.seconds += seconds;
      if (round.left === 0) {
        const fell = round.before - this.lossOf(this.one);
        round.made["one lane"] = { updates: this.stretch * this.workers, seconds: round.seconds, fell };
      }
    }
    return made;
  }

  private calibrate(steps: number, seconds: number): void {
    const known = this.calibrating;
    if (!known) {
      this.calibrating = { seconds: 0, steps: 0 };
      return;
    }
    known.seconds += seconds;
    known.steps += steps;
    if (this.threads !== "asleep" || known.seconds < CALIBRATION) return;
    const secondsPerStep = known.seconds / known.steps;
    const left = secondsLeft(this.one, secondsPerStep, this.options.until, known.seconds);
    const { parts, lanes } = this.one;
    const sharings: Sharing[] = parts.variance ? ["racing"] : ["replicas", "racing"];
    const length = stretchOf({
      secondsPerStep: this.workers * secondsPerStep,
      stepsPerEpoch: Math.floor(parts.problem.rowCount / this.workers / lanes.batch),
      left,
      others: sharings.length,
    });
    if (typeof length === "string") return void this.decide(length);
    this.stretch = length;
    this.mayTake = WHOLE_SHARE * left;
    if (parts.target.derivativesPerRow !== undefined) this.faster = faster(parts.rule, this.workers);
    for (const sharing of sharings) {
      const its = { ...this.plan, ...lanesOf(sharing, this.workers) };
      const averaged = {
        rule: this.faster?.rule ?? parts.rule,
        plan: { ...its, averageEvery: this.averageEvery(secondsPerStep) },
      };
      this.others.set(sharing, new Descent({ ...parts, plan: its, ...(sharing === "replicas" ? averaged : {}) }, this.engine));
    }
    const rows = (length * this.workers * lanes.batch) / 2;
    this.loss = new TrialLoss(parts, this.engine, Math.round(Math.max(LEAST_ROWS, Math.min(MOST_ROWS, rows))));
    if (Number.isFinite(left)) this.firstAt = BEFORE_SHARE * (this.one.step + left / secondsPerStep);
    this.startThreads();
  }

  /** Returns the averaging interval in epochs. Frequent averages raise the replicas' progress per update. */
  private averageEvery(secondsPerStep: number): number {
    const { lanes, parts, stepsPerEpoch } = this.one;
    const numbers = this.workers * parts.problem.parameterCount * lanes.arrays(lanes.copies[0]).size;
    const between = (AVERAGE_SECONDS + AVERAGE_SECONDS_PER_NUMBER * numbers) / AVERAGE_SHARE;
    return 1 / Math.max(1, Math.floor((stepsPerEpoch * secondsPerStep) / this.workers / between));
  }

  /** Starts the threads in the background while the one lane continues. */
  private startThreads(): void {
    this.threads = "starting";
    const nothing = { kernel: "shuffle", args: [0, 0, 0, 0, 1, 0, 0, 0] };
    const calls = Array.from({ length: this.workers }, () => nothing);
    this.engine.run(calls, { workers: this.workers, deterministic: false }).then(
      () => {
        this.threads = "ready";
      },
      (error: unknown) => {
        this.failure = error;
      },
    );
  }

  /** Whether a stretch fits in the rest of the epoch. The next epoch has another row order. */
  private get fits(): boolean {
    const { step, stepsPerEpoch } = this.one;
    return (step % stepsPerEpoch) + this.stretch * this.workers < stepsPerEpoch;
  }

  private begin(): void {
    const base = this.one.snapshot();
    const before = this.lossOf(this.one);
    if (this.rounds.length === 0) {
      const { start, parameterCount } = this.one.parts.problem;
      this.scale = Math.min(this.loss!.at(start ?? new Float64Array(parameterCount)) - before, Math.abs(before));
    }
    this.round = { base, before, made: {}, left: this.stretch * this.workers, seconds: 0 };
  }

  /** Runs the stretch of the next candidate, from the start of the round. */
  private async tryNext(round: OpenRound): Promise<Advance> {
    const start = this.now();
    for (const [sharing, other] of this.others) {
      if (round.made[sharing]) continue;
      round.made[sharing] = await this.tried(other, round);
      break;
    }
    this.spent += (this.now() - start) / 1000;
    if ([...this.others.keys()].every((sharing) => round.made[sharing])) this.endRound(round.made as Round);
    return { updates: 0, lossSum: 0, rows: 0, within: true };
  }

  private async tried(other: Descent, { base, before }: OpenRound): Promise<Stretch> {
    const at = this.stepOf(base);
    // The stretch must not cross the end of an epoch, which would add the time to reorder rows and average replicas.
    const beyond = other.stepsPerEpoch - this.stretch - 1;
    const there = stepIn(other, at, this.one);
    const step = there - Math.max(0, (there % other.stepsPerEpoch) - beyond);
    const begin = (): void => {
      handOn(base, other, step, this.fasterOf(other));
      sameRows(this.one, at, other, this.stretch);
    };
    begin();
    const first = other.updates === 0;
    if (first) {
      const start = this.now();
      await other.advance(1);
      await later(() => import("../../engine/optimise/average.ts"));
      begin();
      this.spentOnce += (this.now() - start) / 1000;
    }
    const counted = other.updates;
    const start = this.now();
    for (let made = 0; made < this.stretch; made = other.step - step) await other.advance(this.stretch - made);
    const seconds = (this.now() - start) / 1000;
    const updates = other.updates - counted;
    this.discarded += updates + (first ? counted : 0);
    return { updates, seconds, fell: before - this.lossOf(other) };
  }

  private endRound(round: Round): void {
    this.round = undefined;
    this.rounds.push(round);
    if (this.rounds.length >= ROUNDS) {
      const { unsure } = this.choose();
      if (unsure.length === 0 || this.rounds.length >= MOST_ROUNDS || this.spent > this.mayTake) return void this.decide();
      for (const sharing of this.others.keys()) if (!unsure.includes(sharing)) this.giveUp(sharing);
    } else if (this.spentOnce + ((this.spent - this.spentOnce) * ROUNDS) / this.rounds.length > this.mayTake)
      this.decide("to measure the other plans would take too large a part of the run");
    else {
      for (const sharing of hopeless(this.rounds)) this.giveUp(sharing);
      if (this.others.size === 0) this.decide();
    }
  }

  private giveUp(sharing: Sharing): void {
    this.others.get(sharing)?.dispose();
    this.others.delete(sharing);
  }

  /** In theory, racing loses no update, and the mean of replicas with the larger rate moves as far as one lane. */
  private choose(): PlanChoice {
    const even: Sharing[] = this.faster ? ["replicas", "racing"] : ["racing"];
    return choosePlan(this.rounds, { scale: this.scale, even, shortens: shortens(this.one.parts.rule) });
  }

  /** Ends the trials and returns the descent that continues: the one lane if a `reason` to stop early is given. */
  private decide(reason?: string): Descent {
    if (this.taken) return this.taken;
    const choice = this.choose();
    const { sharing, why, figures }: PlanChoice =
      reason !== undefined || this.rounds.length === 0
        ? { ...choice, sharing: "one lane", why: reason ?? "the run was over, or kept, before anything was measured" }
        : choice;
    const taken = sharing === "one lane" ? this.one : this.others.get(sharing)!;
    if (taken !== this.one) {
      handOn(this.one.snapshot(), taken, stepIn(taken, this.one.step, this.one), this.fasterOf(taken));
      taken.orderedEpoch = -1;
    }
    taken.updates = this.one.updates + this.discarded;
    this.taken = taken;
    for (const other of [this.one, ...this.others.values()]) if (other !== taken) other.dispose();
    this.loss?.dispose();
    const measured = figures.map(({ sharing: of, updatesPerSecond, fallPerUpdate, fallPerSecond }) => ({
      ...lanesOf(of, this.workers),
      updatesPerSecond: finite(updatesPerSecond),
      fallPerUpdate: finite(fallPerUpdate),
      fallPerSecond: finite(fallPerSecond),
    }));
    const plan = taken.parts.plan as unknown as JsonObject;
    const { rule } = taken.parts;
    const its = this.fasterOf(taken);
    const all = its ? `${why}; each replica steps at ${Number(its.factor.toPrecision(3))} times the rate` : why;
    const algorithm: JsonObject = { algorithm: "gradientDescent", rule: rule.toJSON() as unknown as JsonObject };
    const chosen: JsonObject = {
      plan,
      planChoice: { why: all, rounds: this.rounds.length, measured },
      ...(its ? { algorithm } : {}),
    };
    this.options.settle(chosen);
    this.settle(chosen);
    return taken;
  }

  private fasterOf({ parts }: Descent): Faster | undefined {
    return parts.rule === this.faster?.rule ? this.faster : undefined;
  }

  private get workers(): number {
    return this.plan.workers;
  }

  private stepOf({ state }: Snapshot): number {
    return state.step as number;
  }

  private lossOf(descent: Descent): number {
    const start = this.now();
    const loss = this.loss!.at(descent.parameters());
    if (descent === this.one) this.spent += (this.now() - start) / 1000;
    return loss;
  }
}

function lanesOf(sharing: Sharing, workers: number): Pick<Plan, "workers" | "replicas"> {
  if (sharing === "one lane") return { workers: 1, replicas: 1 };
  return { workers, replicas: sharing === "racing" ? "shared" : workers };
}

/** Replaces NaN and Infinity, which JSON does not have, by null. */
const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);
