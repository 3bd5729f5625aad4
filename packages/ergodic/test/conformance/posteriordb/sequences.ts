/** Reference posteriors over time: autoregression, GARCH, hidden Markov models, an ordinary differential equation. */

import {
  cauchy,
  dirichlet,
  exponential,
  integer,
  lognormal,
  matrix,
  model,
  normal,
  real,
  type StatisticalModel,
  vector,
} from "../../../src/bayes/model/index.ts";
import {
  add,
  at,
  concatenate,
  log,
  logSumExp,
  matmul,
  mul,
  reshape,
  type SymbolicArray,
  scan,
  slice,
  sqrt,
  square,
  stack,
  sub,
  toArray,
} from "../../../src/engine/compiler/index.ts";

const autoregression = model(({ data, param, observe, size }) => {
  const { K, y } = data({ K: integer(), y: vector("T") });
  const T = size("T");
  const alpha = param("alpha", normal(0, 10));
  const beta = param("beta", normal(0, 10), { shape: "K" });
  const sigma = param("sigma", cauchy(0, 2.5), { lower: 0 });
  const lags = stack(
    Array.from({ length: K }, (_, k) => slice(y, { from: K - 1 - k, to: T - 1 - k })),
    1,
  );
  observe(slice(y, { from: K }), normal(add(alpha, matmul(lags, beta)), sigma), "y");
});

const garch = model(({ data, param, observe, size }) => {
  const { y, sigma1 } = data({ y: vector("T"), sigma1: real() });
  const mu = param("mu", "real");
  const alpha0 = param("alpha0", "positive");
  const alpha1 = param("alpha1", "unitInterval");
  const beta1 = param("beta1", { lower: 0, upper: sub(1, alpha1) });
  const shocks = square(sub(slice(y, { to: size("T") - 1 }), mu));
  const first = toArray(sigma1 * sigma1);
  const { outputs } = scan([first], [shocks], ([before], [shock]) => {
    const now = add(alpha0, add(mul(alpha1, shock), mul(beta1, before)));
    return [[now], [now]];
  });
  observe(y, normal(mu, sqrt(concatenate([reshape(first, [1]), outputs[0]]))));
});

/**
 * log p of observations with given log densities per state, by the forward recursion. It has no term for the first
 * state.
 */
function forward(logEmission: SymbolicArray, logTransition: SymbolicArray): SymbolicArray {
  const [count, states] = logEmission.shape;
  const rest = slice(logEmission, { from: 1, to: count });
  const { carries } = scan([at(logEmission, 0)], [rest], ([before], [emission]) => {
    const reached = logSumExp(add(reshape(before, [states, 1]), logTransition), { axis: 0 });
    return [[add(reached, emission)], []];
  });
  return logSumExp(carries[0]);
}

const hiddenNormal = model(({ data, param, target, size }) => {
  const { y } = data({ y: vector("N") });
  const theta1 = param("theta1", "simplex", { shape: 2 });
  const theta2 = param("theta2", "simplex", { shape: 2 });
  const mu = param("mu", normal([3, 10], 1), { constraint: "positiveOrdered" });
  target(forward(normal(mu, 1).logDensity(reshape(y, [size("N"), 1])), log(stack([theta1, theta2]))));
});

const drives = model(({ data, param, target, size }) => {
  const { u, v, alpha } = data({ u: vector("N"), v: vector("N"), alpha: matrix("K", "K") });
  const theta1 = param("theta1", dirichlet(at(alpha, 0)));
  const theta2 = param("theta2", dirichlet(at(alpha, 1)));
  const phi = param("phi", normal([0, 3], 1), { constraint: "positiveOrdered" });
  const lambda = param("lambda", normal([0, 3], 1), { constraint: "positiveOrdered" });
  const rows = [size("N"), 1];
  const emission = add(exponential(phi).logDensity(reshape(u, rows)), exponential(lambda).logDensity(reshape(v, rows)));
  target(forward(emission, log(stack([theta1, theta2]))));
});

const STEP = 0.05;

/** Solves z' = field(z) with `steps` steps of the classical Runge–Kutta method. */
function integrate(z: SymbolicArray[], field: (z: SymbolicArray[]) => SymbolicArray[], steps: number): readonly SymbolicArray[] {
  const moved = (from: SymbolicArray[], by: number, along: SymbolicArray[]) => from.map((x, i) => add(x, mul(by, along[i])));
  return scan(
    z,
    [],
    (now) => {
      const k1 = field(now);
      const k2 = field(moved(now, STEP / 2, k1));
      const k3 = field(moved(now, STEP / 2, k2));
      const k4 = field(moved(now, STEP, k3));
      const next = now.map((x, i) => add(x, mul(STEP / 6, add(add(k1[i], k4[i]), mul(2, add(k2[i], k3[i]))))));
      return [next, []];
    },
    { length: steps },
  ).carries;
}

/** Observations are one unit of time apart. */
const lotkaVolterra = model(({ data, param, observe, size }) => {
  const { y_init, y } = data({ y_init: vector(2), y: matrix("N", 2) });
  const theta = param("theta", normal([1, 0.05, 1, 0.05], [0.5, 0.05, 0.5, 0.05]), { lower: 0 });
  const start = param("z_init", lognormal(Math.log(10), 1), { shape: 2 });
  const sigma = param("sigma", lognormal(-1, 1), { shape: 2 });
  const [a, b, c, d] = [0, 1, 2, 3].map((k) => at(theta, k));
  const field = ([u, v]: SymbolicArray[]) => [mul(sub(a, mul(b, v)), u), mul(sub(mul(d, u), c), v)];
  const { outputs } = scan(
    [at(start, 0), at(start, 1)],
    [],
    (z) => {
      const next = integrate(z, field, Math.round(1 / STEP));
      return [next, next];
    },
    { length: size("N") },
  );
  observe(y_init, lognormal(log(start), sigma));
  observe(y, lognormal(log(stack(outputs, 1)), sigma));
});

export const sequences: Record<string, StatisticalModel> = {
  "arK-arK": autoregression,
  "garch-garch11": garch,
  "hmm_example-hmm_example": hiddenNormal,
  "bball_drive_event_0-hmm_drive_0": drives,
  "hudson_lynx_hare-lotka_volterra": lotkaVolterra,
};
