import { add, div, equal, exp, index, log, maximum, mul, stopGradient, sub, sum } from "../../../engine/compiler/index.ts";
import { entropy, loss } from "../loss.ts";

/**
 * Multinomial logistic loss: log Σ_k e^(z_k) − z_y, the negative log likelihood under a softmax. z: outputs of one row;
 * y: class index.
 * The largest output is subtracted inside the sum, so that nothing overflows. Source: Theil 1969.
 */
export const multinomialLoss = loss(
  "multinomial",
  {},
  ({ z, y }) => {
    const top = stopGradient(maximum(z));
    return sub(add(top, log(sum(exp(sub(z, top))))), sum(mul(equal(index(), y), z)));
  },
  {
    task: "multiclass",
    link: "softmax",
    curvature: 0.5,
    joint: true,
    second({ z }) {
      const e = exp(sub(z, stopGradient(maximum(z))));
      const p = div(e, sum(e));
      return mul(p, sub(1, p));
    },
    // The conjugate is Σ t log t, where t = u + 1{k = y} are probabilities.
    conjugate: ({ u, y }) => entropy(add(u, equal(index(), y))),
  },
);
