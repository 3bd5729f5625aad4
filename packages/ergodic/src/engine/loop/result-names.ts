/**
 * Names of what verbs give: asked of a run, each says that the run is to be awaited (loop/watched.ts). Written out, since what has them is loaded as it is made, or
 * made on another thread. A test holds them to the types.
 */
const words = <Text extends string>(text: Text): readonly Words<Text>[] => text.split(" ") as Words<Text>[];
type Words<Text extends string> = Text extends `${infer Word} ${infer Rest}` ? Word | Words<Rest> : Text;

/** Of what `fit` trains: linear models, networks, recommenders. Those that are asked for first, since every bundle that trains has them. */
export const trainedNames = () => ["predict", "evaluate", "save", "toBytes", "weights", "recommend"] as const;
/** Of `fit` of a statistical model. */
export const modeNames = () => words("values logDensity gradientNorm converged left spread unbounded reason run");
/** Of `fit` of a graph. */
export const learnedNames = () => words("graph weights weight heldOut likelihood calibration particles findings run");
/** Of `fit.path`. */
export const pathNames = () =>
  words("lambdas gaps violations nonZeros explained crossValidation run columns weights intercept predictor portable");
/** Of `minimize`, of every kind of function. */
export const minimumNames = () => words("x value reason algorithm run history evaluations centre failed saved gradientNorm");
/** Of `tune`. */
export const tunedNames = () => words("settings value best trials finished failed epochs epochsSaved reason algorithm run");
/** Of `calibrate`. */
export const calibrationNames = () => words("simulations draws numbers calibrated verdict");
/** Of `sample`. */
export const drawsNames = () =>
  words(
    "chains count quantities fields description draws series scalars shape mean quantile summary summarise table report derive verdict check predict predictor loo waic divergences energy treeDepths transition content portable toJSON",
  );
/** Of `infer`. */
export const answerNames = () =>
  words(
    "task method certificate description marginal variables logZ logZCertificate chains weights state best gap portable toJSON",
  );
