/**
 * What the steps of a file's pipeline cost, from their description alone: a few bytes can ask for gigabytes of frequencies, or for columns
 * that nothing in the file stands behind.
 */
import type { Cost, SourceStep, Step } from "../data/rows.ts";
import { sources, transformations } from "../data/transformations/index.ts";
import { type Limits, refuseMemory, refuseWork } from "./limits.ts";

/** Bytes of a column's name, where names are asked for. */
const NAME = 64;

/**
 * `held`: numbers in the file. A model has a weight or more for each of its columns, so that columns beyond them are only declared.
 *
 * The steps fit together (data/pipeline.ts). @throws DataError [MODEL_WORK, MODEL_MEMORY]
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
