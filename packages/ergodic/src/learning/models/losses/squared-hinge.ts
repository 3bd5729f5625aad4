import { add, max, mul, neg, square, sub } from "../../../engine/compiler/index.ts";
import { barred, loss } from "../loss.ts";

/** Squared hinge loss: max(0, 1 − yz)², y = ±1. Source: LIBLINEAR's L2-loss SVM, Fan et al. 2008. */
export const squaredHinge = loss("squaredHinge", {}, ({ z, y }) => square(max(0, sub(1, mul(y, z)))), {
  task: "binary",
  link: "sign",
  conjugate: ({ u, y }) => barred(neg(mul(u, y)), add(mul(0.25, square(u)), mul(u, y))),
  curvature: 2,
});
