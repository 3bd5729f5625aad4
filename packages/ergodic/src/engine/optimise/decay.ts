/**
 * Represents an L2 penalty as one scale for all parameters. Plain descent p ← p − η (g + λ p) shrinks all parameters by
 * the same factor, so with p = s v only the entries of v with nonzero g need an update
 * (kernels/engine/optimise/decay.ts). On sparse gradients the result equals the dense update. Other rules distribute
 * the penalty over the touched coordinates. Plain descent of 16-bit parameters on 8-bit or 16-bit rows has its own
 * kernel, which uses this representation with or without L2.
 */

import { linkProgram, mul, type ProgramSpec, scalar, vector } from "../compiler/index.ts";
import type { LaneBinding } from "../contract/index.ts";
import type { Arena } from "../memory/arena.ts";
import type { Engine } from "../memory/engine.ts";
import * as field from "../memory/fields.ts";
import { PARAMETER_SCALE } from "../numbers/fixed-point.ts";
import type { Parts } from "./fits.ts";
import type { EquationRule } from "./kinds.ts";
import { parameterBytes, type RuleBinding, roundingState } from "./lane.ts";
import { rateOf } from "./rule.ts";
import { sgd } from "./rules/sgd.ts";

/**
 * Returns the number of bytes per data element if updates use single dense integer rows and 16-bit parameters
 * (kernels/engine/optimise/fixed.ts). Otherwise returns 0.
 */
export function fixedBytes({ target, plan }: Parts, batch: number, buffered: boolean): number {
  if (plan.precision.model !== "i16" || target.sparse || batch > 1 || buffered) return 0;
  return { i8: 1, i16: 2, f32: 0, f64: 0 }[plan.precision.data];
}

/**
 * Returns plain descent with a rate that the kernel sets. Returns undefined if the rule is not plain descent, or if no
 * common scale can represent the run's parameters.
 */
export function decayingRule({ rule, target, variance, plan }: Parts, indexed: boolean, fixed: number): EquationRule | undefined {
  const { penalty } = target;
  const { l1, l2 } = penalty;
  const scalable = fixed > 0 || (indexed && l2 > 0 && plan.precision.model !== "i16");
  if (!scalable || rule.kind !== "equation" || variance || l1 > 0) return undefined;
  if (penalty.weights.some((w) => w !== 0 && w !== 1)) return undefined;
  const rate = rateOf(rule);
  const g = vector("g");
  const { step, states, scalars, inputs } = rule.trace(g, vector("parameter"));
  if (!rate || states.length > 0 || scalars.length > 0 || step !== mul(rate, g)) return undefined;
  return sgd({ rate: inputs.find(({ name }) => name === "rate")?.value ?? 1 });
}

/** Returns the address of a block for kernels/engine/optimise/decay.ts. `parameters`: address of the lane's copy. */
export function decayBlock(
  arena: Arena,
  engine: Engine,
  parts: Parts,
  parameters: number,
  binding: LaneBinding,
  bound: RuleBinding,
  lane: number,
): number {
  const { penalty } = parts.target;
  const { model } = parts.plan.precision;
  const { density } = parts.target;
  const exempt: number[] = [];
  for (let j = 0; j < density.length; j++) if (penalty.weights[j] === 0 && density[j] > 0) exempt.push(j);
  const list = arena.take(Math.max(1, exempt.length) * 4);
  engine.memory.u32(list, exempt.length).set(exempt);
  const rate = rateOf(parts.rule as EquationRule)!;
  const scheduled = rate !== scalar("rate");
  const spec: ProgramSpec = {
    name: "rate",
    precision: "f64",
    operands: [],
    scalars: ["t"],
    stores: [],
    results: [{ scalar: "currentRate", value: scheduled ? rate : scalar("t") }],
  };
  const { program, functions } = linkProgram(engine, spec, arena);
  const block = arena.block(field.DECAY_BYTES, [
    [field.DECAY_RATE_END, scheduled ? functions[program.end!].slot : field.ABSENT],
    [field.DECAY_RATE_BLOCK, arena.take(program.blockBytes)],
    [field.DECAY_RATE_AT_T, program.scalars.t],
    [field.DECAY_RATE_AT_RATE, program.scalars.currentRate],
    [field.DECAY_RULE_RATE, bound.block + bound.program.scalars.rate],
    [field.DECAY_MODEL_SCALE, binding.scaleAt],
    [field.DECAY_PARAMETERS, parameters],
    [field.DECAY_COUNT, parts.problem.parameterCount],
    [field.DECAY_ELEMENT_BYTES, parameterBytes[model]],
    [field.DECAY_EXEMPT, list],
    [field.DECAY_EXEMPT_COUNT, exempt.length],
    [field.DECAY_POWER, parts.plan.replicas === "shared" ? parts.plan.workers : 1],
  ]);
  arena.setF64(block, field.DECAY_L2_F64, penalty.l2);
  arena.setF64(block, field.DECAY_SCALE_F64, 1);
  arena.setF64(block, field.DECAY_UNIT_F64, model === "i16" ? PARAMETER_SCALE : 1);
  engine.memory.u32(block + field.DECAY_RANDOM, 4).set(roundingState(parts.plan.seed, lane));
  return block;
}
