/**
 * A regularisation path: solutions at falling strengths λ of l1 = λ a, l2 = λ (1 − a), each from the last (Friedman, Hastie, Tibshirani 2010).
 *
 * A step of the run is one λ. Folds of cross-validation are solvers of their own, whose held-out rows weigh 0, on the same columns; they move in
 * step with the one on all rows, so that every λ has its held-out error as soon as it is solved, and workers share them.
 */
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
  /** The fold of each row; absent: no cross-validation. */
  folds?: { of: Uint32Array; count: number };
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

interface Fold {
  solver: ColumnSolver;
  held: ColumnBinding;
}

export class PathProgression implements Progression {
  readonly stepsPerEpoch = 1;
  readonly updatesPerStep = 1;
  readonly converged = false;
  step = 0;
  private readonly solver: ColumnSolver;
  private readonly folds: Fold[];
  private readonly options: PathOptions;
  private readonly target: ColumnTarget;
  private readonly engine: Engine;
  private readonly run: (calls: Call[]) => Promise<number[]>;
  private kept: PathRecord | undefined;

  constructor(target: ColumnTarget, options: PathOptions, plan: Plan, engine: Engine) {
    this.target = target;
    this.options = options;
    this.engine = engine;
    this.solver = new ColumnSolver(target, engine);
    const { folds } = options;
    this.folds = Array.from({ length: folds?.count ?? 0 }, (_, f) => {
      const { training, held } = foldWeights(target.rowWeights, folds!.of, f);
      return { solver: new ColumnSolver(target, engine, training), held: target.bind(held) };
    });
    const workers = this.folds.length > 0 ? plan.workers : 1;
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
    if (!this.kept) throw new Error("a path has no record before its first step");
    return this.kept;
  }

  async advance(steps: number): Promise<Advance> {
    const record = this.step === 0 ? await this.open() : this.record;
    let made = 0;
    let sum = 0;
    for (; made < steps && this.step < this.stepCount; made++) {
      await this.solve(record, this.step);
      sum += record.losses[this.step] * this.target.rowCount;
      this.step++;
    }
    return { updates: made, lossSum: sum, rows: made * this.target.rowCount };
  }

  parameters(): Float64Array {
    return this.solver.parameters();
  }

  report(): Record<string, number> {
    const k = this.step - 1;
    if (k < 0 || !this.kept) return {};
    const { lambdas, gaps, violations, nonZeros } = this.kept;
    const certificate: Record<string, number> = Number.isNaN(gaps[k]) ? { violation: violations[k] } : { gap: gaps[k] };
    const error: Record<string, number> = this.folds.length > 0 ? { heldOut: meanOf(this.kept, k) } : {};
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

  restore({ tensors, state }: Snapshot): void {
    this.step = Number(state.step);
    if (this.step === 0) return;
    const own = (prefix: string): Record<string, Tensor> =>
      Object.fromEntries(
        Object.entries(tensors)
          .filter(([name]) => name.startsWith(prefix))
          .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
      );
    const states = state.states as Snapshot["state"][];
    for (const [i, solver] of this.solvers().entries()) solver.restore({ tensors: own(`solver.${i}.`), state: states[i] });
    const { nullLoss, ...arrays } = own("record.");
    this.kept = { ...(arrays as unknown as PathRecord), nullLoss: nullLoss[0] };
  }

  dispose(): void {
    for (const { solver, held } of this.folds) {
      solver.dispose();
      held.dispose();
    }
    this.solver.dispose();
  }

  private solvers(): ColumnSolver[] {
    return [this.solver, ...this.folds.map(({ solver }) => solver)];
  }

  private async open(): Promise<PathRecord> {
    await followAll(
      this.solvers().map((solver) => solver.open()),
      this.run,
    );
    const lambdas = this.lambdas((await follow(this.solver.largestPull(), this.run)) / this.options.l1Ratio);
    const count = lambdas.length;
    const array = (length = count): Float64Array => new Float64Array(length);
    this.kept = {
      lambdas,
      parameters: array(count * this.target.penalty.stride * this.target.outputs),
      gaps: array(),
      violations: array(),
      losses: array(),
      nullLoss: this.solver.nullLoss,
      nonZeros: array(),
      heldOut: array(count * this.folds.length),
      foldWeights: Float64Array.from(this.folds, (_, f) => heldShare(this.target.rowWeights, this.options.folds!.of, f)),
    };
    return this.kept;
  }

  private lambdas(largest: number): Float64Array {
    const { lambdas: given, ratio } = this.options;
    if (typeof given !== "number") return given;
    return Float64Array.from({ length: given }, (_, k) => largest * ratio ** (given === 1 ? 0 : k / (given - 1)));
  }

  private async solve(record: PathRecord, k: number): Promise<void> {
    const { l1Ratio, tolerance } = this.options;
    const strength = { l1: record.lambdas[k] * l1Ratio, l2: record.lambdas[k] * (1 - l1Ratio) };
    const folds = this.folds.map(({ solver, held }) => this.heldOut(solver, held, strength));
    const [, ...errors] = await followAll<number | undefined>([to(this.solver, strength, tolerance), ...folds], this.run);
    const parameters = this.solver.parameters();
    record.parameters.set(parameters, k * parameters.length);
    const { relative, violation, nonZeros } = this.solver.state;
    record.gaps[k] = relative;
    record.violations[k] = violation;
    record.losses[k] = this.solver.loss - this.solver.leastLoss;
    record.nonZeros[k] = nonZeros;
    for (const [f, error] of errors.entries()) record.heldOut[f * record.lambdas.length + k] = error as number;
  }

  /** Solves a fold, and returns its mean loss on the rows held out, over the least. */
  private *heldOut(solver: ColumnSolver, held: ColumnBinding, strength: { l1: number; l2: number }): Calls<number> {
    yield* to(solver, strength, this.options.tolerance);
    const z = yield* solver.outputs();
    const count = this.target.rowCount * this.target.outputs;
    const { memory } = this.engine;
    memory.f64(held.z, count).set(memory.f64(z, count));
    yield held.evaluation;
    const { conjugate } = held;
    const least = conjugate ? -conjugate.value(yield conjugate.calls(held.slopes, 0)) : 0;
    return held.loss() - least;
  }
}

function* to(solver: ColumnSolver, strength: { l1: number; l2: number }, tolerance: number): Calls<undefined> {
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
