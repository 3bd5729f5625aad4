# Golden values of test/models/formula/design.test.ts, by R's model.matrix: Rscript model-matrix.R > model-matrix.json
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
cat(jsonlite::toJSON(list(R = as.character(getRversion()), data = as.list(d), matrices = matrices), digits = NA, auto_unbox = TRUE), "\n")
