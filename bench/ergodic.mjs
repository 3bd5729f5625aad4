/**
 * Our side: the built library, called as a user calls it.
 *
 * Seconds are those of the whole awaited `fit`, as a peer's are those of its whole `fit()`: set-up inside the call counts on both
 * sides. `insideSeconds` is what the run reports of its loop alone.
 */

const built = new URL("../packages/ergodic/dist/index.js", import.meta.url);

export async function openErgodic() {
  try {
    return await import(built.href);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new Error(`the built library is incomplete: ${error.message}; run "npm run build" first`, { cause: error });
  }
}

/** The engine itself, with what else the module `name` of the build exports: for benchmarks of one kernel. */
export async function openEngineOf(name) {
  await openErgodic();
  const { openEngine } = await import(new URL("host/engine.js", built).href);
  return { engine: await openEngine(), ...(await import(new URL(name, built).href)) };
}

/** A problem of data.mjs as one of our datasets. */
export function datasetOf({ Dataset }, problem, source) {
  const { format, rowCount, columnCount, rowStart, columnIndex, values, target } = problem;
  if (format === "dense") return Dataset.fromArrays({ x: { values, columnCount }, y: target, type: "f32" });
  return Dataset.fromSparse({ rowCount, columnCount, rowStart, columnIndex, values, target, source });
}

/** Logistic regression on the columns as they are: standardised ones would give the penalty another meaning than the peer's. */
export const logistic = ({ linear }, l2) => linear({ loss: "logistic", l2, standardise: false });

/** Trains once; `options` are those of `fit`. */
export async function timedFit(ergodic, model, data, options) {
  const start = performance.now();
  const trained = await ergodic.fit(model, data, options);
  const seconds = (performance.now() - start) / 1000;
  const { weights, intercept, run } = trained;
  return { seconds, insideSeconds: run.seconds, updates: run.updates, weights, intercept: intercept[0] };
}

/** Modules of the build, by their paths within it. */
export async function openModules(...names) {
  await openErgodic();
  return Promise.all(names.map((name) => import(new URL(name, built).href)));
}

/** `ergodic/compiler`. */
export async function openCompiler() {
  await openErgodic();
  return import(new URL("compiler/index.js", built).href);
}

/**
 * One contestant of measure.mjs that trains a network of networks.mjs: milliseconds an epoch. `build(layers, given)` makes it; `given(size)` is an
 * initialiser with the next so many of the problem's weights. Round after round, training goes on where it was.
 */
export async function openNetwork(problem, build) {
  const ergodic = await openErgodic();
  const [{ gradientDescent }, { resolvePlan }] = await Promise.all(
    ["algorithms/gradient/gradient-descent.js", "loop/plan.js"].map((name) => import(new URL(name, built).href)),
  );
  const { trainImages, trainLabels, rowCount, batch, rate, weights } = problem;
  const columnCount = trainImages.length / rowCount;
  const side = Math.sqrt(columnCount);
  const data = ergodic.Dataset.fromArrays({
    x: { values: trainImages, columnCount },
    y: Array.from(trainLabels, String),
    type: "f32",
    rowShape: [side, side, 1],
  });
  const part = ergodic.initialiser("partOfWeights", { from: 0, size: 0 }, ({ options: { from, size } }) =>
    Float64Array.from(weights.subarray(from, from + size)),
  );
  let from = 0;
  const given = (size) => {
    from += size;
    return part({ from: from - size, size });
  };
  const model = ergodic.network(build(ergodic, given), { standardise: false });
  const engine = await ergodic.openEngine();
  const plan = resolvePlan("bench", { batch, schedule: "ordered" }, engine.describe(), {});
  const trained = model.bind(model.prepare(data, plan).dataset, plan, engine);
  const progression = gradientDescent({ rule: ergodic.sgd({ rate }) }).start(trained, plan, engine);
  /** Of the very first step, as peers report it. */
  let firstLoss;
  return {
    name: `ergodic, ${engine.describe().build}`,
    async round() {
      const start = performance.now();
      const first = await progression.advance(1);
      const rest = await progression.advance(progression.stepsPerEpoch - 1);
      const value = performance.now() - start;
      firstLoss ??= first.lossSum / first.rows;
      return { value, loss: (first.lossSum + rest.lossSum) / rowCount, firstLoss };
    },
  };
}
