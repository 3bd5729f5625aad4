import type { Answered } from "../job.ts";
import type { OutputTensor, Served } from "../models/served.ts";
import { largestOf } from "./classification.ts";
import { type Datatype, type Elements, fromHalf } from "./datatypes.ts";
import type { WantedOutput } from "./infer-request.ts";

/** Body of an answer. If tensors follow the JSON, the length of the JSON is given too. */
export interface InferResponse {
  readonly body: Buffer;
  readonly headerLength: number | undefined;
}

/** Name and version as JSON text, which is made only once per model. */
export interface ResponseNames {
  readonly opening: string;
  readonly outputs: readonly string[];
}

export function namesOfModel(name: string, version: string, model: Served): ResponseNames {
  return {
    opening: `{"model_name":${JSON.stringify(name)},"model_version":${JSON.stringify(version)}`,
    outputs: model.outputs.map(({ name: own, datatype }) => openingOf(own, datatype)),
  };
}

const openingOf = (name: string, datatype: Datatype): string =>
  `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[`;

/**
 * Writes an answer of the Open Inference Protocol. The parameters of the answer are the number of rows in its batch,
 * its times in microseconds, and any parameters of the model.
 */
export function writeInfer<Answer>(
  names: ResponseNames,
  model: Served<unknown, Answer>,
  id: string | undefined,
  wanted: readonly WantedOutput[],
  { answer, batchRows, queueUs, computeUs }: Answered<Answer>,
  unknownLevels = 0,
): InferResponse {
  let json = names.opening;
  if (id !== undefined) json += `,"id":${JSON.stringify(id)}`;
  json += `,"parameters":{"batch_rows":${batchRows},"queue_us":${Math.round(queueUs)},"compute_us":${Math.round(computeUs)}`;
  if (model.parameters) for (const [name, value] of Object.entries(model.parameters(answer))) json += `,"${name}":${value}`;
  if (unknownLevels > 0) json += `,"unknown_levels":${unknownLevels}`;
  json += `},"outputs":[`;
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let i = 0; i < wanted.length; i++) {
    const { index, binary, largest } = wanted[i];
    let { datatype } = model.outputs[index];
    let tensor = model.output(answer, index);
    let opening = names.outputs[index];
    if (largest !== undefined) {
      tensor = largestOf(tensor, datatype, largest, model.labels?.(index), datatype === "FP32" ? shortest : String);
      datatype = "BYTES";
      opening = openingOf(model.outputs[index].name, datatype);
    }
    if (i > 0) json += ",";
    json += `${opening + tensor.shape.join(",")}]`;
    if (binary) {
      const bytes = bytesOf(tensor);
      parts.push(bytes);
      size += bytes.length;
      json += `,"parameters":{"binary_data_size":${bytes.length}}}`;
    } else json += `,"data":${dataOf(tensor.elements, datatype)}}`;
  }
  json += "]}";
  if (parts.length === 0) return { body: Buffer.from(json), headerLength: undefined };
  const headerLength = Buffer.byteLength(json);
  const body = Buffer.allocUnsafe(headerLength + size);
  body.write(json);
  let at = headerLength;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return { body, headerLength };
}

function bytesOf({ elements }: OutputTensor): Uint8Array {
  if (ArrayBuffer.isView(elements)) return new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
  const texts = elements.map((text) => Buffer.from(text));
  const all = Buffer.allocUnsafe(texts.reduce((sum, text) => sum + 4 + text.length, 0));
  let at = 0;
  for (const text of texts) {
    at = all.writeUInt32LE(text.length, at);
    at += text.copy(all, at);
  }
  return all;
}

/** Formats elements as JSON. Numbers that are not finite become null, because JSON has none. */
function dataOf(elements: Elements, datatype: Datatype): string {
  if (!ArrayBuffer.isView(elements)) return JSON.stringify(elements);
  if (datatype === "FP64") return JSON.stringify(Array.from(elements as Float64Array));
  if (datatype === "FP32") return `[${Array.from(elements as Float32Array, shortest).join(",")}]`;
  if (datatype === "FP16") return JSON.stringify(Array.from(elements as Uint16Array, fromHalf));
  if (datatype === "BOOL") return JSON.stringify(Array.from(elements as Uint8Array, Boolean));
  return `[${(elements as Uint8Array).join(",")}]`;
}

/** Returns the shortest decimal that rounds to this FP32 number. Nine digits distinguish any two FP32 numbers. */
function shortest(value: number): string {
  if (!Number.isFinite(value)) return "null";
  for (const digits of [6, 7, 8]) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(Number(value.toPrecision(9)));
}
