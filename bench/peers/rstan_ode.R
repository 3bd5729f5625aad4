# Gradients of densities that solve differential equations (stan/ode.stan), by rstan's grad_log_prob: processor seconds of so many, the value and the
# gradient. The compiled program is in the folder `cache` (rstan_compile.R). A call from R costs some 30 µs, which counts.

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "lines.R"))
need("rstan")

compiled <- read_compiled(problem$cache, file.path(here, "stan", "ode.stan"))
numbers <- function(text) as.numeric(strsplit(text, " ")[[1]])

serve(paste("rstan", packageVersion("rstan")), function(options) {
  sink(stderr())
  theta <- numbers(options$theta)
  times <- numbers(options$times)
  observed <- matrix(numbers(options$observed), length(times), byrow = TRUE)
  posed <- suppressMessages(sampling(compiled, chains = 0, refresh = 0, data = list(
    problem = options$problem, stiff = 0, tolerance = options$tolerance, n = ncol(observed), p = length(theta), times = length(times),
    ts = array(times), weights = 0 * observed, observed = observed, precision = options$precision)))
  before <- proc.time()
  for (i in seq_len(options$repeats)) slopes <- grad_log_prob(posed, theta)
  after <- proc.time()
  sink()
  list(seconds = sum(after[1:2] - before[1:2]), value = attr(slopes, "log_prob"), gradient = paste(format(as.vector(slopes), digits = 17), collapse = " "))
})
