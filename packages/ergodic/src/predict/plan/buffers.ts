/** Buffers that a plan's caller fills and reads (inputs, outputs and parameters), and the plan's constants. */
import { type ArrayPlan, countAt, type PlanCount, planTouched } from "../../engine/memory/array-plan.ts";

export interface PlanBuffer {
  readonly name: string;
  /** Number of elements of the buffer: for all rows of a batch, or for the whole parameter. */
  readonly size: PlanCount;
  readonly isRead: boolean;
  readonly isWritten: boolean;
}

export const growsWithRows = (size: PlanCount): boolean => typeof size !== "number";
/** Whether the caller fills the buffer before a call. Parameters and inputs of the batch are. */
export const isGiven = ({ size, isRead, isWritten }: PlanBuffer): boolean => !isWritten || (isRead && growsWithRows(size));
export const rowSize = ({ size }: PlanBuffer): number => countAt(size, 1);

/** Returns the buffers that the caller fills and reads, in the order of first use. */
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

/** Returns the constants of the program, including those of scan bodies. */
export function constantsOf({ values, steps }: Pick<ArrayPlan, "values" | "steps">): { name: string; size: number }[] {
  return [
    ...values.flatMap(({ home, size }) => (home.kind === "constant" ? [{ name: home.name, size: countAt(size, 1) }] : [])),
    ...steps.flatMap((step) => (step.kind === "scan" ? constantsOf(step.body) : [])),
  ];
}

/**
 * Returns the parameters, which are set only once. A buffer that does not grow with the rows, and to which no step
 * writes, is a parameter.
 */
export const parametersOf = (buffers: readonly PlanBuffer[]): { name: string; size: number }[] =>
  buffers.flatMap(({ name, size, isWritten }) => (typeof size === "number" && !isWritten ? [{ name, size }] : []));
