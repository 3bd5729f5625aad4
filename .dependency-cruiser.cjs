// The dependency rule of ARCHITECTURE.md. A folder may import those that are listed before it; verbs/ joins everything, and worker/ the verbs.
const src = "^packages/ergodic/src";
const forbid = (name, comment, from, to) => ({ name, severity: "error", comment, from: { path: from }, to: { path: to } });
const below = {
  base: "diagnostics|host|data|compiler|models|algorithms|loop|predict|draws|answers",
  diagnostics: "host|data|compiler|models|algorithms|loop|predict|draws|answers",
  host: "diagnostics|data|compiler|models|algorithms|loop|predict|draws|answers",
  data: "diagnostics|compiler|models|algorithms|loop|predict|draws|answers",
  compiler: "diagnostics|data|models|algorithms|loop|predict|draws|answers",
  models: "algorithms|loop|predict|draws|answers",
  algorithms: "models|loop|predict|draws|answers",
  loop: "models|algorithms|compiler|data|predict|draws|answers",
  draws: "host|data|compiler|models|algorithms|loop|predict|answers",
  answers: "diagnostics|host|data|compiler|models|algorithms|loop|predict|draws",
};

module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    ...Object.entries(below).map(([folder, others]) =>
      forbid(
        `${folder}-looks-down`,
        `${folder}/ must not import what stands after it`,
        `${src}/${folder}/`,
        `${src}/(${others})/`,
      ),
    ),
    {
      name: "predict-stays-small",
      severity: "error",
      comment: "what serves reaches no algorithm, loop, compiler or model of training",
      from: { path: `${src}/predict/` },
      to: { path: `${src}/(algorithms|loop|compiler|models)/`, reachable: true },
    },
    forbid(
      "folders-know-no-verb",
      "verbs join the folders, not the reverse",
      `${src}/(?!verbs/|worker/)[a-z]+/`,
      `${src}/(index.ts$|verbs/|worker/)`,
    ),
    forbid(
      "models-know-no-formula",
      "a formula makes a statistical model, which offers what it needs (TracedModel.reports, newRows); nothing below knows of formulas",
      `${src}/models/(?!formula/)`,
      `${src}/models/formula/`,
    ),
    {
      name: "no-node-in-the-library",
      severity: "error",
      comment:
        "the library runs in browsers, whose bundlers resolve every import: modules of Node come from builtin() of files/node.ts",
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
      name: "no-orphans",
      severity: "error",
      from: {
        orphan: true,
        path: `${src}/`,
        pathNot: "\\.d\\.ts$|/index\\.ts$|contract\\.ts$|fields\\.ts$|worker\\.js$|builds/",
      },
      to: {},
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
