import { DataError } from "ergodic";
import { type OnlineFrom, type OnlineOptions, type OnlineRun, online } from "ergodic/extend";
import { decodeRows, encodeRows, type RowFormat } from "./prepared-rows.ts";
import { RowReader } from "./row-reader.ts";

/** Weighted sums of how well rows were predicted before the model was updated with them. */
export interface LearntSums {
  readonly rows: number;
  readonly weight: number;
  /** Mean loss, weighted by row and class weights. */
  readonly loss: number;
  /** For classes, the total weight of the correctly predicted rows. */
  readonly right?: number;
  /** For numbers, the sums of squared and absolute errors. */
  readonly squares?: number;
  readonly absolute?: number;
}

/** An online run that learns rows from bytes, in the format of a journal. */
export class LearningRun {
  readonly run: OnlineRun;
  readonly #reader: RowReader;
  readonly #format: RowFormat;

  constructor(run: OnlineRun) {
    const { columnCount, format, type } = run.pipeline.shape;
    this.run = run;
    this.#reader = new RowReader(run);
    this.#format = { columnCount, isSparse: format === "sparse", isDouble: type === "f64" };
  }

  static async begin(from: OnlineFrom, options: OnlineOptions = {}): Promise<LearningRun> {
    return new LearningRun(await online(from, options));
  }

  /** Encodes rows without learning them. @throws DataError */
  read(rows: unknown, targets: unknown, { weights }: { weights?: unknown } = {}): Uint8Array {
    return encodeRows(this.#reader.read(rows, targets, weights));
  }

  /**
   * Learns rows that were encoded by `read`. The bytes must not change afterwards. @throws DataError, without changing
   * anything
   */
  async learn(prepared: Uint8Array): Promise<LearntSums> {
    const { task, outputs, classWeights } = this.run;
    const rows = decodeRows(prepared, this.#format);
    const { targets, weights } = rows;
    if (
      !targets.every((target) => this.#reader.isTarget(target)) ||
      weights?.some((weight) => !(weight >= 0 && weight < Infinity))
    )
      throw new DataError(
        "online",
        "the prepared rows have invalid targets or weights; pass the result of read()",
        "DATA_FORMAT",
      );
    const isNumber = task === "regression" || task === "count";
    let [loss, weight, lossWeight, right, squares, absolute] = [0, 0, 0, 0, 0, 0];
    await this.run.learn(rows, (mean, z, first, count) => {
      loss += mean;
      for (let i = 0; i < count; i++) {
        const y = targets[first + i]!;
        const w = weights ? weights[first + i]! : 1;
        weight += w;
        lossWeight += w * (classWeights ? classWeights[y]! : 1);
        if (!isNumber) {
          if (classOf(z, i, outputs) === y) right += w;
          continue;
        }
        const error = (task === "count" ? Math.exp(z[i]!) : z[i]!) - y;
        squares += w * error * error;
        absolute += w * Math.abs(error);
      }
    });
    const sums = isNumber ? { squares, absolute } : { right };
    return { rows: rows.rowCount, weight, loss: lossWeight > 0 ? loss / lossWeight : 0, ...sums };
  }
}

/** Returns the predicted class, as predictors do: by the sign of one output, or the first of the largest outputs. */
function classOf(z: ArrayLike<number>, row: number, outputs: number): number {
  if (outputs === 1) return z[row]! > 0 ? 1 : 0;
  let best = 0;
  for (let k = 1; k < outputs; k++) if (z[row * outputs + k]! > z[row * outputs + best]!) best = k;
  return best;
}
