# Solutions of ordinary differential equations by rstan's integrate_ode_rk45 and integrate_ode_bdf, and gradients of weighted sums of them by
# grad_log_prob, at tolerances far below what is compared. The program is that of the benchmark.
#
# Rscript packages/ergodic/test/golden/ode.R > packages/ergodic/test/golden/ode.json   (rstan 2.32.7, Stan 2.32.2)
suppressMessages(library(rstan))
kept <- Sys.getenv("ODE_MODEL")
model <- if (kept != "") readRDS(kept) else stan_model("bench/peers/stan/ode.stan", model_name = "ode")

solve <- function(name, problem, n, theta, times, tolerance, stiff) {
  count <- length(times)
  none <- matrix(0, count, n)
  posed <- function(weights) suppressMessages(sampling(model, chains = 0, refresh = 0, data = list(
    problem = problem, stiff = as.integer(stiff), tolerance = tolerance, n = n, p = length(theta), times = count, ts = array(times),
    weights = weights, observed = none, precision = 0)))
  states <- none
  for (k in 1:count) for (i in 1:n) {
    one <- none
    one[k, i] <- 1
    states[k, i] <- log_prob(posed(one), theta)
  }
  # Row k, column i, both from 1.
  weights <- outer(1:count, 1:n, function(k, i) cos(k + 2 * i))
  gradient <- as.vector(grad_log_prob(posed(weights), theta))
  list(name = name, solver = if (stiff) "integrate_ode_bdf" else "integrate_ode_rk45", tolerance = tolerance, theta = theta,
       times = times, states = states, gradient = gradient)
}

days <- as.numeric(1:14)
hours <- c(0.25, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 21, 24)
made <- list(
  solve("sir", 1, 3, c(1.7, 0.45, 1.2), days, 1e-12, FALSE),
  solve("sir", 1, 3, c(1.7, 0.45, 1.2), days, 1e-11, TRUE),
  solve("lotkaVolterra", 2, 2, c(0.55, 0.028, 0.84, 0.026, 33.9, 5.9), as.numeric(1:20), 1e-12, FALSE),
  solve("robertson", 3, 3, c(1.1, 0.9, 1.05), c(0.4, 4, 40, 400, 4000), 1e-10, TRUE),
  solve("vanDerPol", 4, 2, c(50, 2, 0), c(1, 10, 30, 60, 100), 1e-11, TRUE),
  solve("oneCompartment", 5, 2, c(1.2, 0.3, 10), hours, 1e-12, FALSE),
  solve("oneCompartment", 5, 2, c(1.2, 0.3, 10), hours, 1e-11, TRUE)
)
cat(jsonlite::toJSON(made, digits = NA, auto_unbox = TRUE, pretty = FALSE), "\n")
