import { abs, add, lessEqual, mul, square, sub, where } from "../../../engine/compiler/index.ts";
import { barred, loss } from "../loss.ts";

/** Huber loss: ½r² where |r| ≤ δ, δ(|r| − ½δ) beyond, r = z − y. δ (`delta`): units of y, > 0. Source: Huber 1964. */
export const huberLoss = loss(
  "huber",
  {
    /** Error δ above which the loss is linear, in units of y, > 0. */
    delta: 1,
  },
  ({ z, y, delta }) => {
    const r = sub(z, y);
    return where(lessEqual(abs(r), delta), mul(0.5, square(r)), mul(delta, sub(abs(r), mul(0.5, delta))));
  },
  {
    task: "regression",
    link: "identity",
    curvature: 1,
    // Slopes are at most δ in size, so the domain of the conjugate is 1 − t ≥ 0 with t = |u|/δ.
    conjugate: ({ u, y, options }) => barred(sub(1, mul(1 / options.delta, abs(u))), add(mul(0.5, square(u)), mul(u, y))),
  },
  { delta: { low: 0, open: true } },
);
