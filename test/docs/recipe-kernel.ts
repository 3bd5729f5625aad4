/** A kernel from a document, compiled with the flags of a real build and bound to the engine's own memory. */
import type { Engine } from "ergodic/extend";

const script = new URL("../../packages/ergodic/scripts/build-kernels.mjs", import.meta.url);
/** Address above the static data of both instruction sets. */
const MEMORY_BASE = 524_288;

export async function compileKernel(source: string, engine: Engine): Promise<WebAssembly.Exports> {
  const { default: asc } = await import("assemblyscript/asc");
  const { builds } = (await import(script.href)) as { builds: { name: string; flags: string[] }[] };
  const { flags } = builds.find(({ name }) => name === "simd")!;
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const options = [
    "--outFile",
    "kernel.wasm",
    "--runtime",
    "stub",
    "--noAssert",
    "-O3",
    "--importMemory",
    "--initialMemory",
    "16",
  ];
  const { stderr } = await asc.main(["kernel.ts", ...options, "--memoryBase", String(MEMORY_BASE), ...flags], {
    readFile: (name) => (name === "kernel.ts" ? source : null),
    writeFile: (name, contents) => {
      if (name.endsWith(".wasm")) binary = contents as Uint8Array<ArrayBuffer>;
    },
    listFiles: () => [],
  });
  if (!binary) throw new Error(`the kernel does not compile\n${stderr.toString()}`);
  const { memory } = engine.memory;
  return (await WebAssembly.instantiate(await WebAssembly.compile(binary), { env: { memory } })).exports;
}
