/** Finds the known name that a user probably meant when an unknown name was given. */

/** Names in other libraries, as `plain` spells them, with our equivalents in order of preference. */
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
  noncentred: ["centred"],
  observed: ["value"],
  iter: ["draws", "epochs"],
  iterations: ["draws", "epochs"],
  itersampling: ["draws"],
  numsamples: ["draws"],
  samples: ["draws"],
  iterwarmup: ["warmup"],
  numwarmup: ["warmup"],
  tune: ["warmup"],
  burnin: ["warmup"],
  numchains: ["chains"],
  randomstate: ["seed"],
  randomseed: ["seed"],
  cores: ["workers"],
  njobs: ["workers"],
  parallelchains: ["workers"],
  init: ["start"],
  inits: ["start"],
  initvals: ["start"],
  sampler: ["algorithm"],
  solver: ["algorithm"],
  optimiser: ["rule", "algorithm"],
  method: ["algorithm"],
  step: ["algorithm", "stepSize"],
  targetaccept: ["targetAcceptance"],
  adaptdelta: ["targetAcceptance"],
  lr: ["rate"],
  eta: ["rate"],
  learningrate: ["rate"],
  stepsize: ["rate"],
  weightdecay: ["decay", "l2"],
  lambda: ["l2"],
  alpha: ["l2"],
  reglambda: ["l2"],
  regalpha: ["l1"],
  positive: ["nonNegative"],
  fitintercept: ["intercept"],
  classweight: ["classWeights"],
  normalise: ["standardise"],
  scale: ["standardise"],
  batchsize: ["batch"],
  minibatch: ["batch"],
  maxiter: ["epochs"],
  nepochs: ["epochs"],
  numepochs: ["epochs"],
  validation: ["validate"],
  validationdata: ["validate"],
  earlystopping: ["patience"],
};

/** Removes differences of spelling: capitals, snake_case and kebab-case, American and British English. */
const plain = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[_-]/g, "")
    .replace(/(?<!s)iz(e|ing|ation)/g, "is$1")
    .replace(/centered/g, "centred")
    .replace(/center/g, "centre")
    .replace(/color/g, "colour");

/** Returns the known name closest to `unknown`, or undefined if none is similar. */
export function nearest(unknown: string, known: readonly string[]): string | undefined {
  const written = plain(unknown);
  return (
    known.find((name) => plain(name) === written) ??
    (Object.hasOwn(SYNONYMS, written) ? SYNONYMS[written] : undefined)?.find((name) => known.includes(name)) ??
    known.find((name) => name.startsWith(unknown) || unknown.startsWith(name))
  );
}
