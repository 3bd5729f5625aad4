import type { Json, JsonObject } from "../../engine/contract/index.ts";
import { exp } from "../../engine/numbers/exp.ts";
import type { OnlineRows } from "./types.ts";

/** Properties of the model from which the predictions come. */
interface Of {
  readonly task: string;
  readonly outputs: number;
  readonly classWeights: Float64Array | undefined;
}

const NAMES = ["rows", "loss", "weight", "lossWeight", "right", "squares", "absolute"] as const;

/** Progressive validation: sums of losses and errors over rows, each of which was predicted before it was learnt. */
export class Seen {
  readonly #of: Of;
  readonly #sums = Object.fromEntries(NAMES.map((name) => [name, 0])) as Record<(typeof NAMES)[number], number>;

  constructor(of: Of, kept: JsonObject = {}) {
    this.#of = of;
    for (const name of NAMES) if (Number.isFinite(kept[name])) this.#sums[name] = kept[name] as number;
  }

  /** Adds the rows of an update. The loss and the outputs `z` were computed before the update. */
  add({ targets, weights }: OnlineRows, loss: number, z: ArrayLike<number>, first: number, count: number): void {
    const { task, outputs, classWeights } = this.#of;
    const sums = this.#sums;
    const isNumber = task === "regression" || task === "count";
    sums.rows += count;
    sums.loss += loss;
    for (let i = 0; i < count; i++) {
      const y = targets[first + i];
      const w = weights ? weights[first + i] : 1;
      sums.weight += w;
      sums.lossWeight += w * (classWeights ? classWeights[y] : 1);
      if (!isNumber) {
        // A numeric target with two values can serve as the two classes of a loss.
        if (classOf(z, i, outputs) === (outputs === 1 ? Number(y > 0) : y)) sums.right += w;
        continue;
      }
      const error = (task === "count" ? exp(z[i]) : z[i]) - y;
      sums.squares += w * error * error;
      sums.absolute += w * Math.abs(error);
    }
  }

  /** Returns the weighted mean loss and the quality of predictions. */
  measured(): Record<string, number> {
    const { rows, loss, weight, lossWeight, right, squares, absolute } = this.#sums;
    const { task } = this.#of;
    const isNumber = task === "regression" || task === "count";
    const quality: Record<string, number> = isNumber
      ? { rmse: Math.sqrt(squares / weight), mae: absolute / weight }
      : { accuracy: right / weight };
    return { loss: loss / lossWeight, ...quality, rows };
  }

  toJSON(): Record<string, Json> {
    return { ...this.#sums };
  }
}

/** Returns the predicted class, as predictors define it: by sign for one output, otherwise the first largest output. */
function classOf(z: ArrayLike<number>, row: number, outputs: number): number {
  if (outputs === 1) return Number(z[row] > 0);
  let best = 0;
  for (let k = 1; k < outputs; k++) if (z[row * outputs + k] > z[row * outputs + best]) best = k;
  return best;
}
