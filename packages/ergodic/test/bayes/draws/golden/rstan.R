# Files of Stan, and what rstan reads in them: Rscript rstan.R   (R 4.5.0, rstan 2.32.7, posterior 1.6.1, jsonlite 1.9.1)
#
# rstan_1.csv, rstan_2.csv: two chains with their warm-up; kept.csv: the first chain again, without. rstan.json: by name ("L[2,1]") the
# draws after warm-up, [chain][draw], and the fields of the transitions.
suppressMessages({ library(rstan); library(posterior); library(jsonlite) })
code <- "
data { int<lower=0> K; }
parameters { real mu; vector[3] theta; matrix[2, 3] A; cholesky_factor_corr[2] L; array[2] vector[3] b; real<lower=0> tau; }
model { mu ~ normal(0, 1); theta ~ normal(mu, tau); to_vector(A) ~ normal(0, 1); L ~ lkj_corr_cholesky(2); for (i in 1:2) b[i] ~ normal(i, 1); tau ~ normal(0, 1); }
generated quantities { array[2] matrix[2, 3] G; int n = K; real nothing = not_a_number(); real low = negative_infinity();
  for (a in 1:2) for (i in 1:2) for (j in 1:3) G[a, i, j] = 100 * a + 10 * i + j; }
"
run <- function(chains, file, save) sampling(model, data = list(K = 3), chains = chains, iter = 30, warmup = 10, seed = 20260711,
                                             sample_file = file, save_warmup = save, refresh = 0)
if (!file.exists("rstan_1.csv")) {
  model <- stan_model(model_code = code, model_name = "shapes")
  run(2, "rstan.csv", TRUE)
  run(1, "kept.csv", FALSE)
}
fit <- read_stan_csv(c("rstan_1.csv", "rstan_2.csv"))
x <- as_draws_array(as.array(fit))
draws <- lapply(setNames(nm = variables(x)), function(name) t(extract_variable_matrix(x, name)))
fields <- lapply(setNames(nm = colnames(get_sampler_params(fit)[[1]])), function(name)
  t(sapply(get_sampler_params(fit, inc_warmup = FALSE), function(p) p[, name])))
write(toJSON(list(draws = draws, fields = fields), digits = NA, na = "string"), "rstan.json")
