/**
 * Memory of columns that can be given back at once.
 *
 * A table of a large file is garbage as soon as a dataset was made of it, but lies there until the collector looks for it, which may be never: the dataset's
 * own memory is none of the collector's. A resizable buffer lets go of its pages when it is told to. Engines that have none make a plain one, which waits for the collector.
 */
type Resizable = ArrayBuffer & { readonly resizable?: boolean; resize(byteLength: number): void };
const MakeBuffer = ArrayBuffer as new (byteLength: number, options?: { maxByteLength: number }) => ArrayBuffer;

type Numbers = Float64Array | Int32Array;
/** Float64Array or Int32Array. */
export type NumbersType<T extends Numbers> = { new (buffer: ArrayBuffer): T; readonly BYTES_PER_ELEMENT: number };

/**
 * Of so many bytes or more. Each resizable buffer is a mapping of its own, which takes the system some 10 us to make and as long to give back: most of the time of
 * reading a table of 60,000 short columns.
 */
const LEAST = 16_384;

/** Zeros, whose pages come as they are written to. `releasable`: `release` frees them, unless they are few. */
export function room<T extends Numbers>(Type: NumbersType<T>, length: number, releasable: boolean): T {
  const bytes = length * Type.BYTES_PER_ELEMENT;
  return new Type(releasable && bytes >= LEAST ? new MakeBuffer(bytes, { maxByteLength: bytes }) : new ArrayBuffer(bytes));
}

/** Nobody reads these numbers again: their array is empty from now on, where they were made releasable. */
export function release(numbers: Numbers): void {
  if (isReleasable(numbers)) (numbers.buffer as Resizable).resize(0);
}

/** Whether `release` frees them. */
export const isReleasable = ({ buffer }: Numbers): boolean => (buffer as Resizable).resizable === true;
