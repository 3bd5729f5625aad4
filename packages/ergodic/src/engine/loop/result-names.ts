/**
 * Names of the properties of each verb's result. Reading such a property from the run itself throws an error that asks
 * for `await` (loop/watched.ts). The names are listed explicitly, because the code that makes a result is loaded late
 * or runs on another thread. A test checks them against the types.
 */
const words = <Text extends string>(text: Text): readonly Words<Text>[] => text.split(" ") as Words<Text>[];
type Words<Text extends string> = Text extends `${infer Word} ${infer Rest}` ? Word | Words<Rest> : Text;

/**
 * Result of `fit` for linear models, networks and recommenders. Lists only the names that users are likely to read
 * first, to keep it short: it is part of every bundle that trains.
 */
export const trainedNames = () => ["predict", "evaluate", "save", "toBytes", "weights", "recommend"] as const;
/** Result of `fit` for a statistical model. */
export const modeNames = () => words("values logDensity gradientNorm converged left spread unbounded reason run");
/** Result of `fit` for a graph. */
export const learnedNames = () => words("graph weights weight heldOut likelihood calibration particles findings run");
/** Result of `fit.path`. */
export const pathNames = () =>
  words("lambdas gaps violations nonZeros explained crossValidation run columns weights intercept predictor portable");
/** Result of `minimize` for any kind of function. */
export const minimumNames = () => words("x value reason algorithm run history evaluations centre failed saved gradientNorm");
/** Result of `tune`. */
export const tunedNames = () => words("settings value best trials finished failed epochs epochsSaved reason algorithm run");
/** Result of `calibrate`. */
export const calibrationNames = () => words("simulations draws numbers calibrated verdict");
/** Result of `sample`. */
export const drawsNames = () =>
  words(
    "chains count quantities fields description draws series scalars shape mean quantile summary summarise table report derive verdict check predict predictor loo waic divergences energy treeDepths transition content portable toJSON",
  );
/** Result of `infer`. */
export const answerNames = () =>
  words(
    "task method certificate description marginal variables logZ logZCertificate chains weights state best gap portable toJSON",
  );
