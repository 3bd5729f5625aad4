// Answers of pupils to questions, two parameters a question.
data {
  int<lower=1> P;
  int<lower=1> I;
  int<lower=1> N;
  array[N] int<lower=0> pupil;
  array[N] int<lower=0> item;
  array[N] int<lower=0, upper=1> y;
}
transformed data {
  array[N] int p;
  array[N] int i;
  for (n in 1:N) {
    p[n] = pupil[n] + 1;
    i[n] = item[n] + 1;
  }
}
parameters {
  vector[P] theta;
  real<lower=0> sigma_a;
  vector<lower=0>[I] a;
  real mu_b;
  real<lower=0> sigma_b;
  vector[I] b;
}
model {
  theta ~ normal(0, 1);
  sigma_a ~ cauchy(0, 2);
  a ~ lognormal(0, sigma_a);
  mu_b ~ normal(0, 5);
  sigma_b ~ cauchy(0, 2);
  b ~ normal(mu_b, sigma_b);
  y ~ bernoulli_logit(a[i] .* (theta[p] - b[i]));
}
