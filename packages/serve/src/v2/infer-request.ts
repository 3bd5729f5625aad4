import type { Served } from "../models/served.ts";
import { RequestError } from "../server/request-error.ts";
import { numberTypes } from "./datatypes.ts";
import { type Heading, headingOf, type InputTensor, tensorOfBytes, tensorOfJson } from "./input-tensor.ts";
import { kindOf, parseObject } from "./json.ts";

/**
 * Largest nesting depth. The limit is larger than the depth of any tensor in the protocol: the object, its inputs, one
 * input, and 32 axes of data.
 */
const DEEPEST = 40;
/** Largest timeout in microseconds, which is 285 years. Longer timers would fire immediately. */
export const LONGEST_US = 2 ** 53;

/** A requested output, with its index in the model and the form in which it is returned. */
export interface WantedOutput {
  readonly index: number;
  readonly binary: boolean;
  /** Number of the largest entries per row that are returned with their class names. Absent: the output itself. */
  readonly largest?: number | undefined;
}

/** Checked content of a request's JSON, except for its tensors. */
interface Asked {
  /** Returned unchanged. */
  readonly id: string | undefined;
  /** Priority from 1 (first) to 9 (last). */
  readonly priority: number | undefined;
  readonly deadlineMs: number | undefined;
  readonly outputs: readonly WantedOutput[];
}

/** A checked request. */
export interface InferRequest<Work> extends Asked {
  readonly work: Work;
}

/** An input and the position of its data, which are in the JSON or begin at an offset in the bytes after it. */
interface Place {
  readonly heading: Heading;
  readonly data: unknown;
  readonly from: number;
  /** Number of bytes; undefined: in the JSON. */
  readonly size: number | undefined;
}

/** The JSON of a request, read and checked. `inputs`: in the model's order. */
interface Header {
  readonly asked: Asked;
  readonly inputs: readonly Place[];
}

/**
 * For each model, the JSON of the last request that sent all its tensors as bytes. Most clients send the same JSON
 * repeatedly, so that it does not need to be read again.
 */
const lastHeaders = new WeakMap<Served, { json: Buffer; byteCount: number; header: Header }>();
/** Largest size in bytes of JSON that is retained. */
const LONGEST_KEPT = 4096;

/**
 * Reads a request of the Open Inference Protocol. The request is JSON, and its tensors are in the JSON or in the bytes
 * that follow. `headerLength`: Inference-Header-Content-Length.
 *
 * @throws RequestError that names the faulty part; DataError of the model
 */
export function readInfer<Work>(body: Buffer, headerLength: string | undefined, model: Served<Work>): InferRequest<Work> {
  const jsonBytes = headerLength === undefined ? body.length : lengthOf(headerLength, body.length);
  if (headerLength !== undefined && jsonBytes === 0) return rawRequest(body, model);
  const json = body.subarray(0, jsonBytes);
  const bytes = body.subarray(jsonBytes);
  const last = lastHeaders.get(model);
  const isKnown = last !== undefined && last.byteCount === bytes.length && last.json.equals(json);
  const { asked, inputs } = isKnown ? last.header : readHeader(json, bytes.length, model);
  return { ...asked, work: model.fromTensors(inputs.map((place) => tensorOf(place, bytes))) };
}

/** Reads the JSON. `byteCount`: number of bytes that follow. */
function readHeader(json: Buffer, byteCount: number, model: Served): Header {
  const { id, parameters, inputs: given, outputs } = parseObject(json, "infer", DEEPEST);
  // Some clients send null for absent values.
  if (id !== undefined && id !== null && typeof id !== "string") throw fault("id", `is ${kindOf(id)}, but must be a text`);
  const options = parametersOf(parameters, "parameters");
  refuseUnsupported(options, "parameters", REFUSED);
  const binary = flagOf(options, "binary_data_output", "parameters") ?? false;
  const inputs = placesOf(given, byteCount, model);
  const asked = { id: id ?? undefined, ...scheduling(options), outputs: outputsOf(outputs, binary, model) };
  const header = { asked, inputs };
  if (json.length <= LONGEST_KEPT && inputs.every(({ size }) => size !== undefined))
    lastHeaders.set(model, { json: Buffer.from(json), byteCount, header });
  return header;
}

function tensorOf({ heading, data, from, size }: Place, bytes: Buffer): InputTensor {
  return size === undefined ? tensorOfJson(heading, data) : tensorOfBytes(heading, bytes.subarray(from, from + size));
}

function lengthOf(text: string, bodyLength: number): number {
  const length = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (length <= bodyLength) return length;
  const said = `is ${kindOf(text)}, but must be the number of bytes of JSON in the body of ${bodyLength} bytes`;
  throw new RequestError("Inference-Header-Content-Length", said, "REQUEST");
}

/** Reads a body that contains only the model's single input. */
function rawRequest<Work>(body: Buffer, model: Served<Work>): InferRequest<Work> {
  const [input, ...others] = model.inputs;
  if (others.length > 0 || input.datatype === "BYTES") {
    const takes = model.inputs.map(({ name, datatype }) => `"${name}" (${datatype})`).join(", ");
    throw fault(
      "inputs",
      `a body without JSON is read as one numeric tensor, but the model takes ${takes}; begin the body with JSON`,
    );
  }

  const { size } = numberTypes[input.datatype];
  const row = input.shape.reduce((product, n) => (n < 0 ? product : product * n), size);
  const rows = body.length / row;
  if (!Number.isInteger(rows) || rows === 0)
    throw fault("inputs", `the body has ${body.length} bytes, but a row of ${input.datatype} takes ${row}; send whole rows`);
  const shape = input.shape.map((n) => (n < 0 ? rows : n));
  const tensor = tensorOfBytes(headingOf({ ...input, shape }, 0), body);
  const outputs = model.outputs.map((_, index) => ({ index, binary: true }));
  return { id: undefined, priority: undefined, deadlineMs: undefined, work: model.fromTensors([tensor]), outputs };
}

/** Returns the inputs in the model's order. `byteCount`: number of bytes after the JSON. */
function placesOf(given: unknown, byteCount: number, model: Served): Place[] {
  if (!Array.isArray(given)) throw fault("inputs", `is ${kindOf(given)}, but must be a list of tensors`);
  const byName = new Map<string, Place>();
  let at = 0;
  for (let i = 0; i < given.length; i++) {
    const heading = headingOf(given[i], i);
    const { where, name } = heading;
    const { data, parameters } = given[i] as Record<string, unknown>;
    const expected = model.inputs.find((input) => input.name === name);
    if (!expected) throw fault(where, `"${kept(name)}" is not an input of the model, which takes ${namesOf(model.inputs)}`);
    if (byName.has(name)) throw fault(where, `"${kept(name)}" is given twice`);
    checkType(heading, expected, model.converts);
    const options = parametersOf(parameters, `${where}.parameters`);
    refuseUnsupported(options, `${where}.parameters`, REFUSED_IN_TENSORS);
    const size = sizeOf(options, where);
    byName.set(name, { heading, data, from: at, size });
    if (size === undefined) continue;
    if (data !== undefined) throw fault(where, "has data and binary_data_size; send its elements in one of the two");
    if (at + size > byteCount)
      throw fault(where, `binary_data_size is ${size}, but only ${byteCount - at} bytes of the body are left for it`);
    at += size;
  }
  if (at < byteCount)
    throw fault(
      "inputs",
      `${byteCount - at} bytes after the JSON belong to no input; give each input's bytes in binary_data_size`,
    );
  return model.inputs.map(({ name }) => {
    const place = byName.get(name);
    if (!place) throw fault("inputs", `"${name}" is missing; the model takes ${namesOf(model.inputs)}`);
    return place;
  });
}

function checkType({ where, datatype, shape }: Heading, expected: Served["inputs"][number], converts: boolean): void {
  const fits = converts && expected.datatype !== "BYTES" ? datatype !== "BYTES" : datatype === expected.datatype;
  if (!fits) {
    const wanted = converts && expected.datatype !== "BYTES" ? "a numeric type" : expected.datatype;
    throw fault(where, `"${expected.name}" is of ${datatype}, but the model takes ${wanted}`);
  }
  const sizes = expected.shape;
  // A column of a table can be sent as a list, or as a matrix with one column.
  const isColumn = converts && sizes.length === 1 && shape.length === 2 && shape[1] === 1;
  if (
    isColumn ||
    (isScalar(sizes) && isScalar(shape)) ||
    (shape.length === sizes.length && sizes.every((size, k) => size < 0 || size === shape[k]))
  )
    return;
  throw fault(where, `"${expected.name}" has shape [${shape.join(", ")}], but the model takes [${shownShape(sizes)}]`);
}

const shownShape = (sizes: readonly number[]): string => sizes.map((size) => (size < 0 ? "any" : size)).join(", ");

/** Whether a tensor is one number. Clients that cannot send a tensor without axes send [1] instead. */
const isScalar = (shape: readonly number[]): boolean => shape.length === 0 || (shape.length === 1 && shape[0] === 1);

function outputsOf(given: unknown, binary: boolean, model: Served): WantedOutput[] {
  if (given === undefined || given === null) return model.outputs.map((_, index) => ({ index, binary }));
  if (!Array.isArray(given)) throw fault("outputs", `is ${kindOf(given)}, but must be a list of outputs`);
  if (given.length === 0) return model.outputs.map((_, index) => ({ index, binary }));
  const seen = new Set<number>();
  return given.map((one: unknown, i) => {
    const where = `outputs[${i}]`;
    if (typeof one !== "object" || one === null || Array.isArray(one))
      throw fault(where, `is ${kindOf(one)}, but must be an object with a name`, "OUTPUT");
    const { name, parameters } = one as Record<string, unknown>;
    const index = model.outputs.findIndex((output) => output.name === name);
    if (index < 0) throw fault(where, `name is ${kindOf(name)}, but the model gives ${namesOf(model.outputs)}`, "OUTPUT");
    if (seen.has(index)) throw fault(where, `"${name}" is asked for twice`, "OUTPUT");
    seen.add(index);
    const own = `${where}.parameters`;
    const options = parametersOf(parameters, own);
    refuseUnsupported(options, own, REFUSED_IN_TENSORS);
    return {
      index,
      binary: flagOf(options, "binary_data", own) ?? binary,
      largest: largestAsked(options, own, model.outputs[index]),
    };
  });
}

function scheduling({ priority, timeout }: Record<string, unknown>): {
  priority: number | undefined;
  deadlineMs: number | undefined;
} {
  // In the protocol, 0 means that the default of the model is used.
  if (priority !== undefined && !(Number.isInteger(priority) && (priority as number) >= 0 && (priority as number) <= 9))
    throw fault(
      "parameters",
      `priority is ${kindOf(priority)}, but must be a whole number from 1, first, to 9, last`,
      "PARAMETER",
    );
  if (timeout !== undefined && !(Number.isInteger(timeout) && (timeout as number) >= 0 && (timeout as number) <= LONGEST_US))
    throw fault("parameters", `timeout is ${kindOf(timeout)}, but must be a whole number of microseconds`, "PARAMETER");
  return { priority: (priority as number) || undefined, deadlineMs: timeout ? (timeout as number) / 1000 : undefined };
}

/** Reads the parameter of the classification extension: how many of the largest entries per row are asked for. */
function largestAsked(
  { classification: count }: Record<string, unknown>,
  where: string,
  { name, datatype, shape }: Served["outputs"][number],
): number | undefined {
  if (count === undefined) return undefined;
  if (!Number.isSafeInteger(count) || (count as number) < 1)
    throw fault(where, `classification is ${kindOf(count)}, but must be a whole number of classes >= 1`, "PARAMETER");
  if (datatype === "BYTES" || shape.length < 2) {
    const said = `classification needs one number per row and class, but "${name}" is of ${datatype} and shape [${shownShape(shape)}]; leave it out, or ask for another output`;
    throw fault(where, said, "PARAMETER");
  }
  return count as number;
}

/**
 * Parameters of a request that would change its answer if they were supported, each with advice. Other unknown
 * parameters are ignored, because clients add their own.
 */
const NO_SEQUENCES = "is not supported, because no model here keeps a state between requests; leave it out";
const REFUSED: Readonly<Record<string, string>> = {
  sequence_id: NO_SEQUENCES,
  sequence_start: NO_SEQUENCES,
  sequence_end: NO_SEQUENCES,
  classification: "belongs to an output; put it into outputs[i].parameters",
};
const REFUSED_IN_TENSORS: Readonly<Record<string, string>> = {
  shared_memory_region: "is not supported; send and ask for tensors in the body",
};

/** Some clients send 0, "" or false for parameters that they do not use. */
function refuseUnsupported(parameters: Record<string, unknown>, where: string, refused: Readonly<Record<string, string>>): void {
  for (const [name, advice] of Object.entries(refused))
    if (parameters[name]) throw fault(where, `${name} ${advice}`, "PARAMETER");
}

function sizeOf({ binary_data_size: size }: Record<string, unknown>, where: string): number | undefined {
  if (size === undefined) return undefined;
  if (!Number.isSafeInteger(size) || (size as number) < 0)
    throw fault(where, `binary_data_size is ${kindOf(size)}, but must be a whole number of bytes`);
  return size as number;
}

function flagOf(parameters: Record<string, unknown>, name: string, where: string): boolean | undefined {
  const flag = parameters[name];
  if (flag === undefined || typeof flag === "boolean") return flag;
  throw fault(where, `${name} is ${kindOf(flag)}, but must be true or false`, "PARAMETER");
}

const NONE: Record<string, unknown> = {};

function parametersOf(given: unknown, where: string): Record<string, unknown> {
  if (given === undefined || given === null) return NONE;
  if (typeof given === "object" && !Array.isArray(given)) return given as Record<string, unknown>;
  throw fault(where, `is ${kindOf(given)}, but must be an object`, "PARAMETER");
}

function namesOf(tensors: Served["inputs"]): string {
  const most = 20;
  const names = tensors.slice(0, most).map(({ name }) => `"${name}"`);
  return names.join(", ") + (tensors.length > most ? ` and ${tensors.length - most} more` : "");
}

const kept = (name: string): string => (name.length > 60 ? `${name.slice(0, 60)}…` : name);

function fault(where: string, message: string, code: "INPUT" | "OUTPUT" | "PARAMETER" = "INPUT"): RequestError {
  return new RequestError(where, message, code);
}
