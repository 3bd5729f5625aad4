/**
 * Memory for columns that can be freed immediately, without waiting for the garbage collector.
 *
 * The table of a large file is no longer needed once a dataset has been made from it, but the table stays in memory
 * until the garbage collector runs. The collector might never run, because the dataset's own memory is outside the heap
 * of the collector. A resizable buffer frees its pages on request. Engines without resizable buffers use an ordinary
 * buffer, which is freed by the collector.
 */
type Resizable = ArrayBuffer & { readonly resizable?: boolean; resize(byteLength: number): void };
const MakeBuffer = ArrayBuffer as new (byteLength: number, options?: { maxByteLength: number }) => ArrayBuffer;

type Numbers = Float64Array | Int32Array;
/** Constructor of a Float64Array or Int32Array. */
export type NumbersType<T extends Numbers> = { new (buffer: ArrayBuffer): T; readonly BYTES_PER_ELEMENT: number };

/**
 * Smallest size of a resizable buffer in bytes. Each resizable buffer needs a mapping of its own. Making or freeing a
 * mapping takes the system about 10 µs. For a table of 60,000 short columns, this would dominate the reading time.
 */
const LEAST = 16_384;

/**
 * Returns an array of zeros. Memory pages for it are allocated when they are first written to. `releasable`: `release`
 * frees them, unless the array is small.
 */
export function room<T extends Numbers>(Type: NumbersType<T>, length: number, releasable: boolean): T {
  const bytes = length * Type.BYTES_PER_ELEMENT;
  return new Type(releasable && bytes >= LEAST ? new MakeBuffer(bytes, { maxByteLength: bytes }) : new ArrayBuffer(bytes));
}

/**
 * Frees the memory of the array if it was made releasable. The array is then empty. A freed array must not be read
 * again.
 */
export function release(numbers: Numbers): void {
  if (isReleasable(numbers)) (numbers.buffer as Resizable).resize(0);
}

/** Whether `release` frees this array. */
export const isReleasable = ({ buffer }: Numbers): boolean => (buffer as Resizable).resizable === true;
