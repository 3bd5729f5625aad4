/** Logistic loss: log(1 + e^(−yz)), y = ±1; the negative log likelihood of P(y = 1) = 1/(1 + e^(−z)), in nats. Source: Berkson 1944. */
import { mul, neg, softplus } from "../../compiler/index.ts";
import { loss } from "../loss.ts";

export const logistic = loss("logistic", {}, ({ z, y }) => softplus(neg(mul(y, z))), {
  task: "binary",
  link: "sigmoid",
  curvature: 0.25,
});
