import { matmul, sizeOf } from "../../../../engine/compiler/array/index.ts";
import { add } from "../../../../engine/compiler/index.ts";
import { plain } from "../../../../engine/errors/checks.ts";
import { heNormal, type Initialiser, zeros } from "../initialisers.ts";
import type { Layer } from "../scope.ts";
import { count, expectRank } from "./expected.ts";
import { layer, type Named } from "./layer.ts";

/** Options of layers with a weight and a bias, such as `dense`. */
export interface WeightOptions extends Named {
  /** Whether there is a bias. Default true. */
  readonly bias?: boolean;
  /** Initial values of the weight. Default heNormal(). */
  readonly initial?: Initialiser;
  /** Initial values of the bias. Default zeros(). */
  readonly initialBias?: Initialiser;
}

interface Options extends WeightOptions {
  readonly units: number;
}

const make = layer<Options>(
  "dense",
  (x, scope, { units, bias = true, initial = heNormal(), initialBias = zeros() }) => {
    if (x.rank < 2) expectRank("dense", scope, x, [2], "[features]");
    const features = x.shape[x.rank - 1];
    scope.count(sizeOf(x.shape.slice(1)) * units);
    const y = matmul(x, scope.parameter("weight", [features, units], { initial }));
    return bias ? add(y, scope.parameter("bias", [units], { initial: initialBias, decay: false })) : y;
  },
  {
    options: { units: count, bias: "boolean", initial: "own", initialBias: "own" },
    required: ["units"],
    example: { options: { units: 2, bias: false, name: "head" }, input: [2, 3] },
    initialisers: ["initial", "initialBias"],
  },
);

/**
 * Dense layer: y = x W + b on the last axis.
 *
 * x: [n, …, in]. W ("weight"): [in, units]. b ("bias"): [units]. y: [n, …, units].
 * Initial values: W He-normal, b zero. b is not penalised.
 *
 * @param units number of outputs, a whole number >= 1
 * @param options whether there is a bias, initial values, name
 * @throws OptionError unless `units` is a whole number >= 1
 */
export const dense = (units: number, options: WeightOptions = {}): Layer =>
  make({ units, ...plain("dense", options, ["units"]) });
