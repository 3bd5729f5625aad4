import type { Json, JsonObject, LogDensity, Snapshot } from "../../../engine/contract/index.ts";
import { ErgodicError } from "../../../engine/errors/errors.ts";
import { isFlag, KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { exp } from "../../../engine/numbers/exp.ts";
import { AVERAGING_COUNT_F64, AVERAGING_LOG_STEP_F64, AVERAGING_TARGET_F64 } from "../../fields.ts";
import { MOST_DIMENSION } from "../../places/scouting.ts";
import { Survey, type SurveyOptions } from "../../places/survey.ts";
import { ChainsRun } from "../base/chains-run.ts";
import { type DualAveraging, startAveraging } from "../base/dual-averaging.ts";
import { needGradient, type SamplingPlan, type VisitedPlace } from "../base/sampler.ts";
import { placeChains } from "../base/starting-points.ts";
import type { WindowOptions } from "../base/windows.ts";
import { hasArrived, hasRisen, isLost } from "./arrival.ts";
import { leastJump, nearGaussian } from "./choice.ts";
import { Chain, type ChainOptions, transitionFields } from "./hamiltonian-chain.ts";
import { Recorder } from "./recorder.ts";
import { Trial } from "./trial.ts";
import { type Renewal, type Warmup, warmupSchedule } from "./warmup.ts";

export interface HamiltonianOptions extends ChainOptions, SurveyOptions {
  name: string;
  averaging: DualAveraging;
  /**
   * Settings of step-size averaging. `skewed` applies in the last part of warm-up if the posterior is not nearly
   * Gaussian. `varying` applies after the diagonal metric has been chosen.
   */
  skewed: DualAveraging;
  varying: DualAveraging;
  windows: WindowOptions;
  /** Whether to search for a step size even without warm-up. */
  findStep: boolean;
  /** Whether warm-up may choose a diagonal metric. */
  choose: boolean;
}

const FIRST_STEP = 2 ** 52;
/**
 * Initial step of a trial, as a share of the step that the search finds. The averaged step drifts to ten times its
 * first value and takes many transitions to return. A trial is too short for such a drift, and a step that has already
 * been adapted does not need it.
 */
const TRIAL_START = 0.1;
/** Number added to the attempt number of chains that warm up again from their current position. */
const AGAIN = 2 ** 20;
const DIVERGENT = transitionFields.indexOf("divergent");
const LEAPFROGS = transitionFields.indexOf("leapfrogs");
const LOG_DENSITY = transitionFields.indexOf("logDensity");
const WIDTH = transitionFields.length;

/**
 * A run of several chains of Hamiltonian Monte Carlo: warm-up by a schedule (warmup.ts), then draws that are stored.
 * Transitions run in the kernels, one call per chain and stretch. Between stretches, at fixed transitions, metrics are
 * renewed and compared (choice.ts).
 *
 * At the end of warm-up, the places of the chains are compared with each other and with the places that scouts found.
 * As a result, chains can restart (places/survey.ts).
 *
 * Each chain's streams: "start" (update i is the i-th attempt at a starting point), "transition" (update t is
 * transition t; FIRST_STEP + k the k-th search for a step size), "transition", n (the same after the n-th restart).
 *
 * @throws ErgodicError if no starting point has a finite log density and gradient, or a step size leaves (0, 10⁷]
 */
export class HamiltonianRun extends ChainsRun<Chain> {
  private readonly averaging: DualAveraging;
  private readonly skewed: DualAveraging;
  private readonly varying: DualAveraging;
  private readonly findStep: boolean;
  private readonly warmup: Warmup;
  private readonly trial: Trial;
  /**
   * Undefined if this sampler runs inside another sampler, which changes the target, or if there are too many
   * coordinates.
   */
  private readonly survey: Survey | undefined;
  private readonly recorder: Recorder;
  private surveying = false;
  private warmupLeapfrogs = 0;
  /** Mean number of leapfrogs per transition of all chains, over the last part of warm-up. */
  private recentLeapfrogs = 0;
  private searches = 0;
  /**
   * Three values per chain: whether the chain has reached the posterior, its log densities since the last check, and
   * whether it arrived late.
   */
  private arrived: boolean[];
  private levels: number[][];
  private late: boolean[];
  /** Whether each chain has warmed up again from its current position. */
  private again: boolean[];

  constructor(density: LogDensity, plan: SamplingPlan, engine: Engine, options: HamiltonianOptions) {
    super(options.name, plan, density.dimension, transitionFields, engine);
    needGradient(this.name, density);
    this.averaging = options.averaging;
    this.skewed = options.skewed;
    this.varying = options.varying;
    this.findStep = options.findStep;
    this.warmup = warmupSchedule(options.adaptation, plan.warmup, options.windows);
    this.trial = new Trial(options.choose ? this.warmup.trial : [], density.dimension);
    const surveyed = plan.keep !== false && plan.warmup > 0 && density.dimension <= MOST_DIMENSION;
    this.survey = surveyed ? new Survey(density, plan, engine, options) : undefined;
    this.recorder = new Recorder(surveyed ? plan.warmup : 0, plan.chains, density.dimension);
    this.arrived = new Array<boolean>(plan.chains).fill(this.warmup.looks.length === 0);
    this.late = new Array<boolean>(plan.chains).fill(false);
    this.again = new Array<boolean>(plan.chains).fill(false);
    this.levels = Array.from({ length: plan.chains }, () => []);
    this.addChains((c) => new Chain(engine, density, c, plan.seed, options));
  }

  /** Places visited by chains and scouts; empty until warm-up has ended. */
  places(): VisitedPlace[] {
    return this.survey?.visits(this.draws()) ?? [];
  }

  protected async begin(): Promise<void> {
    await placeChains(this.name, this.chains, this.plan, (calls) => this.run(calls));
    if (this.plan.warmup > 0 || this.findStep) await this.findSteps(this.activeChains);
  }

  protected async advanceChains(first: number, count: number, adapt: boolean, active: readonly number[]): Promise<void> {
    await this.run(active.map((c) => this.chains[c].run(first, count, adapt)));
  }

  protected override boundaries(): readonly number[] {
    const { renewals, looks } = this.warmup;
    const waiting = this.activeChains.some((c) => !this.arrived[c]);
    return [...renewals.map(({ at }) => at), ...(waiting ? looks : []), ...this.trial.boundaries];
  }

  protected override observe(c: number, count: number): void {
    const { draws, gradients, transitions } = this.chains[c].stretch(count);
    const { dimension: d } = this;
    const { start, stop } = this.warmup;
    for (let k = 0; k < count; k++) {
      const [leapfrogs, divergent] = [transitions[k * WIDTH + LEAPFROGS], transitions[k * WIDTH + DIVERGENT]];
      this.warmupLeapfrogs += leapfrogs;
      if (this.step + k >= stop) this.recentLeapfrogs += leapfrogs / (this.plan.warmup - stop);
      this.trial.count(this.step + k, leapfrogs, divergent);
      const level = transitions[k * WIDTH + LOG_DENSITY];
      if (!this.arrived[c]) this.levels[c].push(level);
      const [from, to] = [k * d, k * d + d];
      this.recorder.add(c, this.step + k, draws.subarray(from, to), gradients.subarray(from, to), level);
      if (this.step + k < start || this.step + k >= stop) continue;
      for (const estimator of this.chains[c].estimators)
        estimator.add(draws.subarray(from, to), gradients.subarray(from, to), divergent > 0);
    }
  }

  /** Renews metrics when due, and sets the averaged step at the end of warm-up. */
  protected override async adapt(): Promise<void> {
    const came = await this.lookForArrivals();
    const renewal = this.warmup.renewals.find(({ at }) => at === this.step);
    if (renewal || came.length > 0) await this.renew(renewal, came);
    await this.tryMetrics();
    if (this.step === this.warmup.stop) this.aim();
    if (this.step !== this.plan.warmup) return;
    for (const c of this.activeChains) {
      const { averaging } = this.chains[c];
      // Right after a restart, there is no average yet.
      if (averaging[AVERAGING_COUNT_F64 / 8] > 0) this.chains[c].stepSize = exp(averaging[AVERAGING_LOG_STEP_F64 / 8]);
    }
    this.survey?.begin(this.activeChains);
    this.surveying = this.survey !== undefined;
  }

  /** After warm-up: runs the survey piece by piece, then restarts chains. */
  protected override async work(): Promise<boolean> {
    if (!this.surveying || !this.survey) return false;
    const { draws } = this.plan;
    const gradients = this.warmupLeapfrogs + this.recentLeapfrogs * draws;
    if (await this.survey.work(gradients, (c) => this.recorder.of(c))) return true;
    this.surveying = false;
    const anew: number[] = [];
    const lost = this.activeChains.filter((c) => this.late[c] && isLost(this.recorder.levels(c)));
    for (const c of this.survey.outOfPlace(lost)) {
      const x = await this.survey.fresh(c);
      if (!x) continue;
      this.startAnew(c, x);
      anew.push(c);
    }
    if (anew.length === 0)
      for (const c of this.illFitted()) {
        this.again[c] = true;
        this.survey.again(c);
        this.startAnew(c, this.chains[c].position.slice());
        anew.push(c);
      }
    if (anew.length === 0) {
      this.joinChains();
      return false;
    }
    this.warmUpAgain(anew);
    this.recentLeapfrogs = 0;
    const values = await this.run(anew.map((c) => this.chains[c].evaluation()));
    anew.forEach((c, i) => {
      this.chains[c].logDensity = values[i];
    });
    await this.findSteps(anew);
    return true;
  }

  private attempt(c: number): number {
    return (this.survey?.restarts[c] ?? 0) + (this.again[c] ? AGAIN : 0);
  }

  private startAnew(c: number, x: Float64Array): void {
    this.chains[c].startAnew(x, this.attempt(c));
    this.arrived[c] = this.warmup.looks.length === 0;
    this.late[c] = false;
    this.levels[c] = [];
  }

  /**
   * Chains that changed region while their metric was being estimated. The metric no longer fits, so each chain warms
   * up once more from its current position.
   */
  private illFitted(): number[] {
    return this.activeChains.filter((c) => !this.again[c] && hasRisen(this.recorder.levels(c), this.dimension));
  }

  protected override stateOf(): JsonObject {
    const { warmupLeapfrogs, recentLeapfrogs, searches, surveying } = this;
    return {
      warmupLeapfrogs,
      recentLeapfrogs,
      searches,
      surveying,
      arrived: [...this.arrived],
      late: [...this.late],
      again: [...this.again],
      levels: this.levels.map((levels) => levels.map((level) => (Number.isFinite(level) ? level : null))),
      trial: this.trial.state(),
      survey: this.survey?.state() ?? null,
    };
  }

  protected override restoreState(kept: KeptPart): void {
    const { chains } = this.plan;
    this.warmupLeapfrogs = kept.number("warmupLeapfrogs", 0);
    this.recentLeapfrogs = kept.number("recentLeapfrogs", 0);
    this.searches = kept.number("searches", 0);
    this.surveying = kept.flag("surveying");
    this.arrived = kept.list("arrived", isFlag, chains);
    this.late = kept.list("late", isFlag, chains);
    this.again = kept.list("again", isFlag, chains);
    const isLevels = (list: Json): list is (number | null)[] =>
      Array.isArray(list) && list.every((level) => level === null || typeof level === "number");
    this.levels = kept.list("levels", isLevels, chains).map((levels) => levels.map((level) => level ?? Number.NaN));
    this.trial.restore(kept.part("the trial of a metric", "trial.", kept.object("trial")));
  }

  override snapshot(): Snapshot {
    const { tensors, state } = super.snapshot();
    const more = this.step <= this.plan.warmup ? this.recorder.tensors() : {};
    return { tensors: { ...tensors, ...more, ...this.survey?.tensors() }, state };
  }

  override restore(snapshot: Snapshot): void {
    super.restore(snapshot);
    const kept = new KeptPart("the chains' last draws of warm-up", snapshot);
    this.recorder.restore(kept, this.step <= this.plan.warmup);
    if (!this.survey) return;
    this.survey.restore(kept.part("the survey of places", "survey.", kept.object("survey")));
    this.chains.forEach((chain, c) => void chain.drawFrom(this.attempt(c)));
  }

  override dispose(): void {
    this.survey?.dispose();
    super.dispose();
  }

  /**
   * `leapfrogs`: number of leapfrog steps of all chains so far, including warm-up. `stepSize`: the mean over chains.
   * The other statistics are reported only if they are not zero. `restarts`: number of restarts; `late`: number of
   * chains whose log density still rose halfway through warm-up; `again`: number of chains that warmed up a second time
   * from their position; `scouts`: number of scouts; `diagonal`: 1 if the diagonal metric was chosen;
   * `targetAcceptance`: the mean over chains, if warm-up chose it.
   */
  protected override reportMore(): Record<string, number> {
    const { survey } = this;
    const given = {
      restarts: survey?.restarts.reduce((sum, count) => sum + count, 0) ?? 0,
      late: this.late.filter(Boolean).length,
      again: this.again.filter(Boolean).length,
      scouts: survey?.scouts ?? 0,
      scoutEvaluations: survey?.evaluations ?? 0,
      diagonal: this.trial.diagonal ? 1 : 0,
      targetAcceptance: this.choosesTarget ? meanOf(this.chains.map(({ averaging }) => averaging[AVERAGING_TARGET_F64 / 8])) : 0,
    };
    return {
      leapfrogs: this.warmupLeapfrogs + this.total("leapfrogs"),
      stepSize: meanOf(this.chains.map(({ stepSize }) => stepSize)),
      ...Object.fromEntries(Object.entries(given).filter(([, value]) => value > 0)),
    };
  }

  /**
   * Returns the chains that have just arrived. All other chains that have not arrived discard their draws and search
   * for a step again.
   */
  private async lookForArrivals(): Promise<number[]> {
    const { looks } = this.warmup;
    if (!looks.includes(this.step)) return [];
    const falling = this.activeChains.filter((c) => !this.arrived[c]);
    const came = falling.filter((c) => hasArrived(this.levels[c], this.dimension));
    const rest = falling.filter((c) => !came.includes(c));
    for (const c of falling) this.levels[c] = [];
    for (const c of came) this.arrived[c] = true;
    for (const c of rest) this.chains[c].forgetDraws();
    if (this.step === looks[looks.length - 1])
      for (const c of rest) {
        this.arrived[c] = true;
        this.late[c] = true;
      }
    if (rest.length > 0) await this.findSteps(rest);
    return came;
  }

  private async renew(renewal: Renewal | undefined, came: readonly number[]): Promise<void> {
    const { running } = this.trial;
    const diagonal = this.trial.diagonalAt(this.step);
    // A diagonal metric estimated from few draws would be worse than the previous metric.
    const waits = running || (diagonal && renewal?.forget === "nothing" && renewal.at < this.warmup.stop);
    const due = this.activeChains.filter((c) => this.arrived[c] && !waits && (renewal !== undefined || came.includes(c)));
    for (const c of due) this.chains[c].renewMetric(renewal?.forget ?? "older", diagonal);
    const restart = due.filter((c) => diagonal || renewal?.restart || came.includes(c));
    if (restart.length > 0) await this.findSteps(restart);
  }

  /** Runs the trial of a diagonal metric from its start to its end, with checks of its cost. */
  private async tryMetrics(): Promise<void> {
    const { trial } = this;
    if (!trial.boundaries.includes(this.step)) return;
    const chains = this.activeChains.map((c) => this.chains[c]);
    const before = trial.running;
    const again = trial.diagonal;
    const begins = trial.judge(this.step, chains);
    if (begins) {
      if (trial.running) for (const chain of chains) chain.setAside();
      for (const chain of chains) chain.renewMetric("nothing", true);
      await this.findSteps(this.activeChains, TRIAL_START);
    }
    if (trial.running || again || !before) return;
    for (const chain of chains) {
      if (trial.diagonal) chain.forgetDraws();
      else chain.comeBack();
    }
  }

  private get choosesTarget(): boolean {
    return this.skewed.targetAcceptance !== this.averaging.targetAcceptance;
  }

  /** Sets the target acceptance of the last part of warm-up, which adapts only the step. */
  private aim(): void {
    if (this.trial.diagonal || !this.choosesTarget) return;
    const chains = this.activeChains.map((c) => this.chains[c]);
    const rows = chains.map((chain) => chain.seen(0));
    const draws = rows.reduce((sum, own) => sum + own.length, 0) / this.dimension;
    if (
      rows.some((own) => own.length < 2 * this.dimension) ||
      nearGaussian(leastJump(rows, rows, this.dimension), this.dimension, draws)
    )
      return;
    for (const { averaging, stepSize } of chains) averaging.set(startAveraging(this.skewed, TRIAL_START * stepSize));
  }

  /** Searches for step sizes. `share`: initial step of averaging, as a share of the step that the search finds. */
  private async findSteps(chains: readonly number[], share = 1): Promise<void> {
    const counter = FIRST_STEP + this.searches++;
    const failed = await this.run(chains.map((c) => ({ kernel: "firstStep", args: [this.chains[c].block, counter] })));
    const at = failed.findIndex((code) => code !== 0);
    if (at >= 0)
      throw new ErgodicError(
        this.name,
        `chain ${chains[at]} found no step size in (0, 1e7] at transition ${this.step}, because the log density does not change with the step, or is not finite nearby; check that the posterior is proper and its gradient right`,
        "SAMPLE_STEP",
      );
    const averaging = this.trial.diagonal ? this.varying : this.averaging;
    for (const c of chains) this.chains[c].averaging.set(startAveraging(averaging, share * this.chains[c].stepSize));
  }
}

const meanOf = (x: readonly number[]): number => x.reduce((sum, value) => sum + value / x.length, 0);
