/** Poisson loss with log link: e^z − yz, the negative log likelihood of a count y with mean e^z up to log y!. Source: Nelder and Wedderburn 1972. */
import { exp, mul, sub } from "../../compiler/index.ts";
import { loss } from "../loss.ts";

export const poisson = loss("poisson", {}, ({ z, y }) => sub(exp(z), mul(y, z)), { task: "count", link: "exp" });
