/**
 * Selects the best kernel build that this host can run, and loads its modules.
 *
 * Builds: plain SIMD and relaxed SIMD (mostly fused multiply-add). Relaxed SIMD is enabled in Node >= 22 and in
 * browsers. Node 20 needs a V8 flag for relaxed SIMD. The flag must be set before the first module is compiled, and
 * NODE_OPTIONS cannot set it.
 *
 * @throws CapabilityError if the host lacks WebAssembly SIMD
 */

import { CapabilityError } from "../errors/errors.ts";
import { builtin, inNode } from "../files/node.ts";
import { later } from "../threads/later.ts";
import { buildFiles } from "./builds/files.ts";
import type { Family } from "./families.ts";

export type Instructions = "simd" | "relaxed";

// (func (param v128 v128 v128) (result v128) local.get 0 local.get 1 local.get 2 OPERATION)
const probeModule = (operation: number[]) =>
  new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 8, 1, 0x60, 3, 0x7b, 0x7b, 0x7b, 1, 0x7b, 3, 2, 1, 0],
    ...[10, 10 + operation.length, 1, 8 + operation.length, 0, 0x20, 0, 0x20, 1, 0x20, 2, ...operation, 0x0b],
  ]);
/** Whether relaxed builds are available. Relaxed builds are not in the single-file package (scripts/bundle.mjs). */
const HAS_RELAXED = true;
const BITSELECT = [0xfd, 0x52];
const RELAXED_MADD = [0xfd, 0x85, 0x02];

/**
 * Whether all kernels are loaded when the engine is opened. In Node, this costs no download, and some callers cannot
 * wait for kernels.
 */
export const hasAllKernels = inNode();

/** Whether this is the main thread of a page, which must not be blocked. */
export const isPageThread = !inNode() && typeof window !== "undefined" && !("WorkerGlobalScope" in globalThis);

/** Returns the number of threads that the machine can run simultaneously. */
export function hardwareThreads(): number {
  return inNode() ? builtin("node:os").availableParallelism() : (globalThis.navigator?.hardwareConcurrency ?? 1);
}

/**
 * Returns the best available instruction set. If this host lacks a better instruction set, the reasons are returned,
 * too.
 */
export function probeInstructions(): { best: Instructions; why: string[] } {
  if (!WebAssembly.validate(probeModule(BITSELECT))) {
    throw new CapabilityError(
      "engine",
      "this host has no WebAssembly SIMD, which every kernel needs; use Node >= 20.19 or a browser of 2023 or later",
      "HOST_NO_SIMD",
    );
  }
  if (!HAS_RELAXED) return { best: "simd", why: ["no relaxed SIMD: @ergodic/single-file has only the plain kernels"] };
  if (WebAssembly.validate(probeModule(RELAXED_MADD))) return { best: "relaxed", why: [] };
  // Later versions of Node do not know this flag and would print an error message.
  if (inNode() && globalThis.process.versions.node.startsWith("20.")) {
    const v8 = builtin("node:v8");
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

/** Imports are literal, so that bundlers find the files. */
const files: Readonly<Record<Instructions, Readonly<Record<Family, () => Promise<{ readonly base64: string }>>>>> = {
  simd: {
    training: () => import("./builds/training-simd.ts"),
    coordinate: () => import("./builds/coordinate-simd.ts"),
    arrays: () => import("./builds/arrays-simd.ts"),
    images: () => import("./builds/images-simd.ts"),
    sampling: () => import("./builds/sampling-simd.ts"),
    graphs: () => import("./builds/graphs-simd.ts"),
    hessian: () => import("./builds/hessian-simd.ts"),
    trees: () => import("./builds/trees-simd.ts"),
  },
  relaxed: {
    training: () => import("./builds/training-relaxed.ts"),
    coordinate: () => import("./builds/coordinate-relaxed.ts"),
    arrays: () => import("./builds/arrays-relaxed.ts"),
    images: () => import("./builds/images-relaxed.ts"),
    hessian: () => import("./builds/hessian-relaxed.ts"),
    // The following families have no relaxed build, because their kernels use no relaxed instructions.
    sampling: () => import("./builds/sampling-simd.ts"),
    graphs: () => import("./builds/graphs-simd.ts"),
    trees: () => import("./builds/trees-simd.ts"),
  },
};

/**
 * Loads the module of a family in one build. Node reads it from a file. On other hosts, and in bundles, the module is
 * base64 text in a JavaScript module, because the file does not exist there. No other build is loaded.
 *
 * @throws CapabilityError if a policy forbids compilation
 */
export async function loadFamily(family: Family, instructions: Instructions, shared: boolean): Promise<WebAssembly.Module> {
  const { file, sharedAt } = buildFiles[`${family}-${instructions}`];
  const bytes = readBuild(file) ?? (await unzipped((await later(files[instructions][family])).base64));
  // Builds are compiled for shared memory. A build for unshared memory differs only in a flag of its memory import.
  if (!shared) bytes[sharedAt] &= ~SHARED;
  return allowed(WebAssembly.compile(bytes));
}

/**
 * Address of the folder with the build files, relative to this module or to the parts of the built library. The address
 * is a string, because bundlers would copy the files to which a URL refers.
 */
const folder = String(import.meta.url).replace(/\/(?:engine\/memory|parts)\/[^/]+$/, "/engine/memory/builds/");

function readBuild(file: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return inNode() ? new Uint8Array(builtin("node:fs").readFileSync(new URL(folder + file))) : undefined;
  } catch {
    return undefined;
  }
}

const SHARED = 2;

async function unzipped(base64: string): Promise<Uint8Array<ArrayBuffer>> {
  if (inNode()) return new Uint8Array(builtin("node:zlib").gunzipSync(globalThis.Buffer.from(base64, "base64")));
  const zipped = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Awaits a compilation, which a page's policy or an edge platform can forbid. */
async function allowed(compiled: Promise<WebAssembly.Module>): Promise<WebAssembly.Module> {
  try {
    return await compiled;
  } catch (cause) {
    throw codeForbidden(cause, "give openEngine({ kernels }) the modules of ergodic/kernels/*.wasm");
  }
}

/**
 * Compiles a module generated at run time: a model's program, or a wrapper of a JavaScript function. Compilation is
 * synchronous, because callers cannot wait and the modules are small.
 */
export function compiledHere(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    throw codeForbidden(cause, "models can predict, but training and sampling generate code: do them elsewhere");
  }
}

/**
 * Returns the error to throw when a compilation failed. `deployed`: advice for hosts on which no policy can allow
 * compilation.
 */
function codeForbidden(cause: unknown, deployed: string): CapabilityError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CapabilityError(
    "engine",
    `this host does not allow WebAssembly to be compiled (${reason}); a page's Content-Security-Policy must have 'wasm-unsafe-eval' in script-src; if ` +
      `the host runs only deployed code, ${deployed}`,
    "HOST_NO_CODE",
    { cause },
  );
}
