# Golden posteriors of test/bayes/formula/posteriors.test.ts, by brms: Rscript formula-posteriors.R > formula-posteriors.json
# The priors are brms' own, except those of coefficients, which are those that `regression` takes: normal(0, 2.5 sd(y)/sd(x)). Some minutes.
suppressMessages({ library(brms); library(posterior) })
data(sleepstudy, package = "lme4"); data(cbpp, package = "lme4"); data(housing, package = "MASS"); data(quine, package = "MASS"); data(mcycle, package = "MASS")
housing <- housing[rep(seq_len(nrow(housing)), housing$Freq), c("Sat", "Infl", "Type", "Cont")]
fits <- list(
  sleepstudy = list(Reaction ~ Days + (Days | Subject), sleepstudy, gaussian()),
  cbpp = list(incidence | trials(size) ~ period + (1 | herd), cbpp, binomial()),
  warpbreaks = list(breaks ~ wool * tension, warpbreaks, poisson()),
  housing = list(Sat ~ Infl + Type + Cont, housing, cumulative()),
  mcycle = list(accel ~ s(times, bs = "cr", k = 10), mcycle, gaussian()),
  trees = list(Volume ~ log(Girth) + log(Height), trees, Gamma("log")),
  quine = list(Days ~ Eth * Sex + Lrn, quine, negbinomial())
)
golden <- function(name) {
  formula <- fits[[name]][[1]]; data <- fits[[name]][[2]]; family <- fits[[name]][[3]]
  s <- standata(formula, data, family = family)
  X <- cbind(s$X, s$Xs); X <- X[, colnames(X) != "Intercept", drop = FALSE]
  if (is.null(colnames(X))) colnames(X) <- paste0("X", seq_len(ncol(X)))
  unit <- if (family$family %in% c("gaussian", "student")) sd(as.numeric(s$Y)) else 1
  d <- default_prior(formula, data, family = family)
  coefs <- d$coef[d$class == "b" & d$coef != ""]
  scale <- 2.5 * unit / apply(X, 2, sd)
  if (name == "mcycle") names(scale) <- coefs
  own <- do.call(c, lapply(coefs, function(k) set_prior(sprintf("normal(0, %.17g)", scale[[k]]), class = "b", coef = k)))
  m <- brm(formula, data = data, family = family, prior = own, chains = 4, warmup = 1000, iter = 6000, seed = 1, refresh = 0, control = list(adapt_delta = 0.95))
  keep <- setdiff(variables(as_draws_df(m)), c("lp__", "lprior"))
  rows <- summarise_draws(subset_draws(as_draws_df(m), variable = keep), mean, sd, mcse_mean, mcse_sd)
  extra <- list()
  if (name == "mcycle") {
    e <- posterior_epred(m, newdata = data.frame(times = c(5, 15, 21, 30, 45)))
    extra <- list(times = c(5, 15, 21, 30, 45), mean = colMeans(e), sd = apply(e, 2, sd))
  }
  if (name == "sleepstudy") {
    set.seed(1)
    new <- data.frame(Days = c(0, 5, 9), Subject = c("308", "308", "new"))
    e <- posterior_predict(m, newdata = new, allow_new_levels = TRUE, sample_new_levels = "gaussian")
    extra <- list(mean = colMeans(e), sd = apply(e, 2, sd))
  }
  # 1,681 rows of four texts would be most of the file.
  if (name == "housing") data <- { e <- new.env(); data("housing", package = "MASS", envir = e); e$housing }
  list(family = family$family, data = lapply(data, function(v) if (is.factor(v)) as.character(v) else v), posterior = as.data.frame(rows), extra = extra)
}
cat(jsonlite::toJSON(list(brms = as.character(packageVersion("brms")), fits = sapply(names(fits), golden, simplify = FALSE)), digits = NA, auto_unbox = TRUE), "\n")
