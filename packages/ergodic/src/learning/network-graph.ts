import type { SymbolicArray } from "../engine/compiler/array/index.ts";
import { BATCHES } from "../engine/compiler/array/serialise.ts";
import type { JsonObject } from "../engine/contract/index.ts";
import { CapabilityError, DataError } from "../engine/errors/errors.ts";
import { decodeModel } from "../predict/model-file.ts";
import type { NetworkPredictor } from "../predict/network.ts";
import { layerFromJson } from "./models/neural/layers/by-kind.ts";
import { predictionProgram, type Weights } from "./models/neural/save.ts";
import { scalesOf } from "./models/neural/scales.ts";

/** A trained network as arrays of the compiler. */
export interface NetworkGraph {
  /** z, [batch, outputs]; below it are the inputs "x", [batch, …row], and those that `numbers` has by name. */
  readonly output: SymbolicArray;
  /** Rows that it was traced for: a large prime, so that extents which grow with the rows are its multiples, and no others. */
  readonly batch: number;
  /** Weights, with batch normalisation folded into them: float32, row-major. */
  readonly numbers: Readonly<Record<string, Float32Array>>;
}

/**
 * What a trained network computes for a row, as a graph of array operations: for those who write it in another form, as `@ergodic/serve/onnx` does.
 *
 * It is traced anew from the layers that the model's file describes, so that layers of your own must have been defined before.
 *
 * @throws CapabilityError [LAYER_FUNCTION] for networks that hold a plain function, which no file describes; OptionError for layers that nobody defined;
 * DataError where the file holds other numbers than its layers want
 */
export function networkGraph(model: NetworkPredictor): NetworkGraph {
  const { description } = model;
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
      `its layers want ${size} numbers "${name}", but the file has ${found}: it was saved by another version, or its layers are defined otherwise here; train it again`,
      "MODEL_FORMAT",
    );
  });
  return { output, batch, numbers: Object.fromEntries(numbers) };
}
