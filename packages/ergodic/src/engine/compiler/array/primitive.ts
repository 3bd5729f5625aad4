/**
 * What a primitive on arrays is: one entry with its reference evaluation, derivative, print form and code. An entry is made in
 * operations/ by `arrayPrimitive()`, one file a primitive, beside the builder, which checks shapes, simplifies and interns.
 *
 * Code has three forms. "loop": element-wise work and reductions, fused by schedule-steps.ts. "view": the same numbers in other places, with no
 * code of its own while strides can say so. "kernel": calls of kernels on whole arrays.
 */
import { assert } from "../../errors/errors.ts";
import { noteUse } from "./conditions.ts";
import { internArray, type Shape, type SymbolicArray } from "./symbolic.ts";

/** Where an array's elements lie in memory: element strides over its shape, from `offset` on. */
export interface Layout {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** An argument of a kernel. Offsets are in elements. */
export type CallArgument =
  /** A number: i32, or f64 where `float`. */
  | { readonly kind: "number"; readonly value: number; readonly float?: boolean }
  /** The address of argument i of the node, as a contiguous array (or as `layouts` were accepted). */
  | { readonly kind: "argument"; readonly index: number; readonly offset?: number }
  /** The address of the node's result. */
  | { readonly kind: "result"; readonly offset?: number }
  /** The address of scratch memory of so many bytes, free for the call. */
  | { readonly kind: "scratch"; readonly bytes: number }
  /** The address of constants: u32, or numbers in the program's type. */
  | { readonly kind: "constants"; readonly values: readonly number[]; readonly type: "u32" | "number" }
  /** What random primitives draw from: the run's key, the update. */
  | { readonly kind: "field"; readonly name: "keyLow" | "keyHigh" | "update" };

export interface KernelCall {
  /** Without F32 or F64 at its end, which the program's type adds. */
  readonly kernel: string;
  readonly args: readonly CallArgument[];
  /** A status, which is dropped: what failed is NaN in the result. */
  readonly returns?: "i32";
  /** Called so many times, outermost first; after each, argument i advances by steps[i] elements. */
  readonly repeat?: readonly { readonly count: number; readonly steps: readonly number[] }[];
}

export interface KernelCode {
  readonly form: "kernel";
  /** Whether argument i may lie as its strides say; default: contiguous ones alone. */
  accepts?(node: SymbolicArray, index: number, layout: Layout): boolean;
  calls(node: SymbolicArray, layouts: readonly Layout[], type: "f32" | "f64"): readonly KernelCall[];
}

export interface ViewCode {
  readonly form: "view";
  /** How the result lies in the argument's memory; undefined: it must be copied first. */
  layout(node: SymbolicArray, argument: Layout): Layout | undefined;
}

/** Known to schedule-steps.ts by name. */
export interface LoopCode {
  readonly form: "loop";
}

export type ArrayCode = KernelCode | ViewCode | LoopCode | { readonly form: "special" };

/** What a reference evaluation may ask for beside its arguments. */
export interface Surroundings {
  /** Values of inputs by name. */
  input(name: string): ArrayLike<number>;
  /** Uniform numbers of a random primitive. */
  uniform(stream: number, count: number): Float64Array;
  /** Evaluates a subprogram: scan's body. */
  run(outputs: readonly SymbolicArray[], inputs: ReadonlyMap<SymbolicArray, Float64Array>): Float64Array[];
}

export interface ArrayPrimitive {
  readonly name: string;
  /** float64, row-major, plain loops: the oracle. Tuples give their parts one after another. */
  evaluate(node: SymbolicArray, args: readonly Float64Array[], around: Surroundings): Float64Array;
  /** adjoint · ∂node/∂args[i], of the shape of args[i]; null where it is zero. */
  derivative(adjoint: SymbolicArray, node: SymbolicArray, i: number): SymbolicArray | null;
  /** The same for a primitive with several results: one adjoint a part, undefined where none flows. Arguments that are not wanted may stay null. */
  derivativeOfParts?(
    adjoints: readonly (SymbolicArray | undefined)[],
    node: SymbolicArray,
    wanted: readonly boolean[],
  ): readonly (SymbolicArray | null)[];
  /** The node on other arguments, through its builder, so that simplification applies. */
  rebuild(node: SymbolicArray, args: readonly SymbolicArray[]): SymbolicArray;
  /** "stride 2, pad 1": what is printed beside the arguments. */
  describe?(node: SymbolicArray): string;
  readonly code: ArrayCode;
}

const primitives = new Map<string, ArrayPrimitive>();

/** Keeps the entry; returns the step shared by builders: a node of it. `key` tells attributes apart. */
export function arrayPrimitive(
  entry: ArrayPrimitive,
): (args: readonly SymbolicArray[], shape: Shape, attributes?: unknown, key?: string) => SymbolicArray {
  assert(!primitives.has(entry.name), `the primitive ${entry.name} is defined twice`);
  primitives.set(entry.name, entry);
  return (args, shape, attributes = null, key = JSON.stringify(attributes)) => {
    noteUse(args);
    return internArray(entry.name, args, shape, attributes, key);
  };
}

export function arrayPrimitiveOf(node: SymbolicArray): ArrayPrimitive {
  const entry = primitives.get(node.op);
  assert(entry, `no primitive on arrays is named ${node.op}`);
  return entry;
}

/** Every primitive: conformance tests go over this list. */
export const allArrayPrimitives = (): ArrayPrimitive[] => [...primitives.values()];
