import type { Advance, Progression, Snapshot } from "../../engine/contract/index.ts";
import type { Border } from "../approximate/border.ts";
import { Climb, TOLERANCE } from "../approximate/climb.ts";
import type { Minimised } from "../approximate/quasi-newton.ts";

/** State of one start. */
export interface Ascent {
  readonly x: Float64Array;
  /** −log density; ∞ if the run has diverged. */
  readonly loss: number;
  readonly ended: boolean;
  step(): Promise<void>;
  judge(): Judgement;
}

export interface Judgement {
  /** Increase, in nats, that a Newton step or a climb from here can still achieve. */
  readonly left: number;
  readonly unbounded: readonly Border[];
}

/** Tolerance of a minimum. The tolerance includes rounding errors, which grow with the log density. */
const tolerance = (loss: number): number => TOLERANCE + 2 ** -46 * Math.abs(loss);
const JUDGING_MOVES = 200;

export class OwnAscent implements Ascent {
  private readonly climb: Climb;

  constructor(f: Minimised, start: Float64Array, borders: readonly Border[]) {
    this.climb = new Climb(f, start, borders);
  }

  get x(): Float64Array {
    return this.climb.x;
  }

  get loss(): number {
    return this.climb.loss;
  }

  get ended(): boolean {
    return this.climb.end !== undefined;
  }

  async step(): Promise<void> {
    this.climb.step();
  }

  judge(): Judgement {
    const { climb } = this;
    climb.look();
    const promised = Number.isNaN(climb.promise) ? Infinity : climb.promise;
    // Not converged: the error exceeds the tolerance, regardless of the improvement that the last step predicted.
    const left = climb.end === "minimum" ? promised : Math.max(promised, 2 * tolerance(climb.loss));
    return { left, unbounded: climb.unbounded };
  }
}

export class RuleAscent implements Ascent {
  loss = Infinity;
  private readonly f: Minimised;
  private readonly run: Progression;
  private readonly borders: readonly Border[];
  private lost = false;

  constructor(f: Minimised, run: Progression, borders: readonly Border[]) {
    this.f = f;
    this.run = run;
    this.borders = borders;
  }

  get x(): Float64Array {
    return this.run.parameters();
  }

  get ended(): boolean {
    return this.lost || this.run.converged !== false;
  }

  async step(): Promise<void> {
    const { lossSum, rows } = await this.run.advance(1);
    this.lost = !Number.isFinite(lossSum) || !this.x.every(Number.isFinite);
    this.loss = this.lost ? Infinity : lossSum / rows;
  }

  judge(): Judgement {
    if (this.lost) return { left: Infinity, unbounded: [] };
    this.loss = this.f(this.x, null);
    const climb = new Climb(this.f, this.x, this.borders);
    for (let move = 0; move < JUDGING_MOVES && !climb.end; move++) climb.step();
    climb.look();
    return { left: Math.max(0, this.loss - climb.loss), unbounded: climb.unbounded };
  }
}

/** Summary of the results from all starts of a mode search. */
export interface Spread {
  /** Number of starts. */
  readonly count: number;
  /** Number of starts that ended within 0.1 nats of the best. */
  readonly near: number;
  /** Smallest log density at the end of a start; −∞ if a start diverged. */
  readonly lowest: number;
  /** Number of starts from which the log density grows without limit. */
  readonly unbounded: number;
}

/** Judgement of all starts. */
export interface Verdict extends Judgement {
  readonly best: Ascent;
  readonly converged: boolean;
  readonly spread: Spread;
  /** Borders towards which the log density grows without limit, collected from all starts. */
  readonly unbounded: readonly Border[];
}

/** Largest difference in nats between two results that count as the same mode. */
const NEAR = 0.1;

/**
 * Search for a mode from several starts together: each update moves every start that has not ended. The best start is
 * returned. The other starts show how far the best start can be trusted.
 *
 * Starts use our own climb (bayes/approximate/climb.ts) or the user's rule. If a rule is given, a climb from its end
 * point judges the result. The increase during this climb is the increase that the rule missed.
 */
export class ModeStarts implements Progression {
  readonly stepsPerEpoch = 1;
  readonly updatesPerStep = 1;
  step = 0;
  private readonly ascents: readonly Ascent[];
  private readonly describe: (verdict: Verdict) => string;
  private readonly end: () => void;
  private known: { step: number; verdict: Verdict } | undefined;

  /** `describe`: states why the run ended; `end`: releases resources. */
  constructor(ascents: readonly Ascent[], describe: (verdict: Verdict) => string, end: () => void) {
    this.ascents = ascents;
    this.describe = describe;
    this.end = end;
  }

  get updates(): number {
    return this.step;
  }

  get converged(): boolean | string {
    return this.ascents.every(({ ended }) => ended) && this.ascents.some(({ loss }) => loss < Infinity)
      ? this.describe(this.verdict())
      : false;
  }

  async advance(): Promise<Advance> {
    for (const ascent of this.ascents) if (!ascent.ended) await ascent.step();
    this.step++;
    const least = Math.min(...this.ascents.map(({ loss }) => loss));
    return { updates: 1, lossSum: least, rows: 1 };
  }

  parameters(): Float64Array {
    return this.verdict().best.x.slice();
  }

  report(): Record<string, number> {
    return { startsUnderWay: this.ascents.filter(({ ended }) => !ended).length };
  }

  /**
   * Judges all starts. The best start has the highest density. If another start ended at a minimum of −log density,
   * starts from which the density is unbounded are ignored.
   */
  verdict(): Verdict {
    if (this.known?.step === this.step) return this.known.verdict;
    const judged = this.ascents.map((ascent) => ({ ascent, ...ascent.judge() }));
    const isUnbounded = ({ unbounded }: Judgement): boolean => unbounded.length > 0;
    const isMinimum = (one: (typeof judged)[number]): boolean => !isUnbounded(one) && one.left <= tolerance(one.ascent.loss);
    const minima = judged.filter(isMinimum);
    const kept = judged.some(isUnbounded) && minima.length > 0 ? minima : judged;
    const best = kept.reduce((a, b) => (b.ascent.loss < a.ascent.loss ? b : a));
    const losses = judged.map(({ ascent }) => ascent.loss);
    const verdict = {
      best: best.ascent,
      left: best.left,
      converged: isMinimum(best),
      unbounded: judged.flatMap(({ unbounded }) => unbounded),
      spread: {
        count: judged.length,
        near: losses.filter((loss) => Math.abs(loss - best.ascent.loss) <= NEAR).length,
        lowest: -Math.max(...losses),
        unbounded: judged.filter(isUnbounded).length,
      },
    };
    this.known = { step: this.step, verdict };
    return verdict;
  }

  snapshot(): Snapshot {
    return { tensors: {}, state: {} };
  }

  restore(): void {}

  dispose(): void {
    this.end();
  }
}
