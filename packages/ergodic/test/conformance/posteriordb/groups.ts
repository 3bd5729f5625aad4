/** Reference posteriors of groups, mixtures and Gaussian processes. */

import {
  beta,
  cauchy,
  gamma,
  mixture,
  model,
  multivariateNormal,
  normal,
  type StatisticalModel,
  vector,
} from "../../../src/bayes/model/index.ts";
import { add, at, div, exp, full, identity, mul, reshape, square, stack, sub } from "../../../src/engine/compiler/index.ts";

const eightSchools = (centred: boolean): StatisticalModel =>
  model(({ data, param, observe }) => {
    const { y, sigma } = data({ y: vector("J"), sigma: vector("J") });
    const mu = param("mu", normal(0, 5));
    const tau = param("tau", cauchy(0, 5), { lower: 0 });
    const theta = param("theta", normal(mu, tau), { shape: "J", centred });
    observe(y, normal(theta, sigma));
  });

const twoNormals = model(({ data, param, observe }) => {
  const { y } = data({ y: vector("N") });
  const mu = param("mu", normal(0, 2), { shape: 2, constraint: "ordered" });
  const sigma = param("sigma", normal(0, 2), { shape: 2, lower: 0 });
  const theta = param("theta", beta(5, 5));
  const parts = [0, 1].map((k) => normal(at(mu, k), at(sigma, k)));
  observe(y, mixture(stack([theta, sub(1, theta)]), parts));
});

const gaussianProcess = model(({ data, param, observe, size }) => {
  const { x, y } = data({ x: vector("N"), y: vector("N") });
  const n = size("N");
  const rho = param("rho", gamma(25, 4));
  const alpha = param("alpha", normal(0, 2), { lower: 0 });
  const sigma = param("sigma", normal(0, 1), { lower: 0 });
  const squares = square(sub(reshape(x, [n, 1]), reshape(x, [1, n])));
  const kernel = mul(square(alpha), exp(div(mul(-0.5, squares), square(rho))));
  observe(y, multivariateNormal(full(0, [n]), add(kernel, mul(sigma, identity(n)))));
});

export const groups: Record<string, StatisticalModel> = {
  "eight_schools-eight_schools_centered": eightSchools(true),
  "eight_schools-eight_schools_noncentered": eightSchools(false),
  "low_dim_gauss_mix-low_dim_gauss_mix": twoNormals,
  "gp_pois_regr-gp_regr": gaussianProcess,
};
