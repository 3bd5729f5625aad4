# Golden values of test/learning/fit/regression-table.test.ts, by R's lm and glm: Rscript regression.R > regression.json
# glm is told to go on to 1e-14, since its default of 1e-8 shows in the fifth digit of standard errors.
set.seed(20261127)
n <- 120
age <- round(rnorm(n, 45, 12), 2)
hours <- round(rnorm(n, 2000, 3), 3)
work <- sample(c("own", "public", "state"), n, replace = TRUE)
w <- round(rexp(n) + 0.1, 3)
exposure <- round(runif(n, 0.5, 3), 3)
eta <- 0.04 * (age - 45) + 0.2 * (hours - 2000) + c(own = 0, public = 0.7, state = -0.5)[work]
pay <- round(3 + 2 * eta + rnorm(n), 4)
rich <- rbinom(n, 1, plogis(eta))
visits <- rpois(n, exposure * exp(0.3 + 0.5 * eta))
d <- data.frame(age, hours, work, w, exposure, pay, rich, visits)
tight <- glm.control(epsilon = 1e-14, maxit = 100)
b <- binomial
p <- poisson
models <- list(
  "lm(pay ~ age + hours + work)" = lm(pay ~ age + hours + work, d),
  "lm(pay ~ age + work, weights = w)" = lm(pay ~ age + work, d, weights = w),
  "lm(pay ~ 0 + age + hours)" = lm(pay ~ 0 + age + hours, d),
  "lm(pay ~ age * work)" = lm(pay ~ age * work, d),
  "glm(rich ~ age + hours + work, binomial)" = glm(rich ~ age + hours + work, b, d, control = tight),
  "glm(visits ~ age + work + offset(log(exposure)), poisson)" =
    glm(visits ~ age + work + offset(log(exposure)), p, d, control = tight),
  "glm(visits ~ hours, poisson, weights = w)" = glm(visits ~ hours, p, d, weights = w, control = tight)
)
# Standard errors go by the weights of the step before the last: once more, from the optimum.
again <- function(m) if (inherits(m, "glm")) update(m, start = coef(m)) else m
models <- lapply(models, again)
number <- function(x) paste0("[", paste(sprintf("%.17g", x), collapse = ","), "]")
text <- function(x) paste0("[", paste0('"', x, '"', collapse = ","), "]")
one <- function(m) {
  s <- coef(summary(m))
  dispersion <- if (inherits(m, "glm")) 1 else summary(m)$sigma^2
  q <- if (inherits(m, "glm")) qnorm(0.975) else qt(0.975, m$df.residual)
  paste0('{"names":', text(rownames(s)), ',"estimate":', number(s[, 1]), ',"standardError":', number(s[, 2]),
    ',"statistic":', number(s[, 3]), ',"pValue":', number(s[, 4]), ',"low":', number(s[, 1] - q * s[, 2]),
    ',"high":', number(s[, 1] + q * s[, 2]), ',"deviance":', sprintf("%.17g", deviance(m)),
    ',"dispersion":', sprintf("%.17g", dispersion), ',"degreesOfFreedom":', m$df.residual, "}")
}
cat('{"data":{', paste0('"', setdiff(names(d), "work"), '":', sapply(setdiff(names(d), "work"), function(k) number(d[[k]])), collapse = ","),
  ',"work":', text(work), '},"models":{', paste0('"', names(models), '":', sapply(models, one), collapse = ",\n"), "}}\n", sep = "")
