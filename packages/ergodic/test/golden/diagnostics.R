# Golden diagnostics of draws: Rscript diagnostics.R > diagnostics.json   (R 4.5.0, posterior 1.6.1, loo 2.8.0, jsonlite 1.9.1)
#
# draws: by case the chains x draws, chain after chain, and what posterior says of them; loo: log likelihoods, draw by draw, and what loo
# says; psis: log ratios and their smoothed weights; beta: qbeta. Draws are rounded to six digits so that their text is exact; NA, NaN and
# infinities are written as text. The calls stand in the functions below.
suppressMessages({ library(posterior); library(loo); library(jsonlite) })
set.seed(20260501)

text <- function(x) as.numeric(formatC(x, digits = 6, format = "g"))
ar <- function(chains, n, phi, sd = 1) {
  x <- sapply(seq_len(chains), function(i) as.numeric(arima.sim(list(ar = phi), n, sd = sd)))
  matrix(text(x), n, chains)
}
with <- function(x, i, value) { x[i] <- value; x }

noise <- ar(2, 17, 0.3)
cases <- list(
  even = ar(4, 100, 0.6), odd = ar(4, 101, 0.8), slow = ar(2, 120, 0.97), swinging = ar(4, 60, -0.7), one = ar(1, 75, 0.4),
  cauchy = matrix(text(rcauchy(4 * 63)), 63, 4), skewed = text(exp(2 * ar(3, 50, 0.5))),
  small = 1e-6 * ar(2, 40, 0.5), far = 1000 + ar(2, 40, 0.5),
  apart = text(ar(3, 33, 0.2) + rep(c(0, 0.5, 3), each = 33)), spread = text(ar(3, 40, 0.2) * rep(c(1, 1, 4), each = 40)),
  drift = text(ar(2, 50, 0.2) + (1:50) / 10), ties = round(2 * ar(4, 30, 0.5)), binary = 1 * (ar(4, 45, 0.7) > 0.4),
  alternating = matrix(rep(c(-1, 1), 20), 20, 2), constant = matrix(3.25, 20, 2), still = matrix(rep(c(1, 2), each = 20), 20, 2),
  missing = with(ar(2, 20, 0.3), 7, NaN), middle = with(ar(2, 21, 0.3), 11, NaN), infinite = with(ar(2, 20, 0.3), 5, Inf)
)
cases$small <- matrix(text(cases$small), 40, 2)
cases$far <- matrix(text(cases$far), 40, 2)
cases$skewed <- matrix(cases$skewed, 50, 3)
cases$apart <- matrix(cases$apart, 33, 3)
cases$spread <- matrix(cases$spread, 40, 3)
cases$drift <- matrix(cases$drift, 50, 2)
# Not 2 and 3: from halves of one draw .split_chains makes a matrix that is turned, whose columns are no chains.
for (n in c(1, 4:17)) cases[[paste0("length", n)]] <- noise[1:n, , drop = FALSE]

probabilities <- c(0, 0.05, 0.1, 0.25, 0.5, 0.95, 1)
number <- function(x) as.numeric(suppressWarnings(x))
diagnose <- function(x) suppressWarnings(list(
  chains = ncol(x), draws = as.numeric(x),
  rhat = rhat(x), rhat_basic = rhat_basic(x, split = FALSE),
  ess_bulk = ess_bulk(x), ess_tail = ess_tail(x), ess_mean = ess_mean(x), ess_sd = ess_sd(x), ess_basic = ess_basic(x, split = FALSE),
  mcse_mean = mcse_mean(x), mcse_sd = mcse_sd(x),
  ess_quantile = ess_quantile(x, probabilities, names = FALSE), mcse_quantile = mcse_quantile(x, probabilities, names = FALSE),
  quantile = quantile2(x, probabilities, names = FALSE), mean = mean(x), sd = sd(x)
))

# 12 observations, the last an outlier whose leaving out changes much.
y <- text(c(rnorm(11), 6))
likelihoods <- function(chains, n, y, spread = 1) {
  mu <- spread * ar(chains, n, 0.5, 0.3)
  sigma <- exp(0.2 * spread * ar(chains, n, 0.3))
  log_lik <- sapply(y, function(each) dnorm(each, as.numeric(mu), as.numeric(sigma), log = TRUE))
  matrix(text(log_lik), chains * n, length(y))
}
leave_out <- function(x, chains) {
  id <- rep(seq_len(chains), each = nrow(x) / chains)
  r_eff <- relative_eff(exp(x), chain_id = id)
  fit <- function(...) suppressWarnings(loo(x, ...))
  given <- fit(r_eff = r_eff)
  list(
    chains = chains, observations = ncol(x), log_lik = as.numeric(t(x)), r_eff = r_eff,
    estimates = as.numeric(t(given$estimates)), pointwise = lapply(as.data.frame(given$pointwise), as.numeric),
    n_eff = given$diagnostics$n_eff, mcse = mcse_loo(given), estimates_plain = as.numeric(t(fit()$estimates)),
    waic = as.numeric(t(suppressWarnings(waic(x))$estimates))
  )
}

smooth <- function(ratios, r_eff = 1) {
  found <- suppressWarnings(psis(matrix(ratios, ncol = 1), r_eff = r_eff))
  list(
    log_ratios = ratios, r_eff = r_eff, log_weights = as.numeric(weights(found)),
    pareto_k = found$diagnostics$pareto_k, n_eff = found$diagnostics$n_eff
  )
}

shapes <- expand.grid(p = c(1e-6, 0.1586553, 0.5, 0.8413447, 0.999), a = c(0.3, 1, 7.5, 400, 1e5), b = c(0.5, 1, 30, 2e4))
golden <- list(
  probabilities = probabilities,
  draws = lapply(cases, diagnose),
  loo = list(
    four = leave_out(likelihoods(4, 50, y), 4), odd = leave_out(likelihoods(3, 41, y), 3), short = leave_out(likelihoods(2, 11, y), 2),
    good = leave_out(likelihoods(4, 50, y[1:5], 0.2), 4), few = leave_out(likelihoods(2, 10, y[1:3]), 2)
  ),
  psis = list(
    light = smooth(text(rnorm(150))), heavy = smooth(text(rexp(150) / 0.6)), efficient = smooth(text(rexp(200)), 0.25),
    few = smooth(text(rnorm(20))), constant = smooth(rep(1.5, 50)), ties = smooth(round(rnorm(80))), quartile = smooth(c(rep(0, 90), 1:5)),
    impossible = smooth(with(text(rnorm(60)), 1:3, -Inf))
  ),
  beta = list(p = shapes$p, a = shapes$a, b = shapes$b, x = qbeta(shapes$p, shapes$a, shapes$b))
)
cat(toJSON(golden, digits = I(15), auto_unbox = TRUE, na = "string", always_decimal = FALSE), "\n")
