import type { Tensor } from "../../engine/contract/index.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { ABSENT, DECAY_SCALE_F64, LANE_ROWS } from "../../engine/memory/fields.ts";
import type { Parts } from "../../engine/optimise/fits.ts";
import type { Lane } from "../../engine/optimise/lanes.ts";
import * as field from "../fields.ts";
import { Descent } from "./descent.ts";

/**
 * Gradient descent on rows that come one after another: the problem's rows are a place into which others are written, and each update takes the next
 * of them, as `Descent` takes rows in their order. What a request changes can be taken back, bit for bit.
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

  /** Rows of one update. */
  get batch(): number {
    return this.lanes.batch;
  }

  /** Updates touch the columns of their rows alone. */
  get isIndexed(): boolean {
    return this.lane.binding.piece.indexed;
  }

  /** Where the model leaves the outputs of the rows of an update. */
  get outputsAt(): number {
    const { model, outputsAt } = this.lane.binding;
    if (this.parts.problem.name !== "linear") return outputsAt;
    const of = (at: number): number => this.engine.memory.u32(model + at, 1)[0];
    const isSingle = of(field.LINEAR_BUFFER) === 0 && of(field.LINEAR_POINT) !== ABSENT;
    return isSingle ? of(field.LINEAR_POINT_BLOCK) + of(field.LINEAR_POINT_AT_Z) : outputsAt;
  }

  /** The first `count` rows are to be learnt. */
  take(count: number): void {
    this.engine.memory.u32(this.lane.pointer + LANE_ROWS, 1)[0] = count;
  }

  /** One update, by the batch that begins at `row`; the mean loss of its rows before the update, times their number. */
  learn(row: number): number {
    const loss = this.descend(this.lane.pointer, this.updates, row, 1);
    this.step++;
    this.updates++;
    return loss;
  }

  /** Bytes of all that updates change. */
  get bytes(): number {
    return this.moving().reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** Remembers what is now, for `putBack`. */
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

  /** Whether all is finite that updates have changed which touched `columns` alone; absent: any. */
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
      // 0 · x is 0 unless x is none or infinite.
      let sum = 0;
      if (!columns || !this.isIndexed) for (let i = 0; i < values.length; i++) sum += 0 * values[i];
      else for (let k = 0; k < outputs; k++) for (let e = 0; e < columns.length; e++) sum += 0 * values[k * stride + columns[e]];
      if (sum !== 0) return false;
    }
    return true;
  }

  /** Views stay as long as the memory is not replaced. */
  private moving(): Tensor[] {
    const { buffer } = this.engine.memory.memory;
    if (this.views?.buffer !== buffer) {
      const moving = [...this.lanes.arrays(this.lane.copy).values(), ...this.scalars(this.lane).values()];
      this.views = { buffer, moving };
    }
    return this.views.moving;
  }
}
