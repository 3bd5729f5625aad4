# Compiles the Stan programs of bench/peers/stan that are not compiled yet, or have changed, with the seconds that each took. rstan takes 75 to
# 150 s for each, which is why the benchmarks do not do this. `install.sh --stan` runs it: Rscript rstan_compile.R FOLDER.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
folder <- commandArgs(trailingOnly = TRUE)[1]
library(rstan)
dir.create(folder, showWarnings = FALSE, recursive = TRUE)
programs <- list.files(file.path(here, "stan"), pattern = "[.]stan$", full.names = TRUE)
for (program in programs) {
  name <- sub("[.]stan$", "", basename(program))
  kept <- file.path(folder, paste0(name, ".rds"))
  if (file.exists(kept) && file.mtime(kept) >= file.mtime(program)) next
  start <- Sys.time()
  compiled <- stan_model(program, model_name = name)
  seconds <- as.numeric(Sys.time() - start, units = "secs")
  writeLines(format(seconds), file.path(folder, paste0(name, ".seconds")))
  saveRDS(compiled, kept)
  message(sprintf("%s: compiled in %.0f s", name, seconds))
}
