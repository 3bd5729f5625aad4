/**
 * Encoder for the parts of the binary format of WebAssembly 2.0 that emitted programs need: LEB128 numbers, sections
 * and functions.
 *
 * A module imports `env.memory` (1 to 65536 pages; its shared flag must match the given memory) and the functions that
 * it calls, `env.NAME`. A module imports no table, because V8 retains every instance that imports a table for as long
 * as the table lives.
 */
import { CompileError } from "../../errors/errors.ts";

export type WasmType = "i32" | "i64" | "f32" | "f64" | "v128";

const TYPE_CODES: Record<WasmType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

export function unsigned(x: number): number[] {
  const bytes: number[] = [];
  for (; x >= 128; x = Math.floor(x / 128)) bytes.push((x % 128) + 128);
  bytes.push(x);
  return bytes;
}

/** Encodes a signed 32-bit integer. */
export function signed(x: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = x & 0x7f;
    x >>= 7;
    if ((x === 0 && (low & 0x40) === 0) || (x === -1 && (low & 0x40) !== 0)) return bytes.concat(low);
    bytes.push(low | 0x80);
  }
}

export const float64Bytes = (x: number): number[] => [...new Uint8Array(Float64Array.of(x).buffer)];
export const float32Bytes = (x: number): number[] => [...new Uint8Array(Float32Array.of(x).buffer)];

const counted = (items: readonly (readonly number[])[]): number[] => [...unsigned(items.length), ...items.flat()];
const sized = (content: readonly number[]): number[] => unsigned(content.length).concat(content);
const text = (s: string): number[] => sized([...new TextEncoder().encode(s)]);
const types = (list: readonly WasmType[]): number[] => counted(list.map((t) => [TYPE_CODES[t]]));

export interface EncodedFunction {
  parameters: readonly WasmType[];
  results: readonly WasmType[];
  locals: readonly WasmType[];
  /** Code without the closing `end`. */
  code: readonly number[];
  /** Names under which the function is exported, possibly none. */
  exportAs: readonly string[];
}

/** A function that the module imports. */
export interface ImportedFunction {
  readonly name: string;
  readonly parameters: readonly WasmType[];
  readonly results: readonly WasmType[];
}

export interface ModuleOptions {
  readonly shared: boolean;
  readonly imports?: readonly ImportedFunction[];
}

/** Limits on functions and modules that are common to all engines. */
const MOST_LOCALS = 50_000;
const MOST_CODE = 7_654_321;
const MOST_FUNCTIONS = 1_000_000;

/**
 * Checks sizes. `where`: name of the program.
 * @throws CompileError if an engine would refuse the module
 */
export function checkSize(where: string, functions: readonly EncodedFunction[]): void {
  const refuse = (what: string, most: number): never => {
    throw new CompileError(
      where,
      `it has ${what}, but WebAssembly takes at most ${most}; write it as several programs`,
      "COMPILE_SIZE",
    );
  };
  if (functions.length > MOST_FUNCTIONS) refuse(`${functions.length} steps`, MOST_FUNCTIONS);
  for (const { parameters, locals, code } of functions) {
    const values = parameters.length + locals.length;
    if (values > MOST_LOCALS) refuse(`${values} values that are used several times, in one loop`, MOST_LOCALS);
    // The body also contains its length, the locals and the end.
    if (code.length + 2 * values + 16 > MOST_CODE) refuse(`${code.length} bytes of code in one loop`, MOST_CODE);
  }
}

/** Encodes a module. Functions are indexed in the given order, after the imported functions. */
export function encodeModule(
  functions: readonly EncodedFunction[],
  { shared, imports = [] }: ModuleOptions,
): Uint8Array<ArrayBuffer> {
  const signatures = [...imports, ...functions].map((f) => [0x60, ...types(f.parameters), ...types(f.results)]);
  const memory = [...text("env"), ...text("memory"), 0x02, shared ? 0x03 : 0x01, ...unsigned(1), ...unsigned(65536)];
  const imported = imports.map(({ name }, i) => [...text("env"), ...text(name), 0x00, ...unsigned(i)]);
  const exported = functions.flatMap((f, i) => f.exportAs.map((name) => [...text(name), 0x00, ...unsigned(imports.length + i)]));
  // Bodies account for most bytes of a module, so they are copied only once.
  const bodies = functions.flatMap((f) => {
    const locals = counted(f.locals.map((t) => [1, TYPE_CODES[t]]));
    return [unsigned(locals.length + f.code.length + 1).concat(locals), f.code, [0x0b]];
  });
  return joined([
    [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, signatures),
    ...section(2, [memory, ...imported]),
    ...section(
      3,
      functions.map((_, i) => unsigned(imports.length + i)),
    ),
    ...section(7, exported),
    ...section(10, bodies, functions.length),
  ]);
}

/** Returns a section, which consists of its id and length, the number of items, and its parts. */
function section(id: number, parts: readonly (readonly number[])[], count = parts.length): (readonly number[])[] {
  const head = unsigned(count);
  const length = parts.reduce((sum, part) => sum + part.length, head.length);
  return [[id, ...unsigned(length)], head, ...parts];
}

function joined(parts: readonly (readonly number[])[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
