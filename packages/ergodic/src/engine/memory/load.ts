/**
 * Which kernel build this host can run, and its module.
 *
 * Builds: plain SIMD and relaxed SIMD. Relaxed SIMD (fused multiply-add, mostly) is on in Node >= 22 and in browsers; Node
 * 20 has it behind a V8 flag that must be set before the first module is compiled. NODE_OPTIONS does not take that flag.
 *
 * @throws CapabilityError where WebAssembly SIMD itself is missing
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
/** Whether builds with relaxed instructions are at hand: not in the file of everything (scripts/bundle.mjs). */
const HAS_RELAXED = true;
const BITSELECT = [0xfd, 0x52];
const RELAXED_MADD = [0xfd, 0x85, 0x02];

/** Whether all kernels are loaded with the engine: files of this machine cost no download, and some ask for their kernels when they can wait for nothing. */
export const hasAllKernels = inNode();

/** True on the thread of a page, which must not be blocked. */
export const isPageThread = !inNode() && typeof window !== "undefined" && !("WorkerGlobalScope" in globalThis);

/** How many threads the machine runs at the same time. */
export function hardwareThreads(): number {
  return inNode() ? builtin("node:os").availableParallelism() : (globalThis.navigator?.hardwareConcurrency ?? 1);
}

/** The instruction sets at hand, best first, and what stood in the way. */
export function probeInstructions(): { best: Instructions; why: string[] } {
  if (!WebAssembly.validate(probeModule(BITSELECT))) {
    throw new CapabilityError(
      "engine",
      "this host has no WebAssembly SIMD, which every kernel needs; use Node >= 20.19 or a browser of 2023 or later",
      "HOST_NO_SIMD",
    );
  }
  if (!HAS_RELAXED) return { best: "simd", why: ["no relaxed SIMD: @ergodic/single-file has the plain kernels alone"] };
  if (WebAssembly.validate(probeModule(RELAXED_MADD))) return { best: "relaxed", why: [] };
  // Later versions of Node know no such flag, and print an error about it.
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

/** Written out, so that a bundler finds the files. */
const files: Readonly<Record<Instructions, Readonly<Record<Family, () => Promise<{ readonly base64: string }>>>>> = {
  simd: {
    training: () => import("./builds/training-simd.ts"),
    coordinate: () => import("./builds/coordinate-simd.ts"),
    arrays: () => import("./builds/arrays-simd.ts"),
    images: () => import("./builds/images-simd.ts"),
    sampling: () => import("./builds/sampling-simd.ts"),
    graphs: () => import("./builds/graphs-simd.ts"),
  },
  relaxed: {
    training: () => import("./builds/training-relaxed.ts"),
    coordinate: () => import("./builds/coordinate-relaxed.ts"),
    arrays: () => import("./builds/arrays-relaxed.ts"),
    images: () => import("./builds/images-relaxed.ts"),
    // Their kernels have no such instructions.
    sampling: () => import("./builds/sampling-simd.ts"),
    graphs: () => import("./builds/graphs-simd.ts"),
  },
};

/**
 * The module of a family in one build. Node reads it from a file; elsewhere, and in bundles, which leave the files behind, it is base64 in a module of its own.
 * No other is loaded.
 *
 * @throws CapabilityError where a policy forbids compiling
 */
export async function loadFamily(family: Family, instructions: Instructions, shared: boolean): Promise<WebAssembly.Module> {
  const { file, sharedAt } = buildFiles[`${family}-${instructions}`];
  const bytes = readBuild(file) ?? (await unzipped((await later(files[instructions][family])).base64));
  // Made for shared memory; memory of one thread differs in the flag of the import alone.
  if (!shared) bytes[sharedAt] &= ~SHARED;
  return allowed(WebAssembly.compile(bytes));
}

/** Where the files are, seen from this module and from the parts of the built library. A text, since bundlers copy the files of an address. */
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

/** Hosts may let no code be made: a page whose policy says so, or the edge. */
async function allowed(compiled: Promise<WebAssembly.Module>): Promise<WebAssembly.Module> {
  try {
    return await compiled;
  } catch (cause) {
    throw codeForbidden(cause, "give openEngine({ kernels }) the modules of ergodic/kernels/*.wasm");
  }
}

/** A module of code that was made here: a program of a model, or what calls a function of JavaScript. Here, since callers cannot wait, and it is small. */
export function compiledHere(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    throw codeForbidden(cause, "models can predict, but not be trained or sampled, for that makes code: do it elsewhere");
  }
}

/** The error to throw where making a WebAssembly module failed; `deployed`: what to do where no policy can allow it. */
function codeForbidden(cause: unknown, deployed: string): CapabilityError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new CapabilityError(
    "engine",
    `this host does not let WebAssembly be compiled (${reason}); a page's Content-Security-Policy must have 'wasm-unsafe-eval' in script-src; where ` +
      `code can only be deployed, ${deployed}`,
    "HOST_NO_CODE",
    { cause },
  );
}
