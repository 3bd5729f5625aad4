/** Programs on arrays in place: compiled, and linked into every thread's table for as long as the holder needs them, as are those of ../link.ts. */
import type { Engine, LinkedFunction } from "../../host/engine.ts";
import type { Holder } from "../../host/modules.ts";
import { Recent } from "../recent.ts";
import { type CompiledArrays, compileArrays } from "./compile.ts";
import type { ArrayProgram, Lowered } from "./lowered.ts";
import type { BlockPlan } from "./memory.ts";

export interface LinkedArrays {
  readonly lowered: Lowered;
  readonly plan: BlockPlan;
  readonly run: LinkedFunction;
}

const COUNT = 128;
const BYTES = 4 * 2 ** 20;
const caches = new WeakMap<Engine, Recent<{ program: ArrayProgram; compiled: CompiledArrays }>>();

/** `holder`: what owns the memory in which the slot will stand, mostly an arena. */
export function linkArrays(engine: Engine, program: ArrayProgram, holder: Holder, deterministic = false): LinkedArrays {
  const cache = caches.get(engine) ?? new Recent(COUNT, BYTES);
  caches.set(engine, cache);
  const key = keyOf(program);
  const known = cache.get(key);
  const compiled = known?.compiled ?? compileArrays(program, { shared: engine.memory.shared });
  if (!known) cache.set(key, { program, compiled }, compiled.bytes.length);
  const { bytes, lowered, plan, callsKernels } = compiled;
  const { run } = engine.link(bytes, ["run"], callsKernels ? { holder, deterministic } : { holder });
  return { lowered, plan, run };
}

/** Nodes are hash-consed: their ids say all that is in them, as long as the cache keeps them. */
function keyOf({ precision, inputs = {}, outputs }: ArrayProgram): string {
  return JSON.stringify([precision, inputs, outputs.map(({ value, buffer, offset }) => [value.id, buffer, offset])]);
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
