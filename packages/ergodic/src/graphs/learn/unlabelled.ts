import type { Conditionals } from "../../engine/contract/index.ts";
import type { Finding } from "../../engine/errors/finding.ts";
import { namesText } from "./names-text.ts";

/**
 * Reports the learned weights on which the probability of the evidence does not depend, because all their factors are
 * in connected parts without evidence. The exact gradient of such a weight is 0. Chains estimate it by noise around 0,
 * so that the weight drifts. `hasEvidence` is the result of `partsWithEvidence`. Weights without factors are ignored.
 */
export function unlabelledFindings(
  { ends, variables, weights, weightFixed, features }: Conditionals,
  hasEvidence: Uint8Array,
  nameOf: (weight: number) => string,
): Finding[] {
  const [apart, connected] = [1, 2];
  const found = new Uint8Array(weightFixed.length);
  for (let factor = 0, from = 0; factor < ends.length; from = ends[factor++]) {
    const weight = weights[factor];
    if (weight < 0 || weightFixed[weight] || features?.[factor] === 0) continue;
    found[weight] |= hasEvidence[variables[from]] ? connected : apart;
  }
  const alone = Array.from(found.keys()).filter((weight) => found[weight] === apart);
  if (alone.length === 0) return [];
  const [its, is] =
    alone.length === 1 ? ["its factors", "its value is no estimate"] : ["their factors", "their values are no estimates"];
  return [
    {
      code: "unlabelled",
      serious: true,
      text: `the evidence does not depend on ${namesText(alone, nameOf)}: no variable that ${its} connect is observed or labelled, so ${is}`,
      advice: "observe or label some of these variables, or give their factors a number as the weight",
    },
  ];
}
