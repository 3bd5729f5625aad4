/** Finds the known name that a user probably meant when an unknown name was given. */

/** Names in other libraries, with our equivalents. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  low: ["lower"],
  min: ["lower"],
  minimum: ["lower"],
  high: ["upper"],
  max: ["upper"],
  maximum: ["upper"],
  axes: ["axis"],
  dim: ["axis"],
  dims: ["axis", "shape"],
  keepdim: ["keep"],
  keepdims: ["keep"],
  start: ["from"],
  begin: ["from"],
  stop: ["to"],
  end: ["to"],
  size: ["shape"],
  centered: ["centred"],
  noncentred: ["centred"],
  noncentered: ["centred"],
  observed: ["value"],
  iter: ["draws"],
  iterations: ["draws"],
  iter_sampling: ["draws"],
  num_samples: ["draws"],
  samples: ["draws"],
  iter_warmup: ["warmup"],
  num_warmup: ["warmup"],
  tune: ["warmup"],
  burnin: ["warmup"],
  num_chains: ["chains"],
  random_state: ["seed"],
  random_seed: ["seed"],
  cores: ["workers"],
  parallel_chains: ["workers"],
  init: ["start"],
  inits: ["start"],
  initvals: ["start"],
  sampler: ["algorithm"],
  method: ["algorithm"],
  step: ["algorithm", "stepSize"],
  target_accept: ["targetAcceptance"],
  adapt_delta: ["targetAcceptance"],
  max_treedepth: ["maxTreeDepth"],
};

/** Returns the known name closest to `unknown`, or undefined if none is similar. */
export function nearest(unknown: string, known: readonly string[]): string | undefined {
  const lower = unknown.toLowerCase();
  return (
    known.find((name) => name.toLowerCase() === lower) ??
    (Object.hasOwn(SYNONYMS, lower) ? SYNONYMS[lower] : undefined)?.find((name) => known.includes(name)) ??
    known.find((name) => name.startsWith(unknown) || unknown.startsWith(name))
  );
}
