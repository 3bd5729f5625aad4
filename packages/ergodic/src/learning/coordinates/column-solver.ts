import type { ColumnBinding, ColumnTarget, Gap, Snapshot } from "../../engine/contract/index.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import type { Call } from "../../engine/memory/pool.ts";
import * as field from "../fields.ts";
import { type Calls, whole } from "./calls.ts";
import { ColumnNewton, type Strength } from "./column-newton.ts";
import { ColumnSet, joined, parted } from "./column-set.ts";

export type { Strength } from "./column-newton.ts";

/** Number of columns that can join the working set in a round while there are fewer nonzero coefficients than this. */
const FIRST_MEMBERS = 10;
/**
 * A solve ends when a pass (SOLVE_SHARE) or a Newton step (NEWTON_SHARE) gains at most this share of the requested gap.
 */
const SOLVE_SHARE = 1e-3;
const NEWTON_SHARE = 0.05;
const MOST_NEWTON_STEPS = 30;
/**
 * Largest relative error at which curvatures are reused. This limit applies to rounds without a certificate and to
 * outputs that share a loss. Cycles over outputs that share a loss converge only linearly, even with new curvatures.
 * The cycles are cheapest if the Gram matrix is reused.
 */
const DRIFT = 0.1;
/** Maximum number of members for which a new Gram matrix costs no more than the rest of a step. */
const FEW_MEMBERS = 16;
/** Largest gain per pass that rounding alone can cause, relative to the null model's loss. */
const ROUNDING = 1e-28;
/**
 * The run stops after this many rounds without a new column and without lowering the gap by a tenth. No further
 * progress is then possible.
 */
const MOST_IDLE = 20;
/** Strength that keeps all penalised coefficients at 0. */
const BARRED: Strength = { l1: 1e300, l2: 0 };
/**
 * The intercepts alone can fit the targets exactly. Losses and pulls then count as rounding errors if they are at most
 * these shares of their values at z = 0. A quadratic loss has a smaller share, because its sum involves no
 * cancellation.
 */
const LEAST_SHARE = 1e-10;
const LEAST_SHARE_QUADRATIC = 1e-20;
const LEAST_PULL_SHARE = 1e-9;
/**
 * Smallest plausible ratio of slopes and curvatures to their values at the null model. Without a penalty, smaller
 * ratios show that the loss is approaching a limit that it never reaches.
 */
const VANISHED = 1e-3;
const UNBOUNDED = "the loss has no minimum: unpenalised coefficients fit the rows ever better as they grow; give l1 or l2";

export interface SolverState extends Gap {
  /** Largest error in the optimality conditions of a column, relative to the null model. */
  violation: number;
  nonZeros: number;
  members: number;
  screened: number;
  passes: number;
}

/** Properties of the null model, and the progress of the rounds. */
interface Progress {
  nullLoss: number;
  leastLoss: number;
  /**
   * Largest pull of a column at the null model, and an upper bound on the pulls at z = 0, computed from the columns'
   * norms.
   */
  nullPull: number;
  zeroPull: number;
  nullSlopes: number;
  nullCurvatures: number;
  solveShare: number;
  /** Smallest gap or violation so far, and number of rounds since it last decreased. */
  best: number;
  idle: number;
}

const nothingYet: SolverState = {
  primal: 0,
  dual: Number.NaN,
  relative: Number.NaN,
  violation: Infinity,
  nonZeros: 0,
  members: 0,
  screened: 0,
  passes: 0,
};

/**
 * Coordinate descent for a penalised linear model, column by column, to a certified duality gap.
 *
 *   P(β, b) = Σ_i c_i ℓ(z_i, y_i) + Σ_j w_j (l1|β_j| + l2/2 β_j²),  z = Xβ + b
 *   D(α) = −Σ_i c_i ℓ*(−α v_i/c_i) − Σ_j max(α|x_j·v| − l1 w_j, 0)²/(2 l2 w_j),  v_i = −c_i ∂ℓ/∂z_i
 *   Σv = 0 with an intercept
 *
 * D is evaluated at one or two values of α, and the larger result is used. The first value, min(1, min_j l1
 * w_j/|x_j·v|), makes the last sum 0. The second, 1, is allowed if l2 > 0. The gap P − D bounds P − min P. The gap is
 * reported relative to a difference: the null model's loss (intercepts alone) minus the least possible loss, Σ_i c_i
 * inf ℓ(·, y_i). Without a penalty, or with unpenalised columns, no dual point is known. The solver then uses the
 * violation instead of the gap: the largest error in any column's optimality condition.
 * In a round, the solver minimises over the columns of the working set. A quadratic loss needs one solve of
 * kernels/learning/working-set.ts. For other losses, column-newton.ts takes Newton steps. The solver then computes all
 * scores and the gap, and adds the columns that pull hardest to the set.
 * Long because a round passes one state (point, scores, working set, gap) through all of its methods.
 * Sources: Friedman, Hastie, Tibshirani 2010; Massias et al. 2018 (working sets by dual points); Fercoq et al. 2015.
 */
export class ColumnSolver {
  readonly target: ColumnTarget;
  readonly rowCount: number;
  private readonly engine: Engine;
  private readonly binding: ColumnBinding;
  private readonly sets: ColumnSet[] = [];
  private readonly newton: ColumnNewton;
  private readonly dual: { pointer: number; dispose(): void };
  /** Whether all columns are penalised. */
  private readonly penalised: boolean;
  private readonly largestWeight: number;
  private last: SolverState = nothingYet;
  /** Whether the null model has been solved. */
  private opened = false;
  private progress: Progress = {
    nullLoss: 1,
    leastLoss: 0,
    nullPull: 1,
    zeroPull: 1,
    nullSlopes: 0,
    nullCurvatures: 0,
    solveShare: SOLVE_SHARE,
    best: Infinity,
    idle: 0,
  };

  constructor(target: ColumnTarget, engine: Engine, rowWeights: Float64Array = target.rowWeights) {
    this.target = target;
    this.engine = engine;
    this.rowCount = target.rowCount;
    this.binding = target.bind(rowWeights);
    this.dual = engine.memory.allocate(target.outputs * target.rowCount * 8, "dual point");
    const penaltyWeights = target.penalty.weights.slice(0, target.columnCount);
    this.penalised = penaltyWeights.every((w) => w > 0);
    this.largestWeight = rowWeights.reduce((a, b) => Math.max(a, b), 0);
    for (let k = 0; k < target.outputs; k++) {
      const v = this.dual.pointer + k * target.rowCount * 8;
      this.sets.push(new ColumnSet(target, this.binding, engine, { v, penaltyWeights }));
    }
    this.newton = new ColumnNewton(target, engine, this.binding, this.sets);
  }

  /**
   * State at the last certificate. Before the first certificate, it contains bounds from the null model: no model's
   * loss is smaller than the least loss.
   */
  get state(): SolverState {
    const { last, opened, nullLoss, leastLoss } = this;
    if (!opened || last.violation < Infinity) return last;
    const gap = this.certified ? { dual: leastLoss, relative: 1 } : {};
    return { ...last, primal: leastLoss + nullLoss, violation: 1, ...gap };
  }

  /** Null model's loss minus the least possible loss. */
  get nullLoss(): number {
    return this.progress.nullLoss;
  }

  /** Σ c inf ℓ(·, y): 0 for most losses. */
  get leastLoss(): number {
    return this.progress.leastLoss;
  }

  /** Loss at the point, Σ c ℓ; NaN before the null model is solved. */
  get loss(): number {
    if (!this.opened) return Number.NaN;
    return this.target.quadratic ? this.leastLoss + this.total(field.SET_FIT_F64) : this.newton.loss;
  }

  /** Solves the null model: intercepts alone. */
  *open(): Calls<void> {
    const { newton, progress, target, binding } = this;
    yield* whole("setNorms", this.sets);
    const zeroLoss = yield* newton.evaluate();
    if (binding.conjugate) progress.leastLoss = -binding.conjugate.value(yield binding.conjugate.calls(this.dual.pointer, 0));
    progress.zeroPull = this.mostPull();
    yield* newton.settle();
    this.setStrength({ l1: 0, l2: 0 });
    yield* whole("setScores", this.sets);
    this.opened = true;
    const share = target.quadratic ? LEAST_SHARE_QUADRATIC : LEAST_SHARE;
    const scale = binding.conjugate ? zeroLoss - progress.leastLoss : Math.abs(zeroLoss);
    progress.nullLoss = Math.max(this.loss - progress.leastLoss, share * scale, Number.MIN_VALUE);
    progress.nullPull = Math.max(this.largestCorrelation(), LEAST_PULL_SHARE * progress.zeroPull, Number.MIN_VALUE);
    const { slopes, curvatures } = newton.size();
    Object.assign(progress, { nullSlopes: slopes, nullCurvatures: curvatures });
  }

  /** Returns the smallest l1 at which all penalised coefficients are 0. Call it immediately after `open`. */
  *largestPull(): Calls<number> {
    if (!this.penalised) {
      yield* this.begin(BARRED);
      while (!(yield* this.round(1e-12)));
      this.setStrength({ l1: 0, l2: 0 });
      yield* whole("setScores", this.sets);
    }
    let largest = 0;
    // If the target is constant up to rounding, the pulls are only rounding errors, so any strength above them is large
    // enough.
    const rounding = 1e-13 * this.progress.zeroPull;
    for (const set of this.sets) {
      const weights = set.penaltyWeights();
      for (const [j, c] of set.correlations().entries()) {
        const pull = this.target.nonNegative ? c : Math.abs(c);
        if (weights[j] > 0 && pull > rounding) largest = Math.max(largest, pull / weights[j]);
      }
    }
    return largest || this.progress.zeroPull || 1;
  }

  /** Sets a new penalty strength and continues from the last solution. */
  *begin(strength: Strength): Calls<void> {
    const before = this.newton.strength.l1;
    this.setStrength(strength);
    Object.assign(this.progress, { solveShare: SOLVE_SHARE, best: Infinity, idle: 0 });
    for (const set of this.sets) {
      set.unscreen();
      if (!this.target.quadratic || set.count(field.SET_SIZE) > set.count(field.SET_CAPACITY) / 2)
        yield [call("setCompact", set)];
      // Strong rule: suppose that pulls change at most as fast as the strength. A pull below `least` × l1 then stays
      // below l1. Only columns with larger pulls join.
      const least = strength.l1 > 0 && before > 0 ? Math.max(0.5, 2 - before / strength.l1) : 1;
      yield [call("setGrow", set, strength.l1 > 0 ? this.growth(set) : this.target.columnCount, strength.l1 > 0 ? least : -1)];
    }
  }

  /**
   * Runs one round. Returns true when the gap is at most `tolerance`, or a reason if further rounds cannot reach the
   * tolerance. If no gap is known, the violation is compared with the tolerance.
   */
  *round(tolerance: number): Calls<boolean | string> {
    const { newton, progress, target } = this;
    const aim = tolerance * progress.nullLoss;
    const gained = target.quadratic ? yield* this.solve(aim) : yield* this.descend(aim);
    yield* whole("setScores", this.sets);
    const off = yield* this.certify();
    const { l1, l2 } = newton.strength;
    if (l1 === 0 && l2 === 0 && newton.separates()) return UNBOUNDED;
    if (off <= tolerance) return this.vanished() ?? true;
    let grown = 0;
    for (const set of this.sets) {
      if (this.certified && this.newton.strength.l2 === 0) yield [this.screening(set)];
      grown += (yield [call("setGrow", set, this.growth(set), 1)])[0];
    }
    if (grown === 0 && (target.quadratic || gained < aim)) progress.solveShare *= 0.01;
    const better = grown > 0 || off < 0.9 * progress.best;
    progress.idle = better ? 0 : progress.idle + 1;
    progress.best = Math.min(progress.best, off);
    if (progress.idle < MOST_IDLE) return false;
    const what = this.certified ? "gap" : "violation";
    return `the ${what} stays at ${progress.best.toPrecision(2)}: ${MOST_IDLE} more rounds did not bring it down`;
  }

  /**
   * Runs a round without a certificate, for solutions that are only compared. The accuracy is about `tolerance`, as
   * estimated from the quadratic models of the loss. The round makes few Newton steps, and computes new curvatures only
   * after they have drifted. Returns true when no column outside the working set needs to join.
   */
  *near(tolerance: number): Calls<boolean> {
    const { newton, progress, target, sets } = this;
    const aim = tolerance * progress.nullLoss;
    let moved = false;
    if (target.quadratic) yield* this.solve(aim);
    else {
      const enough = NEWTON_SHARE * aim;
      const wanted = {
        enough,
        solve: this.endSolvesAt(SOLVE_SHARE * enough),
        steps: target.joint ? 1 : MOST_NEWTON_STEPS,
        drift: DRIFT,
      };
      newton.loss = yield* newton.evaluate();
      // Cycles over outputs that share a loss converge linearly, so a small gain in one step does not indicate
      // convergence. A small gain in a whole round does.
      if (target.joint) moved = (yield* newton.descendTogether(wanted)) > enough;
      else for (const k of sets.keys()) yield* newton.descend([k], wanted);
      newton.shiftCommon();
      yield* newton.evaluate();
      for (const k of sets.keys()) newton.takeModel(k, DRIFT);
    }
    yield* whole("setScores", this.sets);
    const grown = yield sets.map((set) => call("setGrow", set, this.growth(set), 1));
    return !moved && grown.every((count) => count === 0);
  }

  /**
   * Returns the address of the outputs over all rows, f64[outputs][rows]. Rows of weight 0 are included. The solver
   * does not maintain them for a quadratic loss, so in that case they are computed here.
   */
  *outputs(): Calls<number> {
    const { z } = this.binding;
    if (this.target.quadratic) yield* whole("setOutputs", this.sets, (k) => [this.originOf(k), z + k * this.rowCount * 8]);
    return z;
  }

  /**
   * Parameters in the problem's layout: for each output, the coefficients, the intercept and the padding. Within a
   * round, these are the parameters at the current point.
   */
  parameters(): Float64Array {
    const { outputs, penalty, columnCount, intercept, one } = this.target;
    const all = new Float64Array(outputs * penalty.stride);
    for (const [k, set] of this.sets.entries()) {
      const beta = this.newton.settledCoefficients(k);
      all.set(beta, k * penalty.stride);
      const moved = set.origins().reduce((sum, o, j) => sum + o * beta[j], 0);
      if (intercept) all[k * penalty.stride + columnCount] = (this.originOf(k) - moved) / one;
    }
    return all;
  }

  snapshot(): Snapshot {
    const { tensors, state } = joined(this.sets.map((set) => set.snapshot()));
    const { last, newton, progress } = this;
    const { l1, l2 } = newton.strength;
    return {
      tensors: {
        ...tensors,
        intercepts: newton.origins.slice(),
        z: this.outputsView().slice(),
        numbers: Float64Array.of(...Object.values(last), ...Object.values(progress), l1, l2, newton.loss),
      },
      state,
    };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the solver", snapshot);
    const parts = parted(snapshot, this.sets.length);
    const size = Object.keys(this.last).length + Object.keys(this.progress).length + 3;
    const numbers = [...kept.floats("numbers", size)];
    for (const [k, set] of this.sets.entries()) set.restore(parts[k]);
    kept.into(this.newton.origins, "intercepts");
    kept.into(this.outputsView(), "z");
    const take = <T extends object>(like: T): T =>
      Object.fromEntries(Object.keys(like).map((name) => [name, numbers.shift()])) as T;
    this.last = take(this.last);
    this.progress = take(this.progress);
    const [l1, l2, loss] = numbers;
    this.setStrength({ l1, l2 });
    this.newton.loss = loss;
    this.opened = true;
  }

  dispose(): void {
    for (const set of this.sets) set.dispose();
    this.binding.dispose();
    this.dual.dispose();
  }

  /** Whether a dual point is known. */
  private get certified(): boolean {
    const { l1, l2 } = this.newton.strength;
    return this.penalised && (l1 > 0 || l2 > 0) && this.binding.conjugate !== undefined;
  }

  private setStrength(strength: Strength): void {
    this.newton.strength = strength;
    for (const set of this.sets) {
      set.set(field.SET_L1_F64, strength.l1);
      set.set(field.SET_L2_F64, strength.l2);
    }
  }

  private outputsView(): Float64Array {
    return this.engine.memory.f64(this.binding.z, this.rowCount * this.sets.length);
  }

  private total(at: number): number {
    return this.sets.reduce((total, set) => total + set.get(at), 0);
  }

  private largest(at: number): number {
    return this.sets.reduce((most, set) => Math.max(most, set.get(at)), 0);
  }

  private largestCorrelation(): number {
    return this.sets.reduce((most, set) => set.correlations().reduce((a, c) => Math.max(a, Math.abs(c)), most), 0);
  }

  /** Upper bound on the pull of any column at the current slopes. */
  private mostPull(): number {
    const norm = this.sets[0].norms().reduce((a, b) => Math.max(a, b), 0);
    const slopes = this.engine.memory.f64(this.binding.slopes, this.rowCount * this.sets.length);
    return norm * Math.sqrt(slopes.reduce((sum, s) => sum + s * s, 0));
  }

  /** Number of columns that can join: the number of nonzero coefficients, but at least FIRST_MEMBERS. */
  private growth(set: ColumnSet): number {
    return Math.max(FIRST_MEMBERS, nonZeros(set.overColumns(set.beta)));
  }

  /**
   * Returns the intercept at the origins. The model of a quadratic loss is set only once, so the shift within the solve
   * contains all changes of the intercept.
   */
  private originOf(k: number): number {
    const { quadratic, intercept } = this.target;
    return this.newton.origins[k] + (quadratic && intercept ? this.sets[k].shift() : 0);
  }

  private endSolvesAt(gain: number): number {
    return Math.max(gain, ROUNDING * this.nullLoss);
  }

  private *solve(aim: number): Calls<number> {
    for (const set of this.sets) set.set(field.SET_TOLERANCE_F64, this.endSolvesAt(this.progress.solveShare * aim));
    yield* whole("setSolve", this.sets);
    return 0;
  }

  /**
   * Takes Newton steps on one output after another, or jointly on all outputs if they share a loss. Returns the gain.
   */
  private *descend(aim: number): Calls<number> {
    const { newton, progress, target } = this;
    const known = this.last.primal - this.last.dual;
    const gap = Number.isFinite(known) ? Math.min(0.03 * Math.max(0, known), this.nullLoss) : 0;
    const enough = Math.max(NEWTON_SHARE * aim, gap);
    const share = progress.solveShare / SOLVE_SHARE;
    const solve = this.endSolvesAt(progress.solveShare * enough);
    const isDear = this.sets.some((set) => set.count(field.SET_SIZE) > FEW_MEMBERS);
    const drift = target.joint && isDear ? DRIFT : undefined;
    newton.loss = yield* newton.evaluate();
    let gained = 0;
    if (target.joint) gained = yield* newton.descendTogether({ enough: share * NEWTON_SHARE * aim, solve, steps: 1, drift });
    else {
      const wanted = { enough: share * enough, solve, steps: MOST_NEWTON_STEPS };
      for (let k = 0; k < this.sets.length; k++) gained += yield* newton.descend([k], wanted);
    }
    newton.shiftCommon();
    yield* newton.settle(drift);
    return gained;
  }

  /**
   * Computes the gap at the point for which the scores were last computed. Returns the value to compare with the
   * tolerance.
   */
  private *certify(): Calls<number> {
    const { l1, l2 } = this.newton.strength;
    const primal = this.loss + this.total(field.SET_PENALTY_F64);
    const violation = this.largest(field.SET_VIOLATION_F64) / this.progress.nullPull;
    let dual = -Infinity;
    if (this.certified && l1 > 0) dual = yield* this.dualAt(this.feasible());
    if (this.certified && l2 > 0) dual = Math.max(dual, (yield* this.dualAt(1)) - this.total(field.SET_EXCESS_F64));
    const relative = Math.max(0, primal - dual) / this.nullLoss;
    const sum = (count: (set: ColumnSet) => number): number => this.sets.reduce((n, set) => n + count(set), 0);
    this.last = {
      primal,
      dual: this.certified ? dual : Number.NaN,
      relative: this.certified ? relative : Number.NaN,
      violation,
      nonZeros: sum((set) => nonZeros(set.overColumns(set.beta))),
      members: sum((set) => set.count(field.SET_SIZE)),
      screened: sum((set) => set.count(field.SET_SCREENED_COUNT)),
      passes: sum((set) => set.count(field.SET_PASSES)),
    };
    return this.certified ? relative : violation;
  }

  /** Returns the α that scales v into the dual ball. */
  private feasible(): number {
    return 1 / Math.max(1, this.largest(field.SET_RATIO_F64));
  }

  /**
   * −Σ c ℓ*(−α v/c). A quadratic loss uses a form without cancellation: Σ v (v/c + Xβ + b) is the inner product of v
   * with the targets, and Σv = 0.
   */
  private *dualAt(alpha: number): Calls<number> {
    const { conjugate } = this.binding;
    if (!this.target.quadratic) return -conjugate!.value(yield conjugate!.calls(this.dual.pointer, alpha));
    const fit = this.total(field.SET_FIT_F64);
    return this.leastLoss + alpha * ((2 - alpha) * fit + this.total(field.SET_INNER_F64));
  }

  private screening(set: ColumnSet): Call {
    // The dual is strongly concave with modulus 1/(largest curvature), so a ball around the dual point contains the
    // optimum.
    const curvature = (this.target.curvature ?? Infinity) * this.largestWeight;
    return call("setScreen", set, this.feasible(), Math.sqrt(2 * Math.max(0, this.last.primal - this.last.dual) * curvature));
  }

  /** Returns a reason if small slopes do not imply a minimum. */
  private vanished(): string | undefined {
    if (this.certified || this.target.quadratic) return undefined;
    const { slopes, curvatures } = this.newton.size();
    const { nullSlopes, nullCurvatures } = this.progress;
    if (!(slopes > 0 && slopes < VANISHED * nullSlopes && curvatures < VANISHED * nullCurvatures)) return undefined;
    return UNBOUNDED;
  }
}

function call(kernel: string, set: ColumnSet, ...args: number[]): Call {
  return { kernel, args: [set.block, ...args] };
}

function nonZeros(values: Float64Array): number {
  return values.reduce((count, x) => count + Number(x !== 0), 0);
}
