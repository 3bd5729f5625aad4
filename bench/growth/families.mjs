/**
 * What grows, by what, and how fast theory says it should: a family is `{ grows, theory, sizes, open(size) → () => work }`. `open` makes what the work is done on, which
 * is not counted; the work is. Sizes are large enough for the last two to say what cost tends to.
 */
import {
  adagrad,
  coordinateDescent,
  Dataset,
  dualCoordinateDescent,
  fit,
  gradientDescent,
  linear,
  meanField,
  minimize,
  model,
  nelderMead,
  normal,
  nuts,
  openAiEs,
  randomSearch,
  sample,
} from "ergodic";
import { pagesProblem, randomNumbers } from "../data.mjs";

/** Normal columns, and a target by the first of them: numbers, or `classes` classes. */
function dense(rowCount, columnCount, classes = 0) {
  const random = randomNumbers(1);
  const values = Float32Array.from({ length: rowCount * columnCount }, () => random.normal());
  const y = Array.from({ length: rowCount }, (_, i) => {
    const z = values[i * columnCount] - values[i * columnCount + 1] + random.normal();
    return classes === 0 ? z : `c${classes === 2 ? Number(z > 0) : Math.floor(random.uniform() * classes)}`;
  });
  return Dataset.fromArrays({ x: { values, columnCount }, y, type: "f32" });
}

/** Ten entries a row. */
function sparse(rowCount, columnCount) {
  const random = randomNumbers(1);
  const entries = Array.from({ length: rowCount }, () =>
    [...new Set(Array.from({ length: 10 }, () => Math.floor(random.uniform() * columnCount)))].sort((a, b) => a - b),
  );
  const rowStart = new Uint32Array(rowCount + 1);
  for (const [i, row] of entries.entries()) rowStart[i + 1] = rowStart[i] + row.length;
  const columnIndex = Uint32Array.from(entries.flat());
  const values = new Float32Array(columnIndex.length).fill(1);
  const target = Float64Array.from(entries, ([first]) => (first + random.normal() * columnCount > columnCount / 2 ? 1 : 0));
  return Dataset.fromSparse({ rowCount, columnCount, rowStart, columnIndex, values, target, source: "sparse" });
}

const sgd = gradientDescent({ rule: adagrad() });
const train = (data, options, given) => () => fit(linear(options), data, given);
const search = (algorithm) => (d) => () =>
  minimize((x) => x.reduce((sum, v, j) => sum + (1 + (j % 7)) * v * v, 0), {
    algorithm: algorithm(),
    x0: new Float64Array(d).fill(1),
    until: { evaluations: 3000 },
  });
const logDensity = (x) => x.reduce((sum, v) => sum - 0.5 * v * v, 0);
/** Draws of a standard normal distribution. */
const draw = (dimension, options) =>
  sample(logDensity, { dimension, gradient: (x) => Float64Array.from(x, (v) => -v) }, { seed: 1, ...options });

export const families = {
  "descent, rows": {
    grows: "rows",
    theory: 1,
    sizes: [10_000, 100_000, 300_000, 1_000_000],
    open: (n) => train(dense(n, 10, 2), { loss: "logistic" }, { algorithm: sgd, epochs: 1 }),
  },
  "descent, sparse columns": {
    grows: "columns",
    theory: 1,
    sizes: [10_000, 100_000, 1_000_000, 3_000_000],
    open: (d) => train(sparse(20_000, d), { loss: "logistic", standardise: false }, { algorithm: sgd, epochs: 1 }),
  },
  "descent, classes": {
    grows: "classes",
    theory: 1,
    sizes: [10, 100, 300, 1000],
    open: (k) => train(dense(10_000, 10, k), { loss: "multinomial" }, { algorithm: sgd, epochs: 1 }),
  },
  "coordinate, rows": {
    grows: "rows",
    theory: 1,
    sizes: [10_000, 30_000, 100_000, 300_000],
    open: (n) => train(dense(n, 30), { l1: 0.01 }, { algorithm: coordinateDescent() }),
  },
  "coordinate, columns": {
    grows: "columns",
    theory: 1,
    sizes: [300, 1000, 10_000, 30_000],
    open: (d) => train(dense(200, d), { l1: 0.1 }, { algorithm: coordinateDescent() }),
  },
  "coordinate, classes": {
    grows: "classes",
    theory: 1,
    sizes: [3, 10, 30, 60],
    open: (k) => train(dense(1000, 20, k), { loss: "multinomial", l1: 0.002 }, { algorithm: coordinateDescent() }),
  },
  "path, strengths": {
    grows: "λ",
    theory: 1,
    sizes: [10, 30, 100, 300],
    open(count) {
      const data = Dataset.fromSparse({ ...pagesProblem({ rowCount: 4000, columnCount: 100, seed: 1 }), source: "pages" });
      return () =>
        fit.path(linear({ loss: "logistic", standardise: false }), data, {
          lambdas: Array.from({ length: count }, (_, k) => 0.03 * 0.003 ** (k / count)),
        });
    },
  },
  "path, folds": {
    grows: "folds",
    theory: 1,
    sizes: [3, 10, 30, 60],
    open(folds) {
      const data = Dataset.fromSparse({ ...pagesProblem({ rowCount: 4000, columnCount: 100, seed: 1 }), source: "pages" });
      return () => fit.path(linear({ loss: "logistic", standardise: false }), data, { lambdas: 30, folds, workers: 1 });
    },
  },
  "dual, rows": {
    grows: "rows",
    theory: 1,
    sizes: [3000, 10_000, 30_000, 100_000],
    open: (n) => train(dense(n, 10, 2), { loss: "hinge", intercept: false, l2: 0.01 }, { algorithm: dualCoordinateDescent() }),
  },
  "sampling, dimensions": {
    grows: "d",
    theory: 1,
    sizes: [100, 300, 1000, 3000],
    open: (d) => () => draw(d, { algorithm: nuts(), chains: 1, warmup: 100, draws: 100 }),
  },
  "sampling, draws": {
    grows: "draws",
    theory: 1,
    sizes: [3000, 10_000, 30_000, 100_000],
    open: (draws) => () => draw(3, { algorithm: nuts(), chains: 1, warmup: 200, draws }),
  },
  "mean field, dimensions": {
    grows: "d",
    theory: 1,
    sizes: [100, 300, 1000, 3000],
    open: (d) => () => draw(d, { algorithm: meanField() }),
  },
  summary: {
    grows: "quantities",
    theory: 1,
    sizes: [10, 30, 100, 300],
    async open(d) {
      const posterior = await draw(d, { algorithm: nuts(), chains: 2, warmup: 100, draws: 300 });
      return () => posterior.summary();
    },
  },
  "Nelder-Mead": { grows: "d", theory: 2, sizes: [20, 50, 200, 500], open: search(nelderMead) },
  "random search": { grows: "d", theory: 1, sizes: [20, 200, 1000, 3000], open: search(randomSearch) },
  "evolution strategy": { grows: "d", theory: 1, sizes: [20, 200, 1000, 3000], open: search(openAiEs) },
  "one row, levels": {
    grows: "levels",
    theory: 0,
    sizes: [100, 1000, 10_000, 100_000],
    async open(levels) {
      const cells = Array.from({ length: 2 * levels }, (_, i) => `level ${i % levels}`);
      const column = {
        name: "c",
        kind: "category",
        levels: cells.slice(0, levels),
        codes: Int32Array.from(cells, (_, i) => i % levels),
      };
      const y = { name: "y", kind: "number", values: Float64Array.from(cells, (_, i) => i % 3) };
      const data = Dataset.fromTable({ columns: [column, y], rowCount: cells.length, source: "levels" }, { target: "y" });
      const fitted = await fit(linear(), data, { algorithm: sgd, epochs: 1 });
      fitted.predict([{ c: "level 1" }]);
      return () => {
        for (let i = 0; i < 2000; i++) fitted.predict([{ c: `level ${i % levels}` }]);
      };
    },
  },
  model: {
    grows: "parameters",
    theory: 1,
    sizes: [10, 30, 100, 300],
    open: (d) => () => {
      const many = model(({ param }) => {
        for (let j = 0; j < d; j++) param(`p${j}`, normal(0, 1));
      });
      return sample(many, {}, { chains: 1, warmup: 20, draws: 20 });
    },
  },
};
