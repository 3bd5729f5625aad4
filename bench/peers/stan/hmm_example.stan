// A hidden Markov chain of two states with normal emissions, its states summed out.
data {
  int<lower=1> N;
  int<lower=2> K;
  array[N] real y;
}
parameters {
  array[K] simplex[K] theta;
  positive_ordered[K] mu;
}
model {
  array[K, K] real arrive;
  array[K] real forward;
  array[K] real before;
  mu[1] ~ normal(3, 1);
  mu[2] ~ normal(10, 1);
  for (k in 1:K)
    for (j in 1:K) arrive[k, j] = log(theta[j, k]);
  for (k in 1:K) forward[k] = normal_lpdf(y[1] | mu[k], 1);
  for (t in 2:N) {
    before = forward;
    for (k in 1:K) {
      array[K] real ways;
      for (j in 1:K) ways[j] = before[j] + arrive[k, j];
      forward[k] = log_sum_exp(ways) + normal_lpdf(y[t] | mu[k], 1);
    }
  }
  target += log_sum_exp(forward);
}
