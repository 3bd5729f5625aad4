/** Log densities in AssemblyScript for tests of Gibbs sampling and tempering, each with a few numbers as data. */
import { readFile } from "node:fs/promises";
import asc from "assemblyscript/asc";
import type { LogDensity, TemperedBinding } from "../../../../src/engine/contract/index.ts";
import { Arena } from "../../../../src/engine/memory/arena.ts";
import type { Engine } from "../../../../src/engine/memory/engine.ts";
import type { Functional, Target } from "../exactness.ts";

const kernels = new URL("../../../../kernels/engine/numbers/", import.meta.url);
const flags =
  "--runtime stub --noAssert -O3 --enable simd,threads --sharedMemory --maximumMemory 65536 --importMemory --importTable --initialMemory 16";

/** Exported functions of a source by name, in every thread's table. */
export async function compiled(engine: Engine, source: string, names: string[]) {
  let bytes: Uint8Array | undefined;
  const { error, stderr } = await asc.main(["own.ts", "--outFile", "own.wasm", ...flags.split(" ")], {
    readFile: async (file) => (file === "own.ts" ? source : readFile(new URL(file, kernels), "utf8").catch(() => null)),
    writeFile: (file, contents) => {
      if (file.endsWith(".wasm")) bytes = contents as Uint8Array;
    },
    listFiles: () => [],
  });
  if (error) throw new Error(stderr.toString());
  return engine.link(bytes!, names);
}

/** A density whose model is `data`. */
export function densityOf(engine: Engine, slot: number, data: number[], rest: Omit<LogDensity, "bind">): LogDensity {
  return {
    ...rest,
    bind: ({ purpose }) => {
      const arena = new Arena(engine.memory, purpose);
      return { slot, model: arena.copy(Float64Array.from(data)), dispose: () => arena.dispose() };
    },
  };
}

/** A tempered density. Its model begins with β and the log likelihood, which the function writes. */
export function temperedOf(
  engine: Engine,
  slot: number,
  data: number[],
  rest: Omit<LogDensity, "bind" | "bindTempered">,
): LogDensity {
  const bindTempered = ({ purpose }: { purpose: string }): TemperedBinding => {
    const arena = new Arena(engine.memory, purpose);
    const model = arena.copy(Float64Array.from([1, 0, ...data]));
    return { slot, model, power: model, likelihood: model + 8, dispose: () => arena.dispose() };
  };
  return { ...rest, bind: bindTempered, bindTempered };
}

/** A target for `checkChains` that has only expectations. */
export function exactTarget(name: string, dimension: number, functionals: readonly Functional[]): Target {
  return { name, density: { dimension } as Target["density"], mean: [], covariance: [], functionals };
}

/** P(x_i = k). */
export function indicator(i: number, k: number, probability: number): Functional {
  const of = (x: Float64Array): number => (x[i] === k ? 1 : 0);
  return { name: `x${i} = ${k}`, of, expectation: probability, variance: probability * (1 - probability) };
}
