/**
 * Which kernel build this host can run, and its bytes.
 *
 * Builds: {simd, relaxed} × {own, shared} memory. Relaxed SIMD (fused multiply-add, mostly) is on in Node >= 22 and in browsers; Node
 * 20 has it behind a V8 flag that must be set before the first module is compiled. NODE_OPTIONS does not take that flag.
 *
 * @throws CapabilityError where WebAssembly SIMD itself is missing
 */
import { CapabilityError } from "../base/errors.ts";

export type Instructions = "simd" | "relaxed";

// (func (param v128 v128 v128) (result v128) local.get 0 local.get 1 local.get 2 OPERATION)
const probeModule = (operation: number[]) =>
  new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 8, 1, 0x60, 3, 0x7b, 0x7b, 0x7b, 1, 0x7b, 3, 2, 1, 0],
    ...[10, 10 + operation.length, 1, 8 + operation.length, 0, 0x20, 0, 0x20, 1, 0x20, 2, ...operation, 0x0b],
  ]);
const BITSELECT = [0xfd, 0x52];
const RELAXED_MADD = [0xfd, 0x85, 0x02];

/** True in Node and in what imitates it, with `process` and node: modules. */
export const isNode = typeof globalThis.process?.versions?.node === "string";

/** True on the thread of a page, which must not be blocked. */
export const isPageThread = !isNode && typeof window !== "undefined" && !("WorkerGlobalScope" in globalThis);

/** The instruction sets at hand, best first, and what stood in the way. */
export async function probeInstructions(): Promise<{ best: Instructions; why: string[] }> {
  if (!WebAssembly.validate(probeModule(BITSELECT))) {
    throw new CapabilityError(
      "engine",
      "this host has no WebAssembly SIMD, which every kernel needs; use Node >= 20.19 or a browser of 2023 or later",
      "HOST_NO_SIMD",
    );
  }
  if (WebAssembly.validate(probeModule(RELAXED_MADD))) return { best: "relaxed", why: [] };
  // Later versions of Node know no such flag, and print an error about it.
  if (isNode && process.versions.node.startsWith("20.")) {
    const v8 = await import("node:v8");
    v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
    if (WebAssembly.validate(probeModule(RELAXED_MADD))) {
      return { best: "relaxed", why: ["relaxed SIMD: Node 20 has it behind a V8 flag, which the engine has set"] };
    }
  }
  return {
    best: "simd",
    why: ["no relaxed SIMD: this host's WebAssembly lacks it, so sums of products take two instructions for one"],
  };
}

/** The bytes of one build; the others are not loaded. */
export async function loadBuild(instructions: Instructions, shared: boolean): Promise<Uint8Array<ArrayBuffer>> {
  // Written out, so that a bundler finds the four files.
  const { base64 } =
    instructions === "relaxed"
      ? shared
        ? await import("./builds/relaxed-shared.ts")
        : await import("./builds/relaxed-own.ts")
      : shared
        ? await import("./builds/simd-shared.ts")
        : await import("./builds/simd-own.ts");
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
