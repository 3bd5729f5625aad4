/**
 * An ARMA(1,1) process and its model: y_t = μ + φ y_{t−1} + ε_t + θ ε_{t−1}. At |θ| > 1 the residuals grow as θ^t: most random starts lie 10^40 nats and
 * more below the mode, and the way down leads through narrow valleys.
 */
import { add, at, concatenate, mul, reshape, scan, slice, sub } from "../src/engine/compiler/index.ts";
import { halfCauchy, model, normal, stream, vector } from "../src/entries/everything.ts";

export const arma = model(({ data, param, observe, size }) => {
  const { y } = data({ y: vector("T") });
  const mu = param("mu", normal(0, 10));
  const phi = param("phi", normal(0, 2));
  const theta = param("theta", normal(0, 2));
  const sigma = param("sigma", halfCauchy(2.5));
  const first = sub(at(y, 0), add(mu, mul(phi, mu)));
  const [before, now] = [slice(y, { to: size("T") - 1 }), slice(y, { from: 1, to: size("T") })];
  const { outputs } = scan([first], [before, now], ([error], [last, value]) => {
    const next = sub(value, add(mu, add(mul(phi, last), mul(theta, error))));
    return [[next], [next]];
  });
  observe(y, normal(sub(y, concatenate([reshape(first, [1]), outputs[0]])), sigma));
});

/** 200 values with μ = 0, φ = 0.9, θ = 0.5, σ = 0.15. */
export function armaData(): { y: number[] } {
  const draws = stream(11, "arma").at(0);
  const y: number[] = [];
  let [last, error] = [0, 0];
  for (let t = 0; t < 200; t++) {
    const shock = 0.15 * draws.normal();
    last = 0.9 * last + shock + 0.5 * error;
    error = shock;
    y.push(last);
  }
  return { y };
}
