/** svm-squared-dual: a support vector machine with the squared hinge loss, by dual coordinate descent. */
import { dualCase } from "../dual.mjs";

const loss = (margin) => Math.max(0, 1 - margin) ** 2;

export default dualCase("svm-squared-dual", 0.8, { name: "squaredHinge", loss, solver: 1, tolerance: 1e-6 });
