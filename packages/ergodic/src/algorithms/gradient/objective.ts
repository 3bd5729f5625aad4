/**
 * The full objective, and its gradient, as full-batch rules see it: a sum over rows.
 *
 * Rows are cut into at most PARTS fixed ranges, whose sums are added in order: the same bits at any number of workers.
 */
import type { LaneBinding, Plan, Problem, RowGradient } from "../../contract.ts";
import { Arena } from "../../host/arena.ts";
import type { Engine } from "../../host/engine.ts";

export interface FullObjective {
  readonly count: number;
  /** Rows that one evaluation reads. */
  readonly rows: number;
  readonly start: Float64Array | undefined;
  /** f(x); fills `gradient` unless it is null. On this thread. `update`: by what a gradient draws, where it does. */
  evaluate(x: Float64Array, gradient: Float64Array | null, update?: number): number;
  /** The same, on the plan's workers. */
  evaluateOnWorkers(x: Float64Array, gradient: Float64Array, update?: number): Promise<number>;
  dispose(): void;
}

const PARTS = 16;
const CHUNK = 256;

interface Part {
  binding: LaneBinding;
  listed: number;
  accumulator: number;
  from: number;
  to: number;
}

/** Mean loss over all rows of a problem, without its penalty. */
export class RowObjective implements FullObjective {
  readonly count: number;
  readonly rows: number;
  readonly start: Float64Array | undefined;
  private readonly engine: Engine;
  private readonly plan: Plan;
  private readonly arena: Arena;
  private readonly parts: Part[];
  private readonly parameters: number;
  private readonly type: "f32" | "f64";
  private readonly outputs: number;

  constructor(problem: Problem, target: RowGradient, plan: Plan, engine: Engine) {
    this.count = problem.parameterCount;
    this.rows = problem.rowCount;
    this.start = problem.start;
    this.engine = engine;
    this.plan = plan;
    this.type = plan.precision.model === "f64" ? "f64" : "f32";
    this.outputs = target.derivativesPerRow ?? 1;
    this.arena = new Arena(engine.memory, "full gradient");
    this.parameters = this.arena.take(this.count * 8);
    const partCount = Math.min(PARTS, Math.ceil(this.rows / CHUNK));
    const edge = (k: number): number => Math.floor((k * this.rows) / partCount);
    this.parts = Array.from({ length: partCount }, (_, k) => ({
      binding: target.bind({ batch: CHUNK, buffered: true, purpose: "full gradient", lane: k }),
      listed: this.arena.take(CHUNK * 4),
      accumulator: this.arena.take(this.count * 8),
      from: edge(k),
      to: edge(k + 1),
    }));
  }

  evaluate(x: Float64Array, gradient: Float64Array | null, update = 0): number {
    this.engine.memory[this.type](this.parameters, this.count).set(x);
    if (!gradient) return this.sumLosses() / this.rows;
    const sweep = this.engine.kernel("sweepGradient", this.plan.deterministic);
    const losses: number[] = [];
    for (const calls of this.turns(update)) losses.push(...calls.map((args) => sweep(...args)));
    return this.collect(losses, gradient);
  }

  async evaluateOnWorkers(x: Float64Array, gradient: Float64Array, update = 0): Promise<number> {
    this.engine.memory[this.type](this.parameters, this.count).set(x);
    const { workers, deterministic } = this.plan;
    const losses: number[] = [];
    for (const calls of this.turns(update)) {
      const work = calls.map((args) => ({ kernel: "sweepGradient", args }));
      losses.push(...(await this.engine.run(work, { workers, deterministic })));
    }
    return this.collect(losses, gradient);
  }

  dispose(): void {
    for (const part of this.parts) part.binding.dispose();
    this.arena.dispose();
  }

  /**
   * Calls of sweepGradient that may run at the same time, one turn after another. One turn, unless gradients draw numbers: then a chunk of every
   * part, whose number says what is drawn, so that no two rows of a pass share their draws.
   */
  private *turns(update: number): Generator<number[][]> {
    const { memory } = this.engine;
    const bytes = this.type === "f64" ? 8 : 4;
    const draws = this.parts[0].binding.updateAt !== undefined;
    const chunks = draws ? Math.max(...this.parts.map(({ from, to }) => Math.ceil((to - from) / CHUNK))) : 1;
    for (const { accumulator } of this.parts) memory.f64(accumulator, this.count).fill(0);
    for (let k = 0; k < chunks; k++) {
      const calls: number[][] = [];
      for (const { binding, listed, accumulator, from, to } of this.parts) {
        const first = draws ? from + k * CHUNK : from;
        const last = draws ? Math.min(first + CHUNK, to) : to;
        if (first >= last) continue;
        if (binding.updateAt !== undefined) memory.f64(binding.updateAt, 1)[0] = update * chunks + k;
        const { gradientSlot, model, pieces } = binding;
        calls.push([gradientSlot, model, this.parameters, listed, first, last, 0, pieces, accumulator, bytes]);
      }
      yield calls;
    }
  }

  private collect(losses: number[], gradient: Float64Array): number {
    gradient.fill(0);
    for (const { accumulator } of this.parts) {
      const part = this.engine.memory.f64(accumulator, this.count);
      for (let i = 0; i < gradient.length; i++) gradient[i] += part[i];
    }
    for (let i = 0; i < gradient.length; i++) gradient[i] /= this.rows;
    return losses.reduce((a, b) => a + b, 0) / this.rows;
  }

  private sumLosses(): number {
    const sweep = this.engine.kernel("sweepLoss", this.plan.deterministic);
    let sum = 0;
    for (const { binding, listed, from, to } of this.parts) {
      sum += sweep(binding.objectiveSlot, binding.model, this.parameters, listed, from, to, binding.outputsAt, this.outputs, 0);
    }
    return sum;
  }
}
