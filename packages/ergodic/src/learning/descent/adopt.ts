import type { Progression, Snapshot } from "../../engine/contract/index.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import * as field from "../../engine/memory/fields.ts";
import { Descent } from "./descent.ts";

/**
 * Returns a function that copies the optimiser state (moments and update count) from another run's snapshot into this
 * run. The run's own counters still start from 0. Returns undefined for algorithms without an optimiser state.
 */
export function adopterOf(progression: Progression): ((snapshot: Snapshot) => void) | undefined {
  if (progression instanceof Descent) return (snapshot) => adopt(progression, snapshot);
  return progression.adopt?.bind(progression);
}

/**
 * Copies the optimiser state from the other run. If the other run has no counterpart of a copy or lane, the state of
 * its first copy or lane is used.
 */
export function adopt(descent: Descent, snapshot: Snapshot): void {
  const { memory } = descent.engine;
  const kept = new KeptPart("the descent", snapshot);
  const { copies, list, program } = descent.lanes;
  copies.forEach((copy, c) => {
    for (const [name, view] of descent.lanes.arrays(copy)) {
      if (!name.startsWith("state.")) continue;
      kept.into(view, kept.has(`${name}.${c}`) ? `${name}.${c}` : `${name}.0`);
    }
  });
  for (const [l, { rule, pointer }] of list.entries()) {
    const of = (name: string): number => kept.floats(kept.has(`${name}.${l}`) ? `${name}.${l}` : `${name}.0`, 1)[0];
    const search = memory.u32(pointer + field.LANE_SEARCH, 1)[0];
    if (search) memory.f64(search + field.SEARCH_RATE_F64, 1)[0] = of("search");
    for (const { name } of program?.scalarStates ?? [])
      memory.f64(rule!.block + rule!.program.scalars[name], 1)[0] = of(`scalar.${name}`);
  }
  // Racing lanes share one update counter.
  const made = kept.count(kept.has("parameters.1") ? "step" : "updates");
  descent.continueAfter((kept.state.before === undefined ? 0 : kept.count("before")) + made);
}
