import { toHalf } from "./half.ts";

/** Element types of the Open Inference Protocol. */
export type Datatype =
  | "BOOL"
  | "UINT8"
  | "UINT16"
  | "UINT32"
  | "UINT64"
  | "INT8"
  | "INT16"
  | "INT32"
  | "INT64"
  | "FP16"
  | "FP32"
  | "FP64"
  | "BYTES";

/** Elements of a tensor. BOOL is stored as bytes 0 and 1, FP16 as its 16 bits, and BYTES as strings. */
export type Elements =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array
  | readonly string[];

type NumberArray = Exclude<Elements, readonly string[]>;

interface NumberType {
  /** Bytes per element. */
  readonly size: number;
  readonly make: { new (count: number): NumberArray; new (buffer: ArrayBuffer, offset: number, count: number): NumberArray };
  /** Range of an integer type, limited to integers that doubles can represent exactly. */
  readonly range?: readonly [number, number];
}

const whole = (bits: number, signed: boolean): readonly [number, number] => {
  const low = signed ? -(2 ** (bits - 1)) : 0;
  const high = 2 ** (signed ? bits - 1 : bits) - 1;
  return [Math.max(low, Number.MIN_SAFE_INTEGER), Math.min(high, Number.MAX_SAFE_INTEGER)];
};

/** Types whose elements are numbers. */
export const numberTypes: Readonly<Record<Exclude<Datatype, "BYTES">, NumberType>> = {
  BOOL: { size: 1, make: Uint8Array, range: [0, 1] },
  UINT8: { size: 1, make: Uint8Array, range: whole(8, false) },
  UINT16: { size: 2, make: Uint16Array, range: whole(16, false) },
  UINT32: { size: 4, make: Uint32Array, range: whole(32, false) },
  UINT64: { size: 8, make: BigUint64Array, range: whole(64, false) },
  INT8: { size: 1, make: Int8Array, range: whole(8, true) },
  INT16: { size: 2, make: Int16Array, range: whole(16, true) },
  INT32: { size: 4, make: Int32Array, range: whole(32, true) },
  INT64: { size: 8, make: BigInt64Array, range: whole(64, true) },
  FP16: { size: 2, make: Uint16Array },
  FP32: { size: 4, make: Float32Array },
  FP64: { size: 8, make: Float64Array },
};

/** All names, for messages to clients. */
export const datatypes: readonly Datatype[] = [...(Object.keys(numberTypes) as Datatype[]), "BYTES"];

export function isDatatype(value: unknown): value is Datatype {
  return (datatypes as readonly unknown[]).includes(value);
}

/** Rounds a double to the nearest number of the type, as when the number is sent in binary form. */
export function rounded(datatype: Datatype, value: number): number {
  if (datatype === "FP32") return Math.fround(value);
  return datatype === "FP16" ? fromHalf(toHalf(value)) : value;
}

/** Converts the 16 bits of an FP16 to a number. */
export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
