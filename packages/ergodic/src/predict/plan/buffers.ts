/** What a plan is given and gives: inputs, outputs, parameters and constants. */
import { type ArrayPlan, countAt, type PlanCount, planTouched } from "../../engine/memory/array-plan.ts";

export interface PlanBuffer {
  readonly name: string;
  /** Elements: of all rows of a batch, or of a parameter. */
  readonly size: PlanCount;
  readonly isRead: boolean;
  readonly isWritten: boolean;
}

export const growsWithRows = (size: PlanCount): boolean => typeof size !== "number";
/** Whether it is full before a call: parameters are, and inputs of the batch. */
export const isGiven = ({ size, isRead, isWritten }: PlanBuffer): boolean => !isWritten || (isRead && growsWithRows(size));
export const rowSize = ({ size }: PlanBuffer): number => countAt(size, 1);

/** What the caller gives and takes, in the order in which it is met. */
export function buffersOf(plan: ArrayPlan): PlanBuffer[] {
  const touched = plan.steps.map(planTouched);
  const [read, written] = [new Set(touched.flatMap((t) => t.reads)), new Set(touched.flatMap((t) => t.writes))];
  const buffers = new Map<string, PlanBuffer>();
  for (const [i, { home, size }] of plan.values.entries()) {
    if (home.kind !== "buffer") continue;
    const before = buffers.get(home.name);
    const end = sum(home.offset, size);
    buffers.set(home.name, {
      name: home.name,
      size: before && countAt(before.size, 1) > countAt(end, 1) ? before.size : end,
      isRead: read.has(i) || before?.isRead === true,
      isWritten: written.has(i) || before?.isWritten === true,
    });
  }
  return [...buffers.values()];
}

function sum(a: PlanCount, b: PlanCount): PlanCount {
  if (typeof a === "number" && typeof b === "number") return a + b;
  const [x, y] = [a, b].map((count) => (typeof count === "number" ? { B: 0, plus: count } : count));
  return { B: x.B + y.B, plus: x.plus + y.plus };
}

/** Constants, those of bodies of scans too. */
export function constantsOf({ values, steps }: Pick<ArrayPlan, "values" | "steps">): { name: string; size: number }[] {
  return [
    ...values.flatMap(({ home, size }) => (home.kind === "constant" ? [{ name: home.name, size: countAt(size, 1) }] : [])),
    ...steps.flatMap((step) => (step.kind === "scan" ? constantsOf(step.body) : [])),
  ];
}

/** What is given once: buffers that do not grow with the rows, and are not written. */
export const parametersOf = (buffers: readonly PlanBuffer[]): { name: string; size: number }[] =>
  buffers.flatMap(({ name, size, isWritten }) => (typeof size === "number" && !isWritten ? [{ name, size }] : []));
