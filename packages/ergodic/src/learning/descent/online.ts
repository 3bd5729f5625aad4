import type { Tensor } from "../../engine/contract/index.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { ABSENT, DECAY_SCALE_F64, LANE_ROWS } from "../../engine/memory/fields.ts";
import type { Parts } from "../../engine/optimise/fits.ts";
import type { Lane } from "../../engine/optimise/lanes.ts";
import * as field from "../fields.ts";
import { Descent } from "./descent.ts";

/**
 * Gradient descent on rows that arrive one after another. The rows of the problem form a buffer into which new rows are
 * written. Each update takes the next rows of the buffer in order. Updates can be rolled back bit for bit.
 */
export class OnlineDescent extends Descent {
  private readonly lane: Lane;
  private readonly descend: (...args: number[]) => number;
  private readonly kept: Tensor[] = [];
  private keptAt = [0, 0];
  private views: { buffer: unknown; moving: Tensor[] } | undefined;

  constructor(parts: Parts, engine: Engine) {
    super(parts, engine);
    [this.lane] = this.lanes.list;
    this.descend = engine.kernel("descend", parts.plan.deterministic);
    const { order, rows } = this.lane;
    engine.memory.u32(order, rows).set(Uint32Array.from({ length: rows }, (_, i) => i));
  }

  /** Number of rows per update. */
  get batch(): number {
    return this.lanes.batch;
  }

  /** Whether an update touches only the columns that occur in its rows. */
  get isIndexed(): boolean {
    return this.lane.binding.piece.indexed;
  }

  /** Address at which the model stores its outputs for the rows of an update. */
  get outputsAt(): number {
    const { model, outputsAt } = this.lane.binding;
    if (this.parts.problem.name !== "linear") return outputsAt;
    const of = (at: number): number => this.engine.memory.u32(model + at, 1)[0];
    const isSingle = of(field.LINEAR_BUFFER) === 0 && of(field.LINEAR_POINT) !== ABSENT;
    return isSingle ? of(field.LINEAR_POINT_BLOCK) + of(field.LINEAR_POINT_AT_Z) : outputsAt;
  }

  /** Sets the number of rows to learn to `count`, from the start of the buffer. */
  take(count: number): void {
    this.engine.memory.u32(this.lane.pointer + LANE_ROWS, 1)[0] = count;
  }

  /** Performs one update with the batch that begins at `row`. Returns the sum of the row losses before the update. */
  learn(row: number): number {
    const loss = this.descend(this.lane.pointer, this.updates, row, 1);
    this.step++;
    this.updates++;
    return loss;
  }

  /** Total size in bytes of all state that is changed by updates. */
  get bytes(): number {
    return this.moving().reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** Saves the current state for `putBack`. */
  keep(): void {
    this.moving().forEach((view, i) => {
      if (this.kept[i]) this.kept[i].set(view);
      else this.kept.push(view.slice());
    });
    this.keptAt = [this.step, this.updates];
  }

  putBack(): void {
    this.moving().forEach((view, i) => void view.set(this.kept[i]));
    [this.step, this.updates] = this.keptAt;
  }

  /** Whether all state is finite, given that updates touched only `columns`. Default: all columns are checked. */
  isFinite(columns?: Uint32Array): boolean {
    const { copy, rule, decay } = this.lane;
    const { memory } = this.engine;
    const scalar = (at: number): number => memory.f64(at, 1)[0];
    if (decay && !Number.isFinite(scalar(decay + DECAY_SCALE_F64))) return false;
    for (const { name, initial } of this.lanes.program?.scalarStates ?? []) {
      const now = scalar(rule!.block + rule!.program.scalars[name]);
      if (Number.isNaN(now) || (Number.isFinite(initial) && !Number.isFinite(now))) return false;
    }
    const { outputs, stride } = this.parts.target.penalty;
    for (const values of this.lanes.arrays(copy).values()) {
      // 0 · x is 0 unless x is NaN or infinite.
      let sum = 0;
      if (!columns || !this.isIndexed) for (let i = 0; i < values.length; i++) sum += 0 * values[i];
      else for (let k = 0; k < outputs; k++) for (let e = 0; e < columns.length; e++) sum += 0 * values[k * stride + columns[e]];
      if (sum !== 0) return false;
    }
    return true;
  }

  /** Views stay valid until the memory buffer is replaced. */
  private moving(): Tensor[] {
    const { buffer } = this.engine.memory.memory;
    if (this.views?.buffer !== buffer) {
      const moving = [...this.lanes.arrays(this.lane.copy).values(), ...this.scalars(this.lane).values()];
      this.views = { buffer, moving };
    }
    return this.views.moving;
  }
}
