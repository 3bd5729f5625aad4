import { type GivenRows, type LyingRows, lyingRows } from "../engine/data/lying-rows.ts";
import type { StepPipeline } from "../engine/data/pipeline.ts";
import type { ReadRow } from "../engine/data/rows.ts";
import { withKernels } from "./score-kernels.ts";
import { entryScores } from "./sparse-scores.ts";

/** Parts of a linear model that this computation needs. */
interface Linear {
  readonly weights: Float64Array;
  readonly intercept: Float64Array;
  readonly pipeline: StepPipeline;
}

/**
 * Computes z of rows [from, from + count) and writes them to the start of z. The results are bit for bit the same as
 * those of the plain loop in linear.ts, because the kernels (kernels/predict/scores.ts) add in the same order. Dense
 * rows are copied to the kernels in blocks. If dense rows are in a contiguous array, the blocks are copied from this
 * array. Otherwise `read` supplies them. Sparse rows are used in place.
 *
 * Rows in an array are not checked by `read`. Such rows are checked only if their z is not finite, because a non-finite
 * input always makes z non-finite.
 *
 * @returns false if only the plain loop can compute the rows @throws DataError as `read` does
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
    entryScores(model, lying, from, count, z);
  } else if (!byKernel(model, lying, read, from, count, z)) return false;
  if (lying) for (let i = 0; i < count; i++) if (z[i * outputs] - z[i * outputs] !== 0) read(from + i);
  return true;
}

/** Size in bytes of a block of rows together with their z. A block should stay in the processor's cache. */
const BLOCK = 1 << 17;

function byKernel(
  { weights, intercept }: Linear,
  lying: LyingRows | undefined,
  read: ReadRow,
  from: number,
  count: number,
  z: Float64Array,
): boolean {
  const outputs = intercept.length;
  const columns = weights.length / outputs;
  const stride = lying?.stride ?? columns;
  const rowBytes = 8 * (stride + outputs);
  const rows = Math.min(Math.max(8, Math.floor(BLOCK / rowBytes) & ~7), (count + 7) & ~7);
  const bAt = 8 * weights.length;
  const zAt = bAt + 8 * outputs;
  const xAt = zAt + 8 * outputs * rows;
  return withKernels(xAt + 8 * stride * rows, (kernels, buffer) => {
    const isF32 = lying?.isF32 ?? false;
    const numbers = new Float64Array(buffer);
    const x = isF32 ? new Float32Array(buffer, xAt, stride * rows) : numbers.subarray(xAt / 8, xAt / 8 + stride * rows);
    const kernel = isF32 ? kernels.scoresF32 : kernels.scoresF64;
    numbers.set(weights);
    numbers.set(intercept, bAt / 8);
    for (let done = 0; done < count; done += rows) {
      const some = Math.min(rows, count - done);
      if (lying) x.set(lying.values.subarray((from + done) * stride, (from + done + some) * stride));
      else for (let i = 0; i < some; i++) x.set(read(from + done + i).values, i * columns);
      kernel(xAt, 0, bAt, zAt, some, columns, outputs, stride);
      z.set(numbers.subarray(zAt / 8, zAt / 8 + some * outputs), done * outputs);
    }
  });
}
