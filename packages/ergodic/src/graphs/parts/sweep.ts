import { exp } from "../../engine/numbers/exp.ts";
import type { Draws } from "../../engine/random/stream.ts";
import type { JointState } from "./joint-state.ts";

/**
 * Draws one variable after another from p(x_i | others)^power. A state with product 0 is never drawn if another state
 * is possible.
 */
export function sweep(joint: JointState, power: number, draws: Draws): void {
  const { weights, cardinalities } = joint;
  for (let variable = 0; variable < cardinalities.length; variable++) {
    const count = cardinalities[variable];
    joint.worths(variable, weights);
    let high = -Infinity;
    for (let s = 0; s < count; s++) if (weights[s] > high) high = weights[s];
    let total = 0;
    for (let s = 0; s < count; s++) total += weights[s] = weights[s] === high ? 1 : exp((weights[s] - high) * power);
    let left = draws.uniform() * total;
    let chosen = 0;
    while (chosen < count - 1 && left >= weights[chosen]) left -= weights[chosen++];
    // Rounding errors can lead past the last state with positive weight.
    while (weights[chosen] === 0) chosen--;
    joint.move(variable, chosen);
  }
}
