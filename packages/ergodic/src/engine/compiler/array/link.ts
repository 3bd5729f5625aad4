/** Programs on arrays in place: compiled, and linked into every thread's table for as long as the holder needs them, as are those of ../link.ts. */
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

/** `holder`: what owns the memory in which the slot will stand, mostly an arena. */
export function linkArrays(engine: Engine, program: ArrayProgram, holder: Holder, deterministic = false): LinkedArrays {
  const { bytes, lowered, plan, callsKernels } = compiledFor(engine, program);
  const { run } = engine.link(bytes, ["run"], callsKernels ? { holder, deterministic } : { holder });
  return { lowered, plan, run };
}

/** The program's code for this engine's memory, made once. */
export function compiledFor(engine: Engine, program: ArrayProgram): CompiledArrays {
  const cache = caches.get(engine) ?? new Recent(COUNT, BYTES);
  caches.set(engine, cache);
  const key = keyOf(program);
  const known = cache.get(key);
  const compiled = known?.compiled ?? compileArrays(program, { shared: engine.memory.shared });
  if (!known) cache.set(key, { program, compiled }, compiled.bytes.length);
  return compiled;
}

/** Nodes are hash-consed: their ids say all that is in them, as long as the cache keeps them. */
function keyOf({ precision, inputs = {}, outputs }: ArrayProgram): string {
  return JSON.stringify([precision, inputs, outputs.map(({ value, buffer, offset }) => [value.id, buffer, offset])]);
}

/** What a block of memory must hold for a program to run on it: plain data, which a message can carry. */
export interface BlockImage {
  readonly bytes: number;
  /** Offsets of the pointers of buffers. */
  readonly pointers: Readonly<Record<string, number>>;
  readonly initial: BlockPlan["initial"];
}

/** With the numbers of bodies of scans. */
export function imageOf({ bytes, pointers, initial, bodies }: BlockPlan): BlockImage {
  const inner = [...bodies.values()].flatMap(({ plan, at }) => imageOf(plan).initial.map((one) => ({ ...one, at: at + one.at })));
  return { bytes, pointers, initial: [...initial, ...inner] };
}

/** Writes the numbers that stand in a block from the start, those of bodies of scans too. */
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
