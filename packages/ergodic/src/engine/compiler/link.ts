/**
 * Links programs: compiles them and stores them in every thread's table for as long as the holder needs them
 * (memory/modules.ts).
 * Recently compiled programs are cached, because runs request the same few repeatedly. The expressions of these
 * programs are cached too, so that equal expressions built later are the same objects (expression.ts).
 */
import type { Engine, LinkedFunction } from "../memory/engine.ts";
import { forGood, type Holder } from "../memory/modules.ts";
import { compile } from "./compile.ts";
import type { CompiledProgram, ProgramSpec } from "./program.ts";
import { Recent } from "./recent.ts";

export { forGood, type Holder };

/** A compiled program in the engine's table. */
export interface LinkedProgram {
  /** The compiled program. */
  readonly program: CompiledProgram;
  /** Functions of the program in the table. */
  readonly functions: Record<string, LinkedFunction>;
}

const COUNT = 256;
const BYTES = 2 ** 20;
const caches = new WeakMap<Engine, Recent<{ spec: ProgramSpec; program: CompiledProgram }>>();

/**
 * Compiles and links a program. `holder`: owner of the memory that contains the slots, mostly an arena; `forGood` if
 * there is none.
 */
export function linkProgram(engine: Engine, spec: ProgramSpec, holder: Holder): LinkedProgram {
  const cache = caches.get(engine) ?? new Recent(COUNT, BYTES);
  caches.set(engine, cache);
  const key = keyOf(spec);
  const known = cache.get(key);
  const program = known?.program ?? compile(spec, { shared: engine.memory.shared });
  if (!known) cache.set(key, { spec, program }, program.bytes.length);
  return { program, functions: engine.link(program.bytes, program.exports, { holder }) };
}

function keyOf({ precision, short, operands, scalars, stores, results }: ProgramSpec): string {
  const values = [...stores.map((s) => [s.operand, s.value.id]), ...results.map((r) => [r.scalar, r.value.id])];
  return JSON.stringify([precision, short, operands, scalars, stores.length, values]);
}
