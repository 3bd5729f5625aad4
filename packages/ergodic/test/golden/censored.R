# Golden log likelihoods of censored data: Rscript censored.R > censored.json   (R 4.5.0, survival 3.8.3, jsonlite 1.9.1)
#
# survreg() of right-censored Weibull times, of log-normal ones in intervals, of normal numbers between limits (tobit), and of left-censored logistic ones:
# the data, the log likelihood at its maximum, and where that is: location by column and the scale of the error.
suppressMessages({ library(survival); library(jsonlite) })
set.seed(20261128)
text <- function(x) as.numeric(formatC(x, digits = 8, format = "g"))
n <- 60
x <- rep(0:1, n / 2)
control <- survreg.control(maxiter = 200, rel.tolerance = 1e-14)
fitted <- function(response, distribution) {
  fit <- survreg(response ~ x, dist = distribution, control = control)
  list(loglik = fit$loglik[2], coefficients = as.numeric(coef(fit)), scale = fit$scale)
}
time <- text(rweibull(n, 1.4, exp(0.3 + 0.5 * x)))
watched <- text(runif(n, 0.5, 4))
seen <- pmin(time, watched); running <- as.numeric(time > watched)
exact <- text(exp(0.2 + 0.6 * x + rnorm(n, sd = 0.7)))
from <- ifelse(seq_len(n) %% 3 == 0, exact, floor(2 * exact) / 2 + 0.001); until <- ifelse(seq_len(n) %% 3 == 0, exact, from + 0.5)
normal <- pmin(2.5, pmax(-0.5, text(0.6 + x + rnorm(n))))
kind <- ifelse(normal <= -0.5, 2, ifelse(normal >= 2.5, 0, 1))
logistic <- text(1 + x + rlogis(n)); below <- as.numeric(seq_len(n) %% 4 == 0)
golden <- list(
  x = x,
  right = c(list(t = seen, right = running), fitted(Surv(seen, 1 - running), "weibull")),
  interval = c(list(from = from, until = until), fitted(Surv(from, until, type = "interval2"), "lognormal")),
  tobit = c(list(y = normal, lower = -0.5, upper = 2.5), fitted(Surv(ifelse(kind == 2, NA, normal), ifelse(kind == 0, NA, normal), type = "interval2"), "gaussian")),
  left = c(list(y = logistic, left = below), fitted(Surv(logistic, 1 - below, type = "left"), "logistic"))
)
cat(toJSON(golden, digits = I(15), auto_unbox = TRUE), "\n")
