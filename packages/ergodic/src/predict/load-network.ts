import type { SavedModel } from "../engine/contract/index.ts";
import { openEngine } from "../engine/memory/engine.ts";
import { familiesOfPlan, isDeterministic, type LoadedOptions, NetworkPredictor } from "./network.ts";

/** Opens a network from a file, with the kernels that its plan calls. */
export async function networkPredictor(saved: SavedModel, where: string, options: LoadedOptions): Promise<NetworkPredictor> {
  const { deterministic = isDeterministic(saved) } = options;
  const engine = await openEngine({ deterministic, families: familiesOfPlan(saved), alone: true });
  return new NetworkPredictor(saved, engine, where, options);
}
