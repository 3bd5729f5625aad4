# rstan's NUTS, all settings as they are, chains one after the other on one core. The compiled program is kept in the folder `cache`, with the
# seconds that compiling took. The seconds of a run are those of sampling(), warm-up included. Draws go to a file, parameter by parameter,
# chain by chain; leapfrogs are those of all transitions.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "lines.R"))
need("rstan")

name <- sub("[.]stan$", "", basename(problem$program))
kept <- file.path(problem$cache, paste0(name, ".rds"))
took <- file.path(problem$cache, paste0(name, ".seconds"))
if (!file.exists(kept) || file.mtime(kept) < file.mtime(problem$program)) {
  start <- Sys.time()
  # Compilers are talkative, and stdout is ours.
  sink(stderr())
  compiled <- stan_model(problem$program, model_name = name)
  sink()
  writeLines(format(as.numeric(Sys.time() - start, units = "secs")), took)
  saveRDS(compiled, kept)
}
compiled <- readRDS(kept)
compile_seconds <- if (file.exists(took)) as.numeric(readLines(took)) else -1

data <- read_rdump(problem$data)
parameters <- strsplit(problem$parameters, " ")[[1]]

serve(paste("rstan", packageVersion("rstan")), function(options) {
  sink(stderr())
  start <- Sys.time()
  fit <- sampling(compiled, data = data, chains = problem$chains, warmup = problem$warmup, iter = problem$warmup + problem$draws,
                  seed = options$seed, cores = 1, refresh = 0, open_progress = FALSE)
  seconds <- as.numeric(Sys.time() - start, units = "secs")
  sink()
  leapfrogs <- sum(sapply(get_sampler_params(fit, inc_warmup = TRUE), function(chain) sum(chain[, "n_leapfrog__"])))
  divergences <- sum(sapply(get_sampler_params(fit, inc_warmup = FALSE), function(chain) sum(chain[, "divergent__"])))
  draws <- as.array(fit)
  file <- file(options$file, "wb")
  for (parameter in parameters) writeBin(as.vector(draws[, , parameter]), file, endian = "little")
  close(file)
  list(seconds = seconds, leapfrogs = leapfrogs, divergences = divergences, compileSeconds = compile_seconds)
})
