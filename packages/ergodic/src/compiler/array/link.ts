/** Programs on arrays in place: compiled once for an engine, linked into every thread's table, and kept, as are those of ../link.ts. */
import type { Engine, LinkedFunction } from "../../host/engine.ts";
import { compileArrays } from "./compile.ts";
import type { ArrayProgram, Lowered } from "./lowered.ts";
import type { BlockPlan } from "./memory.ts";

export interface LinkedArrays {
  readonly lowered: Lowered;
  readonly plan: BlockPlan;
  readonly run: LinkedFunction;
}

const LIMIT = 128;
const caches = new WeakMap<Engine, Map<string, { program: ArrayProgram; linked: LinkedArrays }>>();

export function linkArrays(engine: Engine, program: ArrayProgram, deterministic = false): LinkedArrays {
  const cache = caches.get(engine) ?? new Map<string, { program: ArrayProgram; linked: LinkedArrays }>();
  caches.set(engine, cache);
  const key = keyOf(program, deterministic);
  const known = cache.get(key);
  if (known) return known.linked;
  const { bytes, lowered, plan } = compileArrays(program, {
    shared: engine.memory.shared,
    slot: (kernel) => engine.kernelSlot(kernel, deterministic),
  });
  const linked = { lowered, plan, run: engine.link(bytes, ["run"]).run };
  const oldest = cache.keys().next();
  if (cache.size >= LIMIT && !oldest.done) cache.delete(oldest.value);
  cache.set(key, { program, linked });
  return linked;
}

/** Nodes are hash-consed: their ids say all that is in them, as long as the cache keeps them. */
function keyOf({ precision, inputs = {}, outputs }: ArrayProgram, deterministic: boolean): string {
  return JSON.stringify([
    precision,
    deterministic,
    inputs,
    outputs.map(({ value, buffer, offset }) => [value.id, buffer, offset]),
  ]);
}

/** Writes the numbers that stand in a block from the start, those of bodies of scans too. */
export function initialiseBlock(engine: Engine, plan: BlockPlan, block: number): void {
  const { memory } = engine;
  for (const { at, type, values } of plan.initial) {
    const view =
      type === "u32"
        ? memory.u32(block + at, values.length)
        : type === "f64"
          ? memory.f64(block + at, values.length)
          : memory.f32(block + at, values.length);
    view.set(values);
  }
  for (const { plan: own, at } of plan.bodies.values()) initialiseBlock(engine, own, block + at);
}
