import { add, div, max, mul, sub } from "../../compiler/index.ts";
import { notNegative, rule } from "../rule.ts";

/**
 * Iterate averaging, a transformation at the end of a chain: p' = p − g, a ← a + (p' − a)/max(1, t − s).
 *
 * s (`start`) ≥ 0: a is the mean of the iterates s + 1, …, t. For t ≤ s, a is the newest iterate. a (`average`): one
 * float per parameter. Models are evaluated at a, and the iterates themselves are unchanged. Use: chain(sgd({ rate: 0.1
 * }), averaging({ start: 1000 })).
 * Source: Polyak, Juditsky 1992; Ruppert 1988. PyTorch's ASGD(t0) corresponds to start: t0 + 1, but uses its own
 * schedule and decay.
 */
export const averaging = rule(
  "averaging",
  { start: 0 },
  ({ g, p, t, start }, { average }) => {
    const weight = div(1, max(1, sub(t, start)));
    return { state: { average: add(average, mul(weight, sub(sub(p, g), average))) }, step: g };
  },
  {
    link: true,
    conformance: { convex: { start: 2 }, scaled: { start: 5000 }, link: "last" },
    summary: "transformation: evaluates at the mean of the iterates",
    source: "Polyak, Juditsky 1992",
    ranges: { start: notNegative },
    initial: () => ({ average: "p" }),
    evaluation: (_, { average }) => average,
    last: true,
  },
);
