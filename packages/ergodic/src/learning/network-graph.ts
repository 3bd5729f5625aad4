import type { SymbolicArray } from "../engine/compiler/array/index.ts";
import { BATCHES } from "../engine/compiler/array/serialise.ts";
import type { JsonObject } from "../engine/contract/index.ts";
import { made } from "../engine/errors/checks.ts";
import { CapabilityError, DataError } from "../engine/errors/errors.ts";
import { decodeModel } from "../predict/model-file.ts";
import type { NetworkPredictor } from "../predict/network.ts";
import { layerFromJson } from "./models/neural/layers/by-kind.ts";
import { predictionProgram, type Weights } from "./models/neural/save.ts";
import { scalesOf } from "./models/neural/scales.ts";

/** A trained network, as arrays of the array compiler. */
export interface NetworkGraph {
  /** Output z, [batch, outputs]. The inputs of z are "x", [batch, …row], and the arrays named in `numbers`. */
  readonly output: SymbolicArray;
  /**
   * Number of rows in the trace. This is a large prime. An extent is therefore a multiple of it only if the extent
   * grows with the number of rows.
   */
  readonly batch: number;
  /** Weights, with batch normalisation folded into them: float32, row-major. */
  readonly numbers: Readonly<Record<string, Float32Array>>;
}

/**
 * Returns the computation of a trained network as a graph of array operations, for exporters such as
 * `@ergodic/serve/onnx`.
 *
 * The graph is traced again from the layers in the model's file, so custom layers must already be defined.
 *
 * @throws CapabilityError [LAYER_FUNCTION] for networks with a plain function, which the file does not describe;
 * OptionError for layers that are not defined; DataError if the sizes of the weights in the file do not match the
 * layers
 */
export function networkGraph(model: NetworkPredictor): NetworkGraph {
  const { description } = made("networkGraph", model, "rowShape", "a trained network", "await fit(network([…]), data)");
  const { layers } = description.model as { layers?: JsonObject | null };
  if (!layers)
    throw new CapabilityError(
      "networkGraph",
      'the network holds a plain function (x, scope) => array, which its file does not describe; define it by layer("name", (x, scope, options) => …) and train again',
      "LAYER_FUNCTION",
    );
  const weights: Weights = new Map();
  const facts = {
    network: layerFromJson(layers),
    outputs: description.outputs as number,
    rowShape: model.rowShape,
    ...scalesOf(description),
  };
  const [batch] = BATCHES;
  const [{ value: output }] = predictionProgram(facts, batch, undefined, weights).outputs;
  const { tensors } = decodeModel(model.toBytes(), "network");
  const numbers = [...weights].map(([{ size }, { name }]): [string, Float32Array] => {
    const values = Object.hasOwn(tensors, name) ? tensors[name].values : undefined;
    if (values instanceof Float32Array && values.length === size) return [name, values];
    const found = values ? `${values.length} numbers` : "none";
    throw new DataError(
      "networkGraph",
      `its layers need ${size} numbers for "${name}", but the file has ${found}: it was saved by another version, or the layers are defined differently here; train it again`,
      "MODEL_FORMAT",
    );
  });
  return { output, batch, numbers: Object.fromEntries(numbers) };
}
