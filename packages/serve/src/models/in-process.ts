import { setImmediate } from "node:timers/promises";
import type { OutputPredictor, Row } from "ergodic";
import type { Numbers } from "../v2/input-tensor.ts";
import { inputColumns } from "./input-columns.ts";
import type { Computation } from "./output-model.ts";

/** Rows that are computed before other requests get their turn. */
const SLICE = 1024;

/** Predictions on the thread of the server. */
export class InProcess implements Computation {
  readonly #predictor: OutputPredictor;
  readonly #columns: number;
  readonly #owned: boolean;

  /** `owned`: whether to dispose of it. */
  constructor(predictor: OutputPredictor, owned: boolean) {
    this.#predictor = predictor;
    this.#columns = inputColumns(predictor.pipeline).length;
    this.#owned = owned;
  }

  numbers(rows: Numbers | readonly Row[]): Float64Array | Promise<Float64Array> {
    const count = ArrayBuffer.isView(rows) ? rows.length / this.#columns : rows.length;
    const out = new Float64Array(count * this.#predictor.width);
    if (count > SLICE) return this.#inSlices(rows, count, out);
    this.#predictor.predictInto(rows, out);
    return out;
  }

  close(): void {
    if (!this.#owned) return;
    const { dispose } = this.#predictor as { dispose?: () => void };
    dispose?.call(this.#predictor);
  }

  async #inSlices(rows: Numbers | readonly Row[], count: number, out: Float64Array): Promise<Float64Array> {
    const { width } = this.#predictor;
    for (let from = 0; from < count; from += SLICE) {
      const to = Math.min(count, from + SLICE);
      const some = ArrayBuffer.isView(rows) ? rows.subarray(from * this.#columns, to * this.#columns) : rows.slice(from, to);
      this.#predictor.predictInto(some, out.subarray(from * width, to * width));
      if (to < count) await setImmediate();
    }
    return out;
  }
}
