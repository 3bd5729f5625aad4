// GARCH(1, 1), flat priors where the variance is stationary.
data {
  int<lower=1> T;
  array[T] real y;
  real<lower=0> sigma1;
}
parameters {
  real mu;
  real<lower=0> alpha0;
  real<lower=0, upper=1> alpha1;
  real<lower=0, upper=1 - alpha1> beta1;
}
model {
  array[T] real scale;
  scale[1] = sigma1;
  for (t in 2:T) scale[t] = sqrt(alpha0 + alpha1 * square(y[t - 1] - mu) + beta1 * square(scale[t - 1]));
  y ~ normal(mu, scale);
}
