# Golden values of test/models/formula: R's model.matrix, mgcv's splines as mixed models, glm's estimates: Rscript formula-design.R > formula-design.json
# Sorted as JavaScript sorts: LC_COLLATE=C.
invisible(Sys.setlocale("LC_COLLATE", "C"))
set.seed(20261128)
n <- 24
d <- data.frame(
  x = round(rnorm(n), 3), z = round(runif(n, 1, 9), 2),
  f = rep(c("low", "High", "mid"), length.out = n), g = rep(c("b", "a"), each = n / 2), h = rep(c("u", "v", "w", "t"), times = 6)
)
formulas <- c(
  "~ x", "~ x + z", "~ 0 + x", "~ x - 1", "~ f", "~ 0 + f", "~ f - 1 + g", "~ 0 + x + f", "~ f + g", "~ f:g", "~ f + f:g", "~ f * g",
  "~ x * f", "~ x:f", "~ x + x:f", "~ f + x:f", "~ 0 + f:x", "~ f * g * x", "~ (f + g + x)^2", "~ g:f + f", "~ x:z + x", "~ f / g", "~ x / f",
  "~ f:g:h + g:h", "~ 0 + f:g", "~ (x + f):g", "~ I(x^2) + log(z)", "~ I((x - 1) * z / 2)", "~ f + g + f:x + g:x", "~ x + f + x", "~ 0 + f * x", "~ f:x + g", "~ g + x:g:f"
)
matrices <- lapply(setNames(formulas, formulas), function(formula) {
  m <- model.matrix(as.formula(formula), d)
  list(names = colnames(m), rows = unname(apply(m, 1, as.numeric, simplify = FALSE)))
})
# As brms calls mgcv. Wiggles are known up to a rotation, so that Z Zᵀ is compared.
library(mgcv)
x <- c(2.4, 2.6, 3.2, 3.6, 4, 6.2, 6.6, 6.8, 7.8, 8.2, 8.8, 9.6, 10, 12.5, 13.1, 6.2)
spline <- function(k) {
  re <- smooth2random(smoothCon(s(x, bs = "cr", k = k), data.frame(x), absorb.cons = TRUE, diagonal.penalty = TRUE)[[1]], "", type = 2)
  z <- re$rand[[1]]
  list(gram = z %*% t(z), line = as.numeric(re$Xf))
}
fits <- list(
  warpbreaks = glm(breaks ~ wool * tension, poisson, warpbreaks, control = glm.control(epsilon = 1e-14)),
  chickwts = lm(weight ~ feed, chickwts),
  infert = glm(case ~ spontaneous + induced + education, binomial, infert, control = glm.control(epsilon = 1e-14))
)
estimates <- lapply(fits, function(m) list(names = names(coef(m)), values = unname(coef(m)), data = lapply(model.frame(m), function(v) if (is.factor(v)) as.character(v) else as.numeric(v))))
cat(jsonlite::toJSON(list(R = as.character(getRversion()), data = as.list(d), matrices = matrices, splineAt = x, splines = list(`6` = spline(6), `10` = spline(10), `3` = spline(3)), estimates = estimates), digits = NA, auto_unbox = TRUE), "\n")
