/**
 * Whether a plan's program fits together: a damaged file is refused. Values that are named exist, and loops stay within them; what kernels are given is
 * taken as it stands. Programs of scans are checked where they are made ready.
 *
 * @throws DataError
 */
import { DataError } from "../base/errors.ts";
import { type PlanLoop, type PlanProgram, planTouched } from "../host/array-plan.ts";
import type { ElementwiseAccess } from "../host/elementwise.ts";

export const damaged = (where: string, what: string): DataError =>
  new DataError(where, `the plan ${what}; the file is damaged, export it again`, "MODEL_FORMAT");

export function checkProgram(program: PlanProgram<number>, where: string): void {
  const { values, steps } = program;
  for (const { size } of values)
    if (!Number.isSafeInteger(size) || size < 0) throw damaged(where, `has a value of ${size} numbers`);
  for (const step of steps) {
    const { reads, writes } = planTouched(step);
    for (const value of [...reads, ...writes])
      if (!values[value]) throw damaged(where, `names the value ${value} of ${values.length}`);
    if (step.kind === "loop") checkLoop(step, program, where);
  }
}

function checkLoop({ shape, loads, stores, reductions }: PlanLoop<number>, { values }: PlanProgram<number>, where: string): void {
  const check = (access: ElementwiseAccess, size: number): void => checkAccess(shape, access, size, where);
  for (const access of [...loads, ...stores.map(({ to }) => to)]) check(access, values[access.value].size);
  for (const { to, size } of reductions) {
    const whole = values[to.value].size;
    if (size > whole || to.offset !== 0) throw damaged(where, `reduces to ${size} numbers of ${whole}`);
    check(to, size);
  }
}

function checkAccess(shape: readonly number[], { offset, strides }: ElementwiseAccess, size: number, where: string): void {
  let low = offset;
  let high = offset;
  for (const [axis, extent] of shape.entries()) {
    const reach = strides[axis] * (extent - 1);
    if (reach < 0) low += reach;
    else high += reach;
  }
  const isWithin = low >= 0 && high < size && strides.length === shape.length;
  if (!isWithin) throw damaged(where, `reaches from ${low} to ${high} in a value of ${size} numbers`);
}
