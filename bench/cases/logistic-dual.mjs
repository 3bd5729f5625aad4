/** logistic-dual: logistic regression by dual coordinate descent. */
import { dualCase } from "../dual.mjs";

const loss = (margin) => (margin > 0 ? Math.log1p(Math.exp(-margin)) : Math.log1p(Math.exp(margin)) - margin);

export default dualCase("logistic-dual", 0.8, { name: "logistic", loss, solver: 7, tolerance: 1e-6 });
