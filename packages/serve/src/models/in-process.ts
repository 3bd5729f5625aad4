import { setImmediate } from "node:timers/promises";
import type { Row } from "ergodic";
import type { OutputPredictor } from "ergodic/predict";
import { type Clock, systemClock } from "../clock.ts";
import type { Numbers } from "../v2/input-tensor.ts";
import { inputColumns } from "./input-columns.ts";
import type { Computation } from "./output-model.ts";
import { withRow } from "./row-places.ts";

/** Number of rows computed between two checks of the clock. */
const SLICE = 256;
/**
 * Milliseconds of computation after which other requests get a turn. Turns are measured in time because all requests
 * that have arrived are read in each turn. If there were a turn after every few rows, an overloaded server would spend
 * most of its time reading, and would answer few large requests.
 */
const TURN_MS = 2;

/** Computes predictions on the server's thread. */
export class InProcess implements Computation {
  readonly #predictor: OutputPredictor;
  readonly #columns: number;
  readonly #owned: boolean;
  readonly #clock: Pick<Clock, "now">;

  /** `owned`: whether to dispose of the predictor on close. */
  constructor(predictor: OutputPredictor, owned: boolean, clock: Pick<Clock, "now"> = systemClock) {
    this.#clock = clock;
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
    if (this.#owned) this.#predictor.dispose();
  }

  async #inSlices(rows: Numbers | readonly Row[], count: number, out: Float64Array): Promise<Float64Array> {
    const { width } = this.#predictor;
    let began = this.#clock.now();
    for (let from = 0; from < count; from += SLICE) {
      const to = Math.min(count, from + SLICE);
      const some = ArrayBuffer.isView(rows) ? rows.subarray(from * this.#columns, to * this.#columns) : rows.slice(from, to);
      try {
        this.#predictor.predictInto(some, out.subarray(from * width, to * width));
      } catch (error) {
        throw withRow(error as Error, from);
      }
      if (to === count || this.#clock.now() - began < TURN_MS) continue;
      await setImmediate();
      began = this.#clock.now();
    }
    return out;
  }
}
