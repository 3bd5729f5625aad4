# Golden Pareto k of quantities: Rscript pareto-khat.R > pareto-khat.json   (R 4.5.0, posterior 1.6.1, jsonlite 1.9.1)
#
# By case: the chains x draws, chain after chain, and what pareto_khat says of them. Draws are rounded to six digits
# so that their text is exact; NA, NaN and infinities are written as text.
suppressMessages({ library(posterior); library(jsonlite) })
set.seed(20260611)

text <- function(x) as.numeric(formatC(x, digits = 6, format = "g"))
# Chains with the given marginal whose normal scores are AR(1).
chains <- function(count, n, phi, quantile = identity) {
  z <- sapply(seq_len(count), function(i) if (phi == 0) rnorm(n) else as.numeric(arima.sim(list(ar = phi), n)) * sqrt(1 - phi^2))
  matrix(text(quantile(if (identical(quantile, identity)) z else pnorm(z))), n, count)
}
with <- function(x, i, value) { x[i] <- value; x }

noise <- chains(2, 130, 0.3, function(p) qt(p, 2))
cases <- list(
  normal = chains(4, 250, 0), exponential = chains(4, 250, 0.5, qexp), student = chains(4, 250, 0.5, function(p) qt(p, 5)),
  cauchy = chains(4, 250, 0.3, qcauchy), left = -exp(2 * chains(4, 100, 0.5)), uniform = chains(4, 100, 0.2, qunif),
  slow = chains(4, 250, 0.95, function(p) qt(p, 3)), swinging = chains(2, 150, -0.7), stuck = chains(4, 60, 0.995), one = chains(1, 301, 0.4, function(p) qt(p, 2)),
  oddSlow = chains(1, 301, 0.8), counts = chains(4, 100, 0.3, function(p) qpois(p, 50)), few = chains(4, 100, 0.3, function(p) qpois(p, 2)),
  binary = 1 * (chains(4, 100, 0.7) > 0.4), small = 1e-6 * chains(2, 150, 0.5), far = 1000 + chains(2, 150, 0.5),
  constant = matrix(3.25, 100, 2), edge = with(chains(2, 100, 0), 1:60, 9), missing = with(chains(2, 20, 0.3), 7, NaN), infinite = with(chains(2, 20, 0.3), 5, Inf)
)
for (name in c("left", "small", "far")) cases[[name]] <- matrix(text(cases[[name]]), nrow(cases[[name]]))
for (n in c(3, 4, 5, 12, 13, 56, 112, 113, 130)) cases[[paste0("length", n)]] <- noise[1:n, , drop = FALSE]

# Half of an odd number of draws is a fraction, by which the greatest draw is lost: there the whole number below it is asked for.
khat <- function(x) {
  length <- posterior:::ps_tail_length(length(x), suppressWarnings(ess_tail(x)) / length(x))
  odd <- length(x) %% 2 == 1 && !is.na(length) && length > length(x) / 2
  k <- suppressWarnings(if (odd) pareto_khat(x, ndraws_tail = floor(length(x) / 2)) else pareto_khat(x))
  # -Inf is the larger of two tails of which nothing is known.
  as.numeric(if (is.nan(k) || is.na(k) || k == -Inf) NaN else k)
}
golden <- lapply(cases, function(x) list(chains = ncol(x), draws = as.numeric(x), khat = khat(x)))
cat(toJSON(golden, digits = I(15), auto_unbox = TRUE, na = "string", always_decimal = FALSE), "\n")
