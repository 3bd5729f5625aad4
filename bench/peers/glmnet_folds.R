# cv.glmnet on sparse columns: a logistic lasso path at the given lambdas, for which glmnet does not end early, cross-validated on the given folds, one after
# another. `thresh` is glmnet's default. The matrix is ready by columns; the seconds are those of cv.glmnet() alone. The mean deviances of the lambdas and their
# standard errors go to a file.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "lines.R"))
need("glmnet")

doubles <- function(name, count) readBin(problem[[name]], "double", count, endian = "little")
integers <- function(name, count) readBin(problem[[name]], "integer", count, endian = "little")
rows <- problem$rowCount
starts <- integers("rowStart", rows + 1)
entries <- starts[rows + 1]
values <- readBin(problem$values, "numeric", entries, size = 4, endian = "little")
x <- t(Matrix::sparseMatrix(i = integers("columnIndex", entries) + 1, p = starts, x = values, dims = c(problem$columnCount, rows)))
y <- doubles("target", rows)
folds <- integers("foldOf", rows) + 1
lambdas <- doubles("lambdas", problem$lambdaCount)

serve(paste("cv.glmnet", packageVersion("glmnet")), function(options) {
  start <- Sys.time()
  made <- cv.glmnet(x, y, family = "binomial", lambda = lambdas, standardize = FALSE, foldid = folds)
  seconds <- as.numeric(Sys.time() - start, units = "secs")
  stopifnot(length(made$lambda) == length(lambdas))
  writeBin(c(made$cvm, made$cvsd), options$errors, endian = "little")
  list(seconds = seconds)
})
