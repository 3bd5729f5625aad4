/** Gaussian regressions of the reference posteriors: flat, Cauchy and normal priors. */

import {
  cauchy,
  type ModelContext,
  matrix,
  model,
  normal,
  normalIdGlm,
  real,
  type StatisticalModel,
  vector,
} from "../../../src/bayes/model/index.ts";
import {
  add,
  div,
  equal,
  log,
  matmul,
  mean,
  mul,
  reshape,
  type SymbolicArray,
  sqrt,
  stack,
  sub,
  variance,
} from "../../../src/engine/compiler/index.ts";

type Columns = Readonly<Record<string, SymbolicArray>>;

const column = (x: SymbolicArray): SymbolicArray => reshape(x, [x.size, 1]);
const standardised = (x: SymbolicArray, sds: number): SymbolicArray =>
  div(sub(x, mean(x)), mul(sds, sqrt(variance(x, { correction: 1 }))));

/** response ~ N(β₀ + Σ β_j x_j, σ), with columns selected by name. */
function regression(
  names: readonly string[],
  of: (columns: Columns) => { response: SymbolicArray; predictors: SymbolicArray[] },
  sigmaOf: (context: ModelContext) => SymbolicArray = ({ param }) => param("sigma", "positive"),
): StatisticalModel {
  return model((context) => {
    const columns = context.data(Object.fromEntries(names.map((name) => [name, vector("N")])));
    const { response, predictors } = of(columns);
    const ones = add(mul(0, predictors[0]), 1);
    const x = stack([ones, ...predictors], 1);
    const beta = context.param("beta", "real", { shape: predictors.length + 1 });
    const sigma = sigmaOf(context);
    context.observe(response, normalIdGlm(x, 0, beta, sigma), "response");
  });
}

const halfFlatCauchy = ({ param }: ModelContext): SymbolicArray => param("sigma", cauchy(0, 2.5), { lower: 0 });

const nes = regression(
  ["partyid7", "real_ideo", "race_adj", "age_discrete", "educ1", "gender", "income"],
  ({ partyid7, real_ideo, race_adj, age_discrete, educ1, gender, income }) => ({
    response: partyid7,
    predictors: [real_ideo, race_adj, ...[2, 3, 4].map((age) => equal(age_discrete, age)), educ1, gender, income],
  }),
);

const mesquite = ["weight", "diam1", "diam2", "canopy_height", "total_height", "density", "group"];

const blr = model(({ data, param, observe }) => {
  const { X, y } = data({ X: matrix("N", "D"), y: vector("N") });
  const beta = param("beta", normal(0, 10), { shape: "D" });
  const sigma = param("sigma", normal(0, 10), { lower: 0 });
  observe(y, normal(matmul(X, beta), sigma));
});

const kilpisjarvi = model(({ data, param, observe }) => {
  const { x, y, ...prior } = data({
    x: vector("N"),
    y: vector("N"),
    pmualpha: real(),
    psalpha: real(),
    pmubeta: real(),
    psbeta: real(),
  });
  const alpha = param("alpha", normal(prior.pmualpha, prior.psalpha));
  const beta = param("beta", normal(prior.pmubeta, prior.psbeta));
  const sigma = param("sigma", "positive");
  observe(y, normalIdGlm(column(x), alpha, reshape(beta, [1]), sigma));
});

export const regressions: Record<string, StatisticalModel> = {
  "earnings-earn_height": regression(["earn", "height"], ({ earn, height }) => ({ response: earn, predictors: [height] })),
  "earnings-logearn_height_male": regression(["earn", "height", "male"], ({ earn, height, male }) => ({
    response: log(earn),
    predictors: [height, male],
  })),
  "earnings-logearn_interaction_z": regression(["earn", "height", "male"], ({ earn, height, male }) => {
    const z = standardised(height, 1);
    return { response: log(earn), predictors: [z, male, mul(z, male)] };
  }),
  "kidiq_with_mom_work-kidscore_interaction_z": regression(["kid_score", "mom_hs", "mom_iq"], ({ kid_score, mom_hs, mom_iq }) => {
    const [h, q] = [standardised(mom_hs, 2), standardised(mom_iq, 2)];
    return { response: kid_score, predictors: [h, q, mul(h, q)] };
  }),
  "kidiq_with_mom_work-kidscore_mom_work": regression(["kid_score", "mom_work"], ({ kid_score, mom_work }) => ({
    response: kid_score,
    predictors: [2, 3, 4].map((level) => equal(mom_work, level)),
  })),
  "mesquite-mesquite": regression(mesquite, ({ weight, ...x }) => ({
    response: weight,
    predictors: mesquite.slice(1).map((name) => x[name]),
  })),
  "mesquite-logmesquite": regression(mesquite, ({ weight, group, ...x }) => ({
    response: log(weight),
    predictors: [...mesquite.slice(1, -1).map((name) => log(x[name])), group],
  })),
  "mesquite-logmesquite_logvash": regression(mesquite, ({ weight, diam1, diam2, canopy_height, total_height, group }) => {
    const [one, two] = [log(diam1), log(diam2)];
    return {
      response: log(weight),
      predictors: [add(add(one, two), log(canopy_height)), add(one, two), sub(one, two), log(total_height), group],
    };
  }),
  "nes1972-nes": nes,
  "nes1980-nes": nes,
  "nes2000-nes": nes,
  "kidiq-kidscore_momhsiq": regression(
    ["kid_score", "mom_hs", "mom_iq"],
    ({ kid_score, mom_hs, mom_iq }) => ({ response: kid_score, predictors: [mom_hs, mom_iq] }),
    halfFlatCauchy,
  ),
  "kidiq-kidscore_interaction": regression(
    ["kid_score", "mom_hs", "mom_iq"],
    ({ kid_score, mom_hs, mom_iq }) => ({ response: kid_score, predictors: [mom_hs, mom_iq, mul(mom_hs, mom_iq)] }),
    halfFlatCauchy,
  ),
  "sblri-blr": blr,
  "kilpisjarvi_mod-kilpisjarvi": kilpisjarvi,
};
