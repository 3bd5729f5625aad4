# posterior's summarise_draws() with the columns of our table, on draws that stand ready in memory, quantity by quantity. The seconds are those of
# summarise_draws() alone, on one core. The table goes to a file, column by column.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "lines.R"))
need("posterior")

size <- c(problem$count, problem$chains, problem$quantities)
draws <- as_draws_array(array(readBin(problem$draws, "double", prod(size), endian = "little"), size))
quantiles <- function(x) quantile2(x, c(0.05, 0.5, 0.95))

serve(paste("posterior", packageVersion("posterior")), function(options) {
  start <- Sys.time()
  table <- summarise_draws(draws, "mean", "sd", "mcse_mean", "mcse_sd", quantiles, "ess_bulk", "ess_tail", "rhat", "pareto_khat")
  seconds <- as.numeric(Sys.time() - start, units = "secs")
  writeBin(as.vector(as.matrix(as.data.frame(table)[, -1])), options$file, endian = "little")
  list(seconds = seconds)
})
