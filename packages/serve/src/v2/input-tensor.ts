import { isUtf8 } from "node:buffer";
import { RequestError } from "../server/request-error.ts";
import { type Datatype, datatypes, type Elements, fromHalf, isDatatype, numberTypes, rounded } from "./datatypes.ts";
import { toHalf } from "./half.ts";
import { kindOf } from "./json.ts";

/** Numbers in the form that models accept: FP32 unchanged, or doubles. */
export type Numbers = Float64Array | Float32Array;

/**
 * A checked tensor of a request. The tensor's elements are read when a model asks for them, in the form that the model
 * asks for.
 */
export interface InputTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Total number of elements. */
  readonly count: number;
  /** Returns the rows from `from` to `to`, along the first axis. */
  rows(from: number, to: number): InputTensor;
  /** Writes the elements as numbers into `target`, starting at index `at`. Not for BYTES. */
  numbersInto(target: Numbers, at: number): void;
  /** Returns the elements of BYTES. */
  texts(): readonly string[];
  /** Returns the elements in an array of their type. */
  elements(): Elements;
}

/** Name, type and shape of an input, without its data. */
export interface Heading {
  readonly where: string;
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly count: number;
}

/** Reads the heading of an input. @throws RequestError [INPUT] */
export function headingOf(given: unknown, index: number): Heading {
  const where = `inputs[${index}]`;
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw fault(where, `is ${kindOf(given)}, but must be an object with name, shape, datatype and data`);
  const { name, datatype, shape } = given as Record<string, unknown>;
  if (typeof name !== "string") throw fault(where, `name is ${kindOf(name)}, but must be a text`);
  if (!isDatatype(datatype)) throw fault(where, `datatype is ${kindOf(datatype)}, but must be one of ${datatypes.join(", ")}`);
  if (!Array.isArray(shape) || shape.length > 32)
    throw fault(where, `shape is ${kindOf(shape)}, but must be a list of at most 32 sizes`);
  let count = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0)
      throw fault(where, `shape has ${kindOf(size)}, but must have whole numbers >= 0`);
    count *= size;
  }
  if (!Number.isSafeInteger(count)) throw fault(where, `shape [${shape.join(", ")}] has more elements than a body can hold`);
  return { where, name, datatype, shape: shape as number[], count };
}

/** Makes a tensor from numbers or strings in JSON, flat or nested. @throws RequestError [INPUT] */
export function tensorOfJson(heading: Heading, data: unknown): InputTensor {
  const { where, datatype, shape, count } = heading;
  if (!Array.isArray(data)) throw fault(where, `data is ${kindOf(data)}, but must be a list`);
  const flat = Array.isArray(data[0]) && shape.length > 0 ? flattened(data, shape, where) : data;
  if (flat.length !== count)
    throw fault(where, `data has ${flat.length} elements, but shape [${shape.join(", ")}] needs ${count}`);
  if (datatype === "BYTES") {
    for (let i = 0; i < count; i++)
      if (typeof flat[i] !== "string") throw fault(where, `data[${i}] is ${kindOf(flat[i])}, but elements of BYTES are texts`);
    return new TextTensor(heading, flat as string[]);
  }
  return new NumberTensor(heading, numbersOf(flat, datatype, where));
}

/** Makes a tensor from little-endian bytes. @throws RequestError [INPUT] */
export function tensorOfBytes(heading: Heading, bytes: Buffer): InputTensor {
  const { where, datatype, shape, count } = heading;
  if (datatype === "BYTES") return new TextTensor(heading, textsOf(bytes, heading));
  const wanted = count * numberTypes[datatype].size;
  if (bytes.length !== wanted)
    throw fault(where, `has ${bytes.length} bytes, but ${datatype} of shape [${shape.join(", ")}] takes ${wanted}`);
  if (datatype === "BOOL") {
    for (let i = 0; i < count; i++)
      if (bytes[i] > 1) throw fault(where, `byte ${i} is ${bytes[i]}, but elements of BOOL are 0 or 1`);
  }
  return new ByteTensor(heading, bytes);
}

abstract class Tensor implements InputTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly count: number;

  constructor({ name, datatype, shape, count }: Heading) {
    this.name = name;
    this.datatype = datatype;
    this.shape = shape;
    this.count = count;
  }

  abstract numbersInto(target: Numbers, at: number): void;
  abstract elements(): Elements;
  /** Returns a tensor of this kind with the elements from `from` to `to`. */
  protected abstract slice(heading: Heading, from: number, to: number): InputTensor;

  rows(from: number, to: number): InputTensor {
    const { name, datatype, shape, count } = this;
    const size = count / shape[0];
    const heading = { where: "", name, datatype, shape: [to - from, ...shape.slice(1)], count: size * (to - from) };
    return this.slice(heading, size * from, size * to);
  }

  texts(): readonly string[] {
    throw new Error(`tensor "${this.name}" is of ${this.datatype}, and has no texts`);
  }
}

class NumberTensor extends Tensor {
  readonly #values: Float64Array;

  constructor(heading: Heading, values: Float64Array) {
    super(heading);
    this.#values = values;
  }

  numbersInto(target: Numbers, at: number): void {
    target.set(this.#values, at);
  }

  protected slice(heading: Heading, from: number, to: number): InputTensor {
    return new NumberTensor(heading, this.#values.subarray(from, to));
  }

  elements(): Elements {
    const { datatype } = this;
    const values = this.#values;
    if (datatype === "FP64") return values;
    const all = new numberTypes[datatype as Exclude<Datatype, "BYTES">].make(values.length);
    const big = all instanceof BigInt64Array || all instanceof BigUint64Array;
    for (let i = 0; i < values.length; i++)
      (all as Float64Array)[i] = (big ? BigInt(values[i]) : datatype === "FP16" ? toHalf(values[i]) : values[i]) as number;
    return all;
  }
}

class ByteTensor extends Tensor {
  readonly #bytes: Buffer;

  constructor(heading: Heading, bytes: Buffer) {
    super(heading);
    this.#bytes = bytes;
  }

  numbersInto(target: Numbers, at: number): void {
    const { datatype, count } = this;
    if (datatype === (target instanceof Float32Array ? "FP32" : "FP64")) {
      const size = target.BYTES_PER_ELEMENT;
      new Uint8Array(target.buffer, target.byteOffset + size * at, size * count).set(this.#bytes);
      return;
    }
    const all = this.elements() as ArrayLike<number>;
    if (datatype === "FP16") for (let i = 0; i < count; i++) target[at + i] = fromHalf(all[i]);
    else for (let i = 0; i < count; i++) target[at + i] = Number(all[i]);
  }

  protected slice(heading: Heading, from: number, to: number): InputTensor {
    const size = this.#bytes.length / this.count;
    return new ByteTensor(heading, this.#bytes.subarray(size * from, size * to));
  }

  elements(): Elements {
    // The bytes are copied, because they begin where the JSON ends, whereas arrays of wider elements must be aligned.
    const copy = new Uint8Array(this.#bytes).buffer;
    return new numberTypes[this.datatype as Exclude<Datatype, "BYTES">].make(copy, 0, this.count);
  }
}

class TextTensor extends Tensor {
  readonly #texts: readonly string[];

  constructor(heading: Heading, texts: readonly string[]) {
    super(heading);
    this.#texts = texts;
  }

  numbersInto(): void {
    throw new Error(`tensor "${this.name}" is of BYTES, and has no numbers`);
  }

  override texts(): readonly string[] {
    return this.#texts;
  }

  protected slice(heading: Heading, from: number, to: number): InputTensor {
    return new TextTensor(heading, this.#texts.slice(from, to));
  }

  elements(): Elements {
    return this.#texts;
  }
}

/** Flattens nested lists, row by row. The lists' lengths must match the shape. */
function flattened(data: readonly unknown[], shape: readonly number[], where: string): unknown[] {
  const flat: unknown[] = [];
  const walk = (list: readonly unknown[], axis: number, place: string): void => {
    if (list.length !== shape[axis])
      throw fault(where, `${place} has ${list.length} elements, but shape [${shape.join(", ")}] has ${shape[axis]} there`);
    const last = axis === shape.length - 1;
    for (let i = 0; i < list.length; i++) {
      const element = list[i];
      if (last) flat.push(element);
      else if (Array.isArray(element)) walk(element, axis + 1, `${place}[${i}]`);
      else throw fault(where, `${place}[${i}] is ${kindOf(element)}, but must be a list of ${shape[axis + 1]}`);
    }
  };
  walk(data, 0, "data");
  return flat;
}

function numbersOf(flat: readonly unknown[], datatype: Datatype, where: string): Float64Array {
  const values = new Float64Array(flat.length);
  const { range } = numberTypes[datatype as Exclude<Datatype, "BYTES">];
  const exact = datatype === "FP64";
  for (let i = 0; i < flat.length; i++) {
    const given = flat[i];
    if (typeof given === "number") {
      if (range && !(Number.isInteger(given) && given >= range[0] && given <= range[1]))
        throw notOfType(where, i, given, datatype);
      values[i] = exact || range ? given : rounded(datatype, given);
    } else if (datatype === "BOOL" && typeof given === "boolean") values[i] = Number(given);
    // A missing value. Models that fill gaps can handle it.
    else if (given === null && !range) values[i] = Number.NaN;
    else throw notOfType(where, i, given, datatype);
  }
  return values;
}

function notOfType(where: string, i: number, given: unknown, datatype: Datatype): RequestError {
  const { range } = numberTypes[datatype as Exclude<Datatype, "BYTES">];
  const wanted =
    datatype === "BOOL"
      ? "true or false"
      : range
        ? `whole numbers from ${range[0]} to ${range[1]}`
        : "numbers, or null where missing";
  const wide = range && Number.isInteger(given) && datatype.endsWith("64") ? " in JSON; send larger ones in binary" : "";
  return fault(where, `data[${i}] is ${kindOf(given)}, but elements of ${datatype} are ${wanted}${wide}`);
}

/** Reads strings, each of which is preceded by its length in four bytes. */
function textsOf(bytes: Buffer, { where, count }: Heading): string[] {
  const texts: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (texts.length === count) throw fault(where, `has bytes left after its ${count} elements`);
    const length = at + 4 <= bytes.length ? bytes.readUInt32LE(at) : Infinity;
    if (at + 4 + length > bytes.length)
      throw fault(where, `its bytes end inside element ${texts.length}; put its length before each element`);
    const text = bytes.subarray(at + 4, at + 4 + length);
    if (!isUtf8(text)) throw fault(where, `element ${texts.length} is not valid UTF-8; send strings in UTF-8`);
    texts.push(text.toString("utf8"));
    at += 4 + length;
  }
  if (texts.length < count) throw fault(where, `its bytes hold ${texts.length} elements, but its shape needs ${count}`);
  return texts;
}

function fault(where: string, message: string): RequestError {
  return new RequestError(where, message, "INPUT");
}
