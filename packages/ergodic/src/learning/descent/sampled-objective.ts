import { Arena } from "../../engine/memory/arena.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { PARAMETER_SCALE } from "../../engine/numbers/fixed-point.ts";
import type { Parts } from "../../engine/optimise/fits.ts";
import { stream } from "../../engine/random/stream.ts";

const CHUNK = 256;

/**
 * Objective, including penalties, on a fixed random sample of rows. Used to compare the objective at the start and at
 * the end of a run. Evaluated on the calling thread.
 */
export class SampledObjective {
  private readonly parts: Pick<Parts, "problem" | "target" | "plan">;
  private readonly engine: Engine;
  private readonly arena: Arena;
  private readonly binding: ReturnType<Parts["target"]["bind"]>;
  private readonly parameters: number;
  private readonly rows: number;
  private readonly count: number;

  /** `count`: sample size, capped at `rowCount`. `rowCount`: the sample is drawn from the first `rowCount` rows. */
  constructor(
    parts: Pick<Parts, "problem" | "target" | "plan">,
    engine: Engine,
    count: number,
    rowCount = parts.problem.rowCount,
  ) {
    const { problem, target, plan } = parts;
    this.parts = parts;
    this.engine = engine;
    this.count = Math.min(count, rowCount);
    this.binding = target.bind({ batch: Math.min(CHUNK, this.count), buffered: true, purpose: "comparing losses" });
    this.arena = new Arena(engine.memory, "comparing losses");
    this.parameters = this.arena.take(problem.parameterCount * 8);
    this.rows = this.arena.take(this.count * 4);
    const draws = stream(plan.seed, "rows that compare plans").at(0);
    const all = this.count === rowCount;
    const listed = Uint32Array.from({ length: this.count }, (_, i) => (all ? i : draws.integer(rowCount)));
    engine.memory.u32(this.rows, this.count).set(listed);
  }

  at(point: Float64Array): number {
    return this.blocks(point, CHUNK).reduce((sum, { mean, count }) => sum + mean * count, 0) / this.count + this.penaltyAt(point);
  }

  /** Returns the penalty at a point. */
  penaltyAt(point: Float64Array): number {
    return penaltyAt(this.parts.target.penalty, point);
  }

  /** Returns the mean loss of each block of at most `size` rows, without the penalty. */
  blocks(point: Float64Array, size: number): { readonly mean: number; readonly count: number }[] {
    const { plan } = this.parts;
    const { objectiveSlot, model } = this.binding;
    const type = plan.precision.model;
    const stored = type === "i16" ? point.map((p) => Math.round(p / PARAMETER_SCALE)) : point;
    this.engine.memory[type](this.parameters, point.length).set(stored);
    const objective = this.engine.atSlot(objectiveSlot);
    const blocks: { mean: number; count: number }[] = [];
    for (let from = 0; from < this.count; from += size) {
      const count = Math.min(size, this.count - from);
      blocks.push({ mean: objective(model, this.parameters, this.rows + 4 * from, count), count });
    }
    return blocks;
  }

  dispose(): void {
    this.binding.dispose();
    this.arena.dispose();
  }
}

function penaltyAt(penalty: Parts["target"]["penalty"], x: Float64Array): number {
  const { l1, l2, group, groups, outputs, stride } = penalty;
  let sum = 0;
  if (l1 > 0 || l2 > 0) {
    const { weights } = penalty;
    for (let i = 0; i < x.length; i++) sum += weights[i] * (l1 * Math.abs(x[i]) + 0.5 * l2 * x[i] * x[i]);
  }
  if (group === 0) return sum;
  for (const columns of groups) {
    let squares = 0;
    for (let k = 0; k < outputs; k++) for (const j of columns) squares += x[k * stride + j] ** 2;
    sum += group * Math.sqrt(columns.length * squares);
  }
  return sum;
}
