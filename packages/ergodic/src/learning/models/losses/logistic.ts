import { add, mul, neg, softplus, sub } from "../../../engine/compiler/index.ts";
import { entropy, loss } from "../loss.ts";

/**
 * Logistic loss: log(1 + e^(−yz)), y = ±1; the negative log likelihood of P(y = 1) = 1/(1 + e^(−z)), in nats. Source:
 * Berkson 1944.
 */
export const logisticLoss = loss("logistic", {}, ({ z, y }) => softplus(neg(mul(y, z))), {
  task: "binary",
  link: "sigmoid",
  // The conjugate is s log s + (1 − s) log(1 − s), where s = −yu is the probability of the other class.
  conjugate({ u, y }) {
    const s = neg(mul(y, u));
    return add(entropy(s), entropy(sub(1, s)));
  },
  curvature: 0.25,
});
