import { less, mul, where } from "../../../../engine/compiler/index.ts";
import { plain } from "../../../../engine/errors/checks.ts";
import { OptionError } from "../../../../engine/errors/errors.ts";
import type { Layer } from "../scope.ts";
import { layer, type Named } from "./layer.ts";

/** Options of `dropout`. */
export interface DropoutOptions extends Named {
  /** Whether whole channels of an image or a sequence are dropped, which means at all positions. Default false. */
  readonly wholeChannels?: boolean;
}

const make = layer<DropoutOptions & { readonly rate: number }>(
  "dropout",
  (x, scope, { rate, wholeChannels = false }) => {
    if (!scope.training || rate === 0) return x;
    const last = x.rank - 1;
    const fates = scope.uniform(wholeChannels ? x.shape.map((n, axis) => (axis === 0 || axis === last ? n : 1)) : x.shape);
    return where(less(fates, rate), 0, mul(1 / (1 - rate), x));
  },
  {
    options: { rate: { low: 0 }, wholeChannels: "boolean" },
    required: ["rate"],
    example: { options: { rate: 0.25, wholeChannels: true }, input: [2, 4, 3] },
    check({ rate }) {
      if (rate >= 1) throw new OptionError("dropout", `rate is ${rate}, but must be < 1, or nothing is left`, "OPTION_RANGE");
    },
  },
);

/**
 * Dropout. During training, each number is set to 0 with probability `rate`, and otherwise divided by 1 − rate, so that
 * the mean does not change. In prediction and in frozen layers, y = x.
 *
 * `wholeChannels`: drops whole channels of an image or a sequence.
 * Sources: Srivastava et al. 2014; Tompson et al. 2015 (whole channels).
 *
 * @param rate probability of setting a number to 0, in [0, 1). Default 0.5
 * @param options whether to drop whole channels, name
 * @throws OptionError unless 0 ≤ rate < 1
 */
export const dropout = (rate = 0.5, options: DropoutOptions = {}): Layer =>
  make({ rate, ...plain("dropout", options, ["rate"]) });
