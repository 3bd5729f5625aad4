# rstan's NUTS, all settings as they are, chains one after the other on one core. The compiled program is in the folder `cache`, with the seconds
# that compiling took (rstan_compile.R). The seconds of a run are those of sampling(), warm-up included. Draws go to a file, parameter by parameter,
# chain by chain; leapfrogs are those of all transitions.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "lines.R"))
need("rstan")

compiled <- read_compiled(problem$cache, problem$program)
took <- sub("[.]rds$", ".seconds", compiled_file(problem$cache, problem$program))
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
