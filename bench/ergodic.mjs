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
