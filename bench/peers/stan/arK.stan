// An autoregression of order K; the first K values are given.
data {
  int<lower=1> K;
  int<lower=K> T;
  vector[T] y;
}
parameters {
  real alpha;
  vector[K] beta;
  real<lower=0> sigma;
}
model {
  vector[T - K] mean_y = rep_vector(alpha, T - K);
  for (k in 1:K) mean_y += beta[k] * y[(K + 1 - k):(T - k)];
  alpha ~ normal(0, 10);
  beta ~ normal(0, 10);
  sigma ~ cauchy(0, 2.5);
  y[(K + 1):T] ~ normal(mean_y, sigma);
}
