/**
 * The safetensors format: the length of the JSON as a u64 (little-endian), the JSON, and then the bytes of the tensors.
 *
 * The JSON maps a tensor's name to {"dtype", "shape", "data_offsets": [begin, end)} (counted from the end of the JSON)
 * and "__metadata__" to a map of strings to strings. The writer sorts tensors by decreasing element size, and then by
 * name. The JSON is padded with spaces to a multiple of 8 bytes, so that every tensor is aligned. Equal inputs give
 * equal bytes. The reader accepts exactly the files that the reference reader accepts. Offsets must cover the file
 * without gaps or overlaps, and no key may be repeated. Written: F64 F32 I64 U64 I32 U32 I16 U16 I8 U8. Also read:
 * BF16, F16 (as Float32Array), BOOL (as Uint8Array). Source: huggingface/safetensors, README "Format".
 *
 * @throws DataError [SAFETENSORS] for bytes that are not in this format
 */
import { assert, DataError } from "../errors/errors.ts";

export type TensorValues =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

export interface Tensor {
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

interface Header {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Limit of the reference reader. */
const LONGEST_HEADER = 100_000_000;

const bytesOf: Readonly<Record<string, number>> = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  BF16: 2,
  F16: 2,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/**
 * Encodes tensors. @throws DataError if a shape does not fit its values, or if the header is longer than readers accept
 */
export function encode(tensors: Readonly<Record<string, Tensor>>, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const names = Object.keys(tensors).sort((a, b) => {
    return tensors[b].values.BYTES_PER_ELEMENT - tensors[a].values.BYTES_PER_ELEMENT || (a < b ? -1 : 1);
  });
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push(["__metadata__", metadata]);
  let offset = 0;
  for (const name of names) {
    const { shape, values } = tensors[name];
    const count = shape.reduce((product, size) => product * size, 1);
    if (name === "__metadata__" || count !== values.length) {
      throw new DataError(
        "safetensors",
        `tensor "${name}" of shape [${shape.join(", ")}] was given ${values.length} values`,
        "SAFETENSORS",
      );
    }
    header.push([name, { dtype: dtypeOf(values), shape, data_offsets: [offset, offset + values.byteLength] }]);
    offset += values.byteLength;
  }
  // Object.fromEntries would move a name like "7" to the front and lose "__proto__".
  const json = `{${header.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
  const text = new TextEncoder().encode(json);
  const start = 8 + Math.ceil(text.length / 8) * 8;
  if (start - 8 > LONGEST_HEADER) {
    throw new DataError(
      "safetensors",
      `the header would take ${start - 8} bytes, but readers accept at most ${LONGEST_HEADER}; store long data in tensors`,
      "SAFETENSORS",
    );
  }
  const bytes = new Uint8Array(start + offset).fill(0x20, 8 + text.length, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(text, 8);
  offset = start;
  for (const name of names) {
    const { values } = tensors[name];
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  return bytes;
}

/**
 * Decodes a file. Tensors are copied, and returned in the order of their bytes in the file. `where`: name of the file
 * in errors.
 */
export function decode(
  given: Uint8Array,
  where = "safetensors",
): { tensors: Record<string, Tensor>; metadata: Record<string, string> } {
  const broken = faultIn(where);
  // Wraps a Buffer as a plain array: slice() of a Buffer is a view of a shared pool, but slice() of a plain array
  // copies.
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  if (bytes.length < 8) throw broken(`it is ${bytes.length} bytes long, but must hold at least a header length of 8`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > LONGEST_HEADER || length > bytes.length - 8) {
    throw broken(`it claims a header of ${length} bytes, but ${bytes.length - 8} follow and ${LONGEST_HEADER} are allowed`);
  }
  const start = 8 + Number(length);
  const { headers, metadata } = parseHeader(bytes.subarray(8, start), broken);
  const data = bytes.subarray(start);
  const tensors: Record<string, Tensor> = Object.create(null);
  let offset = 0;
  for (const [name, header] of headers) {
    const [begin, end] = header.data_offsets;
    if (begin !== offset) throw broken(`tensor "${name}" begins at byte ${begin}, but must at ${offset}: no gap, no overlap`);
    if (end > data.length) throw broken(`tensor "${name}" ends at byte ${end}, but the file has ${data.length} bytes of data`);
    tensors[name] = { shape: header.shape, values: valuesOf(header.dtype, data.slice(begin, end)) };
    offset = end;
  }
  if (offset !== data.length) throw broken(`it holds ${data.length} bytes of data, but its tensors take ${offset}`);
  return { tensors, metadata };
}

function parseHeader(bytes: Uint8Array, broken: Fault): { headers: [string, Header][]; metadata: Record<string, string> } {
  if (bytes[0] !== 0x7b) throw broken("its header does not start with {");
  let text: string;
  let json: Record<string, unknown>;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    json = JSON.parse(text);
  } catch (cause) {
    throw broken(`its header is not JSON (${(cause as Error).message})`, cause);
  }
  if (!isAsStringified(text, json)) refuseRepeatedKeys(text, broken);
  const metadata: Record<string, string> = Object.create(null);
  const headers: [string, Header][] = [];
  for (const [name, value] of Object.entries(json)) {
    if (name === "__metadata__") Object.assign(metadata, checkMetadata(value, broken));
    else headers.push([name, checkHeader(name, value, broken)]);
  }
  return {
    headers: headers.sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]),
    metadata,
  };
}

function checkMetadata(value: unknown, broken: Fault): Record<string, string> {
  if (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((v) => typeof v === "string")
  ) {
    return value as Record<string, string>;
  }
  throw broken("its __metadata__ is not a map of text to text");
}

function checkHeader(name: string, value: unknown, broken: Fault): Header {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Partial<Header>;
  const isSize = (n: unknown) => typeof n === "number" && Number.isSafeInteger(n) && n >= 0;
  if (typeof dtype !== "string" || !Array.isArray(shape) || !shape.every(isSize)) {
    throw broken(`tensor "${name}" lacks a dtype, or a shape of integers >= 0`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize) || offsets[1] < offsets[0]) {
    throw broken(`tensor "${name}" has data_offsets ${JSON.stringify(offsets)}, but [begin, end] with begin <= end is wanted`);
  }
  if (!Object.hasOwn(bytesOf, dtype))
    throw broken(`tensor "${name}" has dtype ${dtype}; readable are ${Object.keys(bytesOf).join(", ")}`);
  const size = shape.reduce((product, n) => product * n, bytesOf[dtype]);
  if (size !== offsets[1] - offsets[0]) {
    throw broken(
      `tensor "${name}", ${dtype} of shape [${shape.join(", ")}], needs ${size} bytes, but its offsets give ${offsets[1] - offsets[0]}`,
    );
  }
  return { dtype, shape, data_offsets: offsets as [number, number] };
}

/**
 * Whether the text is exactly what JSON.stringify would write for this JSON. If so, the text has no repeated keys. This
 * test is much faster than comparing keys. Files written by this library pass the test.
 */
function isAsStringified(text: string, json: unknown): boolean {
  try {
    return JSON.stringify(json) === text.trimEnd();
  } catch {
    // JSON.stringify overflows the stack if the JSON is nested very deeply.
    return false;
  }
}

/**
 * Refuses repeated keys. JSON.parse silently uses the last value of a repeated key, but another reader might use the
 * first. `text` is valid JSON, and can be long.
 */
function refuseRepeatedKeys(text: string, broken: Fault): void {
  const open: (Set<string> | null)[] = [];
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === "{") open.push(new Set());
    else if (char === "[") open.push(null);
    else if (char === "}" || char === "]") open.pop();
    else if (char === '"') {
      const end = closingQuote(text, i);
      if (isFollowedByColon(text, end)) {
        const key: string = JSON.parse(text.slice(i, end + 1));
        const keys = open.at(-1)!;
        if (keys.has(key)) throw broken(`its header has the key "${key}" twice`);
        keys.add(key);
      }
      i = end;
    }
  }
}

/**
 * Returns the end of the string that begins at `from`. The end is the first quote that follows an even number of
 * backslashes.
 */
function closingQuote(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); ; end = text.indexOf('"', end + 1)) {
    let first = end;
    while (text[first - 1] === "\\") first--;
    if ((end - first) % 2 === 0) return end;
  }
}

function isFollowedByColon(text: string, end: number): boolean {
  let at = end + 1;
  while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at++;
  return text[at] === ":";
}

/** `bytes` is a separate copy, so it is aligned. */
function valuesOf(dtype: string, bytes: Uint8Array<ArrayBuffer>): TensorValues {
  const { buffer } = bytes;
  switch (dtype) {
    case "F64":
      return new Float64Array(buffer);
    case "F32":
      return new Float32Array(buffer);
    case "I64":
      return new BigInt64Array(buffer);
    case "U64":
      return new BigUint64Array(buffer);
    case "I32":
      return new Int32Array(buffer);
    case "U32":
      return new Uint32Array(buffer);
    case "I16":
      return new Int16Array(buffer);
    case "U16":
      return new Uint16Array(buffer);
    case "I8":
      return new Int8Array(buffer);
    case "BF16":
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (half) => half << 16).buffer);
    case "F16":
      return Float32Array.from(new Uint16Array(buffer), halfToNumber);
    default:
      return bytes;
  }
}

function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function dtypeOf(values: TensorValues): string {
  if (values instanceof Float64Array) return "F64";
  if (values instanceof Float32Array) return "F32";
  if (values instanceof BigInt64Array) return "I64";
  if (values instanceof BigUint64Array) return "U64";
  if (values instanceof Int32Array) return "I32";
  if (values instanceof Uint32Array) return "U32";
  if (values instanceof Int16Array) return "I16";
  if (values instanceof Uint16Array) return "U16";
  if (values instanceof Int8Array) return "I8";
  assert(values instanceof Uint8Array, "a tensor of unknown element type");
  return "U8";
}

type Fault = (problem: string, cause?: unknown) => DataError;

function faultIn(where: string): Fault {
  return (problem, cause) =>
    new DataError(
      where,
      `is not a safetensors file, or is damaged (${problem}); give another, or write it again`,
      "SAFETENSORS",
      cause ? { cause } : undefined,
    );
}
