/** Linear models: gradient descent, and solvers. */
import { adagrad, coordinateDescent, Dataset, fit, gradientDescent, lbfgs, linear, newtonCholesky } from "ergodic";
import { dualCoordinateDescent } from "ergodic/learning";
import { pagesProblem } from "../data.mjs";
import { dense, sparse } from "./problems.mjs";

const sgd = gradientDescent({ rule: adagrad() });
const train = (data, options, given) => () => fit(linear(options), data, given);
const pages = () => Dataset.fromSparse({ ...pagesProblem({ rowCount: 4000, columnCount: 100, seed: 1 }), source: "pages" });
/** The same number of epochs at all sizes, so that the number of passes does not grow. */
const passes = { rule: lbfgs({ changeTolerance: 0, gradientTolerance: 0 }), epochs: 30 };

export const linearFamilies = {
  "descent, rows": {
    grows: "rows",
    theory: 1,
    sizes: [10_000, 100_000, 300_000, 1_000_000],
    open: (n) => train(dense(n, 10, 2), { loss: "logistic" }, { algorithm: sgd, epochs: 1 }),
  },
  "descent, sparse columns": {
    grows: "columns",
    theory: 1,
    sizes: [100_000, 1_000_000, 3_000_000, 10_000_000],
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
    sizes: [30_000, 100_000, 300_000, 1_000_000],
    open: (n) => train(dense(n, 30), { l1: 0.01 }, { algorithm: coordinateDescent() }),
  },
  "coordinate, columns": {
    grows: "columns",
    theory: 1,
    sizes: [3000, 10_000, 30_000, 100_000],
    open: (d) => train(dense(200, d), { l1: 0.1 }, { algorithm: coordinateDescent() }),
  },
  "coordinate, classes": {
    grows: "classes",
    theory: 1,
    sizes: [10, 30, 100, 300],
    open: (k) => train(dense(1000, 20, k), { loss: "multinomial", l1: 0.002 }, { algorithm: coordinateDescent() }),
  },
  "path, strengths": {
    grows: "λ",
    theory: 1,
    sizes: [10, 30, 100, 300],
    open(count) {
      const data = pages();
      const lambdas = Array.from({ length: count }, (_, k) => 0.03 * 0.003 ** (k / count));
      return () => fit.path(linear({ loss: "logistic", standardise: false }), data, { lambdas });
    },
  },
  "path, folds": {
    grows: "folds",
    theory: 1,
    sizes: [3, 10, 30, 60],
    open(folds) {
      const data = pages();
      return () => fit.path(linear({ loss: "logistic", standardise: false }), data, { lambdas: 30, folds, workers: 1 });
    },
  },
  "dual, rows": {
    grows: "rows",
    theory: 1,
    sizes: [30_000, 100_000, 300_000, 1_000_000],
    open: (n) => train(dense(n, 10, 2), { loss: "hinge", intercept: false, l2: 0.01 }, { algorithm: dualCoordinateDescent() }),
  },
  // From 40 MB on: smaller data fit into the cache of some processors, where a pass is up to five times faster.
  "L-BFGS, columns": {
    grows: "columns",
    theory: 1,
    sizes: [3000, 10_000, 30_000, 60_000],
    open: (d) => train(dense(1000, d, 2), { loss: "logistic", l2: 0.01 }, passes),
  },
  // N d² for the Hessian, d³/6 to factorise it: exponent 2 if there are many rows, 3 if there are many columns.
  "Newton-Cholesky, columns": {
    grows: "columns",
    theory: 2,
    sizes: [100, 300, 600, 1000],
    open: (d) => train(dense(5000, d, 2), { loss: "logistic", l2: 0.01 }, { algorithm: newtonCholesky() }),
  },
  "solved, rows": {
    grows: "rows",
    theory: 1,
    sizes: [100_000, 300_000, 1_000_000, 3_000_000],
    open: (n) => train(dense(n, 10), { loss: "squared" }, {}),
  },
};
