/**
 * Computes the cost of a file's pipeline from its description. A few bytes of a description can request gigabytes of
 * random frequencies, or can declare columns for which the file contains no numbers.
 */
import type { Cost, SourceStep, Step } from "../engine/data/rows.ts";
import { sources, transformations } from "../engine/data/transformations/index.ts";
import { type Limits, refuseMemory, refuseWork } from "./limits.ts";

/** Memory for a column's name in bytes, if names are requested. */
const NAME = 64;

/**
 * Checks that the steps do not exceed the limits. The steps must already fit together (data/pipeline.ts).
 *
 * `held`: number of numbers in the file. Because a model has at least one weight per column, any columns beyond `held`
 * are declared without weights.
 *
 * @throws DataError [MODEL_WORK, MODEL_MEMORY]
 */
export function checkPipeline(steps: readonly Step[], held: number, limits: Limits, where: string): void {
  let shape = sources.get(steps[0].kind)!.output(steps[0] as SourceStep);
  let work = 0;
  let bytes = 0;
  const add = ({ columnCount, format }: typeof shape, own: Cost): void => {
    const isDense = format === "dense";
    work += own.work + (isDense ? columnCount : 0);
    bytes += own.bytes + NAME * Math.max(0, columnCount - held) + (isDense ? 8 * columnCount : 0);
  };
  add(shape, NOTHING);
  for (const step of steps.slice(1)) {
    const transformation = transformations.get(step.kind)!;
    const own = transformation.cost?.(step) ?? NOTHING;
    shape = transformation.output(step, shape);
    add(shape, own);
  }
  refuseWork(work, limits.maxWork, where);
  refuseMemory(bytes, limits.maxMemory, where);
}

const NOTHING: Cost = { work: 0, bytes: 0 };
