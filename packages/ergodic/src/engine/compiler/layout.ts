import { CompileError } from "../errors/errors.ts";
import { type Expr, nodesOf } from "./expression.ts";
import type { Plan } from "./plan.ts";
import type { ProgramSpec } from "./program.ts";
import { forEachBelow } from "./walk.ts";

/**
 * The block: a program's pointers and scalars in engine memory, passed to each of its functions. Byte offsets, from a
 * start aligned to 16 bytes:
 *
 *   i32 pointer for each operand, in order · i32 pointer to the indices
 *   i32 position (number of elements done by earlier pieces of the pass)
 *   padding to 16 · 16 bytes of random state
 *   f64 count · f64 for each input and result · f64 for each accumulator · f64 for each scalar computed before a pass
 *
 * The caller writes pointers, inputs, the random state if stores round at random, and count if count() is used over
 * several pieces. The program writes the rest.
 */
export interface Layout {
  readonly pointers: Record<string, number>;
  readonly indices: number;
  readonly position: number;
  readonly random: number;
  readonly count: number;
  readonly scalars: Record<string, number>;
  /** Slots of reductions, and of scalars that are computed before a pass. */
  readonly slots: ReadonlyMap<Expr, number>;
  /** Scalars to compute before each pass, excluding scalars that an earlier pass has already computed. */
  readonly before: readonly (readonly Expr[])[];
  readonly bytes: number;
}

export function layOut(spec: ProgramSpec, program: Plan): Layout {
  let end = 0;
  const next = (bytes: number): number => (end += bytes) - bytes;
  const pointers = Object.fromEntries(spec.operands.map(({ name }) => [name, next(4)]));
  const [indices, position] = [next(4), next(4)];
  end = Math.ceil(end / 16) * 16;
  const [random, count] = [next(16), next(8)];
  const names = new Set([...spec.scalars, ...spec.results.map((r) => r.scalar)]);
  const scalars = Object.fromEntries([...names].map((name) => [name, next(8)]));
  const slots = new Map<Expr, number>(program.passes.flat().map((r) => [r, next(8)]));
  const before = program.passes.map((reductions, pass) => {
    const stores = pass === program.passes.length - 1 ? program.stores.map((s) => s.value) : [];
    const fresh = scalarsOf([...reductions.map((r) => r.args[0]), ...stores]).filter((s) => !slots.has(s));
    for (const s of fresh) slots.set(s, next(8));
    return fresh;
  });
  return { pointers, indices, position, random, count, scalars, slots, before, bytes: Math.ceil(end / 16) * 16 };
}

/**
 * Returns the scalars below the roots that have to be computed and are combined with vectors. Scalars that are only
 * parts of other scalars are not listed.
 */
function scalarsOf(roots: readonly Expr[]): Expr[] {
  const found: Expr[] = [];
  forEachBelow(roots, (node) => {
    if (node.rank === 0 && node.args.length > 0) found.push(node);
    return node.rank === 1;
  });
  return found;
}

/**
 * Checks a program.
 * @throws CompileError if names, ranks or types are inconsistent
 */
export function checkSpec(spec: ProgramSpec): void {
  const refuse = (message: string): never => {
    throw new CompileError(`program ${spec.name}`, message, "COMPILE_PROGRAM");
  };
  const operands = new Map(spec.operands.map((o) => [o.name, o]));
  const scalars = new Set(spec.scalars);
  if (operands.size < spec.operands.length) refuse("two operands have one name; give each its own");
  if (scalars.size < spec.scalars.length) refuse("two scalars have one name; give each its own");
  for (const { name, type, rounding } of spec.operands) {
    if (rounding && type !== "i8" && type !== "i16") refuse(`operand "${name}" is ${type}, but only i8 and i16 round at random`);
  }
  for (const { op, name } of nodesOf([...spec.stores, ...spec.results].map((s) => s.value))) {
    if (op === "vector" && !operands.has(name)) refuse(`vector "${name}" is used but is not among the operands; add it`);
    if (op === "scalar" && !scalars.has(name)) refuse(`scalar "${name}" is used but is not among the scalars; add it`);
  }
  const stored = spec.stores.map((s) => s.operand);
  for (const name of stored) if (!operands.has(name)) refuse(`"${name}" is stored but is not among the operands; add it`);
  if (new Set(stored).size < stored.length) refuse("an operand is stored twice; store it once");
  for (const { scalar, value } of spec.results) {
    if (value.rank === 1) refuse(`result "${scalar}" is a vector; reduce it with sum() or maximum(), or store it`);
  }
  if (new Set(spec.results.map((r) => r.scalar)).size < spec.results.length)
    refuse("two results have one name; give each its own");
}
