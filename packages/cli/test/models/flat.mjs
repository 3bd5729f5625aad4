import { model, normal, vector } from "ergodic";

/** The y of line.mjs without a slope, and far too narrow. */
export default model(({ data, param, observe }) => observe(data({ y: vector("N") }).y, normal(param("alpha", normal(0, 5)), 1)), {
  name: "flat",
});
