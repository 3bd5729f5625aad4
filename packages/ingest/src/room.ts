/**
 * Memory of columns that can be freed immediately.
 *
 * The table of a large file is no longer needed once a dataset has been made from it, but the table stays in memory
 * until the garbage collector runs. The collector might never run, because the dataset's own memory is outside its
 * heap. A resizable buffer frees its pages on request. Engines without resizable buffers use a plain one, which waits
 * for the collector.
 */
type Resizable = ArrayBuffer & { readonly resizable?: boolean; resize(byteLength: number): void };
const MakeBuffer = ArrayBuffer as new (byteLength: number, options?: { maxByteLength: number }) => ArrayBuffer;

type Numbers = Float64Array | Int32Array;
/** Constructor of a Float64Array or Int32Array. */
export type NumbersType<T extends Numbers> = { new (buffer: ArrayBuffer): T; readonly BYTES_PER_ELEMENT: number };

/**
 * Smallest size of a resizable buffer in bytes. Each resizable buffer is a separate mapping. The system takes about 10
 * µs to make one, and as long to free it. For a table of 60,000 short columns that would dominate the reading time.
 */
const LEAST = 16_384;

/**
 * Returns an array of zeros; its pages are allocated on first write. `releasable`: `release` frees them, unless the
 * array is small.
 */
export function room<T extends Numbers>(Type: NumbersType<T>, length: number, releasable: boolean): T {
  const bytes = length * Type.BYTES_PER_ELEMENT;
  return new Type(releasable && bytes >= LEAST ? new MakeBuffer(bytes, { maxByteLength: bytes }) : new ArrayBuffer(bytes));
}

/** Frees the array, which is empty afterwards, if it was made releasable. A freed array must not be read again. */
export function release(numbers: Numbers): void {
  if (isReleasable(numbers)) (numbers.buffer as Resizable).resize(0);
}

/** Whether `release` frees this array. */
export const isReleasable = ({ buffer }: Numbers): boolean => (buffer as Resizable).resizable === true;
