import type { Expr } from "../expression.ts";
import type { ReductionKind } from "./operations/map-reduce.ts";
import type { KernelCall, Layout } from "./primitive.ts";
import type { Shape, SymbolicArray } from "./symbolic.ts";

/** Memory of one array, contiguous and row-major. */
export interface Value {
  readonly node: SymbolicArray;
  /** Elements. */
  readonly size: number;
  readonly home:
    | { readonly kind: "workspace" }
    | { readonly kind: "constant"; readonly values: Float64Array }
    /** The caller's: `offset` elements behind a pointer that it gives. */
    | { readonly kind: "buffer"; readonly name: string; readonly offset: number };
}

/** Elements of a value, by strides over a shape that the context gives. */
export interface Access extends Layout {
  /** Index in `values`. */
  readonly value: number;
}

/** For each element of `shape`: loads, then stores and reductions. Expressions are over the scalars "0", "1", …: the loads. */
export interface LoopStep {
  readonly kind: "loop";
  readonly shape: Shape;
  /** Axes [from, to) that the reductions run over. */
  readonly reduced: readonly [from: number, to: number];
  readonly loads: readonly Access[];
  readonly stores: readonly { readonly to: Access; readonly expr: Expr }[];
  /** `to` has stride 0 along reduced axes. Sums are accumulated in float64. */
  readonly reductions: readonly { readonly reduction: ReductionKind; readonly to: Access; readonly expr: Expr }[];
}

export interface KernelStep {
  readonly kind: "kernel";
  readonly name: string;
  readonly calls: readonly KernelCall[];
  /** Of arguments in order; the layout's offset belongs to the address. */
  readonly args: readonly Access[];
  readonly result: number;
}

/** All elements become 0. */
export interface ZeroStep {
  readonly kind: "zero";
  readonly value: number;
}

/** Runs `body` `length` times. Its buffers are named "carry i", "over i", "constant i" and, written, "next i", "output i". */
export interface ScanStep {
  readonly kind: "scan";
  readonly length: number;
  readonly reverse: boolean;
  /** Ends early, where its first carry is not above 0: schedule-scan.ts. */
  readonly end?: "kept" | "counted";
  readonly body: Lowered;
  /** Values of arguments: where carries start, what is run over, constants. */
  readonly carries: readonly number[];
  readonly over: readonly number[];
  readonly constants: readonly number[];
  /** Values of parts. `current` hold the carries meanwhile and, at the end, for good; an output of one element is scratch, a history may lack. */
  readonly current: readonly number[];
  readonly next: readonly number[];
  readonly outputs: readonly number[];
  readonly histories: readonly (number | undefined)[];
}

export type Step = LoopStep | KernelStep | ZeroStep | ScanStep;

/**
 * An array program as steps over values in memory: what schedule-steps.ts makes of a graph, and what is emitted (emit/), or kept as a plan of
 * kernels for prediction. Steps run in order; each reads and writes whole values.
 */
export interface Lowered {
  readonly values: readonly Value[];
  readonly steps: readonly Step[];
}

/** An input's or output's place in memory that the caller gives. */
export interface Binding {
  readonly buffer: string;
  /** Elements behind the buffer's pointer. */
  readonly offset: number;
}

export interface ArrayProgram {
  readonly name: string;
  readonly precision: "f32" | "f64";
  /** Where inputs lie, by name; those left out have a buffer of their own name. */
  readonly inputs?: Readonly<Record<string, Binding>>;
  /** A buffer that is read too is written at the end, once all is read. */
  readonly outputs: readonly (Binding & { readonly value: SymbolicArray })[];
}

/** Values that a step reads and writes. */
export function touched(step: Step): { reads: number[]; writes: number[] } {
  if (step.kind === "loop")
    return {
      reads: step.loads.map((l) => l.value),
      writes: [...step.stores, ...step.reductions].map((s) => s.to.value),
    };
  if (step.kind === "kernel") return { reads: step.args.map((a) => a.value), writes: [step.result] };
  if (step.kind === "zero") return { reads: [], writes: [step.value] };
  const present = (list: readonly (number | undefined)[]): number[] => list.filter((v) => v !== undefined);
  return {
    reads: [...step.carries, ...step.over, ...step.constants],
    writes: [...step.current, ...step.next, ...step.outputs, ...present(step.histories)],
  };
}
