import type { OnnxPort, OnnxPredictor, OnnxTensor, TensorType } from "../onnx/index.ts";
import { RequestError } from "../server/request-error.ts";
import type { Datatype, Elements } from "../v2/datatypes.ts";
import type { InputTensor } from "../v2/input-tensor.ts";
import type { Joining } from "./joining.ts";
import type { OutputTensor, Served, TensorMetadata } from "./served.ts";

const datatypes: Readonly<Record<TensorType, Datatype>> = {
  float16: "FP16",
  float32: "FP32",
  float64: "FP64",
  int8: "INT8",
  int16: "INT16",
  int32: "INT32",
  int64: "INT64",
  uint8: "UINT8",
  uint16: "UINT16",
  uint32: "UINT32",
  uint64: "UINT64",
  bool: "BOOL",
  string: "BYTES",
};

/** Inputs of a request in the model's order, and its number of rows. */
interface Work {
  readonly tensors: readonly OnnxTensor[];
  readonly rows: number;
}

/**
 * A foreign model, whose predictions are computed by a separate process.
 *
 * Requests are joined along the first axis if tests have shown that joining does not change any answer (joining.ts).
 * Otherwise they run one after another.
 */
export class OnnxModel implements Served<Work, readonly OnnxTensor[]> {
  readonly platform = "onnxruntime_onnx";
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  readonly converts = false;
  readonly joining: Joining;
  readonly #predictor: OnnxPredictor;
  readonly #owned: boolean;

  /** `owned`: the server closes it at the end. */
  constructor(predictor: OnnxPredictor, joining: Joining, { owned }: { owned: boolean }) {
    this.#predictor = predictor;
    this.joining = joining;
    this.#owned = owned;
    this.inputs = predictor.inputs.map(metadataOf);
    this.outputs = predictor.outputs.map(metadataOf);
  }

  fromTensors(inputs: readonly InputTensor[]): Work {
    const tensors = inputs.map((input, i) => ({
      type: this.#predictor.inputs[i].type,
      // One number can be sent with and without an axis, but onnxruntime accepts only the model's own shape.
      shape: input.count === 1 && this.inputs[i].shape.length < 2 ? ones(this.inputs[i].shape) : input.shape,
      data: (input.datatype === "BYTES" ? input.texts() : input.elements()) as OnnxTensor["data"],
    }));
    if (!this.joining.joins) return { tensors, rows: 1 };
    const rows = inputs[0].shape[0];
    const other = inputs.find(({ shape }) => shape[0] !== rows);
    if (other)
      throw new RequestError(
        "inputs",
        `"${inputs[0].name}" has ${rows} rows, but "${other.name}" has ${other.shape[0]}; send equally many`,
        "INPUT",
      );
    if (rows === 0) throw new RequestError("inputs", "there are no rows; send at least one", "INPUT");
    return { tensors, rows };
  }

  rowsOf({ rows }: Work): number {
    return rows;
  }

  part({ tensors }: Work, from: number, to: number): Work | undefined {
    if (!this.joining.joins || this.joining.isUnchecked) return undefined;
    return { tensors: tensors.map((tensor) => slice(tensor, from, to)), rows: to - from };
  }

  joined(answers: readonly (readonly OnnxTensor[])[]): readonly OnnxTensor[] {
    return answers[0].map((_, k) => join(answers.map((tensors) => tensors[k])));
  }

  async run(works: readonly Work[]): Promise<(readonly OnnxTensor[] | Error)[]> {
    if (works.length > 1 && this.joining.joins && alike(works)) {
      const joined = works[0].tensors.map((_, i) => join(works.map(({ tensors }) => tensors[i])));
      const rows = joined[0].shape[0];
      const together = await this.#answer(joined);
      // If the numbers of some request are refused, or if an output does not have one part per row, each request runs
      // alone.
      if (!(together instanceof Error) && together.every(({ shape }) => shape[0] === rows)) return split(together, works);
    }
    const answers: (readonly OnnxTensor[] | Error)[] = [];
    for (const { tensors } of works) answers.push(await this.#answer(tensors));
    return answers;
  }

  output(tensors: readonly OnnxTensor[], index: number): OutputTensor {
    const { shape, data } = tensors[index];
    return { shape, elements: data as Elements };
  }

  async close(): Promise<void> {
    if (this.#owned) await this.#predictor.close();
  }

  /**
   * Runs a request. If onnxruntime reports an error about the input, returns this error, because it concerns only this
   * request. Throws all other errors, because they affect all waiting requests.
   */
  async #answer(tensors: readonly OnnxTensor[]): Promise<readonly OnnxTensor[] | Error> {
    const { inputs, outputs } = this.#predictor;
    try {
      const found = await this.#predictor.run(Object.fromEntries(inputs.map(({ name }, i) => [name, tensors[i]])));
      return outputs.map(({ name }) => found[name]);
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (code === "ONNX_RUN" || code === "ONNX_INPUT") return new RequestError("inputs", message, "INPUT");
      throw error;
    }
  }
}

const metadataOf = ({ name, type, shape }: OnnxPort): TensorMetadata => ({
  name,
  datatype: datatypes[type],
  shape: shape.map((extent) => (typeof extent === "string" ? -1 : extent)),
});

const ones = (axes: readonly number[]): number[] => axes.map(() => 1);

/** Whether all axes except the first have equal sizes. Axes of variable size can differ between requests. */
const alike = ([first, ...others]: readonly Work[]): boolean =>
  others.every(({ tensors }) =>
    tensors.every(({ shape }, i) => shape.every((size, k) => k === 0 || size === first.tensors[i].shape[k])),
  );

/** Joins tensors along the first axis. */
function join(tensors: readonly OnnxTensor[]): OnnxTensor {
  const [{ type, shape, data }] = tensors;
  const rows = tensors.reduce((sum, one) => sum + one.shape[0], 0);
  const count = tensors.reduce((sum, one) => sum + one.data.length, 0);
  if (Array.isArray(data))
    return { type, shape: [rows, ...shape.slice(1)], data: tensors.flatMap((one) => one.data as string[]) };
  const all = new (data.constructor as Float32ArrayConstructor)(count);
  let at = 0;
  for (const one of tensors) {
    all.set(one.data as Float32Array, at);
    at += one.data.length;
  }
  return { type, shape: [rows, ...shape.slice(1)], data: all };
}

function split(tensors: readonly OnnxTensor[], works: readonly Work[]): (readonly OnnxTensor[])[] {
  let first = 0;
  return works.map(({ rows }) => {
    const from = first;
    first += rows;
    return tensors.map((tensor) => slice(tensor, from, first));
  });
}

/** Returns the rows from `from` to `to`. */
function slice({ type, shape, data }: OnnxTensor, from: number, to: number): OnnxTensor {
  const size = data.length / shape[0];
  return { type, shape: [to - from, ...shape.slice(1)], data: data.slice(from * size, to * size) as OnnxTensor["data"] };
}
