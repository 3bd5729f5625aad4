// Groups of unequal size around a common mean, in units of their spread.
data {
  int<lower=1> J;
  vector[J] y;
  vector<lower=0>[J] sigma;
}
parameters {
  real mu;
  real<lower=0> tau;
  vector[J] z;
}
model {
  mu ~ normal(0, 5);
  tau ~ cauchy(0, 2);
  z ~ normal(0, 1);
  y ~ normal(mu + tau * z, sigma);
}
