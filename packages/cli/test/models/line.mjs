import { halfNormal, matrix, model, normal, vector } from "ergodic";
import { add, mul, sum } from "ergodic/compiler";

/** y on x and two others, z. */
export default model(
  ({ data, param, observe }) => {
    const { x, z, y } = data({ x: vector("N"), z: matrix("N", "K"), y: vector("N") });
    const alpha = param("alpha", normal(0, 5));
    const beta = param("beta", normal(0, 5));
    const gamma = param("gamma", normal(0, 5), { shape: "K" });
    const sigma = param("sigma", halfNormal(2));
    observe(y, normal(add(add(alpha, mul(beta, x)), sum(mul(gamma, z), { axis: 1 })), sigma));
  },
  { name: "line" },
);
export const data = {
  x: [0, 1, 2, 3, 4, 5, 6, 7],
  z: [
    [1, 0],
    [0, 1],
    [1, 1],
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
    [0, 0],
  ],
  y: [1.1, 2.7, 5.3, 6.9, 9.2, 10.6, 13.4, 15.1],
};
