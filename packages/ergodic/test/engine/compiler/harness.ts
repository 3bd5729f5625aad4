/**
 * Runs compiled programs in their own memory, with the interface of `evaluateProgram`, and guards every byte that they
 * may not touch.
 */

import type { Override } from "../../../src/engine/compiler/evaluate.ts";
import { intern } from "../../../src/engine/compiler/expression.ts";
import { functions } from "../../../src/engine/compiler/functions/all-functions.ts";
import {
  type CompiledProgram,
  compile,
  type Expr,
  type ProgramEnvironment,
  type ProgramSpec,
  primitiveOf,
  type StorageType,
  vector,
} from "../../../src/engine/compiler/index.ts";

const ARRAYS = { f64: Float64Array, f32: Float32Array, i16: Int16Array, i8: Int8Array } as const;
const BLOCK = 4096;
const UNTOUCHED = 0xa5;

export interface RunOptions {
  shared?: boolean;
  /** Ends of the pieces of each pass. Without them, `update` runs everything. */
  pieces?: number[];
  random?: number[];
}

/** Writes stores into `environment.vectors` and returns the results. */
export function runProgram(spec: ProgramSpec, environment: ProgramEnvironment, options: RunOptions = {}): Record<string, number> {
  const { program, memory, exports } = linked(spec, options.shared ?? false);
  const bytes = new Uint8Array(memory.buffer).fill(UNTOUCHED);
  const view = new DataView(memory.buffer);
  const { indices } = environment;
  const count = environment.count ?? indices?.length ?? Object.values(environment.vectors)[0]?.length ?? 0;

  let end = BLOCK + program.blockBytes + 40;
  const places = spec.operands.map((operand) => {
    const data = environment.vectors[operand.name];
    const at = Math.ceil(end / 8) * 8;
    end = at + data.byteLength + 24;
    return { operand, at, data };
  });
  for (const { at, data } of places) bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
  const indicesAt = Math.ceil(end / 4) * 4;
  for (let i = 0; i < (indices?.length ?? 0); i++) view.setInt32(indicesAt + 4 * i, indices![i], true);
  for (const [name, value] of Object.entries(environment.scalars ?? {})) {
    if (name in program.scalars) view.setFloat64(BLOCK + program.scalars[name], value, true);
  }
  for (const [i, word] of (options.random ?? [1, 2, 3, 4]).entries()) view.setUint32(BLOCK + program.random + 4 * i, word, true);

  const point = (from: number): void => {
    for (const { operand, at } of places) {
      const skipped = operand.access === "direct" ? from * ARRAYS[operand.type].BYTES_PER_ELEMENT : 0;
      view.setInt32(BLOCK + program.pointers[operand.name], at + skipped, true);
    }
    view.setInt32(BLOCK + program.indices, indicesAt + 4 * from, true);
  };
  point(0);
  const before = bytes.slice();
  const call = (name: string, ...args: number[]): void => (exports[name] as (...args: number[]) => void)(...args);
  if (options.pieces) {
    view.setFloat64(BLOCK + program.count, count, true);
    for (const { begin, run } of program.passes) {
      if (begin) call(begin, BLOCK);
      [0, ...options.pieces].forEach((from, i) => {
        point(from);
        call(run, (options.pieces![i] ?? count) - from, BLOCK);
      });
    }
    if (program.end) call(program.end, BLOCK);
  } else call(program.update, count, BLOCK);

  const stored = new Set(spec.stores.map((s) => s.operand));
  for (const { operand, at, data } of places) {
    if (!stored.has(operand.name)) continue;
    new Uint8Array(data.buffer, data.byteOffset, data.byteLength).set(bytes.subarray(at, at + data.byteLength));
    before.copyWithin(at, at, at);
    before.set(bytes.subarray(at, at + data.byteLength), at);
  }
  before.set(bytes.subarray(BLOCK, BLOCK + program.blockBytes), BLOCK);
  if (!Buffer.from(before.buffer).equals(Buffer.from(bytes.buffer))) {
    throw new Error(
      `the program ${spec.name} wrote to byte ${before.findIndex((byte, i) => byte !== bytes[i])}, which is none of its own`,
    );
  }
  return Object.fromEntries(spec.results.map(({ scalar }) => [scalar, view.getFloat64(BLOCK + program.scalars[scalar], true)]));
}

const memories = [false, true].map((shared) => new WebAssembly.Memory({ initial: 2, maximum: 65536, shared }));
const links = new WeakMap<ProgramSpec, Linked[]>();

interface Linked {
  program: CompiledProgram;
  memory: WebAssembly.Memory;
  exports: WebAssembly.Exports;
}

function linked(spec: ProgramSpec, shared: boolean): Linked {
  const known = links.get(spec) ?? [];
  links.set(spec, known);
  const memory = memories[Number(shared)];
  return (known[Number(shared)] ??= link());

  function link(): Linked {
    const program = compile(spec, { shared });
    return {
      program,
      memory,
      exports: new WebAssembly.Instance(new WebAssembly.Module(program.bytes), { env: { memory } }).exports,
    };
  }
}

/** Compiles one expression and applies it to the named vectors in one piece. */
export function mapCompiled(
  value: Expr,
  precision: "f32" | "f64",
  inputs: Record<string, ArrayLike<number>>,
): Float64Array | Float32Array {
  const Data = ARRAYS[precision];
  const n = Object.values(inputs)[0].length;
  const vectors = Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, Data.from(x)]));
  vectors.output = new Data(n);
  const operands = Object.keys(vectors).map((name) => ({ name, type: precision as StorageType, access: "direct" as const }));
  runProgram(
    { name: "map", precision, operands, scalars: [], stores: [{ operand: "output", value }], results: [] },
    { vectors, count: n },
  );
  return vectors.output;
}

const compiledFunctions = new Map<string, (...x: number[]) => number>();

/** The functions of compiled modules, passed to the interpreter so that both must agree to the bit. */
export const ownFunctions: Override = (name, precision) => {
  if (!(name in functions)) return undefined;
  const key = `${name} ${precision}`;
  const known = compiledFunctions.get(key);
  if (known) return known;
  const made = scalarFunction(name, precision);
  compiledFunctions.set(key, made);
  return made;
};

function scalarFunction(name: string, precision: "f32" | "f64"): (...x: number[]) => number {
  const inputs = ["a", "b"].slice(0, functions[name].arity);
  const operands = [...inputs, "output"].map((o) => ({ name: o, type: precision as StorageType, access: "direct" as const }));
  const value = intern(name, inputs.map(vector), 1);
  if (!primitiveOf(value)) throw new Error(`no primitive ${name}`);
  const program = compile(
    { name, precision, operands, scalars: [], stores: [{ operand: "output", value }], results: [] },
    { shared: false },
  );
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(program.bytes), { env: { memory } });
  const numbers = new ARRAYS[precision](memory.buffer, 1024, 3);
  const pointers = new Int32Array(memory.buffer);
  for (const [i, o] of operands.entries()) pointers[program.pointers[o.name] / 4] = 1024 + i * numbers.BYTES_PER_ELEMENT;
  return (...x) => {
    numbers.set(x);
    (exports.update as (count: number, block: number) => void)(1, 0);
    return numbers[inputs.length];
  };
}
