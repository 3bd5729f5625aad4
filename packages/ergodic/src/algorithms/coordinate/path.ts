/**
 * A regularisation path: solutions at falling strengths λ of l1 = λ a, l2 = λ (1 − a), each from the last (Friedman, Hastie, Tibshirani 2010).
 *
 * A step of the run is one λ. Folds of cross-validation are solvers of their own, whose held-out rows weigh 0, on the same columns; they move in
 * step with the one on all rows, so that every λ has its held-out error as soon as it is solved, and workers share them.
 */
import { ErgodicError } from "../../base/errors.ts";
import { isObject, KeptPart } from "../../base/kept-part.ts";
import { power } from "../../base/power.ts";
import type { Advance, ColumnBinding, ColumnTarget, Plan, Progression, Snapshot, Tensor } from "../../contract.ts";
import type { Engine } from "../../host/engine.ts";
import type { Call } from "../../host/pool.ts";
import { type Calls, follow, followAll } from "./calls.ts";
import { ColumnSolver } from "./column-solver.ts";

export interface PathOptions {
  /** Falling; or how many from the largest down, geometrically, to `ratio` times it. */
  lambdas: Float64Array | number;
  ratio: number;
  /** a, > 0. */
  l1Ratio: number;
  /** Relative duality gap. */
  tolerance: number;
}

/** By λ. Parameters as the problem lays them out, one λ after another. */
export interface PathRecord {
  lambdas: Float64Array;
  parameters: Float64Array;
  gaps: Float64Array;
  violations: Float64Array;
  /** Mean loss on all rows over the least that their targets allow (0 for most losses), and that of the null model. */
  losses: Float64Array;
  nullLoss: number;
  nonZeros: Float64Array;
  /** f64[folds][lambdas]: mean loss on held-out rows over the least that their targets allow; and the folds' weights. */
  heldOut: Float64Array;
  foldWeights: Float64Array;
}

const MOST_ROUNDS = 200;

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

/** Solves one model at falling strengths, each from the last. */
export interface PathSolver {
  /** Mean loss at the point; the least that any model has; that of the null model, over the least. */
  readonly loss: number;
  readonly leastLoss: number;
  readonly nullLoss: number;
  readonly state: PathState;
  /** To the null model. */
  open(): Calls<void>;
  /** Just after `open`: the smallest strength at which all coefficients are 0. */
  largestPull(): Calls<number>;
  begin(strength: Strength): Calls<void>;
  /** True, or why in words, once nothing more is to be done. */
  round(tolerance: number): Calls<boolean | string>;
  /** Mean loss on the rows held out, over the least. */
  heldOut(): Calls<number>;
  parameters(): Float64Array;
  snapshot(): Snapshot;
  restore(snapshot: Snapshot): void;
  dispose(): void;
}

/** What a path is solved with: all rows, and each fold's training rows with the weight of those held out. */
export interface PathSolvers {
  all: PathSolver;
  folds: readonly { solver: PathSolver; weight: number }[];
  rowCount: number;
  parameterCount: number;
}

/** Strengths of l1 and l2 on columns. */
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
  readonly converged = false;
  step = 0;
  private readonly made: PathSolvers;
  private readonly options: PathOptions;
  private readonly run: (calls: Call[]) => Promise<number[]>;
  private kept: PathRecord | undefined;

  constructor(made: PathSolvers, options: PathOptions, plan: Plan, engine: Engine) {
    this.made = made;
    this.options = options;
    const workers = made.folds.length > 0 ? plan.workers : 1;
    this.run = (calls) => engine.run(calls, { workers, deterministic: plan.deterministic });
  }

  get updates(): number {
    return this.step;
  }

  get stepCount(): number {
    const { lambdas } = this.options;
    return typeof lambdas === "number" ? lambdas : lambdas.length;
  }

  /** What has been found, once a step was made. */
  get record(): PathRecord {
    if (this.kept) return this.kept;
    throw new ErgodicError("fit.path", "the run was stopped before its first strength was solved; let it run on", "PATH_EMPTY");
  }

  async advance(steps: number): Promise<Advance> {
    const record = this.step === 0 ? await this.open() : this.record;
    let made = 0;
    let sum = 0;
    for (; made < steps && this.step < this.stepCount; made++) {
      await this.solve(record, this.step);
      sum += record.losses[this.step] * this.made.rowCount;
      this.step++;
    }
    return { updates: made, lossSum: sum, rows: made * this.made.rowCount };
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
    const tensors: Record<string, Tensor> = {};
    const states = this.solvers().map((solver, i) => {
      const { tensors: own, state } = this.step > 0 ? solver.snapshot() : { tensors: {}, state: {} };
      for (const [name, tensor] of Object.entries(own)) tensors[`solver.${i}.${name}`] = tensor;
      return state;
    });
    if (this.kept) {
      const { nullLoss, ...arrays } = this.kept;
      for (const [name, values] of Object.entries(arrays)) tensors[`record.${name}`] = values.slice();
      tensors["record.nullLoss"] = Float64Array.of(nullLoss);
    }
    return { tensors, state: { step: this.step, states } };
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
    if (!lambdas.every((lambda) => lambda > 0 && lambda < Infinity)) kept.refuse("a strength is no number above 0");
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

  private async open(): Promise<PathRecord> {
    await followAll(
      this.solvers().map((solver) => solver.open()),
      this.run,
    );
    const lambdas = this.lambdas((await follow(this.made.all.largestPull(), this.run)) / this.options.l1Ratio);
    const count = lambdas.length;
    const array = (length = count): Float64Array => new Float64Array(length);
    this.kept = {
      lambdas,
      parameters: array(count * this.made.parameterCount),
      gaps: array(),
      violations: array(),
      losses: array(),
      nullLoss: this.made.all.nullLoss,
      nonZeros: array(),
      heldOut: array(count * this.made.folds.length),
      foldWeights: Float64Array.from(this.made.folds, ({ weight }) => weight),
    };
    return this.kept;
  }

  private lambdas(largest: number): Float64Array {
    const { lambdas: given, ratio } = this.options;
    if (typeof given !== "number") return given;
    return Float64Array.from({ length: given }, (_, k) => largest * power(ratio, given === 1 ? 0 : k / (given - 1)));
  }

  private async solve(record: PathRecord, k: number): Promise<void> {
    const { l1Ratio, tolerance } = this.options;
    const lambda = record.lambdas[k];
    const strength = { l1: lambda * l1Ratio, l2: lambda * (1 - l1Ratio), group: lambda };
    const { all, folds } = this.made;
    const held = folds.map(({ solver }) => heldOut(solver, strength, tolerance));
    const [, ...errors] = await followAll<number | undefined>([to(all, strength, tolerance), ...held], this.run);
    const parameters = all.parameters();
    record.parameters.set(parameters, k * parameters.length);
    const { relative, violation, nonZeros } = all.state;
    record.gaps[k] = relative;
    record.violations[k] = violation;
    record.losses[k] = all.loss - all.leastLoss;
    record.nonZeros[k] = nonZeros;
    for (const [f, error] of errors.entries()) record.heldOut[f * record.lambdas.length + k] = error as number;
  }
}

/** Working sets, with rows held out. */
class ColumnPathSolver extends ColumnSolver implements PathSolver {
  private readonly held: ColumnBinding | undefined;
  private readonly engineOfHeld: Engine;

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
    const { conjugate } = held;
    const least = conjugate ? -conjugate.value(yield conjugate.calls(held.slopes, 0)) : 0;
    return held.loss() - least;
  }

  override dispose(): void {
    this.held?.dispose();
    super.dispose();
  }
}

/** Solves a fold, and returns its mean loss on the rows held out. */
function* heldOut(solver: PathSolver, strength: Strength, tolerance: number): Calls<number> {
  yield* to(solver, strength, tolerance);
  return yield* solver.heldOut();
}

function* to(solver: PathSolver, strength: Strength, tolerance: number): Calls<undefined> {
  yield* solver.begin(strength);
  for (let rounds = 0; rounds < MOST_ROUNDS && !(yield* solver.round(tolerance)); rounds++);
  return undefined;
}

/** Mean loss over held-out rows, all folds together. */
function meanOf({ heldOut, foldWeights, lambdas }: PathRecord, k: number): number {
  const total = foldWeights.reduce((a, b) => a + b, 0);
  return foldWeights.reduce((sum, w, f) => sum + w * heldOut[f * lambdas.length + k], 0) / total;
}

/** Row weights of a fold's training rows, as a mean over these; and of its held-out rows, summing to 1. */
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
