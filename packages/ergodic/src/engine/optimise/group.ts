/**
 * Proximal step of the group penalty, as a block for kernels/engine/optimise/group.ts:
 *   p_g ← p_g · max(0, 1 − rate · strength · √|g| / ‖p_g‖), over all outputs.
 *
 * Every call reads the parameters and the rate from their addresses.
 */
import type { Penalty } from "../contract/index.ts";
import type { Arena } from "../memory/arena.ts";
import * as field from "../memory/fields.ts";

/** Addresses. `parameters` points to f32 or f64 values, according to `type`; `rate` points to an f64. */
export interface GroupOperands {
  parameters: number;
  type: "f32" | "f64";
  rate: number;
}

/** Returns the address of the block, which belongs to the arena. */
export function groupBlock(arena: Arena, penalty: Penalty, { parameters, type, rate }: GroupOperands): number {
  const { groups, group, outputs, stride } = penalty;
  const start = arena.take((groups.length + 1) * 4);
  const columns = arena.take(groups.flat().length * 4);
  const weights = arena.take(groups.length * 8);
  let at = 0;
  groups.forEach((members, g) => {
    arena.memory.u32(columns + 4 * at, members.length).set(members);
    at += members.length;
    arena.set(start, 4 * (g + 1), at);
    arena.setF64(weights, 8 * g, Math.sqrt(members.length));
  });
  const block = arena.block(field.GROUP_BYTES, [
    [field.GROUP_PARAMETERS, parameters],
    [field.GROUP_ELEMENT_BYTES, type === "f64" ? 8 : 4],
    [field.GROUP_COUNT, groups.length],
    [field.GROUP_START, start],
    [field.GROUP_COLUMNS, columns],
    [field.GROUP_WEIGHTS, weights],
    [field.GROUP_OUTPUTS, outputs],
    [field.GROUP_STRIDE, stride],
    [field.GROUP_RATE, rate],
  ]);
  arena.setF64(block, field.GROUP_LAMBDA_F64, group);
  return block;
}
