/** What a program is, before and after compiling. */
import type { Expr } from "./expression.ts";

/** Types of stored operands. */
export type StorageType = "f32" | "f64" | "i8" | "i16";

/** A vector in memory that a program reads or writes. */
export interface Operand {
  /** Its name. */
  name: string;
  /** Type of the stored numbers. */
  type: StorageType;
  /** "indexed": element indices[i]; no index may occur twice in a call if the operand is stored. */
  access: "direct" | "indexed";
  /** Stores to i8 and i16 round to nearest (ties to even), or at random without bias; both saturate. */
  rounding?: "stochastic";
}

/** A program over vectors and scalars: what `compile` takes. */
export interface ProgramSpec {
  /** The program's name, for errors. */
  name: string;
  /** Of vector arithmetic. Scalars and accumulators are float64. */
  precision: "f32" | "f64";
  /** exp, log and their kin need no more than float32's digits (relative error 2^-30), even in float64 arithmetic: shorter code. */
  short?: boolean;
  /** Vectors in memory. */
  operands: Operand[];
  /** Inputs. */
  scalars: string[];
  /** In place allowed: all loads of an element happen before its stores. */
  stores: { operand: string; value: Expr }[];
  /** Rank-0 values, written to their slots at the end; a name may be that of an input. */
  results: { scalar: string; value: Expr }[];
}

/** Options of `compile`. */
export interface CompileOptions {
  /** Whether `env.memory` is a shared memory. Its declared maximum must be at most 65536 pages. */
  shared: boolean;
}

/** A program as WebAssembly, and where its parts are in its block. */
export interface CompiledProgram {
  /** The WebAssembly module. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Names of its functions. */
  readonly exports: string[];
  /** Bytes of its block. */
  readonly blockBytes: number;
  /** Byte offsets in the block of i32 pointers to the operands. */
  readonly pointers: Record<string, number>;
  /** Byte offset of the i32 pointer to the i32 indices. */
  readonly indices: number;
  /** Byte offset of 16 bytes of random state: four nonzero u32, set by the caller, advanced by stochastic stores. */
  readonly random: number;
  /** Byte offset of the f64 number of elements of all pieces: set before begin_0 if the program uses count(); `update` sets it. */
  readonly count: number;
  /** Byte offsets of the f64 inputs and results. */
  readonly scalars: Record<string, number>;
  /** Functions of each pass over the elements. */
  readonly passes: { begin: string | null; run: string }[];
  /** The function after the last pass, if there is one. */
  readonly end: string | null;
  /** The function that makes all passes. */
  readonly update: string;
}
