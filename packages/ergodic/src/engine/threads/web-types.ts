/**
 * Types of the web platform. The names of these types also compile in programs whose compiler options do not include
 * the library "dom".
 */

type Global<Name extends string> = typeof globalThis extends { readonly [_ in Name]: infer Value } ? Value : unknown;
type Instance<Of> = Of extends { readonly prototype: infer Made } ? Made : object;

/** WebAssembly.Module */
export type WebAssemblyModule = Global<"WebAssembly"> extends { readonly Module: infer Of } ? Instance<Of> : object;
/** WebAssembly.Memory */
export type WebAssemblyMemory = Global<"WebAssembly"> extends { readonly Memory: infer Of } ? Instance<Of> : object;
/** Worker */
export type WebWorker = Instance<Global<"Worker">>;
