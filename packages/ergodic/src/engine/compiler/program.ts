/** Description of a program before and after compilation. */
import type { Expr } from "./expression.ts";

/** Types of stored operands. */
export type StorageType = "f32" | "f64" | "i8" | "i16";

/** A vector in memory that a program reads or writes. */
export interface Operand {
  /** Name of the operand. */
  name: string;
  /** Type of the stored numbers. */
  type: StorageType;
  /**
   * Access to elements. "indexed": element indices[i]. If the operand is stored, each index may occur only once per
   * call.
   */
  access: "direct" | "indexed";
  /**
   * Rounding of stores to i8 and i16: to nearest (ties to even), or at random without bias. Both saturate. Default: to
   * nearest.
   */
  rounding?: "stochastic";
}

/** A program over vectors and scalars, in the form that `compile` accepts. */
export interface ProgramSpec {
  /** Name of the program, for errors. */
  name: string;
  /** Precision of vector arithmetic. Scalars and accumulators are float64. */
  precision: "f32" | "f64";
  /**
   * Whether float32's digits (relative error 2^-30) suffice for exp, log and similar functions, even in float64
   * arithmetic. This makes the code shorter.
   */
  short?: boolean;
  /** Vectors in memory. */
  operands: Operand[];
  /** Names of scalar inputs. */
  scalars: string[];
  /**
   * Values to store. Values to store. An operand can be overwritten in place, because all loads of an element precede
   * its stores.
   */
  stores: { operand: string; value: Expr }[];
  /** Scalar values that are written to their slots at the end. A result can have the same name as an input. */
  results: { scalar: string; value: Expr }[];
}

/** Options of `compile`. */
export interface CompileOptions {
  /** Whether `env.memory` is a shared memory. The memory's declared maximum must be at most 65536 pages. */
  shared: boolean;
}

/** A program as WebAssembly, with the layout of its block. */
export interface CompiledProgram {
  /** The WebAssembly module. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Names of its functions. */
  readonly exports: string[];
  /** Size of its block in bytes. */
  readonly blockBytes: number;
  /** Byte offsets in the block of i32 pointers to the operands. */
  readonly pointers: Record<string, number>;
  /** Byte offset of the i32 pointer to the i32 indices. */
  readonly indices: number;
  /** Byte offset of 16 bytes of random state: four nonzero u32, set by the caller and advanced by stochastic stores. */
  readonly random: number;
  /**
   * Byte offset of the total number of elements in all pieces, stored as f64. If the program uses count(), the caller
   * must set this number before begin_0. `update` sets it automatically.
   */
  readonly count: number;
  /** Byte offsets of the f64 inputs and results. */
  readonly scalars: Record<string, number>;
  /** Functions of each pass over the elements. */
  readonly passes: { begin: string | null; run: string }[];
  /** Name of the function to call after the last pass, if there is one. */
  readonly end: string | null;
  /** Name of the function that runs all passes. */
  readonly update: string;
}
