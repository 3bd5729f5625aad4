import { add, mul, square, sub } from "../../../engine/compiler/index.ts";
import { loss } from "../loss.ts";

/** Squared error: ½(z − y)². Source: Gauss 1809. */
export const squaredLoss = loss("squared", {}, ({ z, y }) => mul(0.5, square(sub(z, y))), {
  task: "regression",
  link: "identity",
  quadratic: true,
  conjugate: ({ u, y }) => add(mul(0.5, square(u)), mul(u, y)),
  curvature: 1,
});
