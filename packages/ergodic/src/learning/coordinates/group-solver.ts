import type { CoordinateState, Plan, Problem, Snapshot } from "../../engine/contract/index.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import type { Calls } from "./calls.ts";
import type { PathSolver, PathState, Strength } from "./path.ts";

const PASSES = 20;
/** Strength at which all blocks are 0. */
const NULL_STRENGTH = 1e100;
/** Group penalty that is practically 0 but still defines blocks. */
const NO_STRENGTH = Number.MIN_VALUE;
const MOST_NULL_ROUNDS = 50;
/** Rounding can make a pull exceed the strength by at most this share of the strength. */
const ROUNDING = 1e-12;

export interface GroupParts {
  /** Returns the training problem with the given strength of the group penalty. */
  bind(strength: number): Problem;
  /** Returns the problem on the held-out rows with the given strength of the group penalty. */
  held?(strength: number): Problem;
  plan: Plan;
  engine: Engine;
}

/**
 * Block coordinate descent for a linear model with a group penalty, at decreasing strengths. Each solution starts from
 * the previous one.
 *
 * In a round, the solver makes PASSES passes over the blocks that are nonzero or violate their optimality condition,
 * and moves each block to its minimum in turn. The solver then computes the duality gap over all blocks. The null model
 * is the solution at NULL_STRENGTH. The largest strength with a nonzero block is max_g ‖X_gᵀv‖/√|g| at the null model
 * (Yuan, Lin 2006). The solution at each strength depends only on the point from which the solver starts.
 */
export class GroupSolver implements PathSolver {
  leastLoss = 0;
  nullLoss = 1;
  state: PathState = { relative: Infinity, violation: Number.NaN, nonZeros: 0 };
  private readonly parts: GroupParts;
  private strength = 0;
  /** Mean loss at the current point. NaN after a move, because rounds compute only the objective. */
  private known = Number.NaN;
  private point: Float64Array = new Float64Array(0);
  private problem: Problem | undefined;
  private coordinates: CoordinateState | undefined;

  constructor(parts: GroupParts) {
    this.parts = parts;
  }

  get loss(): number {
    if (Number.isNaN(this.known)) this.known = this.lossAt(this.parts.bind);
    return this.known;
  }

  *open(): Calls<void> {
    this.start(this.parts.bind(NULL_STRENGTH));
    this.leastLoss = yield* leastOf(this.problem!);
    // The largest strength is computed from the remaining slopes, so solve the intercepts to full precision.
    for (let rounds = 0, before = Infinity; rounds < MOST_NULL_ROUNDS; rounds++) {
      yield* this.round(0);
      if (!(this.state.violation < before)) break;
      before = this.state.violation;
    }
    this.nullLoss = Math.max(this.loss - this.leastLoss, Number.MIN_VALUE);
  }

  *largestPull(): Calls<number> {
    this.start(this.parts.bind(NO_STRENGTH));
    const { byColumns } = this.problem!;
    const sizes = this.blocks().map((members) => Math.sqrt(members.length / byColumns!.outputs));
    return this.coordinates!.violations().reduce((most, v, b) => Math.max(most, v / sizes[b]), 0);
  }

  // biome-ignore lint/correctness/useYield: one of several solvers, whose others ask for calls
  *begin({ group }: Strength): Calls<void> {
    this.strength = group;
    this.start(this.parts.bind(group));
  }

  *round(tolerance: number): Calls<boolean> {
    const { coordinates } = this;
    const blocks = this.blocks();
    const before = coordinates!.violations();
    const x = coordinates!.point();
    const active = blocks
      .map((_, b) => b)
      .filter((b) => before[b] > ROUNDING * this.strength || blocks[b].some((j) => x[j] !== 0));
    const order = Uint32Array.from(active);
    for (let pass = 0; pass < PASSES; pass++) {
      coordinates!.move(order, { step: "exact" });
      // Makes no calls, but allows the run to pause here.
      yield [];
    }
    this.point = coordinates!.point();
    const { relative } = coordinates!.gap?.() ?? { relative: Number.NaN };
    const violation = coordinates!.violations().reduce((a, b) => Math.max(a, b), 0);
    this.state = { relative, violation, nonZeros: this.nonZeros() };
    this.known = Number.NaN;
    return (Number.isNaN(relative) ? violation : relative) <= tolerance;
  }

  near(tolerance: number): Calls<boolean> {
    return this.round(tolerance);
  }

  *heldOut(): Calls<number> {
    const problem = this.parts.held!(NO_STRENGTH);
    const least = yield* leastOf(problem);
    const weight = problem.byColumns!.rowWeights.reduce((a, b) => a + b, 0) || 1;
    problem.dispose();
    return (this.lossAt(this.parts.held!) - least) / weight;
  }

  parameters(): Float64Array {
    return this.coordinates!.parameters();
  }

  snapshot(): Snapshot {
    const { relative, violation, nonZeros } = this.state;
    const numbers = Float64Array.of(this.loss, this.leastLoss, this.nullLoss, relative, violation, nonZeros);
    return { tensors: { point: this.point.slice(), numbers }, state: {} };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the solver", snapshot);
    const [loss, leastLoss, nullLoss, relative, violation, nonZeros] = kept.floats("numbers", 6);
    Object.assign(this, { known: loss, leastLoss, nullLoss, state: { relative, violation, nonZeros } });
    const point = kept.floats("point").slice();
    const problem = this.parts.bind(NO_STRENGTH);
    if (point.length !== problem.coordinates!.count) {
      problem.dispose();
      kept.refuse(`the point is of ${point.length} numbers`);
    }
    this.point = point;
    this.start(problem);
  }

  dispose(): void {
    this.coordinates?.dispose();
    this.problem?.dispose();
    this.coordinates = undefined;
    this.problem = undefined;
  }

  /** Continues from the current point with another problem, which has a different strength. */
  private start(problem: Problem): void {
    this.dispose();
    this.problem = problem;
    this.coordinates = problem.coordinates!.open(this.parts.plan, this.parts.engine);
    if (this.point.length > 0) this.coordinates.moveTo(this.point);
  }

  private blocks(): readonly (readonly number[])[] {
    return this.problem!.coordinates!.blocks!;
  }

  /** Number of nonzero coefficients, not counting intercepts. */
  private nonZeros(): number {
    const { columnCount, intercept } = this.problem!.byColumns!;
    const width = columnCount + (intercept ? 1 : 0);
    return this.point.reduce((n, v, i) => n + (v !== 0 && i % width < columnCount ? 1 : 0), 0);
  }

  /** Returns the mean loss at the point, without a penalty. */
  private lossAt(bind: (strength: number) => Problem): number {
    const problem = bind(NO_STRENGTH);
    const state = problem.coordinates!.open(this.parts.plan, this.parts.engine);
    state.moveTo(this.point);
    const value = state.value();
    state.dispose();
    problem.dispose();
    return value;
  }
}

/** Returns Σ c inf ℓ, the least loss of any model. */
function* leastOf({ byColumns }: Problem): Calls<number> {
  const binding = byColumns!.bind(byColumns!.rowWeights);
  const { conjugate } = binding;
  const least = conjugate ? -conjugate.value(yield conjugate.calls(binding.slopes, 0)) : 0;
  binding.dispose();
  return least;
}
