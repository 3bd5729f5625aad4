import type { BindOptions, DensityBinding } from "../../engine/contract/index.ts";
import { Arena } from "../../engine/memory/arena.ts";
import type { Engine } from "../../engine/memory/engine.ts";

/**
 * Binds a compiled density. `make` places the density in a separate arena. The kernel that evaluates compiled densities
 * calls the result. The binding reads the density's memory and therefore keeps the density alive.
 */
export function boundDensity<T extends { model: number }>(
  density: { readonly deterministic: boolean },
  engine: Engine,
  { lane, purpose }: BindOptions,
  make: (arena: Arena) => T,
): T & DensityBinding {
  const arena = new Arena(engine.memory, `${purpose} ${lane}`);
  try {
    const slot = engine.kernelSlot("logDensityGradient", density.deterministic);
    const held = { density, arena };
    return { ...make(arena), slot, dispose: () => held.arena.dispose() };
  } catch (error) {
    arena.dispose();
    throw error;
  }
}
