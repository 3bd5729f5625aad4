// Four series around a common curve: Gaussian processes whose scales share one variance, each group's times a factor of its own.
data {
  int<lower=1> J;
  int<lower=1> T;
  array[T] real t;
  matrix[T, J] y;
}
parameters {
  real mu;
  real<lower=0> total;
  simplex[4] share;
  real<lower=0> rho_common;
  real<lower=0> rho_group;
  vector[T] z_common;
  matrix[T, J] z_group;
  vector[J] w;
}
model {
  matrix[T, T] L_common = cholesky_decompose(add_diag(gp_exp_quad_cov(t, 1.0, rho_common), 1e-6));
  matrix[T, T] L_group = cholesky_decompose(add_diag(gp_exp_quad_cov(t, 1.0, rho_group), 1e-6));
  vector[T] common = mu + sqrt(total * share[1]) * (L_common * z_common);
  mu ~ normal(0, 2);
  total ~ gamma(2, 2);
  share ~ dirichlet(rep_vector(2, 4));
  rho_common ~ inv_gamma(4, 8);
  rho_group ~ inv_gamma(4, 8);
  z_common ~ normal(0, 1);
  to_vector(z_group) ~ normal(0, 1);
  w ~ normal(0, 1);
  for (j in 1:J)
    y[, j] ~ normal(common + sqrt(total * share[2]) * exp(sqrt(share[3]) * w[j]) * (L_group * z_group[, j]), sqrt(total * share[4]));
}
