import { max, mul, sub } from "../../../engine/compiler/index.ts";
import { loss } from "../loss.ts";

/** Hinge loss: max(0, 1 − yz), y = ±1; at the kink the derivative is 0. Source: Cortes and Vapnik 1995. */
export const hingeLoss = loss("hinge", {}, ({ z, y }) => max(0, sub(1, mul(y, z))), { task: "binary", link: "sign" });
