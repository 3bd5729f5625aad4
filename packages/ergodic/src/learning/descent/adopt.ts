import type { Progression, Snapshot } from "../../engine/contract/index.ts";
import { KeptPart } from "../../engine/loop/kept-part.ts";
import * as field from "../../engine/memory/fields.ts";
import { Descent } from "./gradient-descent.ts";

/**
 * What takes over the state of the optimiser from a snapshot of another run (moments, and how many updates they are of) while counting from 0; undefined for
 * algorithms that have none to take.
 */
export function adopterOf(progression: Progression): ((snapshot: Snapshot) => void) | undefined {
  if (progression instanceof Descent) return (snapshot) => adopt(progression, snapshot);
  return progression.adopt?.bind(progression);
}

/** Copies and lanes that the other run did not have take over what its first had. */
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
  // Lanes that raced counted together.
  const made = kept.count(kept.has("parameters.1") ? "step" : "updates");
  descent.goOnAfter((kept.state.before === undefined ? 0 : kept.count("before")) + made);
}
