/**
 * Multinomial logistic loss: log Σ_k e^(z_k) − z_y, the negative log likelihood under a softmax. z: outputs of one row; y: class index.
 * The largest output is taken out of the sum, so that nothing overflows. Source: Theil 1969.
 */
import { add, equal, exp, index, log, maximum, mul, stopGradient, sub, sum } from "../../compiler/index.ts";
import { loss } from "../loss.ts";

export const multinomial = loss(
  "multinomial",
  {},
  ({ z, y }) => {
    const top = stopGradient(maximum(z));
    return sub(add(top, log(sum(exp(sub(z, top))))), sum(mul(equal(index(), y), z)));
  },
  { task: "multiclass", link: "softmax", curvature: 0.5, joint: true },
);
