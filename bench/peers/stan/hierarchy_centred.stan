// Groups of unequal size around a common mean, as they are: a funnel where the spread is small.
data {
  int<lower=1> J;
  vector[J] y;
  vector<lower=0>[J] sigma;
}
parameters {
  real mu;
  real<lower=0> tau;
  vector[J] theta;
}
model {
  mu ~ normal(0, 5);
  tau ~ cauchy(0, 2);
  theta ~ normal(mu, tau);
  y ~ normal(theta, sigma);
}
