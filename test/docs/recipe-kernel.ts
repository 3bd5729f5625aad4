/** A kernel that stands in a document, compiled with the flags of a real build and bound to the engine's own memory. */
import { fileURLToPath } from "node:url";
import type { Engine } from "ergodic";
import { builds } from "../../packages/ergodic/scripts/build-kernels.mjs";

/** Above the static data of both instruction sets. */
const MEMORY_BASE = 524_288;

export async function compileKernel(source: string, engine: Engine): Promise<WebAssembly.Exports> {
  const { default: asc } = await import("assemblyscript/asc");
  const wanted = engine.memory.shared ? "simd-shared" : "simd-own";
  const { flags } = builds.find(({ name }) => name === wanted)!;
  let binary = new Uint8Array();
  const options = ["--outFile", "kernel.wasm", "--runtime", "stub", "--noAssert", "-O3", "--importMemory", "--initialMemory", "16"];
  const { error, stderr } = await asc.main(["kernel.ts", ...options, "--memoryBase", String(MEMORY_BASE), ...flags], {
    readFile: (name) => (name === "kernel.ts" ? source : null),
    writeFile: (_, contents) => void (binary = contents as Uint8Array<ArrayBuffer>),
    listFiles: () => [],
  });
  if (error) throw new Error(`${fileURLToPath(import.meta.url)}: the kernel does not compile\n${stderr.toString()}`);
  const { memory } = engine.memory;
  return (await WebAssembly.instantiate(await WebAssembly.compile(binary), { env: { memory } })).exports;
}
