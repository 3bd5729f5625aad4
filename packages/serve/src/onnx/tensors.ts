/** Tensors that are sent to a model and returned by it. */
import { OptionError } from "ergodic";

/** Arrays for the elements of each type. float16: the bits. bool: 0 and 1. */
const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;

/** Type of the elements. */
export type TensorType = keyof typeof ARRAYS | "string";

/** Numbers or strings with a shape, in row-major order. */
export interface OnnxTensor {
  readonly type: TensorType;
  readonly shape: readonly number[];
  /** Typed array for this type (float16: a Uint16Array of the bits; bool: a Uint8Array), or strings. */
  readonly data: InstanceType<(typeof ARRAYS)[keyof typeof ARRAYS]> | readonly string[];
}

/** An input or output of a model. */
export interface OnnxPort {
  readonly name: string;
  readonly type: TensorType;
  /**
   * Extents. An extent that is a name, which can be empty, can have any size. If there are no axes, the tensor is one
   * number or its shape is unknown.
   */
  readonly shape: readonly (number | string)[];
}

const WHERE = "OnnxPredictor.run";
const RUN_INPUT = "ONNX_INPUT";

const shapeText = (shape: readonly (number | string)[]): string => `[${shape.map((extent) => extent || "any").join(", ")}]`;
const listed = (ports: readonly OnnxPort[]): string =>
  ports.map(({ name, type, shape }) => `"${name}" ${type} ${shapeText(shape)}`).join(", ");

function refuse(message: string): never {
  throw new OptionError(WHERE, message, RUN_INPUT);
}

/** Returns the tensors to send. @throws OptionError [ONNX_INPUT] unless they match the model's inputs */
export function checkedInputs(given: unknown, inputs: readonly OnnxPort[]): Record<string, OnnxTensor> {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    refuse(`inputs are ${given === null ? "null" : typeof given}, but must be tensors by name: ${listed(inputs)}`);
  for (const name of Object.keys(given))
    if (!inputs.some((port) => port.name === name))
      refuse(`the model has no input ${JSON.stringify(name.slice(0, 60))}; it takes ${listed(inputs)}`);
  const tensors = inputs.map((port): [string, OnnxTensor] => {
    if (!Object.hasOwn(given, port.name)) refuse(`the input "${port.name}" is missing; the model takes ${listed(inputs)}`);
    const tensor = (given as Record<string, OnnxTensor>)[port.name];
    checkTensor(tensor, port);
    const { type, shape, data } = tensor;
    return [port.name, { type, shape: [...shape], data }];
  });
  return Object.fromEntries(tensors);
}

function checkTensor(given: unknown, { name, type, shape: wanted }: OnnxPort): void {
  const wrong = (what: string): never => refuse(`the input "${name}" ${what}, but ${type} ${shapeText(wanted)} is expected`);
  if (typeof given !== "object" || given === null) wrong(`is ${given === null ? "null" : typeof given}`);
  const { type: own, shape, data } = given as { type?: unknown; shape?: unknown; data?: unknown };
  if (own !== type) wrong(`is of type ${typeof own === "string" ? own.slice(0, 20) : typeof own}`);
  if (!Array.isArray(shape) || !shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0))
    wrong("has a shape that is not a list of whole numbers");
  const extents = shape as number[];
  const fits =
    wanted.length === 0 ||
    (extents.length === wanted.length && wanted.every((extent, i) => typeof extent === "string" || extent === extents[i]));
  if (!fits) wrong(`is ${shapeText(extents)}`);
  const isRight =
    type === "string" ? Array.isArray(data) && data.every((text) => typeof text === "string") : data instanceof ARRAYS[type];
  if (!isRight) wrong(`has data that is not of type ${type === "string" ? "string[]" : ARRAYS[type].name}`);
  const count = extents.reduce((product, extent) => product * extent, 1);
  const { length } = data as ArrayLike<unknown>;
  if (length !== count) wrong(`has ${length} elements for its shape ${shapeText(extents)}`);
}

/**
 * Returns the names of the requested outputs. If none are named, returns the names of all outputs. @throws OptionError
 */
export function wantedOutputs(given: readonly string[] | undefined, outputs: readonly OnnxPort[]): string[] {
  if (given === undefined) return outputs.map(({ name }) => name);
  if (!Array.isArray(given) || given.length === 0) refuse(`outputs must be a list of names; the model has ${listed(outputs)}`);
  for (const name of given)
    if (!outputs.some((port) => port.name === name))
      refuse(`the model has no output ${JSON.stringify(String(name).slice(0, 60))}; it has ${listed(outputs)}`);
  return [...given];
}
