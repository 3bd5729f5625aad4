import { encodeRun } from "./emit/run.ts";
import { encodeBegin, encodeEnd, isStaged } from "./emit/scalars.ts";
import { encodeFunction } from "./functions/known.ts";
import { checkSpec, layOut } from "./layout.ts";
import { checkSize, type EncodedFunction, encodeModule, unsigned } from "./machine/encoder.ts";
import type { FunctionTable } from "./machine/instructions.ts";
import { type Plan, plan } from "./plan.ts";
import type { CompiledProgram, CompileOptions, ProgramSpec } from "./program.ts";

/**
 * Compiles a program to a WebAssembly module whose only import is `env.memory`. The module's exported functions take
 * the address of a block (layout.ts):
 *
 *   begin_p(block)        computes the scalars that pass p needs, clears its accumulators
 *   run_p(count, block)   streams over one piece of the operands; can be called for several pieces
 *   end(block)            writes the results
 *   update(count, block)  does all of it, for one piece
 *
 * Programs without reductions have no begin_0. Without reductions, results and count(), `update` is the same function
 * as run_0.
 *
 * @throws CompileError if the program is inconsistent
 */
export function compile(spec: ProgramSpec, { shared }: CompileOptions = { shared: false }): CompiledProgram {
  checkSpec(spec);
  const program = plan(spec);
  const layout = layOut(spec, program);
  const staged = isStaged(program);
  const passes = program.passes.map((_, p) => ({ begin: staged ? `begin_${p}` : null, run: `run_${p}` }));
  const end = program.results.length > 0 ? "end" : null;
  const names = [...passes.flatMap(({ begin, run }) => (begin ? [begin, run] : [run])), ...(end ? [end] : [])];
  const isDirect = names.length === 1 && passes.length === 1 && !program.usesCount;
  const ownCount = names.length + (isDirect ? 0 : 1);

  const called: { name: string; digits: 53 | 24 }[] = [];
  const functions: FunctionTable = (name, digits) => {
    const at = called.findIndex((c) => c.name === name && c.digits === digits);
    return ownCount + (at >= 0 ? at : called.push({ name, digits }) - 1);
  };
  const own: EncodedFunction[] = passes.flatMap(({ begin, run }, p) => [
    ...(begin ? [encodeBegin(begin, p, program, layout, functions)] : []),
    encodeRun(run, p, spec, program, layout, functions),
  ]);
  if (end) own.push(encodeEnd(end, program, layout, functions));
  if (isDirect) own[0] = { ...own[0], exportAs: [names[0], "update"] };
  else own.push(encodeUpdate(program, names, layout.count));
  checkSize(`program ${spec.name}`, own);
  const bytes = encodeModule([...own, ...called.map(({ name, digits }) => encodeFunction(name, digits, spec.short))], { shared });
  const { pointers, indices, random, count, scalars } = layout;
  return {
    bytes,
    exports: [...names, "update"],
    blockBytes: layout.bytes,
    pointers,
    indices,
    random,
    count,
    scalars,
    passes,
    end,
    update: "update",
  };
}

/** Encodes update, which calls all other functions in order. The called functions precede `update` in the module. */
function encodeUpdate(program: Plan, names: readonly string[], countSlot: number): EncodedFunction {
  const writeCount = program.usesCount ? [0x20, 1, 0x20, 0, 0xb8, 0x39, 0, ...unsigned(countSlot)] : [];
  const calls = names.flatMap((name, i) => [...(name.startsWith("run") ? [0x20, 0] : []), 0x20, 1, 0x10, ...unsigned(i)]);
  return { parameters: ["i32", "i32"], results: [], locals: [], code: [...writeCount, ...calls], exportAs: ["update"] };
}
