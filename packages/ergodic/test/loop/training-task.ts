/**
 * Training runs as text, to be evaluated in Node, in another Node's process and in a browser: the body of an async function of `lib`, the library.
 * Returns the bytes of each run's weights, by its name.
 */
export const training = `
  const { adam, Dataset, fit, lbfgs, linear, polyakEstimated, predictor, prodigy, rff, saga, sgd, stochasticLineSearch, svrg } = lib;
  let s = 7;
  const next = () => (s = (s * 48271) % 2147483647) / 2147483647 - 0.5;
  const x = Array.from({ length: 400 }, () => Array.from({ length: 12 }, () => (next() > 0 ? 2 * next() : 0)));
  const score = x.map((row) => row[0] - 2 * row[1] + row[2] * row[3] + 0.2 * next());
  const two = Dataset.fromArrays({ x, y: score.map((v) => (v > 0 ? "yes" : "no")) });
  const three = Dataset.fromArrays({ x, y: score.map((v) => (v < -0.5 ? "low" : v < 0.5 ? "mid" : "high")) });
  const rows = x.map((row) => row.flatMap((v, j) => (v === 0 ? [] : [[j, v]])));
  let count = 0;
  const sparse = Dataset.fromSparse({
    rowCount: 400, columnCount: 12, source: "rows",
    rowStart: Uint32Array.from([0, ...rows.map((row) => (count += row.length))]),
    columnIndex: Uint32Array.from(rows.flat().map(([j]) => j)),
    values: Float64Array.from(rows.flat().map(([, v]) => v)),
    target: Float64Array.from(score),
  });
  const common = { deterministic: true, seed: 5, epochs: 4 };
  const runs = {
    adagrad: [{}, two, {}],
    saga: [{ l1: 0.01, l2: 0.01 }, two, { variance: saga(), precision: "f64" }],
    svrg: [{ loss: "squared", l2: 0.01 }, sparse, { variance: svrg() }],
    adam: [{ loss: "multinomial" }, three, { rule: adam({ rate: 0.01 }), batch: 16 }],
    replicas: [{}, two, { replicas: 4, workers: 2, averageEvery: 0.5 }],
    bytes: [{}, two, { rule: sgd({ rate: 0.1 }), precision: "i8", schedule: "replacement" }],
    rounding: [{}, three, { precision: { data: "i8", model: "i16" } }],
    features: [{ features: rff({ count: 64 }), standardise: true }, two, { schedule: "blocks", blockRows: 16 }],
    search: [{ l2: 0.01 }, two, { rule: stochasticLineSearch(), batch: 8 }],
    prodigy: [{ loss: "huber" }, sparse, { rule: prodigy(), batch: 4 }],
    lbfgs: [{ l2: 0.01 }, three, { rule: lbfgs(), precision: "f64", workers: 2 }],
    full: [{ loss: "poisson" }, Dataset.fromArrays({ x, y: score.map((v) => Math.max(0, Math.round(v + 1))) }), { rule: polyakEstimated(), batch: "all", workers: 2 }],
  };
  const bytes = {};
  for (const [name, [model, data, options]] of Object.entries(runs)) {
    const fitted = await fit(linear(model), data, { ...common, ...options });
    const again = await predictor(fitted.toBytes());
    bytes[name] = [...new Uint8Array(again.weights.buffer), ...new Uint8Array(again.intercept.buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");
  }
  return bytes;`;
