import { abs, max, sub } from "../../../engine/compiler/index.ts";
import { loss } from "../loss.ts";

/** ε-insensitive loss: max(0, |z − y| − ε). ε (`epsilon`): units of y, >= 0. Source: Vapnik 1995. */
export const epsilonInsensitiveLoss = loss(
  "epsilonInsensitive",
  {
    /** Largest error ε that costs nothing, in units of y, >= 0. */
    epsilon: 0.1,
  },
  ({ z, y, epsilon }) => max(0, sub(abs(sub(z, y)), epsilon)),
  { task: "regression", link: "identity" },
  { epsilon: { low: 0 } },
);
