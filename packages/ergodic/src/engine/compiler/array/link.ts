/**
 * Links array programs: compiles them and stores them in every thread's table for as long as the holder needs them,
 * like ../link.ts.
 */
import type { Engine, LinkedFunction } from "../../memory/engine.ts";
import type { Holder } from "../../memory/modules.ts";
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

/** Compiles and links a program. `holder`: owner of the memory that contains the slot, mostly an arena. */
export function linkArrays(engine: Engine, program: ArrayProgram, holder: Holder, deterministic = false): LinkedArrays {
  const { bytes, lowered, plan, callsKernels } = compiledFor(engine, program);
  const { run } = engine.link(bytes, ["run"], callsKernels ? { holder, deterministic } : { holder });
  return { lowered, plan, run };
}

/** Returns the program compiled for this engine's memory, from a cache. */
export function compiledFor(engine: Engine, program: ArrayProgram): CompiledArrays {
  const cache = caches.get(engine) ?? new Recent(COUNT, BYTES);
  caches.set(engine, cache);
  const key = keyOf(program);
  const known = cache.get(key);
  const compiled = known?.compiled ?? compileArrays(program, { shared: engine.memory.shared });
  if (!known) cache.set(key, { program, compiled }, compiled.bytes.length);
  return compiled;
}

/** Nodes are hash-consed, so their ids identify their contents for as long as the cache retains them. */
function keyOf({ precision, inputs = {}, outputs }: ArrayProgram): string {
  return JSON.stringify([precision, inputs, outputs.map(({ value, buffer, offset }) => [value.id, buffer, offset])]);
}

/**
 * Contents that a memory block must have before a program can run on the block. The contents are plain data, so that a
 * message can transfer them.
 */
export interface BlockImage {
  readonly bytes: number;
  /** Byte offsets of the buffers' pointers. */
  readonly pointers: Readonly<Record<string, number>>;
  readonly initial: BlockPlan["initial"];
}

/** Returns the image of a block, including the initial values of scan bodies. */
export function imageOf({ bytes, pointers, initial, bodies }: BlockPlan): BlockImage {
  const inner = [...bodies.values()].flatMap(({ plan, at }) => imageOf(plan).initial.map((one) => ({ ...one, at: at + one.at })));
  return { bytes, pointers, initial: [...initial, ...inner] };
}

/** Writes the initial values of a block, including the initial values of scan bodies. */
export function initialiseBlock(engine: Engine, plan: BlockPlan, block: number): void {
  writeImage(engine, imageOf(plan), block);
}

export function writeImage({ memory }: Engine, { initial }: BlockImage, block: number): void {
  for (const { at, type, values } of initial) {
    const view =
      type === "u32"
        ? memory.u32(block + at, values.length)
        : type === "f64"
          ? memory.f64(block + at, values.length)
          : memory.f32(block + at, values.length);
    view.set(values);
  }
}
