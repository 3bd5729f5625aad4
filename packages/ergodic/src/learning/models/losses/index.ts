/** All losses of this library, an explicit list. */
export { epsilonInsensitive } from "./epsilon-insensitive.ts";
export { hinge } from "./hinge.ts";
export { huber } from "./huber.ts";
export { logistic } from "./logistic.ts";
export { multinomial } from "./multinomial.ts";
export { poisson } from "./poisson.ts";
export { quantile } from "./quantile.ts";
export { squared } from "./squared.ts";
export { squaredHinge } from "./squared-hinge.ts";
