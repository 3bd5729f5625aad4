// The dependency rule of ARCHITECTURE.md: a house imports engine/, predict/ and itself; join/ and entries/ import several houses.
const src = "^packages/ergodic/src";
const forbid = (name, comment, from, to) => ({ name, severity: "error", comment, from: { path: from }, to: { path: to } });
const houses = ["learning", "bayes", "graphs", "search"];

/** Rooms of the engine, each with those that it must not import. */
const engine = {
  "(errors|numbers|random|files|threads)": "memory|data|compiler|optimise|loop|statistics",
  statistics: "memory|data|compiler|optimise|loop",
  memory: "statistics|data|compiler|optimise|loop",
  data: "statistics|compiler|optimise|loop",
  compiler: "statistics|data|optimise|loop",
  loop: "compiler|data|optimise",
};

/** Within a house, models know no algorithm, and algorithms no model: a problem joins them. */
const models = {
  learning: ["models", "descent|coordinates|newton|online|fit"],
  bayes: ["model|distributions|transforms|formula", "samplers|approximate|places|draws|mode"],
  graphs: ["model|knowledge", "parts|exact|bounds|search|sampling|learn|infer"],
};

/** Algorithms of the graph house. They stand on graphs/parts/ and do not know each other. */
const inference = ["exact", "bounds", "search", "sampling"];
/** What joins the algorithms of graphs: the verb with its registry and automatic choice, learning, and answers about whole graphs. */
const entrance = "infer|learn|answers";

/** Families of samplers, which stand on samplers/base/, each with what it may import of another: samplers that move others default to nuts(). */
const samplers = {
  gibbs: "hamiltonian/nuts",
  tempering: "hamiltonian/nuts",
  hamiltonian: "",
  metropolis: "",
  slice: "",
  "stochastic-gradient": "",
};

/** Modules at which something outside the sources starts: public entries, commands, generators, and programs of threads, processes and pages. */
const programs =
  "ergodic/src/(engine/(memory/(worker|evaluate-worker)|compiler/functions/all-functions)|(predict|join/worker)/serve|join/worker/index)|serve/src/(onnx/child|page/page)";
const started = `^packages/(ergodic/src/entries/|ingest/src/(index|graphs/index|draws)|(serve|plots)/src/index|cli/src/main|${programs})`;

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    forbid("engine-knows-no-house", "all houses stand on it", `${src}/engine/`, `${src}/(?!engine/)`),
    ...houses.map((house) =>
      forbid(
        `${house}-knows-no-other-house`,
        "a house imports engine/, predict/ and itself; what must know several is in join/",
        `${src}/${house}/`,
        `${src}/(?!engine/|predict/|${house}/)`,
      ),
    ),
    forbid(
      "predict-stays-apart",
      "prediction takes from the engine its numbers, memory and data alone",
      `${src}/predict/`,
      `${src}/(?!predict/|engine/(contract|errors|numbers|random|files|threads|memory|data)/)`,
    ),
    {
      name: "predict-stays-small",
      severity: "error",
      comment: "what serves reaches no trainer, loop or compiler, by any way",
      from: { path: `${src}/predict/` },
      to: { path: `${src}/(learning|bayes|graphs|search|engine/(loop|compiler|optimise))/`, reachable: true },
    },
    forbid("join-knows-no-entry", "entries are for users", `${src}/join/`, `${src}/entries/`),
    ...Object.entries(engine).map(([room, others]) =>
      forbid(
        `engine-${room}-looks-down`,
        "rooms of the engine stand on each other",
        `${src}/engine/${room}/`,
        `${src}/engine/(${others})/`,
      ),
    ),
    ...Object.entries(models).flatMap(([house, [kinds, algorithms]]) => [
      forbid(
        `${house}-models-know-no-algorithm`,
        "a model offers, an algorithm needs",
        `${src}/${house}/(${kinds})/`,
        `${src}/${house}/(${algorithms})/`,
      ),
    ]),
    forbid(
      "algorithms-of-learning-know-no-model",
      "a model offers, an algorithm needs",
      `${src}/learning/(descent|coordinates|newton)/`,
      `${src}/learning/models/`,
    ),
    forbid(
      "base-of-inference-knows-no-algorithm",
      "algorithms import the base",
      `${src}/graphs/parts/`,
      `${src}/graphs/(${inference.join("|")}|${entrance})/`,
    ),
    ...inference.map((folder) =>
      forbid(
        `graphs-${folder}-knows-the-base-alone`,
        "an algorithm of inference imports neither the entrance nor another algorithm; what several need is in graphs/parts/",
        `${src}/graphs/${folder}/`,
        `${src}/graphs/(${[...inference.filter((other) => other !== folder), entrance].join("|")})/`,
      ),
    ),
    forbid(
      "base-of-samplers-knows-no-sampler",
      "samplers import the base",
      `${src}/bayes/samplers/base/`,
      `${src}/bayes/samplers/(?!base/)`,
    ),
    ...Object.entries(samplers).map(([family, allowed]) =>
      forbid(
        `samplers-${family}-knows-the-base-alone`,
        "a sampler imports neither the registry nor another family; what several need is in samplers/base/",
        `${src}/bayes/samplers/${family}/`,
        `${src}/bayes/samplers/(?!base/|${family}/${allowed && `|${allowed}`})`,
      ),
    ),
    forbid(
      "bayes-below-the-registry",
      "approximations and places import what samplers share",
      `${src}/bayes/(approximate|places)/`,
      `${src}/bayes/samplers/(?!base/)`,
    ),
    forbid(
      "inference-knows-no-learning",
      "learning infers, and inference does not learn",
      `${src}/graphs/infer/`,
      `${src}/graphs/learn/`,
    ),
    forbid(
      "models-know-no-formula",
      "a formula makes a statistical model, which offers what it needs (TracedModel.reports, newRows); nothing below knows of formulas",
      `${src}/bayes/(model|distributions|transforms)/`,
      `${src}/bayes/formula/`,
    ),
    {
      name: "no-node-in-the-library",
      severity: "error",
      comment:
        "the library runs in browsers, whose bundlers resolve every import: modules of Node come from builtin() of engine/files/node.ts",
      from: { path: src },
      to: { dependencyTypes: ["core"], dependencyTypesNot: ["type-only", "type-import"] },
    },
    {
      name: "no-runtime-dependency",
      severity: "error",
      comment: "ergodic itself depends on nothing",
      from: { path: src },
      to: { dependencyTypes: ["npm", "npm-dev", "npm-peer", "npm-optional"] },
    },
    {
      name: "no-forgotten-module",
      severity: "error",
      comment: "no entry reaches this module: add it to the list of its kind (all.ts, index.ts, formats.ts …), or delete it",
      from: {
        path: started,
      },
      to: { path: "^packages/[^/]+/src/", pathNot: `${started}|\\.d\\.ts$`, reachable: false },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "/(dist|test|kernels|scripts)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["@ergodic/source", "import", "default"] },
  },
};
