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

/** Zeros, whose pages come as they are written to. `releasable`: `release` frees them. */
export function room<T extends Numbers>(Type: NumbersType<T>, length: number, releasable: boolean): T {
  const bytes = length * Type.BYTES_PER_ELEMENT;
  return new Type(releasable ? new MakeBuffer(bytes, { maxByteLength: bytes }) : new ArrayBuffer(bytes));
}

/** Nobody reads these numbers again: their array is empty from now on, where they were made releasable. */
export function release({ buffer }: Numbers): void {
  if ((buffer as Resizable).resizable) (buffer as Resizable).resize(0);
}
