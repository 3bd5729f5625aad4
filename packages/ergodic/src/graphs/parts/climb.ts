import type { JointState } from "./joint-state.ts";

/**
 * Limit on the number of rounds. Without this limit, rounding errors between equally good states could lead to endless
 * cycles.
 */
const MOST_ROUNDS = 1000;
/** Number of variables visited between two yields: a few milliseconds of work. */
const PAUSE_VARIABLES = 10_000;

/**
 * Moves one variable after another to its best state given the other variables. Ends after a round without changes.
 * Never moves from a state with a positive product to a state with product 0.
 */
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
