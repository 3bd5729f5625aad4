/** What the web names, under names that programs can be checked with whose compiler was not given the web (no "dom" among its libraries). */

type Global<Name extends string> = typeof globalThis extends { readonly [_ in Name]: infer Value } ? Value : unknown;
type Instance<Of> = Of extends { readonly prototype: infer Made } ? Made : object;

/** WebAssembly.Module */
export type WebAssemblyModule = Global<"WebAssembly"> extends { readonly Module: infer Of } ? Instance<Of> : object;
/** WebAssembly.Memory */
export type WebAssemblyMemory = Global<"WebAssembly"> extends { readonly Memory: infer Of } ? Instance<Of> : object;
/** Worker */
export type WebWorker = Instance<Global<"Worker">>;
