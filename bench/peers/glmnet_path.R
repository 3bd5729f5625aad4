# glmnet's lasso path: mean squared error / 2 + lambda |p|_1, the intercept free, on the given columns (standardize = FALSE) and the given lambdas,
# for which glmnet does not end early. Its `thresh` bounds the last pass's gain in the objective, relative to the null model's: no duality gap.
# The matrix stands ready by columns; the seconds are those of glmnet() alone. Weights go to a file, lambda by lambda, each with its intercept last.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "lines.R"))
need("glmnet")

numbers <- function(name, count) readBin(problem[[name]], "double", count, endian = "little")
x <- matrix(numbers("columns", problem$rowCount * problem$columnCount), problem$rowCount, problem$columnCount)
y <- numbers("target", problem$rowCount)
lambdas <- numbers("lambdas", problem$lambdaCount)

serve(paste("glmnet", packageVersion("glmnet")), function(options) {
  start <- Sys.time()
  path <- glmnet(x, y, lambda = lambdas, standardize = FALSE, thresh = options$thresh, maxit = 1e8)
  seconds <- as.numeric(Sys.time() - start, units = "secs")
  stopifnot(length(path$lambda) == length(lambdas))
  writeBin(as.vector(rbind(as.matrix(path$beta), path$a0)), options$weights, endian = "little")
  list(seconds = seconds)
})
