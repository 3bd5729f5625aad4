import type { Row } from "ergodic";
import type { predictor } from "ergodic/predict/async";
import type { Numbers } from "../v2/input-tensor.ts";
import type { Computation } from "./output-model.ts";

type Threaded = Extract<Awaited<ReturnType<typeof predictor>>, { inputCount: number }>;

/** Computes predictions on separate threads, so that the server can handle requests to all models meanwhile. */
export class OnThreads implements Computation {
  readonly #predictor: Threaded;

  constructor(predictor: Threaded) {
    this.#predictor = predictor;
  }

  async numbers(rows: Numbers | readonly Row[]): Promise<Float64Array> {
    const { inputCount, width } = this.#predictor;
    const out = new Float64Array(width * (ArrayBuffer.isView(rows) ? rows.length / inputCount : rows.length));
    await this.#predictor.predictInto(rows, out);
    return out;
  }

  close(): void {
    this.#predictor.dispose();
  }
}
