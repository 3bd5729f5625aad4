import { gather } from "../../../../engine/compiler/array/index.ts";
import { plain } from "../../../../engine/errors/checks.ts";
import { type Initialiser, uniformInitial } from "../initialisers.ts";
import type { Layer } from "../scope.ts";
import { count } from "./expected.ts";
import { layer, type Named } from "./layer.ts";

/** Options of `embedding`. */
export interface EmbeddingOptions extends Named {
  /** Initial values of the table. Default uniformInitial(), ±0.05. */
  readonly initial?: Initialiser;
}

const make = layer<EmbeddingOptions & { readonly count: number; readonly width: number }>(
  "embedding",
  (x, scope, { count, width, initial = uniformInitial() }) =>
    gather(scope.parameter("table", [count, width], { initial, fans: { fanIn: width, fanOut: width } }), x),
  {
    options: { count, width: count, initial: "own" },
    required: ["count", "width"],
    example: { options: { count: 5, width: 3 }, input: [2, 4] },
    initialisers: ["initial"],
  },
);

/**
 * Embedding: y[n, …, :] = E[x[n, …], :]. Each of `count` categories has a learned row in the table E.
 *
 * x: whole numbers 0 … count − 1, [n, …]; any other number gives NaN. E ("table"): [count, width], initially uniform on
 * ±0.05. y: [n, …, width].
 *
 * @throws OptionError unless `count` and `width` are whole numbers >= 1
 */
export const embedding = (count: number, width: number, options: EmbeddingOptions = {}): Layer =>
  make({ count, width, ...plain("embedding", options, ["count", "width"]) });
