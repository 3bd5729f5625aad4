import type { ColumnBinding, ColumnTarget } from "../../engine/contract/index.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { log } from "../../engine/numbers/log.ts";
import { extrapolate, HISTORY } from "../../engine/optimise/coordinates/anderson.ts";
import * as field from "../fields.ts";
import { type Calls, whole } from "./calls.ts";
import type { ColumnSet } from "./column-set.ts";
import { commonShift } from "./common-shift.ts";
import { dot, JointIntercepts } from "./joint-intercepts.ts";
import { isFitted, isWeightless, type OutputRows } from "./softmax-rows.ts";

/** Penalty of every coefficient. */
export interface Strength {
  l1: number;
  l2: number;
}

export interface NewtonAim {
  /** The solver stops after a step with a predicted gain of at most this value. */
  enough: number;
  /** A solve ends when a pass gains less than this value. */
  solve: number;
  steps: number;
  /**
   * Largest relative error at which curvatures from an earlier step are reused. If this option is set, the solve ends
   * after the first step that gains as much as its model predicted. Default: no curvatures are reused.
   */
  drift?: number;
}

/**
 * Smallest curvature, as a share of the loss's largest. In flat parts of the loss (huber's tails, saturated rows), a
 * model without curvature would have no minimum.
 */
const LEAST_CURVATURE = 1e-6;
/** Smallest decrease that Armijo's rule accepts, as a share of the decrease that the model predicts. */
const SUFFICIENT = 1e-4;
/**
 * Smallest share of the predicted gain that a step must achieve. If it achieves less, the next step computes new
 * curvatures.
 */
const LEAST_TRUST = 0.5;
const SHORTEST = 1e-10;
const MOST_SWEEPS = 100;
/**
 * Maximum number of joint steps of all intercepts. The intercepts are solved when every slope is at most SETTLED · Σ
 * |terms of the slope| in size, or when rounding prevents further decrease.
 */
const MOST_TOGETHER = 100;
const SETTLED = 1e-14;
/**
 * A class without rows of positive weight counts as absent if its mean probability is at most this value. Because of
 * rounding, such a small probability can hardly be distinguished from 0.
 */
const VANISHING = 1e-13;
/** Relative rounding error of a sum, per row. */
const ROUNDED = 2 ** -53;
const MOST_TRIALS = 60;
/**
 * Maximum number of groups into which outputs that share a loss are divided. A cycle makes one step per group. Each
 * evaluation of the loss computes all outputs, even if only one output has moved. With one step per output, the cost of
 * a cycle would therefore be quadratic in the number of outputs. In measurements with 10 to 100 classes and with strong
 * and weak penalties, 4 to 8 groups were fastest.
 */
const MOST_TURNS = 8;

/**
 * Proximal Newton steps for a loss that is not quadratic. Outputs move one after another, or in groups if they share a
 * loss. In a step, each output's loss is replaced by its quadratic model at the current point.
 * kernels/learning/working-set.ts minimises the model plus the penalty over the working set. The step is then halved
 * until the objective falls enough.
 *
 * The class holds the slopes and curvatures of the outputs, and the intercepts: `origins[k]` is the intercept of output
 * k at the columns' origins, b_k + Σ_j o_j β_kj.
 * Long because every method works on the same slopes, curvatures and intercepts, which one Newton step updates
 * together.
 * Source: Lee, Sun, Saunders 2014.
 */
export class ColumnNewton {
  /** Σ c ℓ at the point. */
  loss = 0;
  strength: Strength = { l1: 0, l2: 0 };
  readonly origins: Float64Array;
  private readonly target: ColumnTarget;
  private readonly engine: Engine;
  private readonly binding: ColumnBinding;
  private readonly sets: readonly ColumnSet[];
  /** Outputs whose coefficients the current step changes. */
  private moving: readonly number[] = [];
  /** Outputs that have moved since their loss was evaluated. */
  private readonly stale: Uint8Array;

  constructor(target: ColumnTarget, engine: Engine, binding: ColumnBinding, sets: readonly ColumnSet[]) {
    this.target = target;
    this.engine = engine;
    this.binding = binding;
    this.sets = sets;
    this.origins = new Float64Array(target.outputs);
    this.stale = new Uint8Array(target.outputs).fill(1);
  }

  /** Evaluates slopes and curvatures at the current outputs. */
  *evaluate(): Calls<number> {
    const { binding, target, stale } = this;
    const due = target.joint
      ? stale.includes(1)
        ? binding.evaluation
        : []
      : binding.evaluation.filter((_, k) => stale[k] === 1);
    if (due.length > 0) yield due;
    stale.fill(0);
    return binding.loss();
  }

  /** Returns the coefficients of output k after its last complete step. They match its intercept. */
  settledCoefficients(k: number): Float64Array {
    const set = this.sets[k];
    const beta = set.overColumns(set.beta).slice();
    const before = set.before();
    if (this.moving.includes(k)) for (const [a, j] of set.members().entries()) beta[j] = before[a];
    return beta;
  }

  /** Returns Σ |slopes| and Σ curvatures, summed over all rows and outputs. */
  size(): { slopes: number; curvatures: number } {
    const count = this.target.rowCount * this.target.outputs;
    const total = (at: number): number => this.engine.memory.f64(at, count).reduce((sum, x) => sum + Math.abs(x), 0);
    return { slopes: total(this.binding.slopes), curvatures: total(this.binding.curvatures) };
  }

  /**
   * Whether the loss has no minimum. The loss has no minimum if each row's own class is more likely than all other
   * classes together.
   */
  separates(): boolean {
    return this.target.joint && this.sets.every((_, k) => isFitted(this.rowsOf(k)));
  }

  /**
   * Moves these outputs jointly. Stops when the predicted gain of a step is too small. The caller must have evaluated
   * the slopes at the current point. Returns the gain.
   */
  *descend(outputs: readonly number[], { enough, solve, steps, drift }: NewtonAim): Calls<number> {
    const sets = outputs.map((k) => this.sets[k]);
    let gained = 0;
    let trusted = true;
    for (let step = 0; step < steps; step++) {
      for (const k of outputs) this.takeModel(k, trusted ? drift : undefined);
      for (const set of sets) {
        set.set(field.SET_TOLERANCE_F64, solve);
        set.remember();
      }
      this.moving = outputs;
      yield* whole("setSolve", sets);
      yield* whole("setDirection", sets, (i) => [sets[i].direction]);
      const promised = outputs.reduce((sum, k) => sum + this.promised(this.sets[k], k), 0);
      const modelled = promised + 0.5 * sets.reduce((sum, set) => sum + set.get(field.SET_SLOPE_CURVATURE_F64), 0);
      const leads = promised < this.noise();
      const change = leads ? yield* this.backtrack(outputs, promised) : 0;
      if (!leads) for (const set of sets) stay(set);
      this.moving = [];
      gained -= change;
      trusted = change <= LEAST_TRUST * modelled;
      if (!leads || -promised <= enough || (drift !== undefined && Math.abs(change - modelled) <= enough)) break;
    }
    return gained;
  }

  /**
   * Runs cycles of one step per group of outputs that share a loss. Cycles converge linearly and are extrapolated.
   * Returns the gain.
   */
  *descendTogether(aim: NewtonAim): Calls<number> {
    const points = [this.point()];
    let gained = 0;
    for (let cycle = 0; cycle < HISTORY; cycle++) {
      let now = 0;
      for (const outputs of this.turns()) now += yield* this.descend(outputs, aim);
      gained += now;
      if (now <= aim.enough) return gained;
      points.push(this.point());
    }
    return gained + (yield* this.leap(points));
  }

  /** At most MOST_TURNS groups of outputs. All outputs of a group move in the same step. */
  private turns(): number[][] {
    const all = [...this.sets.keys()];
    const count = Math.min(MOST_TURNS, all.length);
    return Array.from({ length: count }, (_, g) => all.filter((k) => k % count === g));
  }

  /**
   * Returns a point: the members' coefficients, the intercepts and the outputs, as one vector. The outputs are linear
   * in the coefficients and intercepts, so an affine combination of points is again a point.
   */
  private point(): Float64Array {
    const z = this.engine.memory.f64(this.binding.z, this.target.rowCount * this.target.outputs);
    const members = this.sets.reduce((sum, set) => sum + set.members().length, 0);
    const point = new Float64Array(members + this.origins.length + z.length);
    let at = 0;
    for (const set of this.sets) {
      const beta = set.overColumns(set.beta);
      for (const j of set.members()) point[at++] = beta[j];
    }
    point.set(this.origins, at);
    point.set(z, at + this.origins.length);
    return point;
  }

  private moveTo(point: Float64Array): void {
    let at = 0;
    for (const set of this.sets) {
      const beta = set.overColumns(set.beta);
      for (const j of set.members()) beta[j] = point[at++];
    }
    this.origins.set(point.subarray(at, at + this.origins.length));
    this.engine.memory
      .f64(this.binding.z, this.target.rowCount * this.target.outputs)
      .set(point.subarray(at + this.origins.length));
    this.stale.fill(1);
  }

  private penaltyHere(): number {
    let penalty = 0;
    for (const set of this.sets) {
      const beta = set.overColumns(set.beta);
      const weights = set.penaltyWeights();
      for (const j of set.members()) penalty += this.penaltyOf(weights[j], beta[j]);
    }
    return penalty;
  }

  /** Moves to the point that Anderson's method extrapolates, if the objective is lower there. Returns the gain. */
  private *leap(points: readonly Float64Array[]): Calls<number> {
    const to = extrapolate(points);
    if (!to) return 0;
    const before = this.loss;
    const penalty = this.penaltyHere();
    this.moveTo(to);
    const floor = this.target.nonNegative && this.sets.some((set) => set.overColumns(set.beta).some((b) => b < 0));
    const loss = yield* this.evaluate();
    const gained = before + penalty - loss - this.penaltyHere();
    this.loss = loss;
    if (gained > 0 && !floor) return gained;
    this.moveTo(points[points.length - 1]);
    this.loss = yield* this.evaluate();
    return 0;
  }

  /**
   * Removes the common shift of all outputs from each column's coefficients, if the shared loss does not depend on it.
   * This lowers the penalty.
   */
  shiftCommon(): void {
    if (!this.target.joint || !this.sharesShift()) return;
    const { sets } = this;
    const betas = sets.map((set) => set.overColumns(set.beta));
    const screened = sets.map((set) => set.screened());
    const weights = sets[0].penaltyWeights();
    for (const j of new Set(sets.flatMap((set) => [...set.members()]))) {
      if (weights[j] === 0 || screened.some((of) => of[j] === 1)) continue;
      const shift = commonShift(
        Float64Array.from(betas, (beta) => beta[j]),
        this.strength,
        this.target.nonNegative,
      );
      if (shift !== 0) for (const beta of betas) beta[j] -= shift;
    }
  }

  /** Whether the loss of every row is unchanged by a common shift of the outputs. */
  private sharesShift(): boolean {
    const { rowCount, outputs } = this.target;
    const slopes = this.engine.memory.f64(this.binding.slopes, rowCount * outputs);
    for (let i = 0; i < rowCount; i++) {
      let sum = 0;
      let size = 0;
      for (let k = 0; k < outputs; k++) {
        sum += slopes[k * rowCount + i];
        size += Math.abs(slopes[k * rowCount + i]);
      }
      if (Math.abs(sum) > 1e-12 * size + 1e-15 / rowCount) return false;
    }
    return true;
  }

  /**
   * Evaluates the slopes at the current point. Then moves the intercepts to their minimum at fixed coefficients, to
   * full precision. Without this minimisation, no dual point would be feasible. With a quadratic loss, the intercept is
   * already at its minimum. Curvatures are recomputed if their error exceeds `drift`. By default, they are always
   * recomputed.
   */
  *settle(drift?: number): Calls<void> {
    this.loss = yield* this.evaluate();
    const { intercept, quadratic, outputs, joint } = this.target;
    const settled = joint && intercept && (yield* this.settleTogether());
    for (let sweep = intercept && !quadratic && !settled ? MOST_SWEEPS : 0; sweep > 0; sweep--) {
      let off = 0;
      for (let k = 0; k < outputs; k++) off = Math.max(off, yield* this.settleOne(k));
      if (off <= 1e-14) break;
    }
    for (let k = 0; k < outputs; k++) this.takeModel(k, drift);
  }

  /**
   * Moves all intercepts of a shared loss together. A step costs one evaluation, as for a single intercept. Returns
   * false if this does not reach the minimum.
   */
  private *settleTogether(): Calls<boolean> {
    const { outputs, rowCount } = this.target;
    const sunk = yield* this.sinkWeightless();
    const search = new JointIntercepts(this.sharesShift());
    let lastOff = Infinity;
    const still = { sum: 0, size: 0, curvature: 1 };
    for (let step = 0; step < MOST_TOGETHER; step++) {
      const along = Array.from({ length: outputs }, (_, k) => (sunk.has(k) ? still : this.slopeOf(k)));
      if (along.every(({ sum, size }) => Math.abs(sum) <= SETTLED * size)) return true;
      const off = along.reduce((most, { sum, size }) => Math.max(most, Math.abs(sum) / Math.max(size, Number.MIN_VALUE)), 0);
      if (off <= ROUNDED * rowCount && off > 0.5 * lastOff) return true;
      lastOff = off;
      const slopes = Float64Array.from(along, ({ sum }) => sum);
      const direction = search.direction(
        slopes,
        Float64Array.from(along, ({ curvature }) => curvature),
      );
      const before = new Float64Array(outputs);
      const start = dot(slopes, direction);
      let length = 1;
      let after = slopes;
      for (let trial = 0; ; trial++) {
        for (let k = 0; k < outputs; k++) this.shiftOutputs(k, length * direction[k] - before[k]);
        for (let k = 0; k < outputs; k++) before[k] = length * direction[k];
        this.loss = yield* this.evaluate();
        after = Float64Array.from({ length: outputs }, (_, k) => (sunk.has(k) ? 0 : this.slopeOf(k).sum));
        // The step ends either before the minimum, or beyond the minimum at a smaller slope.
        if (dot(after, direction) <= 0.9 * Math.abs(start) || trial === MOST_TRIALS) break;
        length /= 2;
      }
      for (let k = 0; k < outputs; k++) this.origins[k] += before[k];
      search.learn(
        before,
        after.map((g, k) => g - slopes[k]),
      );
    }
    return false;
  }

  /**
   * Handles classes without weight, because the loss has no minimum in their intercepts. Lowers these intercepts until
   * the mean probability of each such class is at most VANISHING. These intercepts then stay at their lowered values.
   * Returns the outputs of these classes.
   */
  private *sinkWeightless(): Calls<ReadonlySet<number>> {
    const weightless = [...this.sets.keys()].filter((k) => isWeightless(this.rowsOf(k)));
    const total = weightless.length > 0 ? this.weights().reduce((a, b) => a + b, 0) : 0;
    for (let trial = 0; trial < MOST_TRIALS; trial++) {
      const high = weightless.filter((k) => this.slopeOf(k).sum > VANISHING * total);
      if (high.length === 0) break;
      for (const k of high) {
        // A small probability is proportional to the exponential of the output.
        const by = log((VANISHING / 2) * (total / this.slopeOf(k).sum));
        this.shiftOutputs(k, by);
        this.origins[k] += by;
      }
      this.loss = yield* this.evaluate();
    }
    return new Set(weightless);
  }

  private shiftOutputs(k: number, by: number): void {
    const z = this.sets[k].overRows(this.zOf(k));
    for (let i = 0; i < z.length; i++) z[i] += by;
    this.stale[k] = 1;
  }

  /**
   * Moves intercept k by a Newton step. If the slope hardly decreases, as in flat tails, the step is lengthened. If the
   * slope changes sign and grows in size, the step is shortened. Returns |Σ slopes|/Σ|slopes| before the step, or 0 if
   * no step was made.
   */
  private *settleOne(k: number): Calls<number> {
    const { sum, size, curvature } = this.slopeOf(k);
    if (Math.abs(sum) <= 4e-16 * size) return 0;
    const before = this.sets[k].overRows(this.zOf(k)).slice();
    let [here, there, at] = [0, sum, 0];
    let d = -sum / curvature;
    for (let trial = 0; trial < MOST_TRIALS && Math.abs(there) > 0.9 * Math.abs(sum); trial++) {
      at = here + d;
      this.putOutputs(k, before, at);
      this.loss = yield* this.evaluate();
      const slope = this.slopeOf(k).sum;
      const forth = slope * sum > 0;
      d *= forth ? 2 : 0.5;
      if (!forth && !(Math.abs(slope) < Math.abs(there))) continue;
      [here, there] = [at, slope];
      if (!forth) break;
    }
    if (at !== here) this.putOutputs(k, before, here);
    this.loss = yield* this.evaluate();
    this.origins[k] += here;
    return here === 0 ? 0 : Math.abs(sum) / size;
  }

  /** Sets z_k = before + shift. */
  private putOutputs(k: number, before: Float64Array, shift: number): void {
    const z = this.sets[k].overRows(this.zOf(k));
    for (let i = 0; i < z.length; i++) z[i] = before[i] + shift;
    this.stale[k] = 1;
  }

  /** Returns slope and curvature along intercept k. */
  private slopeOf(k: number): { sum: number; size: number; curvature: number } {
    const set = this.sets[k];
    this.here("setSlope", k, this.slopesOf(k), this.curvaturesOf(k));
    const [sum, size] = [set.get(field.SET_SLOPE_F64), set.get(field.SET_SLOPE_SIZE_F64)];
    const curvature = set.get(field.SET_SLOPE_CURVATURE_F64);
    if (curvature > 0) return { sum, size, curvature };
    this.takeModel(k);
    return { sum, size, curvature: set.get(field.SET_SUM_H_F64) };
  }

  /**
   * Sets up the quadratic model of output k at the current point, from the slopes evaluated last. Curvatures within
   * `drift` of the old ones are reused.
   */
  takeModel(k: number, drift = -1): void {
    const least = LEAST_CURVATURE * (this.target.curvature ?? 1);
    this.here("setModel", k, this.slopesOf(k), this.curvaturesOf(k), this.binding.weights, least, drift);
  }

  private here(kernel: string, k: number, ...args: number[]): void {
    this.binding.here(kernel)(this.sets[k].block, ...args);
  }

  private weights(): Float64Array {
    return this.engine.memory.f64(this.binding.weights, this.target.rowCount);
  }

  private rowsOf(k: number): OutputRows {
    const set = this.sets[k];
    return {
      weights: this.weights(),
      slopes: set.overRows(this.slopesOf(k)),
      curvatures: set.overRows(this.curvaturesOf(k)),
    };
  }

  private slopesOf(k: number): number {
    return this.binding.slopes + k * this.target.rowCount * 8;
  }

  private curvaturesOf(k: number): number {
    return this.binding.curvatures + k * this.target.rowCount * 8;
  }

  private zOf(k: number): number {
    return this.binding.z + k * this.target.rowCount * 8;
  }

  /** Largest difference that rounding can cause between two values of the objective. */
  private noise(): number {
    return 1e-13 * Math.abs(this.loss);
  }

  /**
   * Returns the predicted change of the objective: the slope of the loss along the direction, plus the change of the
   * penalty.
   */
  private promised(set: ColumnSet, k: number): number {
    this.here("setAlong", k, this.slopesOf(k), set.direction);
    let slope = set.get(field.SET_SLOPE_F64);
    const beta = set.overColumns(set.beta);
    const weights = set.penaltyWeights();
    const before = set.before();
    for (const [a, j] of set.members().entries())
      slope += this.penaltyOf(weights[j], beta[j]) - this.penaltyOf(weights[j], before[a]);
    return slope;
  }

  private penaltyOf(weight: number, b: number): number {
    const { l1, l2 } = this.strength;
    return weight * (l1 * Math.abs(b) + 0.5 * l2 * b * b);
  }

  /**
   * Searches along the direction by halving the step until the objective falls enough. Returns the change of the
   * objective.
   */
  private *backtrack(outputs: readonly number[], promised: number): Calls<number> {
    const walks = outputs.map((k) => this.walk(k));
    const penaltyBefore = walks.reduce((sum, { penalty }) => sum + penalty, 0);
    for (let length = 1; ; length /= 2) {
      const given = length < SHORTEST ? 0 : length;
      let penalty = -penaltyBefore;
      for (const walk of walks) penalty = walk.to(given, penalty);
      const loss = yield* this.evaluate();
      const change = loss - this.loss + penalty;
      // The last steps change the objective by less than its rounding error. The objective is then uninformative, but
      // the slopes still lead to the minimum.
      const unseen = Math.abs(promised) <= this.noise() && Math.abs(change) <= this.noise();
      if (change <= SUFFICIENT * given * promised || unseen || given === 0) {
        this.loss = loss;
        if (this.target.intercept) for (const [i, k] of outputs.entries()) this.origins[k] += given * walks[i].shift;
        return change;
      }
    }
  }

  /**
   * Straight line from the position of output k before the solve to the solution. `to` moves the output to the given
   * share of this line, and returns `sum` plus the penalty there.
   */
  private walk(k: number): { penalty: number; shift: number; to(share: number, sum: number): number } {
    const set = this.sets[k];
    const members = set.members().slice();
    const before = set.before().slice();
    const weights = Float64Array.from(members, (j) => set.penaltyWeights()[j]);
    const after = Float64Array.from(members, (j) => set.overColumns(set.beta)[j]);
    const z = set.overRows(this.zOf(k)).slice();
    const penalty = before.reduce((sum, b, a) => sum + this.penaltyOf(weights[a], b), 0);
    const to = (share: number, sum: number): number => {
      const direction = set.overRows(set.direction);
      const here = set.overRows(this.zOf(k));
      for (let i = 0; i < z.length; i++) here[i] = z[i] + share * direction[i];
      const beta = set.overColumns(set.beta);
      let total = sum;
      for (const [a, j] of members.entries()) {
        beta[j] = share === 1 ? after[a] : before[a] + share * (after[a] - before[a]);
        total += this.penaltyOf(weights[a], beta[j]);
      }
      this.stale[k] = 1;
      return total;
    };
    return { penalty, shift: set.get(field.SET_SHIFT_F64), to };
  }
}

/** Restores the coefficients from before the solve. */
function stay(set: ColumnSet): void {
  const beta = set.overColumns(set.beta);
  const before = set.before();
  for (const [a, j] of set.members().entries()) beta[j] = before[a];
}
