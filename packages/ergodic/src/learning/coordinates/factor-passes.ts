import type {
  Advance,
  FactorBinding,
  Factors,
  Plan,
  Problem,
  Progression,
  Snapshot,
  Tensor,
} from "../../engine/contract/index.ts";
import { CapabilityError, ErgodicError } from "../../engine/errors/errors.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import { Arena } from "../../engine/memory/arena.ts";
import type { Engine } from "../../engine/memory/engine.ts";

/** Side of the factorisation: 0 for users, 1 for items. */
export type Side = 0 | 1;

export interface Pass {
  readonly side: Side;
  readonly slot: number;
  /**
   * Approximate number of arithmetic operations per rating and per row. These numbers determine how passes are divided
   * into stretches.
   */
  readonly perRating: number;
  readonly perRow: number;
  args(block: number, scratch: number, from: number, to: number): number[];
}

export interface PassOptions {
  readonly name: string;
  readonly tolerance: number;
  readonly residuals: boolean;
  passes(binding: FactorBinding): Pass[];
}

/** Number of operations per step. A step of this size takes a few milliseconds. */
const STEP_COST = 2 ** 22;
/** Minimum number of stretches per side. Sums over rows are split into at most this number of parts. */
const PARTS = 16;

const names = ["users", "items"] as const;

/**
 * Alternating updates of factors. The rows of one side are updated while the other side is fixed. The algorithm
 * supplies a list of passes, and an epoch runs the whole list once.
 *
 * A pass is cut into stretches of consecutive rows, with about equal cost. A step processes one stretch. The rows of a
 * pass do not depend on each other. The result is therefore bit for bit the same for any number of workers and any
 * grouping of steps. Sums over rows (the objective, Σ p pᵀ) use fixed parts, added in order. The objective F is
 * measured and reported at the end of each epoch. The run has converged when an epoch lowers F by at most `tolerance` ×
 * its previous value. The loss reported to the training loop is F per rating at the start of the epoch.
 *
 * @throws CapabilityError for minibatches, replicas or quantised data; ErgodicError [MODEL_SINGULAR] if a row has no
 * solution
 */
export class FactorPasses implements Progression {
  readonly stepsPerEpoch: number;
  readonly updatesPerStep = 1;
  step = 0;
  converged = false;
  private readonly options: PassOptions;
  private readonly factors: Factors;
  private readonly plan: Plan;
  private readonly engine: Engine;
  private readonly ratings: number;
  private readonly binding: FactorBinding;
  private readonly arena: Arena;
  private readonly passes: readonly Pass[];
  /** Boundaries of the stretches in each pass, and the index of each pass's first step. */
  private readonly edges: readonly Uint32Array[];
  private readonly begins: readonly number[];
  private readonly scratch: readonly number[];
  private readonly partial: readonly number[];
  /** Side whose Σ p pᵀ is up to date; −1 if there is none. */
  private summed = -1;
  private objective = Number.NaN;

  constructor(options: PassOptions, problem: Problem, plan: Plan, engine: Engine) {
    const { factors } = problem;
    if (!factors)
      throw new CapabilityError(
        "fit",
        `${options.name} needs a factor model, which ${problem.name} does not offer; use factorisation()`,
        "MODEL_CAPABILITY",
      );
    refusePlan(options.name, plan);
    this.options = options;
    this.factors = factors;
    this.plan = plan;
    this.engine = engine;
    this.ratings = problem.rowCount;
    this.arena = new Arena(engine.memory, options.name);
    this.binding = factors.bind({ residuals: options.residuals, purpose: options.name });
    try {
      this.passes = options.passes(this.binding);
      this.scratch = Array.from({ length: plan.workers }, () => this.arena.take(this.binding.scratchBytes));
      this.partial = this.binding.grams ? Array.from({ length: PARTS }, () => this.arena.take(8 * this.binding.stride ** 2)) : [];
    } catch (error) {
      this.dispose();
      throw error;
    }
    this.binding.load(problem.start ?? new Float64Array(problem.parameterCount));
    this.edges = this.passes.map((pass) => stretches(factors.ratingStart[pass.side], pass));
    let step = 0;
    this.begins = this.edges.map((edges) => (step += edges.length - 1) - (edges.length - 1));
    this.stepsPerEpoch = step;
  }

  get updates(): number {
    return this.step;
  }

  async advance(steps: number): Promise<Advance> {
    if (Number.isNaN(this.objective)) this.objective = await this.measure();
    const before = this.objective;
    const inEpoch = this.step % this.stepsPerEpoch;
    const end = Math.min(inEpoch + steps, this.stepsPerEpoch);
    for (const [p, pass] of this.passes.entries()) {
      const count = this.edges[p].length - 1;
      const from = Math.max(inEpoch - this.begins[p], 0);
      const to = Math.min(end - this.begins[p], count);
      if (from >= to) continue;
      await this.make(pass, this.edges[p].subarray(from, to + 1));
    }
    const updates = end - inEpoch;
    this.step += updates;
    if (end === this.stepsPerEpoch) {
      this.objective = await this.measure();
      this.converged = before - this.objective <= this.options.tolerance * before;
    }
    return { updates, lossSum: (before / this.ratings) * updates, rows: updates };
  }

  parameters(): Float64Array {
    return this.binding.parameters();
  }

  report(): Record<string, number> {
    return Number.isNaN(this.objective) ? {} : { objective: this.objective };
  }

  snapshot(): Snapshot {
    const { step, converged, objective } = this;
    const tensors: Record<string, Tensor> = {};
    for (const [name, view] of this.arrays()) tensors[name] = view.slice();
    return { tensors, state: { step, converged, objective: Number.isFinite(objective) ? objective : null } };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the factors", snapshot);
    for (const [name, view] of this.arrays()) kept.into(view, name);
    this.step = kept.count("step");
    this.converged = kept.flag("converged");
    this.objective = kept.numberOr("objective", Number.NaN);
    this.summed = -1;
  }

  dispose(): void {
    this.binding.dispose();
    this.arena.dispose();
  }

  /** Arrays that carry state from one update to the next. */
  private arrays(): Map<string, Float32Array | Float64Array> {
    const { memory } = this.engine;
    const { binding, ratings } = this;
    const views = new Map<string, Float32Array | Float64Array>();
    for (const side of [0, 1] as const) {
      views.set(names[side], memory[binding.type](binding.rows[side], this.rowsOf(side) * binding.stride));
      if (binding.residuals[side]) views.set(`residuals.${names[side]}`, memory.f64(binding.residuals[side], ratings));
    }
    return views;
  }

  private rowsOf(side: Side): number {
    return this.factors.ratingStart[side].length - 1;
  }

  /** Runs the stretches of a pass between the given edges. */
  private async make(pass: Pass, edges: Uint32Array): Promise<void> {
    await this.sumOuter(pass.side === 0 ? 1 : 0);
    const block = this.binding.blocks[pass.side];
    const calls = Array.from(edges.subarray(1), (to, i) => ({
      kernel: pass.slot,
      args: pass.args(block, this.scratch[i % this.plan.workers], edges[i], to),
    }));
    const failed = sum(await this.run(calls));
    if (this.summed === pass.side) this.summed = -1;
    if (failed > 0)
      throw new ErgodicError(
        "fit",
        `the equations of ${failed} of the ${names[pass.side]} are numerically singular; use a larger l2, or a lower rank`,
        "MODEL_SINGULAR",
      );
  }

  /** Computes Σ p pᵀ over the rows of `side` and writes it to the block of the other side. */
  private async sumOuter(side: Side): Promise<void> {
    const { gramSlot, grams, stride, blocks } = this.binding;
    if (gramSlot === undefined || !grams || this.summed === side) return;
    const edges = evenly(this.rowsOf(side));
    const calls = Array.from(edges.subarray(1), (to, i) => ({
      kernel: gramSlot,
      args: [blocks[side], edges[i], to, this.partial[i], this.scratch[i % this.plan.workers]],
    }));
    await this.run(calls);
    const { memory } = this.engine;
    const total = memory.f64(grams[side === 0 ? 1 : 0], stride * stride);
    total.fill(0);
    for (let i = 0; i < calls.length; i++) {
      const part = memory.f64(this.partial[i], stride * stride);
      for (let j = 0; j < stride; j++) for (let k = 0; k <= j; k++) total[j * stride + k] += part[j * stride + k];
    }
    for (let j = 0; j < stride; j++) for (let k = 0; k < j; k++) total[k * stride + j] = total[j * stride + k];
    this.summed = side;
  }

  /** Computes F. If residuals are stored, recomputes them. */
  private async measure(): Promise<number> {
    await this.sumOuter(1);
    const { blocks, objectiveSlot } = this.binding;
    const calls = ([0, 1] as const).flatMap((side) => {
      const edges = evenly(this.rowsOf(side));
      return Array.from(edges.subarray(1), (to, i) => ({
        kernel: objectiveSlot,
        args: [blocks[side], edges[i], to, side === 0 ? 1 : 0],
      }));
    });
    return sum(await this.run(calls));
  }

  private run(calls: { kernel: number; args: number[] }[]): Promise<number[]> {
    const { workers, deterministic } = this.plan;
    return this.engine.run(calls, { workers, deterministic });
  }
}

/** Returns the edges of non-empty stretches of about equal cost. */
export function stretches(ratingStart: Uint32Array, { perRating, perRow }: Pick<Pass, "perRating" | "perRow">): Uint32Array {
  const rows = ratingStart.length - 1;
  const costBefore = (row: number): number => perRating * ratingStart[row] + perRow * row;
  const total = costBefore(rows);
  const count = Math.min(rows, Math.max(PARTS, Math.ceil(total / STEP_COST)));
  const edges = [0];
  for (let row = 1; row < rows; row++) {
    if (costBefore(row) * count >= edges.length * total) edges.push(row);
  }
  return Uint32Array.of(...edges, rows);
}

/** Returns the edges of at most PARTS stretches with equal numbers of rows. */
function evenly(rows: number): Uint32Array {
  const parts = Math.min(PARTS, rows);
  return Uint32Array.from({ length: parts + 1 }, (_, k) => Math.floor((k * rows) / parts));
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

function refusePlan(name: string, plan: Plan): void {
  const refuse = (what: string, why: string): never => {
    throw new CapabilityError("fit", `${what}, but ${name} ${why}`, "PLAN_MEANING");
  };
  if (plan.batch !== "all") refuse(`batch is ${plan.batch}`, "reads all ratings of a user or item together; leave batch out");
  if (plan.replicas !== 1)
    refuse(`replicas is ${JSON.stringify(plan.replicas)}`, "divides one model's rows among workers; leave replicas out");
  if (plan.precision.data === "i8" || plan.precision.data === "i16")
    refuse(`precision.data is "${plan.precision.data}"`, 'keeps ratings as floats; use precision: "f64" or "f32"');
}
