import { later } from "../../engine/threads/later.ts";
import { MAX_MEMORY, MAX_WORK } from "../limits.ts";
import { loadModel } from "../load.ts";
import type { BoltzmannMachine } from "./boltzmann.ts";

/**
 * Loads a Boltzmann machine that `save` wrote, from a path, a URL, a Blob or bytes. No code from the file is run.
 *
 * @param from the saved machine
 * @throws DataError for files of another kind or version, and for damaged files
 *
 * @example
 * ```ts
 * await machine.save("digits.safetensors");
 * const loaded = await loadBoltzmannMachine("digits.safetensors");
 * ```
 */
export const loadBoltzmannMachine = (from: string | URL | Uint8Array | Blob): Promise<BoltzmannMachine> =>
  loadModel(
    from,
    { maxWork: MAX_WORK, maxMemory: MAX_MEMORY },
    {
      boltzmannMachine: async (saved, where) => new (await later(() => import("./boltzmann.ts"))).BoltzmannMachine(saved, where),
    },
  );
