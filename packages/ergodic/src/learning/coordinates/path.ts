/**
 * Options of a regularisation path: solutions at decreasing strengths λ, with l1 = λ a and l2 = λ (1 − a). Each
 * solution starts from the previous one (Friedman, Hastie, Tibshirani 2010).
 *
 * A step of the run is one λ. Each fold of cross-validation has its own solver on the same columns, in which held-out
 * rows have weight 0. Folds advance together with the solver on all rows. When the solution for a λ is found, its
 * held-out error is therefore found as well. Workers share the solvers.
 */

import type { Advance, ColumnBinding, ColumnTarget, Plan, Progression, Snapshot, Tensor } from "../../engine/contract/index.ts";
import { ErgodicError } from "../../engine/errors/errors.ts";
import { isObject, KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import type { Call } from "../../engine/memory/pool.ts";
import { power } from "../../engine/numbers/power.ts";
import { type Calls, LongStep } from "./calls.ts";
import { ColumnSolver } from "./column-solver.ts";

export interface PathOptions {
  /** Decreasing list of λ, or their number: λ then decreases geometrically to `ratio` times the largest. */
  lambdas: Float64Array | number;
  ratio: number;
  /** Share of l1, a > 0. */
  l1Ratio: number;
  /** Relative duality gap required of each solution. */
  tolerance: number;
}

/** Results by λ. Parameters for each λ, one λ after another, in the problem's layout. */
export interface PathRecord {
  lambdas: Float64Array;
  parameters: Float64Array;
  gaps: Float64Array;
  violations: Float64Array;
  /** By λ, and for the null model: mean loss minus the least possible loss for the targets. */
  losses: Float64Array;
  nullLoss: number;
  nonZeros: Float64Array;
  /** f64[folds][lambdas]: mean loss on held-out rows minus the least possible loss. */
  heldOut: Float64Array;
  foldWeights: Float64Array;
}

const MOST_ROUNDS = 200;
/** Smallest tolerance of folds. The effect of this tolerance on held-out errors is far below their standard error. */
const FOLD_TOLERANCE = 1e-5;
/**
 * A path without a list of λ can end early, after at least LEAST_STRENGTHS solutions. The path ends if the explained
 * deviance exceeds MOST_EXPLAINED or grows by a share of less than LEAST_GROWTH. Source: glmnet's fdev, devmax, mnlam.
 */
const LEAST_GROWTH = 1e-5;
const MOST_EXPLAINED = 0.999;
const LEAST_STRENGTHS = 5;

export interface Strength {
  l1: number;
  l2: number;
  group: number;
}

export interface PathState {
  relative: number;
  violation: number;
  nonZeros: number;
}

/** Solver of one model at decreasing strengths. Each solution starts from the previous one. */
export interface PathSolver {
  /** Mean loss at the point, least loss of any model, and null model's loss minus that least loss. */
  readonly loss: number;
  readonly leastLoss: number;
  readonly nullLoss: number;
  readonly state: PathState;
  /** Solves the null model. */
  open(): Calls<void>;
  /** Returns the smallest strength at which all coefficients are 0. Call it immediately after `open`. */
  largestPull(): Calls<number>;
  begin(strength: Strength): Calls<void>;
  /** Runs a round. Returns true, or a reason, when the solution is final. */
  round(tolerance: number): Calls<boolean | string>;
  /**
   * Runs a round without a certificate, for solutions that are only compared. Returns true when no more rounds are
   * needed.
   */
  near(tolerance: number): Calls<boolean | string>;
  /** Returns the mean loss on the held-out rows minus the least possible loss. */
  heldOut(): Calls<number>;
  parameters(): Float64Array;
  snapshot(): Snapshot;
  restore(snapshot: Snapshot): void;
  dispose(): void;
}

/**
 * Solvers of a path: one for all rows, and one per fold for its training rows. `weight` is the fold's weight in
 * held-out means.
 */
export interface PathSolvers {
  all: PathSolver;
  folds: readonly { solver: PathSolver; weight: number }[];
  rowCount: number;
  parameterCount: number;
}

/** Returns solvers for models with penalties l1 and l2 on their columns. */
export function columnSolvers(
  target: ColumnTarget,
  engine: Engine,
  folds: { of: Uint32Array; count: number } | undefined,
): PathSolvers {
  return {
    all: new ColumnPathSolver(target, engine),
    folds: Array.from({ length: folds?.count ?? 0 }, (_, f) => {
      const { training, held } = foldWeights(target.rowWeights, folds!.of, f);
      const weight = heldShare(target.rowWeights, folds!.of, f);
      return { solver: new ColumnPathSolver(target, engine, training, held), weight };
    }),
    rowCount: target.rowCount,
    parameterCount: target.penalty.stride * target.outputs,
  };
}

export class PathProgression implements Progression {
  readonly stepsPerEpoch = 1;
  readonly updatesPerStep = 1;
  step = 0;
  private readonly made: PathSolvers;
  private readonly options: PathOptions;
  private readonly opening: LongStep<number | undefined>;
  private readonly solving: LongStep<number | undefined>;
  private kept: PathRecord | undefined;

  constructor(made: PathSolvers, options: PathOptions, plan: Plan, engine: Engine) {
    this.made = made;
    this.options = options;
    const { deterministic } = plan;
    const workers = made.folds.length > 0 ? plan.workers : 1;
    const run = (calls: Call[]): Promise<number[]> => engine.run(calls, { workers, deterministic });
    this.opening = new LongStep(run, () => this.whole());
    this.solving = new LongStep(run, () => this.whole());
  }

  get updates(): number {
    return this.step;
  }

  get stepCount(): number {
    const { lambdas } = this.options;
    return typeof lambdas === "number" ? lambdas : lambdas.length;
  }

  /** Reason why no weaker strength is worth solving; false if there is no such reason. */
  get converged(): false | string {
    const { kept, step, options } = this;
    if (!kept || typeof options.lambdas !== "number" || step < LEAST_STRENGTHS || step === options.lambdas) return false;
    const explained = (k: number): number => 1 - kept.losses[k] / kept.nullLoss;
    const now = explained(step - 1);
    if (now > MOST_EXPLAINED) return `more than ${100 * MOST_EXPLAINED} % of the deviance is explained`;
    return now - explained(step - 2) < LEAST_GROWTH * now ? "the deviance explained hardly grows any more" : false;
  }

  /** Results so far, after at least one step. */
  get record(): PathRecord {
    const { kept, step, stepCount, made } = this;
    if (!kept || step === 0)
      throw new ErgodicError("fit.path", "the run was stopped before its first strength was solved; let it run on", "PATH_EMPTY");
    if (step === stepCount) return kept;
    const heldOut = Float64Array.from({ length: made.folds.length * step }, (_, at) => {
      const fold = Math.floor(at / step);
      return kept.heldOut[fold * stepCount + (at % step)];
    });
    const first = (values: Float64Array): Float64Array => values.slice(0, step);
    return {
      ...kept,
      lambdas: first(kept.lambdas),
      gaps: first(kept.gaps),
      violations: first(kept.violations),
      losses: first(kept.losses),
      nonZeros: first(kept.nonZeros),
      parameters: kept.parameters.slice(0, step * made.parameterCount),
      heldOut,
    };
  }

  async advance(steps: number): Promise<Advance> {
    const { rowCount } = this.made;
    const start = this.step;
    let within = false;
    let sum = 0;
    while (!within && this.step - start < steps && this.step < this.stepCount && !this.converged) {
      const record = this.kept ?? (await this.open());
      const errors = record && (await this.solving.advance(() => this.solvers().map((_, i) => this.solve(record, i))));
      within = errors === undefined;
      if (!record || !errors) continue;
      this.book(record, errors);
      sum += record.losses[this.step] * rowCount;
      this.step++;
    }
    const updates = this.step - start;
    return { updates, lossSum: sum, rows: updates * rowCount, within };
  }

  parameters(): Float64Array {
    return this.made.all.parameters();
  }

  report(): Record<string, number> {
    const k = this.step - 1;
    if (k < 0 || !this.kept) return {};
    const { lambdas, gaps, violations, nonZeros } = this.kept;
    const certificate: Record<string, number> = Number.isNaN(gaps[k]) ? { violation: violations[k] } : { gap: gaps[k] };
    const error: Record<string, number> = this.made.folds.length > 0 ? { heldOut: meanOf(this.kept, k) } : {};
    return { lambda: lambdas[k], nonZeros: nonZeros[k], ...certificate, ...error };
  }

  snapshot(): Snapshot {
    return this.solving.snapshot();
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the path", snapshot);
    const step = kept.count("step", 0, this.stepCount);
    if (step > 0) {
      const solvers = this.solvers();
      const states = kept.list("states", isObject, solvers.length);
      for (const [i, solver] of solvers.entries()) solver.restore(kept.part("a solver", `solver.${i}.`, states[i]).snapshot);
      this.kept = this.recordOf(kept.part("the path's record", "record."));
    }
    this.step = step;
  }

  dispose(): void {
    for (const solver of this.solvers()) solver.dispose();
  }

  private recordOf(kept: KeptPart): PathRecord {
    const count = this.stepCount;
    const { parameterCount, folds } = this.made;
    const [nullLoss] = kept.floats("nullLoss", 1);
    const lambdas = kept.floats("lambdas", count);
    if (!lambdas.every((lambda) => lambda > 0 && lambda < Infinity)) kept.refuse("a strength is not a number above 0");
    return {
      lambdas,
      nullLoss,
      parameters: kept.floats("parameters", count * parameterCount),
      gaps: kept.floats("gaps", count),
      violations: kept.floats("violations", count),
      losses: kept.floats("losses", count),
      nonZeros: kept.floats("nonZeros", count),
      heldOut: kept.floats("heldOut", count * folds.length),
      foldWeights: kept.floats("foldWeights", folds.length),
    };
  }

  private solvers(): PathSolver[] {
    return [this.made.all, ...this.made.folds.map(({ solver }) => solver)];
  }

  /** Snapshot of the whole path. The snapshot is empty before the first step. */
  private whole(): Snapshot {
    const { step, kept } = this;
    const tensors: Record<string, Tensor> = {};
    const states = this.solvers().map((solver, i) => {
      const { tensors: own, state } = step > 0 ? solver.snapshot() : { tensors: {}, state: {} };
      for (const [name, tensor] of Object.entries(own)) tensors[`solver.${i}.${name}`] = tensor;
      return state;
    });
    if (kept && step > 0) {
      const { nullLoss, ...arrays } = kept;
      for (const [name, values] of Object.entries(arrays)) tensors[`record.${name}`] = values.slice();
      tensors["record.nullLoss"] = Float64Array.of(nullLoss);
    }
    return { tensors, state: { step, states } };
  }

  /** Solves the null models, which determine the strengths. Returns undefined until they are solved. */
  private async open(): Promise<PathRecord | undefined> {
    const pulls = await this.opening.advance(() => this.solvers().map((solver, i) => opened(solver, i === 0)));
    if (!pulls) return undefined;
    const { all, folds, parameterCount } = this.made;
    const lambdas = this.lambdas(pulls[0]! / this.options.l1Ratio);
    const count = lambdas.length;
    const array = (length = count): Float64Array => new Float64Array(length);
    this.kept = {
      lambdas,
      parameters: array(count * parameterCount),
      gaps: array(),
      violations: array(),
      losses: array(),
      nullLoss: all.nullLoss,
      nonZeros: array(),
      heldOut: array(count * folds.length),
      foldWeights: Float64Array.from(folds, ({ weight }) => weight),
    };
    return this.kept;
  }

  private lambdas(largest: number): Float64Array {
    const { lambdas: given, ratio } = this.options;
    if (typeof given !== "number") return given;
    return Float64Array.from({ length: given }, (_, k) => largest * power(ratio, given === 1 ? 0 : k / (given - 1)));
  }

  /** Runs solver i at the current strength. For a fold, returns the mean loss on its held-out rows. */
  private solve({ lambdas }: PathRecord, i: number): Calls<number | undefined> {
    const { l1Ratio, tolerance } = this.options;
    const { all, folds } = this.made;
    const lambda = lambdas[this.step];
    const strength = { l1: lambda * l1Ratio, l2: lambda * (1 - l1Ratio), group: lambda };
    return i === 0 ? to(all, strength, tolerance) : heldOut(folds[i - 1].solver, strength, Math.max(tolerance, FOLD_TOLERANCE));
  }

  private book(record: PathRecord, [, ...errors]: (number | undefined)[]): void {
    const { all } = this.made;
    const k = this.step;
    const parameters = all.parameters();
    record.parameters.set(parameters, k * parameters.length);
    const { relative, violation, nonZeros } = all.state;
    record.gaps[k] = relative;
    record.violations[k] = violation;
    record.losses[k] = all.loss - all.leastLoss;
    record.nonZeros[k] = nonZeros;
    for (const [f, error] of errors.entries()) record.heldOut[f * record.lambdas.length + k] = error!;
  }
}

/** Working-set solver with held-out rows. */
class ColumnPathSolver extends ColumnSolver implements PathSolver {
  private readonly held: ColumnBinding | undefined;
  private readonly engineOfHeld: Engine;
  /** Least possible loss of the held-out rows, as soon as it is known. */
  private least: number | undefined;

  constructor(target: ColumnTarget, engine: Engine, training?: Float64Array, held?: Float64Array) {
    super(target, engine, training);
    this.engineOfHeld = engine;
    this.held = held && target.bind(held);
  }

  *heldOut(): Calls<number> {
    const z = yield* this.outputs();
    const held = this.held!;
    const count = this.target.rowCount * this.target.outputs;
    const { memory } = this.engineOfHeld;
    memory.f64(held.z, count).set(memory.f64(z, count));
    yield held.evaluation;
    const loss = held.loss();
    const { conjugate } = held;
    this.least ??= conjugate ? -conjugate.value(yield conjugate.calls(held.slopes, 0)) : 0;
    return loss - this.least;
  }

  override dispose(): void {
    this.held?.dispose();
    super.dispose();
  }
}

/** Opens a solver. `first`: whether to return the strength at which all coefficients are 0. */
function* opened(solver: PathSolver, first: boolean): Calls<number | undefined> {
  yield* solver.open();
  return first ? yield* solver.largestPull() : undefined;
}

/** Solves a fold and returns the mean loss on its held-out rows. */
function* heldOut(solver: PathSolver, strength: Strength, tolerance: number): Calls<number> {
  yield* solver.begin(strength);
  for (let rounds = 0; rounds < MOST_ROUNDS && !(yield* solver.near(tolerance)); rounds++);
  return yield* solver.heldOut();
}

function* to(solver: PathSolver, strength: Strength, tolerance: number): Calls<undefined> {
  yield* solver.begin(strength);
  for (let rounds = 0; rounds < MOST_ROUNDS && !(yield* solver.round(tolerance)); rounds++);
  return undefined;
}

/** Mean loss over the held-out rows of all folds. */
function meanOf({ heldOut, foldWeights, lambdas }: PathRecord, k: number): number {
  const total = foldWeights.reduce((a, b) => a + b, 0);
  return foldWeights.reduce((sum, w, f) => sum + w * heldOut[f * lambdas.length + k], 0) / total;
}

/**
 * Returns two sets of row weights: for the mean loss on a fold's training rows, and for the mean loss on its held-out
 * rows. The held-out weights sum to 1.
 */
function foldWeights(all: Float64Array, of: Uint32Array, fold: number): { training: Float64Array; held: Float64Array } {
  const held = all.map((w, i) => (of[i] === fold ? w : 0));
  const training = all.map((w, i) => (of[i] === fold ? 0 : w));
  const rows = of.reduce((n, f) => n + (f === fold ? 0 : 1), 0);
  const sum = held.reduce((a, b) => a + b, 0) || 1;
  return { training: training.map((w) => (w * of.length) / rows), held: held.map((w) => w / sum) };
}

function heldShare(all: Float64Array, of: Uint32Array, fold: number): number {
  return all.reduce((sum, w, i) => sum + (of[i] === fold ? w : 0), 0);
}
