// The page of methods of objects that users receive (docs/methods.md): draws, predictors, graphs, runs and others.
import { functionSections } from "./options.mjs";
import { commentOf, methodsOfType, signatureLine, signaturesOf } from "./program.mjs";
import { flat, paragraphs } from "./text.mjs";

/** @typedef {import("./program.mjs").Entry} Entry */
/** @typedef {{ title: string, source: string, entry: Entry, type: string, prefix: string, but?: readonly string[] }} Described */

/** Types by section. `prefix`: how calls are written; `but`: methods that only other parts of the library call. @type {readonly Described[]} */
export const describedTypes = [
  {
    title: "Runs",
    source: "`fit`, `sample`, `infer`, `minimize` and other verbs return a run, which can be awaited or iterated over.",
    entry: "ergodic",
    type: "Run",
    prefix: "run.",
    but: ["then", "catch", "finally"],
  },
  {
    title: "Functions of a model",
    source: "`model` passes these functions to the function that describes the model.",
    entry: "ergodic/bayes",
    type: "ModelTools",
    prefix: "",
  },
  {
    title: "Draws",
    source: "`sample` and `loadDraws` return draws.",
    entry: "ergodic",
    type: "Draws",
    prefix: "draws.",
    but: ["portable"],
  },
  {
    title: "Predictors of posteriors",
    source: "`draws.predictor()` returns this predictor.",
    entry: "ergodic/bayes",
    type: "PosteriorPredictor",
    prefix: "predictor.",
  },
  {
    title: "Linear models and networks",
    source: "`fit` and `predictor` return this type for linear models. The predictor of a network has the same methods.",
    entry: "ergodic",
    type: "LinearPredictor",
    prefix: "predictor.",
  },
  {
    title: "Boltzmann machines",
    source: "`fit` of `boltzmannMachine` and `loadBoltzmannMachine` return this type.",
    entry: "ergodic/predict",
    type: "BoltzmannMachine",
    prefix: "machine.",
  },
  {
    title: "Recommenders",
    source: "`fit` and `predictor` return this type for factorisations of ratings.",
    entry: "ergodic",
    type: "FactorPredictor",
    prefix: "recommender.",
    but: ["pairOf"],
  },
  {
    title: "Paths of linear models",
    source: "`fit.path` returns a path.",
    entry: "ergodic/learning",
    type: "LinearPath",
    prefix: "path.",
    but: ["portable"],
  },
  {
    title: "Datasets",
    source: "`Dataset.fromArrays`, `Dataset.fromTable` and the readers of files return datasets.",
    entry: "ergodic",
    type: "Dataset",
    prefix: "data.",
    but: ["withTargetOf", "follow", "ofWeight", "standardiseBy", "columnMoments", "columnScales"],
  },
  {
    title: "Ratings",
    source: "`Ratings.fromTriples` and `Ratings.fromTable` return ratings.",
    entry: "ergodic",
    type: "Ratings",
    prefix: "ratings.",
    but: ["of", "portable"],
  },
  {
    title: "Factor graphs",
    source: "`factorGraph`, `knowledgeBase(…).ground()` and the readers of graphs return graphs.",
    entry: "ergodic",
    type: "FactorGraph",
    prefix: "graph.",
    but: ["conditionals", "columning", "factorTables", "tabling", "addFactor"],
  },
  {
    title: "Answers",
    source: "`infer` returns an answer.",
    entry: "ergodic",
    type: "Answer",
    prefix: "answer.",
    but: ["portable"],
  },
  {
    title: "Learned weights of graphs",
    source: "`fit` of a graph returns this type.",
    entry: "ergodic",
    type: "LearnedGraph",
    prefix: "learned.",
  },
  {
    title: "Knowledge bases",
    source: "`knowledgeBase` returns a knowledge base.",
    entry: "ergodic/graphs",
    type: "KnowledgeBase",
    prefix: "kb.",
  },
  { title: "Queries", source: "`query` returns a query.", entry: "ergodic/graphs", type: "Query", prefix: "query." },
  { title: "Relations", source: "`relation` returns a relation.", entry: "ergodic", type: "Relation", prefix: "relation." },
  {
    title: "Searches",
    source: "`search` returns a search.",
    entry: "ergodic/search",
    type: "Search",
    prefix: "search.",
    but: ["grant"],
  },
  {
    title: "Random numbers",
    source: "`stream(seed, name).at(i)` returns a source of random numbers.",
    entry: "ergodic",
    type: "RandomDraws",
    prefix: "random.",
  },
  { title: "Servers", source: "`serve` returns a server.", entry: "@ergodic/serve", type: "Serving", prefix: "server." },
  { title: "Batchers", source: "`batcher` returns a batcher.", entry: "@ergodic/serve", type: "Batcher", prefix: "batcher." },
  {
    title: "Learners",
    source: "`openLearner` returns a learner.",
    entry: "@ergodic/serve",
    type: "OnlineLearner",
    prefix: "learner.",
  },
];

/** Methods of one type, in the form of functions. @param {Described} described */
export const methodsOf = ({ entry, type, prefix, but = [] }) =>
  methodsOfType(entry, type)
    .filter(({ name }) => !but.includes(name))
    .map((symbol) => ({
      name: `${prefix}${symbol.name}`,
      file: "",
      entries: [],
      summary: flat(paragraphs(commentOf(symbol))[0] ?? ""),
      signatures: signaturesOf(symbol),
    }));

export function methodsPage() {
  const groups = describedTypes.map((one) => /** @type {const} */ ([one.title, methodsOf(one), one.source]));
  return `# Methods of objects

Generated from the types by \`npm run docs\`; do not edit. [Verbs and their options](options.md) describes the functions that
return these objects. Editors also show the properties of the objects, with their comments.

${functionSections(groups, signatureLine).join("\n")}`;
}
