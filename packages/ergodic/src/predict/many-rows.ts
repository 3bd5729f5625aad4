import { type GivenRows, type LyingRows, lyingRows } from "../engine/data/lying-rows.ts";
import type { StepPipeline } from "../engine/data/pipeline.ts";
import type { ReadRow } from "../engine/data/rows.ts";
import { withKernels } from "./score-kernels.ts";
import { entryScores } from "./sparse-scores.ts";

/** What a linear model is to them. */
interface Linear {
  readonly weights: Float64Array;
  readonly intercept: Float64Array;
  readonly pipeline: StepPipeline;
}

/**
 * z of rows [from, from + count) into z from its start on, with the bits of the plain loop in linear.ts, which adds in the same order: by kernels
 * (kernels/predict/scores.ts) that blocks of rows are copied to, dense ones from where they lie if they do, else as `read` gives them; sparse ones where they lie.
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
    entryScores(model, lying, from, count, z);
  } else if (!byKernel(model, lying, read, from, count, z)) return false;
  if (lying) for (let i = 0; i < count; i++) if (z[i * outputs] - z[i * outputs] !== 0) read(from + i);
  return true;
}

/** In bytes: a block of rows with their z, which should stay in a processor's cache. */
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
