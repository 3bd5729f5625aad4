# Golden comparisons of models: Rscript model-weights.R > model-weights.json   (R 4.5.0, loo 2.8.0, jsonlite 1.9.1)
#
# Of each case the pointwise elpd, p_loo and Pareto k of some models, and what loo says of them together: loo_compare(), the weights of
# loo_model_weights(method = "stacking"), by optim to 1e-14, those of pseudo-BMA without the bootstrap, and of pseudo-BMA+ by 200,000 replicates.
suppressMessages({ library(loo); library(jsonlite) })
set.seed(20261127)

text <- function(x) as.numeric(formatC(x, digits = 10, format = "g"))
x <- seq(-2, 2, length.out = 40)
y <- 0.5 + x - 0.4 * x^2 + rnorm(40, sd = 0.8)
likelihood <- function(centre, sd, draws = 400) {
  shift <- rnorm(draws, sd = 0.15); scale <- sd * exp(rnorm(draws, sd = 0.1))
  sapply(seq_along(y), function(i) dnorm(y[i], centre[i] + shift, scale, log = TRUE))
}
found <- function(...) suppressWarnings(loo(likelihood(...), r_eff = 1))
mean_of <- function(degree) fitted(if (degree == 0) lm(y ~ 1) else lm(y ~ poly(x, degree)))
flat <- found(mean_of(0), 1.3); line <- found(mean_of(1), 1); curve <- found(mean_of(2), 0.8)
# Each of the two knows half of the data.
left <- found(ifelse(x < 0, mean_of(2), mean_of(0)), 0.9); right <- found(ifelse(x < 0, mean_of(0), mean_of(2)), 0.9)
# An observation that no draw expects: a large Pareto k.
y[20] <- 6
outlier <- found(mean_of(1), 0.5); robust <- found(mean_of(1), 1.5)

together <- function(...) {
  all <- list(...)
  rows <- loo_compare(all)
  points <- sapply(all, function(one) one$pointwise[, "elpd_loo"])
  weights <- function(...) as.numeric(loo_model_weights(all, ...))
  list(
    pointwise = lapply(all, function(one) list(
      elpd = text(one$pointwise[, "elpd_loo"]), pLoo = text(one$pointwise[, "p_loo"]), paretoK = text(one$diagnostics$pareto_k)
    )),
    order = rownames(rows), columns = colnames(rows), rows = lapply(seq_len(nrow(rows)), function(i) as.numeric(rows[i, ])),
    stacking = weights(method = "stacking", optim_control = list(reltol = 1e-14)),
    pseudobma = weights(method = "pseudobma", BB = FALSE),
    pseudobma_plus = weights(method = "pseudobma", BB = TRUE, BB_n = 200000)
  )
}
golden <- suppressWarnings(list(
  degrees = together(flat = flat, line = line, curve = curve),
  halves = together(flat = flat, left = left, right = right),
  two = together(line = line, left = left),
  outlier = together(outlier = outlier, robust = robust)
))
cat(toJSON(golden, digits = I(15), auto_unbox = TRUE, na = "string", always_decimal = FALSE), "\n")
