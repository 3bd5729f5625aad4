import type { JointState } from "./joint-state.ts";

/** Equal worths may differ by rounding, and lead in circles. */
const MOST_ROUNDS = 1000;
/** Variables between two yields: a few milliseconds. */
const PAUSE_VARIABLES = 10_000;

/** One variable after another takes its best state given the others', until a round changes none. States of product 0 are never taken from one above it. */
export function* climb(joint: JointState): Generator<void> {
  const { weights: worths, cardinalities } = joint;
  let seen = 0;
  for (let moved = true, round = 0; moved && round < MOST_ROUNDS; round++) {
    moved = false;
    for (let variable = 0; variable < cardinalities.length; variable++) {
      joint.worths(variable, worths);
      let best = joint.states[variable];
      for (let s = 0; s < cardinalities[variable]; s++) if (worths[s] > worths[best]) best = s;
      if (best !== joint.states[variable]) {
        joint.move(variable, best);
        moved = true;
      }
      if (++seen % PAUSE_VARIABLES === 0) yield;
    }
  }
}
