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
  /** A step that promises less is the last. */
  enough: number;
  /** What a pass of the solve may still gain when it ends. */
  solve: number;
  steps: number;
  /** Curvatures that are off by no more than this share may be those of an earlier step, and a step that gained what its model said is the last. Default: none are. */
  drift?: number;
}

/** Of a loss's largest curvature: where it is flat (huber's tails, saturated rows), a model without curvature would have no minimum. */
const LEAST_CURVATURE = 1e-6;
/** Armijo's share of the decrease that the model promises. */
const SUFFICIENT = 1e-4;
/** Of what a model on curvatures of an earlier step said: a step that gained less is followed by one on new ones. */
const LEAST_TRUST = 0.5;
const SHORTEST = 1e-10;
const MOST_SWEEPS = 100;
/** Steps of all intercepts at once, which end where no slope is more than this share of what it is made of, or where rounding lets none fall further. */
const MOST_TOGETHER = 100;
const SETTLED = 1e-14;
/** Of classes that no row of any weight has: their share of the rows' probability that rounding hardly tells from 0. */
const VANISHING = 1e-13;
/** Of a sum, a row: what its rounding may leave. */
const ROUNDED = 2 ** -53;
const MOST_TRIALS = 60;
/**
 * Groups of outputs that share a loss, in a cycle of steps: an evaluation costs all outputs whichever moves, so that a cycle of one step each would cost the square of
 * their number. On problems of 10 to 100 classes, strongly and weakly penalised, 4 to 8 groups took the least time.
 */
const MOST_TURNS = 8;

/**
 * Proximal Newton steps for a loss that is no quadratic, one output after another, or some at once where many share it: the loss becomes its quadratic model at the
 * present outputs, each output's alone, kernels/learning/working-set.ts minimises that plus the penalty over the working set, and the way there is halved until the objective
 * falls enough.
 *
 * Holds the outputs' slopes and curvatures, and the intercepts: `origins[k]` is output k's at the columns' origins, b_k + Σ_j o_j β_kj.
 * Long because every method works on the same slopes, curvatures and intercepts, which one Newton step updates together.
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
  /** The outputs whose coefficients are on the way to another point. */
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

  /** Slopes and curvatures at the outputs as they are. */
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

  /** Coefficients of output k that go with its intercept: those that its last step left. */
  settledCoefficients(k: number): Float64Array {
    const set = this.sets[k];
    const beta = set.overColumns(set.beta).slice();
    const before = set.before();
    if (this.moving.includes(k)) for (const [a, j] of set.members().entries()) beta[j] = before[a];
    return beta;
  }

  /** Σ |slopes| and Σ curvatures over all rows and outputs. */
  size(): { slopes: number; curvatures: number } {
    const count = this.target.rowCount * this.target.outputs;
    const total = (at: number): number => this.engine.memory.f64(at, count).reduce((sum, x) => sum + Math.abs(x), 0);
    return { slopes: total(this.binding.slopes), curvatures: total(this.binding.curvatures) };
  }

  /** Whether the loss falls for as long as weights grow, because each row's own class is likelier than all others together. */
  separates(): boolean {
    return this.target.joint && this.sets.every((_, k) => isFitted(this.rowsOf(k)));
  }

  /** Moves these outputs, all of them in each step, until a step promises less than enough. Slopes must be those of the point. Returns what was gained. */
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

  /** Cycles of one step of each group of outputs that share a loss: they converge linearly, and are extrapolated. Returns what was gained. */
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

  /** Outputs that step together, in at most MOST_TURNS groups. */
  private turns(): number[][] {
    const all = [...this.sets.keys()];
    const count = Math.min(MOST_TURNS, all.length);
    return Array.from({ length: count }, (_, g) => all.filter((k) => k % count === g));
  }

  /** Members' coefficients, intercepts, outputs: all that is linear in the coefficients, so that a combination of points is a point. */
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

  /** To Anderson's point, if the objective is lower there. */
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

  /** Moves each column's coefficients by what all outputs have in common, where a shared loss does not mind and the penalty does. */
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

  /** In no row does a common shift of the outputs change the loss. */
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
   * Slopes at the point, and intercepts at their minimum for the coefficients as they are, to the last digit: without it no dual point would be
   * feasible. A quadratic loss has its intercept there already. Curvatures are taken anew where they are off by more than `drift`; default: always.
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

  /** All intercepts of a shared loss at once: a step costs one evaluation, as that of a single intercept does. False where that does not lead there. */
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
        // Past the minimum by less than it was before it, or not there yet.
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
   * Intercepts of classes without weight have no minimum: they are brought to where the class's mean probability is no more than VANISHING, and stay there. Returns
   * those outputs.
   */
  private *sinkWeightless(): Calls<ReadonlySet<number>> {
    const weightless = [...this.sets.keys()].filter((k) => isWeightless(this.rowsOf(k)));
    const total = weightless.length > 0 ? this.weights().reduce((a, b) => a + b, 0) : 0;
    for (let trial = 0; trial < MOST_TRIALS; trial++) {
      const high = weightless.filter((k) => this.slopeOf(k).sum > VANISHING * total);
      if (high.length === 0) break;
      for (const k of high) {
        // A probability falls as the output's exponential does, once it is small.
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
   * A Newton step of intercept k: longer while the slope hardly falls (flat tails), shorter where it turns and grows. Returns |Σ slopes|/Σ|slopes|
   * before it, or 0 where no step was made.
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

  /** z_k = before + shift. */
  private putOutputs(k: number, before: Float64Array, shift: number): void {
    const z = this.sets[k].overRows(this.zOf(k));
    for (let i = 0; i < z.length; i++) z[i] = before[i] + shift;
    this.stale[k] = 1;
  }

  /** Along intercept k. */
  private slopeOf(k: number): { sum: number; size: number; curvature: number } {
    const set = this.sets[k];
    this.here("setSlope", k, this.slopesOf(k), this.curvaturesOf(k));
    const [sum, size] = [set.get(field.SET_SLOPE_F64), set.get(field.SET_SLOPE_SIZE_F64)];
    const curvature = set.get(field.SET_SLOPE_CURVATURE_F64);
    if (curvature > 0) return { sum, size, curvature };
    this.takeModel(k);
    return { sum, size, curvature: set.get(field.SET_SUM_H_F64) };
  }

  /** The quadratic model of output k at the present point: slopes and curvatures as they were last evaluated, these as they are or as `drift` leaves them. */
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

  /** What rounding may make of a difference of objectives. */
  private noise(): number {
    return 1e-13 * Math.abs(this.loss);
  }

  /** Slope of the loss along the direction, plus what the penalty changes. */
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

  /** Walks along the direction, halving until the objective falls enough. Returns the change of the objective. */
  private *backtrack(outputs: readonly number[], promised: number): Calls<number> {
    const walks = outputs.map((k) => this.walk(k));
    const penaltyBefore = walks.reduce((sum, { penalty }) => sum + penalty, 0);
    for (let length = 1; ; length /= 2) {
      const given = length < SHORTEST ? 0 : length;
      let penalty = -penaltyBefore;
      for (const walk of walks) penalty = walk.to(given, penalty);
      const loss = yield* this.evaluate();
      const change = loss - this.loss + penalty;
      // The last steps change less than rounding does: values say nothing about them, but slopes still led there.
      const unseen = Math.abs(promised) <= this.noise() && Math.abs(change) <= this.noise();
      if (change <= SUFFICIENT * given * promised || unseen || given === 0) {
        this.loss = loss;
        if (this.target.intercept) for (const [i, k] of outputs.entries()) this.origins[k] += given * walks[i].shift;
        return change;
      }
    }
  }

  /** Output k's way from where it was to where its solve ended: `to` puts it at a share of that, and adds the penalty there to `sum`. */
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

/** Coefficients as they were before the solve. */
function stay(set: ColumnSet): void {
  const beta = set.overColumns(set.beta);
  const before = set.before();
  for (const [a, j] of set.members().entries()) beta[j] = before[a];
}
