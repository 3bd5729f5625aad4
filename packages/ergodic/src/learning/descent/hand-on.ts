import type { Snapshot } from "../../engine/contract/index.ts";
import { adopt } from "./adopt.ts";
import type { Faster } from "./faster.ts";
import type { Descent } from "./gradient-descent.ts";

/** The step of `other` that is as far in its epoch as `step` of `one`: never farther. */
export function stepIn(other: Descent, step: number, one: Descent): number {
  const inEpoch = step % one.stepsPerEpoch;
  const epoch = (step - inEpoch) / one.stepsPerEpoch;
  return epoch * other.stepsPerEpoch + Math.floor((inEpoch * other.stepsPerEpoch) / one.stepsPerEpoch);
}

/**
 * Parameters and the rule's state of a descent on one lane, for each copy and lane of another, at its step. Random numbers stay each lane's own. `faster`: by what
 * replicas step, if not by the rule of the one lane; what it counts and sums over all updates is of a k-th of them in each of k.
 */
export function handOn(from: Snapshot, to: Descent, step: number, faster?: Faster): void {
  adopt(to, from);
  const share = faster ? to.lanes.copies.length : 1;
  // Counted by the step: a lane's rate falls over an epoch as it does under its own plan.
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
 * The rows of a stretch of one lane, shared out among the lanes of another descent as theirs from where it is: rows that were not seen before teach more
 * than others, so that candidates can be compared on the same ones alone. Where rows are drawn with replacement, all are alike.
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
