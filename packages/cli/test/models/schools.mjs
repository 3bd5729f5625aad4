import { halfCauchy, model, normal, vector } from "ergodic";

export default model(
  ({ data, param, observe }) => {
    const { y, sigma } = data({ y: vector("J"), sigma: vector("J") });
    const mu = param("mu", normal(0, 5));
    const tau = param("tau", halfCauchy(5));
    const theta = param("theta", normal(mu, tau), { shape: "J", centred: false });
    observe(y, normal(theta, sigma));
  },
  { name: "schools" },
);

export const data = { y: [28, 8, -3, 7, -1, 1, 18, 12], sigma: [15, 10, 16, 11, 9, 11, 10, 18] };
