/** A linear model bound to a dataset, with its kernels called one by one. Shared by the tests of kernels. */

import type { LaneBinding, ParameterType } from "../../../src/engine/contract/index.ts";
import type { Dataset } from "../../../src/engine/data/dataset.ts";
import { Arena } from "../../../src/engine/memory/arena.ts";
import { type Engine, openEngine } from "../../../src/engine/memory/engine.ts";
import * as field from "../../../src/engine/memory/fields.ts";
import type { LinearProblemOptions } from "../../../src/learning/models/linear/parts.ts";
import { LinearProblem } from "../../../src/learning/models/linear/problem.ts";
import { squaredLoss as squared } from "../../../src/learning/models/losses/index.ts";
import type { Entry } from "../../reference/linear-gradient.ts";

export type Mode = "row" | "batch" | "buffered";

export class BoundLinear implements Disposable {
  readonly engine: Engine;
  readonly problem: LinearProblem;
  readonly binding: LaneBinding;
  readonly parameters: number;
  readonly data: Dataset;
  private readonly arena: Arena;
  private readonly model: ParameterType;
  private readonly suffix: string;
  private readonly rows: number;
  private readonly outputs: number;

  static async open(
    data: Dataset,
    options: Partial<LinearProblemOptions> & { mode?: Mode; batch?: number } = {},
  ): Promise<BoundLinear> {
    return new BoundLinear(await openEngine(), data, options);
  }

  constructor(
    engine: Engine,
    data: Dataset,
    { mode = "row", batch = 64, ...options }: Partial<LinearProblemOptions> & { mode?: Mode; batch?: number },
  ) {
    const given: LinearProblemOptions = {
      loss: squared(),
      outputs: 1,
      intercept: false,
      l1: 0,
      l2: 0,
      group: 0,
      groups: [],
      nonNegative: false,
      penaltyWeights: undefined,
      classWeights: undefined,
      model: data.type === "f64" ? "f64" : "f32",
      deterministic: true,
      ...options,
    };
    this.engine = engine;
    this.data = data;
    this.model = given.model;
    this.outputs = given.outputs;
    this.problem = new LinearProblem(data, engine, given);
    this.binding = this.problem.bind({ batch: mode === "row" ? 1 : batch, buffered: mode === "buffered", purpose: "test" });
    this.arena = new Arena(engine.memory, "test");
    this.parameters = this.arena.take(this.problem.parameterCount * 8);
    this.rows = this.arena.take(4 * Math.max(batch, 256));
    const cap = (s: string): string => s[0].toUpperCase() + s.slice(1);
    this.suffix = `${cap(data.format)}${cap(data.type)}${cap(given.model)}`;
  }

  setParameters(values: ArrayLike<number>): void {
    this.engine.memory[this.model](this.parameters, values.length).set(values);
  }

  /** Mean loss of the listed rows, and their outputs. */
  objective(rows: number[], deterministic = true): { loss: number; z: number[] } {
    this.engine.memory.u32(this.rows, rows.length).set(rows);
    const loss = this.engine.kernel(`objective${this.suffix}`, deterministic)(
      this.binding.model,
      this.parameters,
      this.rows,
      rows.length,
    );
    return { loss, z: [...this.engine.memory.f64(this.binding.outputsAt, rows.length * this.outputs)] };
  }

  /** Mean loss, the gradient added up from the pieces by parameter, and the touched parameters. */
  gradient(
    rows: number[],
    { control = 0, deterministic = true } = {},
  ): { loss: number; gradient: number[]; touched: number[]; pieces: number } {
    const { memory } = this.engine;
    memory.u32(this.rows, rows.length).set(rows);
    const kernel = this.engine.kernel(`gradient${this.suffix}`, deterministic);
    const loss = kernel(this.binding.model, this.parameters, this.rows, rows.length, control, this.binding.pieces);
    const gradient = new Array<number>(this.problem.parameterCount).fill(0);
    const touched: number[] = [];
    const count = memory.u32(this.binding.pieces, 1)[0];
    for (let k = 0; k < count; k++) {
      const piece = this.binding.pieces + field.PIECES_FIRST + k * field.PIECE_BYTES;
      const [values, indices, length, offset] = memory.u32(piece, 4);
      const scale = memory.f64(piece + field.PIECE_SCALE_F64, 1)[0];
      const numbers = memory[this.binding.piece.type](values, length);
      const at = indices ? memory.u32(indices, length) : undefined;
      for (let e = 0; e < length; e++) {
        const j = offset + (at ? at[e] : e);
        gradient[j] += scale * numbers[e];
        touched.push(j);
      }
    }
    return { loss, gradient, touched, pieces: count };
  }

  /** Rows in the form that the kernel requires: [column, scale × stored], including the intercept if there is one. */
  entries(row: number): Entry[] {
    const { layout } = this.data;
    const { memory } = this.engine;
    const last = this.problem.columns;
    if (layout.format === "dense") {
      const values = memory[layout.type](
        layout.values + row * layout.stride * memory[layout.type](0, 0).BYTES_PER_ELEMENT,
        layout.stride,
      );
      return Array.from({ length: last }, (_, j) => [j, layout.scale * values[j]] as const);
    }
    const [from, to] = memory.u32(layout.rowStart + 4 * row, 2);
    const values = memory[layout.type](layout.values, to);
    const columns = memory.u32(layout.columnIndex, to);
    const all = Array.from({ length: to - from }, (_, e) => [columns[from + e], layout.scale * values[from + e]] as const);
    return all.filter(([j]) => j < last);
  }

  [Symbol.dispose](): void {
    this.arena.dispose();
    this.binding.dispose();
    this.problem.dispose();
  }
}
