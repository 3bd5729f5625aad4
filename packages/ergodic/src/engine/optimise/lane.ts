/**
 * A rule on one copy of the model, consisting of the rule's compiled program and the call table that
 * kernels/engine/optimise/descend.ts reads (memory/fields.ts).
 */

import { type CompiledProgram, linkProgram } from "../compiler/index.ts";
import type { ParameterType, RowGradient } from "../contract/index.ts";
import type { Arena } from "../memory/arena.ts";
import type { Engine } from "../memory/engine.ts";
import * as field from "../memory/fields.ts";
import { power } from "../numbers/power.ts";
import { stream } from "../random/stream.ts";
import type { RuleProgram } from "./rule-program.ts";

export const parameterBytes: Readonly<Record<ParameterType, number>> = { f32: 4, f64: 8, i16: 2 };

/**
 * One copy of all arrays that change: the parameters and the rule's vector states. Racing lanes share one copy, whereas
 * each replica has its own copy.
 */
export interface Copy {
  parameters: number;
  /** Addresses by name, in the order of the rule's states. */
  states: Map<string, number>;
  /** Address of the mean gradient of the control variates, or 0. */
  mean: number;
}

/**
 * Addresses of weights per coordinate, 0 if unused. `share` weights the penalty, `reach` the mean gradient, and `rates`
 * the step.
 */
export interface Weights {
  share: number;
  reach: number;
  rates: number;
}

export interface RuleBinding {
  program: CompiledProgram;
  /** Address of the rule's own block, which holds scalars and pointers. */
  block: number;
  /** Address of the table that kernels/engine/optimise/descend.ts reads. */
  table: number;
}

/** Initial state of a lane's generators for random rounding. All numbers are nonzero. */
export function roundingState(seed: number, lane: number): Uint32Array {
  const draws = stream(seed, "rounding", lane).at(0);
  return Uint32Array.from({ length: 4 }, () => draws.bits() | 1);
}

/** Compiles the rule's program and lays out its block and its call table for one lane. */
export function bindRule(
  arena: Arena,
  engine: Engine,
  rule: RuleProgram,
  copy: Copy,
  constants: Record<string, number>,
  weights: Weights,
  random: { seed: number; lane: number },
): RuleBinding {
  const { program, functions: slots } = linkProgram(engine, rule.spec, arena);
  const block = arena.take(program.blockBytes);
  for (const [name, value] of Object.entries({
    ...constants,
    ...Object.fromEntries(rule.inputs.map((i) => [i.name, i.value])),
  })) {
    if (program.scalars[name] !== undefined) arena.setF64(block, program.scalars[name], value);
  }
  for (const { name, initial } of rule.scalarStates) arena.setF64(block, program.scalars[name], initial);
  engine.memory.u32(block + program.random, 4).set(roundingState(random.seed, random.lane));
  const pointers = rule.spec.operands
    .filter(({ name }) => name !== "values")
    .map(({ name, type }) => ({
      at: program.pointers[name],
      first: addressOf(name, copy, weights),
      bytes: type === "i16" ? 2 : type === "f32" ? 4 : 8,
    }));
  const at = (offset: number | undefined): number => offset ?? field.ABSENT;
  const slot = (name: string | null): number => (name === null ? field.ABSENT : slots[name].slot);
  const { passes } = program;
  const bytes = field.RULE_PASSES + passes.length * field.RULE_PASS_BYTES + pointers.length * field.RULE_POINTER_BYTES;
  const table = arena.block(bytes, [
    [field.RULE_BLOCK, block],
    [field.RULE_AT_VALUES, program.pointers.values],
    [field.RULE_AT_INDICES, rule.spec.operands.some((o) => o.access === "indexed") ? program.indices : field.ABSENT],
    [field.RULE_AT_SCALE, program.scalars.scale],
    [field.RULE_AT_T, at(program.scalars.t)],
    [field.RULE_AT_LOSS, at(program.scalars.loss)],
    [field.RULE_AT_REFRESH, at(program.scalars.refresh)],
    [field.RULE_UPDATE, slot(program.update)],
    [field.RULE_END, slot(program.end)],
    [field.RULE_PASS_COUNT, passes.length],
    [field.RULE_POINTER_COUNT, pointers.length],
    [field.RULE_OFFSET, field.ABSENT],
  ]);
  let entry = table + field.RULE_PASSES;
  for (const { begin, run } of passes) {
    arena.set(entry, field.RULE_PASS_BEGIN, slot(begin));
    arena.set(entry, field.RULE_PASS_RUN, slot(run));
    entry += field.RULE_PASS_BYTES;
  }
  for (const { at, first, bytes } of pointers) {
    arena.set(entry, field.RULE_POINTER_AT, at);
    arena.set(entry, field.RULE_POINTER_FIRST, first);
    arena.set(entry, field.RULE_POINTER_ELEMENT_BYTES, bytes);
    entry += field.RULE_POINTER_BYTES;
  }
  return { program, block, table };
}

function addressOf(operand: string, copy: Copy, weights: Weights): number {
  if (operand === "parameter") return copy.parameters;
  if (operand === "share") return weights.share;
  if (operand === "reach") return weights.reach;
  if (operand === "rates") return weights.rates;
  if (operand === "base") return copy.mean;
  return copy.states.get(operand)!;
}

/**
 * Returns `weights`, each divided by the probability that an update touches its coordinate. Because of this division,
 * terms of every coordinate stay unbiased, even if they are only added to touched coordinates. Dense gradients touch
 * every coordinate, so the weights are unchanged.
 */
export function shareOf(target: RowGradient, weights: Float64Array | undefined, batch: number, indexed: boolean): Float64Array {
  return target.density.map((density, j) => {
    const touched = indexed ? 1 - power(1 - density, batch) : 1;
    return touched > 0 ? (weights?.[j] ?? 1) / touched : 0;
  });
}
