/** Finds the known name that a user probably meant when an unknown name was given. */

/** Names in other libraries, as `plain` spells them, by our equivalent. The first known equivalent is suggested. */
const SYNONYMS: Readonly<Record<string, string>> = {
  lower: "low min minimum",
  upper: "high max maximum",
  axis: "axes dim dims",
  shape: "dims size",
  keep: "keepdim keepdims",
  from: "start begin",
  to: "stop end",
  centred: "centered noncentred noncentered",
  value: "observed",
  draws: "iter iterations itersampling numsamples samples",
  epochs: "iter iterations maxiter",
  warmup: "iterwarmup numwarmup tune burnin",
  chains: "numchains",
  seed: "randomstate randomseed",
  workers: "cores njobs parallelchains",
  start: "init inits initvals",
  rule: "optimiser",
  algorithm: "sampler solver optimiser method step",
  stepSize: "step",
  targetAcceptance: "targetaccept adaptdelta",
  rate: "lr eta learningrate stepsize",
  decay: "weightdecay",
  l2: "weightdecay lambda alpha",
  intercept: "fitintercept",
  classWeights: "classweight",
  standardise: "normalise scale",
  validate: "validation",
  patience: "earlystopping",
};

/** Removes differences of spelling: capitals, snake_case and kebab-case, American and British English. */
const plain = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[_-]/g, "")
    .replace(/(?<!s)iz(e|ing|ation)/g, "is$1");

/** Returns the known name closest to `unknown`, or undefined if none is similar. */
export function nearest(unknown: string, known: readonly string[]): string | undefined {
  const written = plain(unknown);
  return (
    known.find((name) => plain(name) === written) ??
    Object.keys(SYNONYMS).find((name) => known.includes(name) && SYNONYMS[name].split(" ").includes(written)) ??
    known.find((name) => name.startsWith(unknown) || unknown.startsWith(name))
  );
}
