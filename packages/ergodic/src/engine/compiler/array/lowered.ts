import type { Expr } from "../expression.ts";
import type { ReductionKind } from "./operations/map-reduce.ts";
import type { KernelCall, Layout } from "./primitive.ts";
import type { Shape, SymbolicArray } from "./symbolic.ts";

/** Memory of one array, contiguous and row-major. */
export interface Value {
  readonly node: SymbolicArray;
  /** Number of elements. */
  readonly size: number;
  readonly home:
    | { readonly kind: "workspace" }
    | { readonly kind: "constant"; readonly values: Float64Array }
    /** Memory of the caller: `offset` elements after a pointer that the caller provides. */
    | { readonly kind: "buffer"; readonly name: string; readonly offset: number };
}

/** Access to the elements of a value, by strides. The strides refer to a shape that the context provides. */
export interface Access extends Layout {
  /** Index in `values`. */
  readonly value: number;
}

/**
 * A loop over the elements of `shape`. For each element, the loop loads numbers, computes expressions, and stores or
 * reduces the results. Expressions refer to the loaded numbers as the scalars "0", "1", ….
 */
export interface LoopStep {
  readonly kind: "loop";
  readonly shape: Shape;
  /** Range [from, to) of the reduced axes. */
  readonly reduced: readonly [from: number, to: number];
  readonly loads: readonly Access[];
  readonly stores: readonly { readonly to: Access; readonly expr: Expr }[];
  /** Reductions. Along reduced axes, `to` has stride 0. Sums are accumulated in float64. */
  readonly reductions: readonly { readonly reduction: ReductionKind; readonly to: Access; readonly expr: Expr }[];
}

export interface KernelStep {
  readonly kind: "kernel";
  readonly name: string;
  readonly calls: readonly KernelCall[];
  /** Arguments in order. The address of an argument includes the layout's offset. */
  readonly args: readonly Access[];
  readonly result: number;
}

/** Sets all elements to 0. */
export interface ZeroStep {
  readonly kind: "zero";
  readonly value: number;
}

/**
 * Runs `body` `length` times. The body reads buffers named "carry i", "over i" and "constant i", and writes buffers
 * named "next i" and "output i".
 */
export interface ScanStep {
  readonly kind: "scan";
  readonly length: number;
  readonly reverse: boolean;
  /** Set if the scan can end early: the scan ends as soon as its first carry is not above 0 (schedule-scan.ts). */
  readonly end?: "kept" | "counted";
  readonly body: Lowered;
  /** Values of the arguments: the initial carries, the scanned arrays, and the constants. */
  readonly carries: readonly number[];
  readonly over: readonly number[];
  readonly constants: readonly number[];
  /**
   * Values of the parts. `current` holds the carries during the scan and at its end. An unused output is scratch memory
   * of a single element. A history can be absent.
   */
  readonly current: readonly number[];
  readonly next: readonly number[];
  readonly outputs: readonly number[];
  readonly histories: readonly (number | undefined)[];
}

export type Step = LoopStep | KernelStep | ZeroStep | ScanStep;

/**
 * An array program as steps over values in memory. schedule-steps.ts makes the program from a graph. The program is
 * then either turned into code by emit/ or stored as a plan of kernels for prediction. Steps run in order, and each
 * reads and writes whole values.
 */
export interface Lowered {
  readonly values: readonly Value[];
  readonly steps: readonly Step[];
}

/** Location of an input or output in the caller's memory. */
export interface Binding {
  readonly buffer: string;
  /** Offset from the buffer's pointer, in elements. */
  readonly offset: number;
}

export interface ArrayProgram {
  readonly name: string;
  readonly precision: "f32" | "f64";
  /** Locations of inputs, by name. An input that is not listed has a buffer of its own name. */
  readonly inputs?: Readonly<Record<string, Binding>>;
  /** Outputs. If the program also reads the buffer of an output, this buffer is written at the end, after all reads. */
  readonly outputs: readonly (Binding & { readonly value: SymbolicArray })[];
}

/** Returns the values that a step reads and writes. */
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
