/**
 * Wraps a JavaScript function so that WebAssembly can call it through a table: (i32, i32, i32) → f64. The function can
 * be called only on the thread that made it.
 *
 * A table accepts only functions of modules. Therefore, a small module imports the JavaScript function and exports it
 * again. Addresses arrive as signed numbers: apply `>>> 0` to them.
 */
import { compiledHere } from "./load.ts";

const I32 = 0x7f;
const F64 = 0x7c;
// (import "env" "f" (func (param i32 i32 i32) (result f64))) (export "f" (func 0))
const MODULE = new Uint8Array([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 8, 1, 0x60, 3, I32, I32, I32, 1, F64],
  ...[2, 9, 1, 3, 0x65, 0x6e, 0x76, 1, 0x66, 0, 0],
  ...[7, 5, 1, 1, 0x66, 0, 0],
]);

let calling: WebAssembly.Module | undefined;

export type HostFunction = (a: number, b: number, c: number) => number;

export function callable(f: HostFunction): HostFunction {
  calling ??= compiledHere(MODULE);
  return new WebAssembly.Instance(calling, { env: { f } }).exports.f as HostFunction;
}
