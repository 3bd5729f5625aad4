/**
 * The full objective and its gradient as a sum over rows, in the form that full-batch rules use.
 *
 * Rows are divided into at most PARTS fixed ranges. The sums of the ranges are added in a fixed order, so that the bits
 * do not depend on the number of workers.
 */
import type { LaneBinding, Plan, Problem, RowGradient, Snapshot } from "../contract/index.ts";
import { Arena } from "../memory/arena.ts";
import type { Engine } from "../memory/engine.ts";

export interface FullObjective {
  readonly count: number;
  /** Number of rows that one evaluation reads. */
  readonly rows: number;
  readonly start: Float64Array | undefined;
  /**
   * Computes f(x) on this thread and returns it. Fills `gradient` unless it is null. `update`: index that selects the
   * random draws of a random gradient.
   */
  evaluate(x: Float64Array, gradient: Float64Array | null, update?: number): number;
  /** Same as `evaluate`, but uses the plan's workers. */
  evaluateOnWorkers(x: Float64Array, gradient: Float64Array, update?: number): Promise<number>;
  /** Whether the objective can only be evaluated on workers. */
  readonly waits?: boolean;
  /** Returns the state that is carried from one evaluation to the next, if any, for example chains. */
  snapshot?(): Snapshot;
  restore?(snapshot: Snapshot): void;
  /** Same as `endless` of a problem. */
  endless?(loss: number): string | undefined;
  dispose(): void;
}

const PARTS = 16;
const CHUNK = 256;
/** Size in bytes above which several parts share one binding and take turns. */
const LARGE = 2 ** 22;

interface Part {
  accumulator: number;
  from: number;
  to: number;
}

/** A binding and its row list. Such parts are computed one at a time. */
interface Seat {
  binding: LaneBinding;
  listed: number;
}

/** Mean loss over all rows of a problem, without its penalty. */
export class RowObjective implements FullObjective {
  readonly count: number;
  readonly rows: number;
  readonly start: Float64Array | undefined;
  readonly endless?: FullObjective["endless"];
  private readonly engine: Engine;
  private readonly plan: Plan;
  private readonly arena: Arena;
  private readonly parts: Part[];
  private readonly seats: Seat[] = [];
  private readonly parameters: number;
  private readonly type: "f32" | "f64";
  private readonly outputs: number;

  constructor(problem: Problem, target: RowGradient, plan: Plan, engine: Engine) {
    this.count = problem.parameterCount;
    this.rows = problem.rowCount;
    this.start = problem.start;
    this.endless = problem.endless?.bind(problem);
    this.engine = engine;
    this.plan = plan;
    this.type = plan.precision.model === "f64" ? "f64" : "f32";
    this.outputs = target.derivativesPerRow ?? 1;
    this.arena = new Arena(engine.memory, "full gradient");
    this.parameters = this.arena.take(this.count * 8);
    const partCount = Math.min(PARTS, Math.ceil(this.rows / CHUNK));
    const edge = (k: number): number => Math.floor((k * this.rows) / partCount);
    this.parts = Array.from({ length: partCount }, (_, k) => ({
      accumulator: this.arena.take(this.count * 8),
      from: edge(k),
      to: edge(k + 1),
    }));
    const batch = Math.min(CHUNK, Math.max(...this.parts.map(({ from, to }) => to - from)));
    const before = engine.memory.usedBytes;
    const seat = (): void => {
      const binding = target.bind({ batch, buffered: true, purpose: "full gradient" });
      this.seats.push({ binding, listed: this.arena.take(CHUNK * 4) });
    };
    seat();
    const seatCount = engine.memory.usedBytes - before > LARGE ? Math.min(plan.workers, partCount) : partCount;
    while (this.seats.length < seatCount) seat();
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
    for (const { binding } of this.seats) binding.dispose();
    this.arena.dispose();
  }

  /**
   * Yields groups of calls of sweepGradient. The calls in a group can run concurrently. If the gradient uses random
   * numbers, each call covers one chunk of rows, and the index of the call selects these numbers. No two calls of a
   * pass then share draws.
   */
  private *turns(update: number): Generator<number[][]> {
    const { memory } = this.engine;
    const draws = this.seats[0].binding.updateAt !== undefined;
    const size = draws ? CHUNK : this.rows;
    const rounds = Math.max(...this.parts.map(({ from, to }) => Math.ceil((to - from) / size)));
    for (const { accumulator } of this.parts) memory.f64(accumulator, this.count).fill(0);
    for (let round = 0; round < rounds; round++) {
      const first = (update * rounds + round) * this.parts.length;
      const left = this.parts.flatMap(({ accumulator, from, to }, k) => {
        const start = from + round * size;
        return start < to ? [{ accumulator, from: start, to: Math.min(start + size, to), draw: first + k }] : [];
      });
      for (let at = 0; at < left.length; at += this.seats.length)
        yield left.slice(at, at + this.seats.length).map((part, i) => this.call(this.seats[i], part));
    }
  }

  private call({ binding, listed }: Seat, { accumulator, from, to, draw }: Part & { draw: number }): number[] {
    const { gradientSlot, model, pieces, updateAt } = binding;
    if (updateAt !== undefined) this.engine.memory.f64(updateAt, 1)[0] = draw;
    const bytes = this.type === "f64" ? 8 : 4;
    return [gradientSlot, model, this.parameters, listed, from, to, 0, pieces, accumulator, bytes];
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
    const [{ binding, listed }] = this.seats;
    for (const { from, to } of this.parts) {
      sum += sweep(binding.objectiveSlot, binding.model, this.parameters, listed, from, to, binding.outputsAt, this.outputs, 0);
    }
    return sum;
  }
}
