// Ordinary differential equations: a weighted sum of the solution (values and gradients are compared by it), and squares of what is left of
// observations (gradients are timed by it). Parameters are as they are, without bounds; what of them the start is made of differs by problem.
functions {
  // theta: beta, gamma, ill at the start; boys: 763
  real[] sir(real t, real[] y, real[] theta, real[] x_r, int[] x_i) {
    real infected = theta[1] * y[1] / 763 * y[2];
    return {-infected, infected - theta[2] * y[2], theta[2] * y[2]};
  }
  // theta: alpha, beta, gamma, delta, both at the start
  real[] lotka_volterra(real t, real[] y, real[] theta, real[] x_r, int[] x_i) {
    return {(theta[1] - theta[2] * y[2]) * y[1], (theta[4] * y[1] - theta[3]) * y[2]};
  }
  // theta: rates in units of 0.04, 1e4 and 3e7
  real[] robertson(real t, real[] y, real[] theta, real[] x_r, int[] x_i) {
    real a = 0.04 * theta[1] * y[1];
    real b = 1e4 * theta[2] * y[2] * y[3];
    real c = 3e7 * theta[3] * y[2] * y[2];
    return {b - a, a - b - c, c};
  }
  // theta: mu, both at the start
  real[] van_der_pol(real t, real[] y, real[] theta, real[] x_r, int[] x_i) {
    return {y[2], theta[1] * (1 - y[1] * y[1]) * y[2] - y[1]};
  }
  // theta: absorption rate, elimination rate, volume; the dose is 100, into the gut
  real[] one_compartment(real t, real[] y, real[] theta, real[] x_r, int[] x_i) {
    return {-theta[1] * y[1], theta[1] * y[1] / theta[3] - theta[2] * y[2]};
  }
}
data {
  int problem;
  int<lower=0, upper=1> stiff;
  real tolerance;
  int n;
  int p;
  int times;
  real ts[times];
  matrix[times, n] weights;
  matrix[times, n] observed;
  real<lower=0> precision;
}
transformed data {
  real x_r[0];
  int x_i[0];
}
parameters {
  vector[p] theta;
}
model {
  real th[p] = to_array_1d(theta);
  real y0[n];
  real y[times, n];
  if (problem == 1) y0 = {763 - theta[3], theta[3], 0};
  else if (problem == 2) y0 = {theta[5], theta[6]};
  else if (problem == 3) y0 = {1, 0, 0};
  else if (problem == 4) y0 = {theta[2], theta[3]};
  else y0 = {100, 0};
  if (problem == 1) {
    if (stiff) y = integrate_ode_bdf(sir, y0, 0, ts, th, x_r, x_i, tolerance, tolerance, 1000000);
    else y = integrate_ode_rk45(sir, y0, 0, ts, th, x_r, x_i, tolerance, tolerance, 1000000);
  } else if (problem == 2) {
    if (stiff) y = integrate_ode_bdf(lotka_volterra, y0, 0, ts, th, x_r, x_i, tolerance, tolerance, 1000000);
    else y = integrate_ode_rk45(lotka_volterra, y0, 0, ts, th, x_r, x_i, tolerance, tolerance, 1000000);
  } else if (problem == 3) y = integrate_ode_bdf(robertson, y0, 0, ts, th, x_r, x_i, tolerance, tolerance * 1e-4, 1000000);
  else if (problem == 4) y = integrate_ode_bdf(van_der_pol, y0, 0, ts, th, x_r, x_i, tolerance, tolerance, 1000000);
  else {
    if (stiff) y = integrate_ode_bdf(one_compartment, y0, 0, ts, th, x_r, x_i, tolerance, tolerance, 1000000);
    else y = integrate_ode_rk45(one_compartment, y0, 0, ts, th, x_r, x_i, tolerance, tolerance, 1000000);
  }
  for (k in 1:times)
    for (i in 1:n) target += weights[k, i] * y[k, i] - 0.5 * precision * square(y[k, i] - observed[k, i]);
}
