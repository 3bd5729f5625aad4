# LOO-PIT by loo and rstantools: Rscript loo-pit.R   (R 4.5.0, loo 2.8.0, rstantools 2.4.0, jsonlite 1.9.1)
#
# y: observations; yrep, loglik: [draw][observation], two chains of 250 after one another; pit: loo_pit of both, and by r_eff = 1. Rounded to six
# digits so that their text is exact.
suppressMessages({ library(loo); library(rstantools); library(jsonlite) })
set.seed(20260502)
text <- function(x) { x[] <- as.numeric(formatC(x, digits = 6, format = "g")); x }
y <- text(rnorm(6, 0, 2))
mu <- text(0.3 + 0.3 * as.numeric(arima.sim(list(ar = 0.7), 500)))
yrep <- text(matrix(rnorm(3000, mu, 1.5), 500, 6))
loglik <- text(sapply(y, function(one) dnorm(one, mu, 1.5, log = TRUE)))
pit <- function(r_eff) {
  weights <- suppressWarnings(weights(psis(-loglik, r_eff = r_eff), log = TRUE, normalize = TRUE))
  loo_pit(yrep, y, weights)
}
chains <- relative_eff(exp(loglik), chain_id = rep(1:2, each = 250))
parts <- c(lapply(list(y = y, yrep = yrep, loglik = loglik), toJSON, digits = NA),
           lapply(list(pit = pit(chains), plain = pit(rep(1, 6))), toJSON, digits = I(17)))
write(paste0("{", paste0('"', names(parts), '":', parts, collapse = ","), "}"), "loo-pit.json")
