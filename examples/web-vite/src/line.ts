/** A few points, and what is believed of the line that they lie on. */
import { halfNormal, model, normal, stream, vector } from "ergodic";
import { add, mul } from "ergodic/compiler";

const numbers = stream(2, "line").at(0);
const x = Array.from({ length: 12 }, (_, i) => i / 11);

export const observed = { x, y: x.map((place) => 0.2 + 0.6 * place + 0.08 * numbers.normal()) };

export const line = model(({ data, param, observe }) => {
  const { x, y } = data({ x: vector("N"), y: vector("N") });
  const intercept = param("intercept", normal(0, 1));
  const slope = param("slope", normal(0, 1));
  const noise = param("noise", halfNormal(0.5));
  observe(y, normal(add(intercept, mul(slope, x)), noise));
});
