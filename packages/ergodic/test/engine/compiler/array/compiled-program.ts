/** Compiles a program, runs it in the engine's memory and returns its outputs, for comparison with the interpreter. */
import { initialiseBlock, linkArrays } from "../../../../src/engine/compiler/array/link.ts";
import { KEY_HIGH, KEY_LOW, UPDATE } from "../../../../src/engine/compiler/array/memory.ts";
import type { SymbolicArray } from "../../../../src/engine/compiler/array/symbolic.ts";
import { Arena } from "../../../../src/engine/memory/arena.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";

export async function runProgram(
  outputs: readonly SymbolicArray[],
  inputs: Readonly<Record<string, ArrayLike<number>>>,
  precision: "f32" | "f64",
  { key = [0, 0], update = 0 }: { key?: readonly [number, number]; update?: number } = {},
): Promise<Float64Array[]> {
  const engine = await openEngine();
  using arena = new Arena(engine.memory, "test");
  const program = {
    name: "test",
    precision,
    outputs: outputs.map((value, i) => ({ value, buffer: `output ${i}`, offset: 0 })),
  };
  const { plan, run } = linkArrays(engine, program, arena);
  const block = arena.take(plan.bytes);
  const bytes = precision === "f64" ? 8 : 4;
  const at = new Map<string, number>();
  for (const [name, values] of Object.entries(inputs)) at.set(name, arena.take(Math.max(1, values.length) * bytes));
  for (const [i, value] of outputs.entries()) at.set(`output ${i}`, arena.take(value.size * bytes));
  // Fills memory with stale numbers, which must not affect the result.
  engine.memory.u8(block, plan.bytes).fill(0xff);
  initialiseBlock(engine, plan, block);
  arena.set(block, KEY_LOW, key[0]);
  arena.set(block, KEY_HIGH, key[1]);
  arena.setF64(block, UPDATE, update);
  for (const [name, pointer] of Object.entries(plan.pointers)) arena.set(block, pointer, at.get(name)!);
  for (const [name, values] of Object.entries(inputs)) engine.memory[precision](at.get(name)!, values.length).set(values);
  for (const [i, value] of outputs.entries()) engine.memory[precision](at.get(`output ${i}`)!, value.size).fill(Number.NaN);
  run.call(block);
  return outputs.map((value, i) => Float64Array.from(engine.memory[precision](at.get(`output ${i}`)!, value.size)));
}
