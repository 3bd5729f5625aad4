import type { ElementwiseLoop } from "./elementwise.ts";

export const PLAN_VERSION = 1;

export type PlanCount = number | { readonly B: number; readonly plus: number };

/**
 * A number as text, for numbers that JSON cannot represent: NaN, ∞ and −0. A number stored as text never depends on the
 * batch size.
 */
export type PlanNumber = string;

export interface PlanValue<N = PlanCount> {
  /** Number of elements. */
  readonly size: N;
  readonly home:
    | { readonly kind: "workspace" }
    /** Numbers that are stored with the plan, by name. */
    | { readonly kind: "constant"; readonly name: string }
    /** Buffer that is provided by the caller or advanced by a scan. */
    | { readonly kind: "buffer"; readonly name: string; readonly offset: N };
}

export type PlanArgument<N = PlanCount> =
  | { readonly kind: "number"; readonly value: N }
  | { readonly kind: "float"; readonly value: PlanNumber }
  /** Offset in elements. */
  | { readonly kind: "value"; readonly value: number; readonly offset: N }
  | { readonly kind: "scratch"; readonly bytes: N }
  | { readonly kind: "indices"; readonly values: readonly N[] }
  | { readonly kind: "numbers"; readonly values: readonly PlanNumber[] };

/**
 * Nested repetitions of the kernel call, with the outermost loop first. After each iteration, argument i advances by
 * steps[i] elements.
 */
export interface PlanCall<N = PlanCount> {
  /** Kernel name without the suffix F32 or F64. */
  readonly kernel: string;
  readonly args: readonly PlanArgument<N>[];
  readonly repeat: readonly { readonly count: N; readonly steps: readonly N[] }[];
}

export type PlanLoop<N = PlanCount> = Omit<ElementwiseLoop<N>, "constants"> & {
  readonly kind: "loop";
  readonly constants: readonly PlanNumber[];
};

export interface PlanKernel<N = PlanCount> {
  readonly kind: "kernel";
  readonly calls: readonly PlanCall<N>[];
  /** Index of the value that the calls write. */
  readonly result: number;
}

/** Runs `body` `length` times: see ScanStep in compiler/array/lowered.ts. */
export interface PlanScan<N = PlanCount> {
  readonly kind: "scan";
  readonly length: N;
  readonly reverse: boolean;
  readonly body: PlanProgram<N>;
  readonly carries: readonly number[];
  readonly over: readonly number[];
  readonly constants: readonly number[];
  readonly current: readonly number[];
  readonly next: readonly number[];
  readonly outputs: readonly number[];
  readonly histories: readonly (number | null)[];
}

export type PlanStep<N = PlanCount> =
  | PlanLoop<N>
  | PlanKernel<N>
  | { readonly kind: "zero"; readonly value: number }
  | PlanScan<N>;

export interface PlanProgram<N = PlanCount> {
  readonly values: readonly PlanValue<N>[];
  readonly steps: readonly PlanStep<N>[];
}

/**
 * A program on arrays, as data. compiler/array/serialise.ts writes it to the file of a saved network, and
 * predict/plan/network-plan.ts runs it, so that prediction needs no compiler. Steps run in order on values in memory,
 * as in compiler/array/lowered.ts. Loops are interpreted by kernels/engine/arrays/elementwise.ts, and all other steps
 * call kernels.
 *
 * A count that depends on the batch size is { B, plus }, for B · batch + plus. `planAt` replaces such counts by
 * numbers.
 */
export interface ArrayPlan<N = PlanCount> extends PlanProgram<N> {
  readonly version: number;
  readonly precision: "f32" | "f64";
}

/** Returns the plan for one batch size. */
export const planAt = (plan: ArrayPlan, batch: number): ArrayPlan<number> => counted(plan, batch) as ArrayPlan<number>;

export const countAt = (count: PlanCount, batch: number): number =>
  typeof count === "number" ? count : count.B * batch + count.plus;

/** Substitutes the batch size. Parts that do not depend on the batch size are not copied, but shared with the plan. */
function counted(x: unknown, batch: number): unknown {
  if (typeof x !== "object" || x === null) return x;
  if ("B" in x) return countAt(x as PlanCount, batch);
  const parts = x as Record<string, unknown>;
  let made: Record<string, unknown> | undefined;
  for (const key in parts) {
    const now = counted(parts[key], batch);
    if (now === parts[key]) continue;
    made ??= (Array.isArray(x) ? [...x] : { ...x }) as Record<string, unknown>;
    made[key] = now;
  }
  return made ?? x;
}

/** Returns the values that a step reads and writes. */
export function planTouched<N>(step: PlanStep<N>): { reads: number[]; writes: number[] } {
  if (step.kind === "zero") return { reads: [], writes: [step.value] };
  if (step.kind === "loop")
    return { reads: step.loads.map((l) => l.value), writes: [...step.stores, ...step.reductions].map((s) => s.to.value) };
  if (step.kind === "kernel") {
    const all = step.calls.flatMap(({ args }) => args.flatMap((arg) => (arg.kind === "value" ? [arg.value] : [])));
    return { reads: all.filter((value) => value !== step.result), writes: [step.result] };
  }
  const { current, next, outputs, histories } = step;
  return {
    reads: [...step.carries, ...step.over, ...step.constants],
    writes: [...current, ...next, ...outputs, ...histories.filter((v) => v !== null)],
  };
}
