// Party identification on ideology, race, age group, schooling, gender and income, flat priors.
data {
  int<lower=1> N;
  vector[N] partyid7;
  vector[N] real_ideo;
  vector[N] race_adj;
  array[N] int age_discrete;
  vector[N] educ1;
  vector[N] gender;
  vector[N] income;
}
transformed data {
  vector[N] middle;
  vector[N] older;
  vector[N] oldest;
  for (i in 1:N) {
    middle[i] = age_discrete[i] == 2;
    older[i] = age_discrete[i] == 3;
    oldest[i] = age_discrete[i] == 4;
  }
}
parameters {
  vector[9] beta;
  real<lower=0> sigma;
}
model {
  partyid7 ~ normal(beta[1] + beta[2] * real_ideo + beta[3] * race_adj + beta[4] * middle + beta[5] * older
                    + beta[6] * oldest + beta[7] * educ1 + beta[8] * gender + beta[9] * income, sigma);
}
