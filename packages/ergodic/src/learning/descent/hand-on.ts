import type { Snapshot } from "../../engine/contract/index.ts";
import { adopt } from "./adopt.ts";
import type { Faster } from "./faster.ts";
import type { Descent } from "./gradient-descent.ts";

/** Converts a step of `one` to the step of `other` at the same position in the epoch, rounded down. */
export function stepIn(other: Descent, step: number, one: Descent): number {
  const inEpoch = step % one.stepsPerEpoch;
  const epoch = (step - inEpoch) / one.stepsPerEpoch;
  return epoch * other.stepsPerEpoch + Math.floor((inEpoch * other.stepsPerEpoch) / one.stepsPerEpoch);
}

/**
 * Copies the parameters and optimiser state of a one-lane descent to every copy and lane of `to`, which continues at
 * `step`. Each lane keeps its own random stream. `faster`: the replicas' rule, if it differs from the one-lane rule.
 * With it, update counts and sums are divided by the number of replicas.
 */
export function handOn(from: Snapshot, to: Descent, step: number, faster?: Faster): void {
  adopt(to, from);
  const share = faster ? to.lanes.copies.length : 1;
  // Counts only updates before this run. The step counts the rest, so that a schedule decays as under the new plan.
  to.goOnAfter(Math.floor(Number(from.state.before ?? 0) / share));
  to.step = step;
  for (const copy of to.lanes.copies) {
    const arrays = to.lanes.arrays(copy);
    for (const name of faster?.sums ?? []) {
      const sum = arrays.get(`state.${name}`)!;
      for (let i = 0; i < sum.length; i++) sum[i] /= share;
    }
  }
  const { tensors } = from;
  for (const copy of to.lanes.copies)
    for (const [name, view] of to.lanes.arrays(copy))
      if (name === "parameters" || name === "mean") (view as Float64Array).set(tensors[`${name}.0`] as Float64Array);
  const { table } = to.lanes;
  if (table) to.engine.memory.f64(table.pointer, table.count).set(tensors.table as Float64Array);
  for (const lane of to.lanes.list)
    (to.scalars(lane).get("scale") as Float64Array | undefined)?.set(tensors["scale.0"] as Float64Array);
}

/**
 * Divides the rows of a one-lane stretch among the lanes of `other`, as their next rows. Candidates must train on the
 * same rows, because rows that the run has not seen yet lower the objective more than others. Does nothing if rows are
 * drawn with replacement, because all draws are then equivalent.
 */
export function sameRows(one: Descent, at: number, other: Descent, steps: number): void {
  const { memory } = other.engine;
  const [{ order }] = one.lanes.list;
  const { batch } = one.lanes;
  if (order === 0) return;
  const [from, to] = [at % one.stepsPerEpoch, other.step % other.stepsPerEpoch];
  const count = steps * batch;
  for (const [l, lane] of other.lanes.list.entries())
    memory.u32(lane.order + 4 * to * batch, count).set(memory.u32(order + 4 * (from * batch + l * count), count));
  other.orderedEpoch = Math.floor(other.step / other.stepsPerEpoch);
}
