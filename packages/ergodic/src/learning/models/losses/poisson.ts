import { add, exp, mul, sub } from "../../../engine/compiler/index.ts";
import { entropy, loss } from "../loss.ts";

/**
 * Poisson loss with log link: e^z − yz, the negative log likelihood of a count y with mean e^z, up to log y!. Source:
 * Nelder and Wedderburn 1972.
 */
export const poissonLoss = loss("poisson", {}, ({ z, y }) => sub(exp(z), mul(y, z)), {
  task: "count",
  link: "exp",
  // The conjugate is t log t − t, where t = u + y is the mean of a Poisson distribution.
  conjugate: ({ u, y }) => sub(entropy(add(u, y)), add(u, y)),
});
