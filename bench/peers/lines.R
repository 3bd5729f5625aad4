# The peer's side of bench/peer.mjs in R: lines.py's twin. No JSON package is asked for: what is said here are flat objects of numbers and of
# strings without quotes or backslashes.

read_flat <- function(text) {
  pairs <- regmatches(text, gregexpr('"[^"]+":("[^"]*"|[^,}]+)', text))[[1]]
  names <- sub('^"([^"]+)":.*$', "\\1", pairs)
  values <- sub('^"[^"]+":', "", pairs)
  text_value <- startsWith(values, '"')
  read <- function(value, is_text) if (is_text) gsub('"', "", value, fixed = TRUE) else as.numeric(value)
  setNames(Map(read, values, text_value), names)
}

problem <- read_flat(commandArgs(trailingOnly = TRUE)[1])

say <- function(...) {
  answer <- list(...)
  shown <- ifelse(sapply(answer, is.character), sprintf('"%s"', answer), sapply(answer, format, digits = 17))
  cat(sprintf("{%s}\n", paste(sprintf('"%s": %s', names(answer), shown), collapse = ", ")))
  flush(stdout())
}

# Attaches a package; where it is not installed, says so, that the benchmark can skip this peer aloud.
need <- function(package) {
  if (suppressWarnings(suppressPackageStartupMessages(require(package, character.only = TRUE, quietly = TRUE)))) return(invisible())
  say(missing = package)
  quit(status = 0)
}

compiled_file <- function(folder, program) file.path(folder, sub("[.]stan$", ".rds", basename(program)))

# Reads what rstan_compile.R made of a Stan program; where it is absent or older than the program, says so like need().
read_compiled <- function(folder, program) {
  kept <- compiled_file(folder, program)
  if (file.exists(kept) && file.mtime(kept) >= file.mtime(program)) return(readRDS(kept))
  say(missing = sprintf("the compiled %s (bench/peers/install.sh --stan compiles all programs in about 25 minutes)", basename(program)))
  quit(status = 0)
}

# Says that the peer is ready, then answers each line `run {options}` with what run(options) returns, a list, until stdin ends.
serve <- function(version, run) {
  say(version = version)
  lines <- file("stdin", "r")
  while (length(line <- readLines(lines, 1)) > 0) {
    if (!startsWith(line, "run")) stop(sprintf('peer: "%s" is not a command; the only one is "run"', line))
    do.call(say, run(read_flat(line)))
  }
}
