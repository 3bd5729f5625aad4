/** Every exported function has its options declared (factories.ts, verbs.ts), or is listed here with a reason. */
import { expect, it } from "vitest";
import { isOperation } from "../../../src/engine/compiler/signature.ts";
import * as ergodic from "../../../src/entries/everything.ts";
import * as declared from "./declared.ts";
import * as factories from "./factories.ts";

/** Verbs are listed in verbs.ts by the arguments of the call. */
const verbs = [
  ...[
    "fit",
    "sample",
    "infer",
    "calibrate",
    "minimize",
    "search",
    "tune",
    "measure",
    "explain",
    "compileFunction",
    "coordinateAscent",
  ],
  ...["crossValidate", "regressionTable", "regression", "attributions", "importance", "partialDependence"],
  ...["gaussianMixture", "topics", "saveDraws", "metrics", "looPit", "compare"],
  ...["tracePlot", "histogramPlot", "rankBars", "intervalPlot", "densityOverlay"],
];

const without: Readonly<Record<string, readonly string[]>> = {
  "takes no options": [
    "boosting",
    "bagging",
    "prunings",
    ...[
      "predictor",
      "loadBoltzmannMachine",
      "loadDraws",
      "withModel",
      "openEngine",
      "lossNames",
      "scheduleNames",
      "lossFromJson",
      "layerKinds",
      "samplerNames",
      "inferenceNames",
      "learnerNames",
      "chooseLoss",
      "withMeantTarget",
      "logicalFunctionOf",
    ],
    ...[
      "murmur3",
      "stream",
      "paretoKhat",
      "distributionLedger",
      "predictivePit",
      "predictiveCheck",
      "summaryTable",
      "conjugate",
      "checkNumber",
      "checkKeys",
    ],
    ...[
      "toCmdStanCsv",
      "toDataFrame",
      "fromCmdStanCsv",
      "fromDataFrame",
      "countNetwork",
      "keepState",
      "writeWhole",
      "newLevels",
      "dateParts",
      "checkWritable",
      "writeTogether",
      "pendingFiles",
    ],
  ],
  "takes data of the model, or a part of it": ["model", "coordinateProblem", "tensor"],
  "makes from JSON what a factory makes": [
    ...["ruleFromJson", "searchFromJson", "samplerFromJson", "scheduleFromJson", "varianceFromJson", "layerFromJson"],
    ...["algorithmFromJson", "initialiserFromJson", "randomFeaturesFromJson", "modelFromJson"],
    ...["factorGraphFromJson", "inferenceFromJson", "learnerFromJson"],
  ],
  "speaks of a rule": [
    "ruleCost",
    "ruleEquation",
    "sparseBehaviour",
    "ruleLedger",
    "ruleLedgerRow",
    "measureRule",
    "ruleProgram",
  ],
  "defines a factory of the user's own": [
    ...["rule", "hostRule", "defineSearch", "loss", "layer", "initialiser", "distribution"],
  ],
  "takes layers or rules alone": ["chain", "concatenating", "frozen", "grouped"],
  "makes factor graphs, or parts of them: graphs/model/graph.test.ts": ["factorGraph", "is", "not"],
  "takes blocks by name: gibbs.test.ts": ["gibbs"],
  "makes knowledge bases, or parts of them: models/knowledge": ["knowledgeBase", "query", "relation", "weightedRule"],
};

it("every exported function is declared or listed with a reason", () => {
  const named = new Set([
    ...Object.values({ ...declared, ...factories }).flatMap((table) => Object.keys(table)),
    ...verbs,
    ...Object.values(without).flat(),
  ]);
  const isClass = (value: unknown): boolean => /^class\b/.test(String(value));
  const left = Object.entries(ergodic).filter(
    ([name, value]) => typeof value === "function" && !isClass(value) && !isOperation(value) && !named.has(name),
  );
  expect(left.map(([name]) => name)).toEqual([]);
});

it("every listed reason belongs to an existing function", () => {
  expect(
    Object.values(without)
      .flat()
      .filter((name) => !(name in ergodic)),
  ).toEqual([]);
});

it("errors keep their names when a minifier renames their classes", () => {
  const classes = Object.entries(ergodic).filter(([name]) => name.endsWith("Error")) as [string, typeof ergodic.OptionError][];
  expect(classes).toHaveLength(7);
  for (const [name, Class] of classes) {
    // Another class name, as after minification.
    const a = class extends Class {};
    expect(new a("where", "message", "CODE")).toMatchObject({ name, code: "CODE", message: "where: message [CODE]" });
  }
});
