/**
 * Programs in place: compiled once, linked into every thread's table, and kept, since runs ask for the same few again and again.
 * The cache keeps the expressions too, so that equal ones built later are the same objects (expression.ts).
 */
import type { Engine, LinkedFunction } from "../host/engine.ts";
import { compile } from "./compile.ts";
import type { CompiledProgram, ProgramSpec } from "./program.ts";

export interface LinkedProgram {
  readonly program: CompiledProgram;
  readonly functions: Record<string, LinkedFunction>;
}

const LIMIT = 512;
const caches = new WeakMap<Engine, Map<string, { spec: ProgramSpec; linked: LinkedProgram }>>();

export function linkProgram(engine: Engine, spec: ProgramSpec): LinkedProgram {
  const cache = caches.get(engine) ?? new Map<string, { spec: ProgramSpec; linked: LinkedProgram }>();
  caches.set(engine, cache);
  const key = keyOf(spec);
  const known = cache.get(key);
  if (known) return known.linked;
  const program = compile(spec, { shared: engine.memory.shared });
  const linked = { program, functions: engine.link(program.bytes, program.exports) };
  const oldest = cache.keys().next();
  if (cache.size >= LIMIT && !oldest.done) cache.delete(oldest.value);
  cache.set(key, { spec, linked });
  return linked;
}

function keyOf({ precision, short, operands, scalars, stores, results }: ProgramSpec): string {
  const values = [...stores.map((s) => [s.operand, s.value.id]), ...results.map((r) => [r.scalar, r.value.id])];
  return JSON.stringify([precision, short, operands, scalars, stores.length, values]);
}
