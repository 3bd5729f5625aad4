import { positive, rule } from "../rule.ts";
import { scheduleFreePoint, scheduleFreeUpdate } from "./schedule-free.ts";

/**
 * Schedule-free SGD uses a fixed rate. The average of the iterates converges as fast as SGD with the best decaying
 * schedule, but the length of the run need not be known in advance.
 *
 * Equation in schedule-free.ts with u = g. η (`rate`) > 0; β (`beta`) in (0, 1]. z: one float per parameter, plus two
 * scalars. The parameter is y, at which gradients are taken. The model is evaluated at x (the rule's evaluation point).
 * Source: Defazio et al. 2024. For weight decay, use a chain.
 */
export const scheduleFreeSgd = rule(
  "scheduleFreeSgd",
  { rate: 0.1, beta: 0.9 },
  ({ g, p, rate, beta }, { z }, scalars) => {
    const update = scheduleFreeUpdate({ y: p, z, u: g, rate, beta }, scalars);
    return { state: { z: update.z }, scalars: update.scalars, step: update.step };
  },
  {
    conformance: { convex: { rate: 0.5 } },
    summary: "SGD with built-in averaging instead of a schedule",
    source: "Defazio et al. 2024",
    ranges: { rate: positive, beta: { low: 0, high: 1, open: true } },
    initial: () => ({ z: "p" }),
    evaluation: ({ p, beta }, { z }) => scheduleFreePoint(p, z, beta),
  },
);
