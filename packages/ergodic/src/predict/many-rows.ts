import { type GivenRows, type LyingRows, lyingRows } from "../data/lying-rows.ts";
import type { StepPipeline } from "../data/pipeline.ts";
import type { ReadRow } from "../data/rows.ts";
import { scoresModule } from "../host/builds/scores.ts";

/** What a linear model is to them. */
interface Linear {
  readonly weights: Float64Array;
  readonly intercept: Float64Array;
  readonly pipeline: StepPipeline;
}

/**
 * z of rows [from, from + count) into z from its start on, with the bits of the plain loop in linear.ts, which adds in the same order: dense rows by a kernel
 * (kernels/scores.ts), copied in blocks, from where they lie if they do, else as `read` gives them; sparse ones where their entries lie.
 *
 * Rows that lie are not read, and so not checked, unless their z is not finite: a number that is not finite leaves none.
 *
 * @returns false where it can be done by the plain loop alone @throws DataError as `read` does
 */
export function manyScores(
  model: Linear,
  given: GivenRows | undefined,
  read: ReadRow,
  from: number,
  count: number,
  z: Float64Array,
): boolean {
  const outputs = model.intercept.length;
  const isSparse = model.pipeline.shape.format === "sparse";
  const lying = given && lyingRows(model.pipeline, given);
  if (isSparse) {
    if (!lying) return false;
    ofEntries(model, lying, from, count, z);
  } else if (!byKernel(model, lying, read, from, count, z)) return false;
  if (lying) for (let i = 0; i < count; i++) if (z[i * outputs] - z[i * outputs] !== 0) read(from + i);
  return true;
}

/** One output after another, since the weights of one stay in a cache longer than those of all. */
function ofEntries(
  { weights, intercept }: Linear,
  { values, isF32, entries }: LyingRows,
  from: number,
  count: number,
  z: Float64Array,
): void {
  const { rowStart, columnIndex, extra } = entries!;
  const outputs = intercept.length;
  const columns = weights.length / outputs;
  const rounded = isF32 && values instanceof Float64Array ? new Float32Array(values) : values;
  for (let k = 0; k < outputs; k++) {
    const w = weights.subarray(k * columns, (k + 1) * columns);
    const b = intercept[k];
    for (let i = 0; i < count; i++) {
      const end = rowStart[from + i + 1] - extra;
      let sum = b;
      for (let e = rowStart[from + i]; e < end; e++) sum += rounded[e] * w[columnIndex[e]];
      z[i * outputs + k] = sum;
    }
  }
}

/** In bytes: a block of rows with their z, which should stay in a processor's cache, and the most that all may take. */
const BLOCK = 1 << 17;
const MOST = 1 << 25;

type Kernel = (
  x: number,
  w: number,
  b: number,
  z: number,
  rows: number,
  columns: number,
  outputs: number,
  stride: number,
) => void;

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly scoresF32: Kernel;
  readonly scoresF64: Kernel;
}

let made: Exports | undefined | null;
/** A row may be an object that predicts, too, while it is read. */
let isBusy = false;

/** Null on hosts that forbid to make code, or lack SIMD: nothing is lost but time. */
function kernels(): Exports | null {
  if (made !== undefined) return made;
  try {
    const bytes = Uint8Array.from(atob(scoresModule), (character) => character.charCodeAt(0));
    made = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as unknown as Exports;
  } catch {
    made = null;
  }
  return made;
}

function byKernel(
  { weights, intercept }: Linear,
  lying: LyingRows | undefined,
  read: ReadRow,
  from: number,
  count: number,
  z: Float64Array,
): boolean {
  const made = kernels();
  const outputs = intercept.length;
  const columns = weights.length / outputs;
  const stride = lying?.stride ?? columns;
  const rowBytes = 8 * (stride + outputs);
  const rows = Math.min(Math.max(8, Math.floor(BLOCK / rowBytes) & ~7), (count + 7) & ~7);
  const bAt = 8 * weights.length;
  const zAt = bAt + 8 * outputs;
  const xAt = zAt + 8 * outputs * rows;
  const bytes = xAt + 8 * stride * rows;
  if (!made || isBusy || bytes > MOST) return false;
  const { memory } = made;
  if (memory.buffer.byteLength < bytes) memory.grow(Math.ceil((bytes - memory.buffer.byteLength) / 65536));
  const isF32 = lying?.isF32 ?? false;
  const numbers = new Float64Array(memory.buffer);
  const x = isF32 ? new Float32Array(memory.buffer, xAt, stride * rows) : numbers.subarray(xAt / 8, xAt / 8 + stride * rows);
  const kernel = isF32 ? made.scoresF32 : made.scoresF64;
  numbers.set(weights);
  numbers.set(intercept, bAt / 8);
  isBusy = true;
  try {
    for (let done = 0; done < count; done += rows) {
      const some = Math.min(rows, count - done);
      if (lying) x.set(lying.values.subarray((from + done) * stride, (from + done + some) * stride));
      else for (let i = 0; i < some; i++) x.set(read(from + done + i).values, i * columns);
      kernel(xAt, 0, bAt, zAt, some, columns, outputs, stride);
      z.set(numbers.subarray(zAt / 8, zAt / 8 + some * outputs), done * outputs);
    }
  } finally {
    isBusy = false;
  }
  return true;
}
