import type { Advance, LogDensity, Snapshot, Tensor } from "../../../engine/contract/index.ts";
import { assert, CapabilityError, checkNumber, ErgodicError, OptionError } from "../../../engine/errors/errors.ts";
import { KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import type { Call } from "../../../engine/memory/pool.ts";
import { checkRoom, MOST_ENGINE } from "../../../engine/memory/room.ts";
import { exp } from "../../../engine/numbers/exp.ts";
import { ChainDraws } from "../base/chain-draws.ts";
import { checkSamplingPlan, type Sampling, type SamplingPlan } from "../base/sampler.ts";
import { Population } from "./population.ts";
import { logMeanWeight, nextPower } from "./resampling.ts";

interface Options {
  particles: number | undefined;
  essTarget: number;
  moves: number;
  leapfrogs: number;
  stepSize: number | undefined;
  temperatures: readonly number[] | undefined;
  adapt: boolean;
}

const WHERE = "sequentialMonteCarlo";
const FIELDS = ["logDensity", "logLikelihood", "acceptance"] as const;

/**
 * A run of sequential Monte Carlo. A step is one stage of every population that is not yet at the posterior. The run
 * ends when all populations have reached the posterior.
 *
 * Streams of chain c: "start" (update i draws particle i), "resampling" (update s, of stage s), "transition" (update s
 * n + i moves particle i).
 */
export class SequentialRun implements Sampling {
  readonly stepsPerEpoch = Infinity;
  readonly updatesPerStep: number;
  step = 0;
  updates = 0;
  private readonly density: LogDensity;
  private readonly plan: SamplingPlan;
  private readonly engine: Engine;
  private readonly options: Options;
  private readonly count: number;
  private readonly populations: Population[] = [];
  private begun = false;

  constructor(density: LogDensity, plan: SamplingPlan, engine: Engine, options: Options) {
    checkSamplingPlan(WHERE, plan, density.dimension);
    checkDensity(density);
    const { particles = plan.draws, leapfrogs } = options;
    // By default, the number of particles is the number of draws.
    checkNumber(WHERE, options.particles === undefined ? "draws" : "particles", particles, { low: 2, integer: true });
    const what = `${particles} particles in each of ${plan.chains} populations`;
    checkRoom(WHERE, what, 32 * particles * plan.chains * density.dimension, MOST_ENGINE);
    if (particles < plan.draws)
      throw new OptionError(
        WHERE,
        `there are ${particles} particles for ${plan.draws} draws of each chain; ask for fewer draws or more particles`,
        "OPTION_MEANING",
      );
    this.density = density;
    this.plan = plan;
    this.engine = engine;
    this.options = options;
    this.count = particles;
    this.updatesPerStep = plan.chains;
    const { stepSize = leapfrogs > 0 ? 1 / Math.sqrt(Math.sqrt(density.dimension)) : 2.38 / Math.sqrt(density.dimension) } =
      options;
    try {
      for (let c = 0; c < plan.chains; c++)
        this.populations.push(new Population(engine, density, c, plan.seed, particles, { ...options, stepSize }));
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  get converged(): boolean | string {
    return this.begun && this.waiting().length === 0 && "all particles are at the posterior";
  }

  async advance(steps: number): Promise<Advance> {
    const made: Advance = { updates: 0, lossSum: 0, rows: 0 };
    if (!this.begun) await this.begin();
    for (let k = 0; k < steps; k++) {
      const waiting = this.waiting();
      if (waiting.length === 0) break;
      await this.makeStage(waiting);
      for (const { logDensities, count } of waiting) made.lossSum -= logDensities.reduce((sum, l) => sum + l / count, 0);
      this.step++;
      made.updates += waiting.length;
    }
    this.updates += made.updates;
    made.rows = made.updates;
    return made;
  }

  /** Mean of the particles. */
  parameters(): Float64Array {
    const { dimension: d } = this.density;
    const mean = new Float64Array(d);
    const total = this.count * this.populations.length;
    for (const { x } of this.populations) for (let k = 0; k < x.length; k++) mean[k % d] += x[k] / total;
    return mean;
  }

  /** Draws. There are no draws until all particles have reached the posterior. */
  draws(): ChainDraws {
    const { dimension: d } = this.density;
    const kept = this.converged === false ? 0 : this.plan.draws;
    const { chains } = this.plan;
    const values = new Float64Array(chains * kept * d);
    const transitions = new Float64Array(chains * kept * FIELDS.length);
    this.populations.forEach((population, c) => {
      const { x, logDensities, likelihoods, acceptances } = population;
      for (let k = 0; k < kept; k++) {
        const i = Math.floor((k * this.count) / kept);
        const at = c * kept + k;
        values.set(x.subarray(i * d, (i + 1) * d), at * d);
        transitions.set([logDensities[i], likelihoods[i], acceptances[i]], at * FIELDS.length);
      }
    });
    return new ChainDraws(chains, kept, d, values, FIELDS, transitions);
  }

  /**
   * `power`: the smallest β. `logEvidence` and its error are reported once all particles have reached the posterior.
   */
  report(): Record<string, number> {
    const { populations, count } = this;
    const done = this.converged !== false;
    const acceptance = populations.reduce(
      (sum, { acceptances }) => sum + acceptances.reduce((a, b) => a + b, 0) / count / populations.length,
      0,
    );
    const power = Math.min(...populations.map((population) => population.power));
    const report = { draws: done ? this.plan.draws : 0, power, acceptance };
    if (!done) return report;
    const logs = this.logEvidences();
    return { ...report, logEvidence: logMeanWeight(logs), logEvidenceError: this.evidenceError(logs) };
  }

  /** Log evidence of each population. */
  logEvidences(): Float64Array {
    return Float64Array.from(this.populations, ({ logEvidence }) => logEvidence);
  }

  snapshot(): Snapshot {
    const tensors: Record<string, Tensor> = {};
    this.populations.forEach((population, c) => {
      for (const [name, view] of Object.entries(population.views())) tensors[`${name}.${c}`] = view.slice();
    });
    return { tensors, state: { step: this.step, updates: this.updates, begun: this.begun, particles: this.count } };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the particles", snapshot);
    if (kept.count("particles") !== this.count)
      throw new ErgodicError(
        WHERE,
        `the snapshot has ${kept.count("particles")} particles, but the plan has ${this.count}; keep the draws and particles as they were`,
        "SAMPLE_PLAN",
      );
    this.populations.forEach((population, c) => {
      for (const [name, view] of Object.entries(population.views())) kept.into(view, `${name}.${c}`);
      const { power, stage } = population;
      if (!(power >= 0 && power <= 1 && Number.isSafeInteger(stage) && stage >= 0))
        kept.refuse(`stage ${stage} is at power ${power}`);
      population.restored();
    });
    this.step = kept.count("step");
    this.updates = kept.count("updates");
    this.begun = kept.flag("begun");
    if (this.step > 0 && !this.begun) kept.refuse("it has made steps, but has not begun");
  }

  dispose(): void {
    for (const population of this.populations.splice(0)) population.dispose();
  }

  private waiting(): Population[] {
    return this.populations.filter(({ power }) => power < 1);
  }

  private async begin(): Promise<void> {
    for (const population of this.populations) population.drawPrior(this.density);
    await this.run(this.populations.map((population) => population.evaluation()));
    const c = this.populations.findIndex(({ likelihoods }) => !likelihoods.some((l) => l > -Infinity && l < Infinity));
    if (c >= 0)
      throw new ErgodicError(
        WHERE,
        `none of ${this.count} particles from the prior has a finite likelihood (chain ${c}); use more particles, or a prior nearer to the data`,
        "SAMPLE_START",
      );
    this.begun = true;
  }

  private async makeStage(waiting: readonly Population[]): Promise<void> {
    const { temperatures, essTarget, adapt, leapfrogs } = this.options;
    for (const population of waiting) {
      const { power, likelihoods, stage } = population;
      population.reweight(temperatures ? temperatures[stage] : nextPower(power, likelihoods, essTarget));
      if (adapt) population.adaptFactor();
    }
    await this.run(waiting.map((population) => population.moves()));
    const target = leapfrogs > 0 ? 0.8 : this.density.dimension === 1 ? 0.44 : 0.234;
    for (const population of waiting) {
      const mean = population.acceptances.reduce((sum, a) => sum + a / this.count, 0);
      if (adapt) population.stepSize *= exp(mean - target);
      population.endStage();
    }
  }

  /**
   * Standard error of the log of the mean evidence: sd(Z)/(mean(Z) √C) over the evidences Z of C populations. For a
   * single population, it is computed from its initial particles.
   */
  private evidenceError(logs: Float64Array): number {
    const c = logs.length;
    if (c > 1) {
      const mean = logMeanWeight(logs);
      const ratios = logs.map((l) => exp(l - mean));
      return Math.sqrt(ratios.reduce((sum, r) => sum + (r - 1) ** 2, 0) / (c - 1) / c);
    }
    const [{ eves, count: n, stage }] = this.populations;
    const families = new Float64Array(n);
    for (const eve of eves) families[eve]++;
    const same = families.reduce((sum, size) => sum + (size / n) ** 2, 0);
    let growth = 1;
    for (let s = 0; s <= stage; s++) growth *= n / (n - 1);
    return Math.sqrt(Math.max(0, 1 - growth * (1 - same)));
  }

  private run(calls: Call[]): Promise<number[]> {
    const { workers, deterministic } = this.plan;
    assert(calls.length > 0, "a stage has calls");
    return this.engine.run(calls, { workers: Math.max(1, Math.min(workers, calls.length)), deterministic });
  }
}

function checkDensity(density: LogDensity): void {
  const lacks = (what: string, advice: string): CapabilityError =>
    new CapabilityError(WHERE, `${what}; ${advice}`, "SAMPLE_PRIOR");
  if (density.discrete?.length)
    throw lacks(`"${density.discrete[0].name}" is discrete`, "sum it out with marginalise(), or use algorithm: gibbs()");
  if (!density.bindTempered || !density.drawPrior)
    throw lacks(
      "it moves from the prior to the posterior, but the log density does not separate them",
      "write it as a model(), or use algorithm: nuts()",
    );
}
