/**
 * Ratings bound to a factorisation (factorisation.ts). Holds the rows and blocks of both sides for
 * kernels/learning/factors.ts.
 *
 * Parameters: users' rows, then items' rows. A row consists of `rank` factors and, if there are biases, the bias. In
 * memory, a row is padded (kernels/learning/factors.ts).
 */

import type { Beginning, FactorBinding, Factors, Problem } from "../../../engine/contract/index.ts";
import type { Ratings } from "../../../engine/data/ratings.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { engineMemory } from "../../../engine/memory/memory.ts";
import { stream } from "../../../engine/random/stream.ts";
import * as field from "../../fields.ts";
import { beginAt } from "./begin-at.ts";
import type { FactorisationSettings } from "./settings.ts";

export interface RatingsPlan {
  type: "f32" | "f64";
  seed: number;
  deterministic: boolean;
  beginning?: Beginning | undefined;
}

const users = 0;
const items = 1;

export class RatingsProblem implements Problem, Factors {
  protected static readonly typeName: string = "RatingsProblem";
  readonly name = "factorisation";
  readonly rowCount: number;
  readonly parameterCount: number;
  readonly factors: Factors = this;
  readonly ratingStart: readonly [Uint32Array, Uint32Array];
  /** Number of parameters per row. */
  readonly width: number;
  /** Unit s of ratings. */
  private readonly scale: number;
  private readonly ratings: Ratings;
  private readonly engine: Engine;
  private readonly settings: FactorisationSettings;
  private readonly plan: RatingsPlan;
  private readonly counts: readonly [number, number];
  /** Number of values per row in memory. The first `evenRank` are factors. */
  private readonly stride: number;
  private readonly evenRank: number;

  constructor(ratings: Ratings, engine: Engine, settings: FactorisationSettings, plan: RatingsPlan) {
    const { rank, biases } = settings;
    this.ratings = ratings;
    this.engine = engine;
    this.settings = settings;
    this.plan = plan;
    this.counts = [ratings.users.size, ratings.items.size];
    this.rowCount = ratings.count;
    this.width = rank + (biases ? 1 : 0);
    this.scale = scaleOf(settings, ratings);
    this.parameterCount = (this.counts[users] + this.counts[items]) * this.width;
    this.evenRank = rank + (rank % 2);
    this.stride = this.evenRank + (biases ? 2 : 0);
    const { byUser, byItem } = ratings.layout;
    const startOf = (at: number, rows: number): Uint32Array => engine.memory.u32(at, rows + 1).slice();
    this.ratingStart = [startOf(byUser.start, this.counts[users]), startOf(byItem.start, this.counts[items])];
  }

  /** Initial factors. Row u uses the draws of update u in the random stream of its side. */
  get start(): Float64Array {
    const { rank } = this.settings;
    const initialScale = this.settings.initialScale * Math.sqrt(this.scale);
    const all = new Float64Array(this.parameterCount);
    let at = 0;
    for (const side of [users, items]) {
      const draws = stream(this.plan.seed, "factors", side === users ? "users" : "items");
      for (let row = 0; row < this.counts[side]; row++, at += this.width) {
        const normal = draws.at(row);
        for (let k = 0; k < rank; k++) all[at + k] = initialScale * normal.normal();
      }
    }
    if (this.plan.beginning) beginAt(this.plan.beginning, all, this.ratings, this.settings);
    return all;
  }

  bind({ residuals, purpose }: { residuals: boolean; purpose: string }): FactorBinding {
    const { engine, stride, counts, plan } = this;
    const { alpha } = this.settings;
    const implicit = alpha !== null;
    const arena = new Arena(engine.memory, purpose);
    const bytes = plan.type === "f64" ? 8 : 4;
    const both = (make: (side: number) => number): [number, number] => [make(users), make(items)];
    const rows = both((side) => arena.take(counts[side] * stride * bytes));
    const kept = both(() => (residuals && !implicit ? arena.take(this.rowCount * 8) : 0));
    const grams = both(() => (implicit ? arena.take(stride * stride * 8) : 0));
    const blocks = both((side) => this.block(arena, side, { rows, residuals: kept[side], gram: grams[side], bytes }));
    const slot = (name: string): number => engine.kernelSlot(name, plan.deterministic);
    const { biases, rank } = this.settings;
    return {
      blocks,
      rows,
      stride,
      type: plan.type,
      solveSlot: slot("factorSolve"),
      sweepSlot: slot("factorSweep"),
      objectiveSlot: slot("factorObjective"),
      ...(implicit ? { gramSlot: slot("factorGram"), grams } : { componentSlot: slot("factorComponent") }),
      components: [...Array(rank).keys(), ...(biases ? [this.evenRank] : [])],
      residuals: kept,
      scratchBytes: 8 * Math.max(stride * stride + 5 * stride + 4, stride + this.mostRatings()),
      load: (parameters) => this.load(rows, parameters),
      parameters: () => this.parametersAt(rows),
      dispose: () => arena.dispose(),
    };
  }

  dispose(): void {}

  private block(
    arena: Arena,
    side: number,
    at: { rows: readonly number[]; residuals: number; gram: number; bytes: number },
  ): number {
    const { l2, alpha, weighted, biases } = this.settings;
    const { byUser, byItem } = this.ratings.layout;
    const { start, index, values } = side === users ? byUser : byItem;
    const block = arena.block(field.FACTOR_BYTES, [
      [field.FACTOR_OWN, at.rows[side]],
      [field.FACTOR_OTHER, at.rows[1 - side]],
      [field.FACTOR_START, start],
      [field.FACTOR_INDEX, index],
      [field.FACTOR_VALUES, values],
      [field.FACTOR_RESIDUALS, at.residuals],
      [field.FACTOR_RANK, this.evenRank],
      [field.FACTOR_STRIDE, this.stride],
      [field.FACTOR_ELEMENT_BYTES, at.bytes],
      [field.FACTOR_GRAM, at.gram],
      [field.FACTOR_WEIGHTED, weighted ? 1 : 0],
    ]);
    arena.setF64(block, field.FACTOR_L2_F64, l2 * this.scale);
    arena.setF64(block, field.FACTOR_BIAS_L2_F64, l2);
    arena.setF64(block, field.FACTOR_MEAN_F64, biases ? meanRating(this.ratings) : 0);
    arena.setF64(block, field.FACTOR_ALPHA_F64, alpha ?? 0);
    return block;
  }

  private mostRatings(): number {
    let most = 0;
    for (const start of this.ratingStart) {
      for (let row = 1; row < start.length; row++) most = Math.max(most, start[row] - start[row - 1]);
    }
    return most;
  }

  private load(rows: readonly number[], parameters: Float64Array): void {
    this.eachRow(rows, (stored, at) => {
      const { rank, biases } = this.settings;
      for (let k = 0; k < rank; k++) stored[k] = parameters[at + k];
      if (biases) stored[this.evenRank] = parameters[at + rank];
    });
  }

  private parametersAt(rows: readonly number[]): Float64Array {
    const parameters = new Float64Array(this.parameterCount);
    this.eachRow(rows, (stored, at) => {
      const { rank, biases } = this.settings;
      for (let k = 0; k < rank; k++) parameters[at + k] = stored[k];
      if (biases) parameters[at + rank] = stored[this.evenRank];
    });
    return parameters;
  }

  /** `at`: position of the row in the parameters. */
  private eachRow(rows: readonly number[], visit: (stored: Float32Array | Float64Array, at: number) => void): void {
    const { stride, counts } = this;
    let at = 0;
    for (const side of [users, items]) {
      const all = this.engine.memory[this.plan.type](rows[side], counts[side] * stride);
      for (let row = 0; row < counts[side]; row++, at += this.width) visit(all.subarray(row * stride, (row + 1) * stride), at);
    }
  }
}

/** Mean rating, summed in storage order. */
export function meanRating(ratings: Ratings): number {
  const values = engineMemory().f64(ratings.layout.byUser.values, ratings.count);
  return values.reduce((sum, r) => sum + r, 0) / ratings.count;
}

/**
 * Unit s of ratings: their standard deviation about the mean. If all ratings are equal, s is the absolute value of a
 * rating. For evidence, which has no unit, s is 1. Multiplying all ratings by c multiplies the unit by c.
 */
export function scaleOf({ alpha }: Pick<FactorisationSettings, "alpha">, ratings: Ratings): number {
  if (alpha !== null) return 1;
  const values = engineMemory().f64(ratings.layout.byUser.values, ratings.count);
  const mean = meanRating(ratings);
  const sd = Math.sqrt(values.reduce((sum, r) => sum + (r - mean) ** 2, 0) / ratings.count);
  // Smaller deviations are rounding errors.
  return sd > 1e-9 * Math.abs(mean) ? sd : Math.abs(mean) || 1;
}
