/**
 * Ten posteriors of posteriordb and those of varying.mjs, as our models and as Stan programs (peers/stan), and the
 * figures of a NUTS run on them.
 *
 * Each is sampled by 4 chains of 1000 + 1000 transitions, one after the other on one thread. `least` is the smallest
 * bulk ESS of the parameters in `compared`, over all chains; the same function judges both sides' draws. Gradients are
 * counted as leapfrogs, including those of warm-up. `bench/peers/install.sh --stan` compiles rstan's programs into
 * bench/results/stan, with the seconds that this took.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openModules } from "./ergodic.mjs";
import { openPeer, readNumbers, Skipped } from "./peer.mjs";
import { sized } from "./size.mjs";
import { dataOfVarying, modelOfVarying, varying } from "./varying.mjs";

const FOLDER = new URL("../../shared/data/posteriordb/data/", import.meta.url);
/** Compiled Stan programs and their compile times. */
export const CACHE = fileURLToPath(new URL("results/stan", import.meta.url));
const STAN = fileURLToPath(new URL("peers/stan/", import.meta.url));
export const [CHAINS, WARMUP, DRAWS] = sized([4, 1000, 1000], [2, 50, 50]);

const series = (name, count) => Array.from({ length: count }, (_, i) => `${name}[${i + 1}]`);

/** By name: the Stan program, the data, and the compared parameters by our names; `theirs` if Stan's names differ. */
export const posteriors = {
  eight_schools: { stan: "eight_schools_noncentered", data: "eight_schools", compared: ["mu", "tau"] },
  earnings: { stan: "earn_height", data: "earnings", compared: [...series("beta", 2), "sigma"] },
  kilpisjarvi: { stan: "kilpisjarvi", data: "kilpisjarvi_mod", compared: ["alpha", "beta", "sigma"] },
  kidscore: { stan: "kidscore_momhsiq", data: "kidiq", compared: [...series("beta", 3), "sigma"] },
  nes1972: { stan: "nes", data: "nes1972", compared: [...series("beta", 9), "sigma"] },
  mesquite: { stan: "mesquite", data: "mesquite", compared: [...series("beta", 7), "sigma"] },
  arK: { stan: "arK", data: "arK", compared: ["alpha", ...series("beta", 5), "sigma"] },
  garch: { stan: "garch11", data: "garch", compared: ["mu", "alpha0", "alpha1", "beta1"] },
  hmm_example: {
    stan: "hmm_example",
    data: "hmm_example",
    compared: ["theta1[1]", "theta2[1]", ...series("mu", 2)],
    theirs: ["theta[1,1]", "theta[2,1]", ...series("mu", 2)],
  },
  low_dim_gauss_mix: {
    stan: "low_dim_gauss_mix",
    data: "low_dim_gauss_mix",
    compared: [...series("mu", 2), ...series("sigma", 2), "theta"],
  },
};

/** @throws Skipped if posteriordb's data are not next to this repository */
export function dataOf(name) {
  const file = new URL(`${posteriors[name].data}.json`, FOLDER);
  if (!existsSync(file)) throw new Skipped("../shared/data/posteriordb is not here");
  return JSON.parse(readFileSync(file, "utf8"));
}

const entryOf = (name) => posteriors[name] ?? varying[name];
const given = (name) => (Object.hasOwn(varying, name) ? dataOfVarying(name) : dataOf(name));

/** Returns our model of a posterior. */
export async function modelOf(name) {
  if (Object.hasOwn(varying, name)) return modelOfVarying(name);
  const [compiler, statistical] = await openModules("engine/compiler/index.js", "bayes/model/index.js");
  return models({ ...compiler, ...statistical })[name]();
}

function models(ergodic) {
  const {
    add,
    at,
    concatenate,
    equal,
    integer,
    log,
    logSumExp,
    matmul,
    model,
    mul,
    real,
    reshape,
    scan,
    slice,
    sqrt,
    square,
    stack,
    sub,
    toArray,
  } = ergodic;
  const { beta: betaDistribution, cauchy, mixture, normal, normalIdGlm, vector } = ergodic;
  const regression = (response, columns, predictorsOf, sigmaOf = ({ param }) => param("sigma", "positive")) =>
    model((context) => {
      const given = context.data(Object.fromEntries([response, ...columns].map((name) => [name, vector("N")])));
      const predictors = predictorsOf(given);
      const x = stack([add(mul(0, predictors[0]), 1), ...predictors], 1);
      const beta = context.param("beta", "real", { shape: predictors.length + 1 });
      context.observe(given[response], normalIdGlm(x, 0, beta, sigmaOf(context)), "response");
    });
  const plain = (response, columns, sigmaOf) =>
    regression(response, columns, (given) => columns.map((name) => given[name]), sigmaOf);
  return {
    eight_schools: () =>
      model(({ data, param, observe }) => {
        const { y, sigma } = data({ y: vector("J"), sigma: vector("J") });
        const mu = param("mu", normal(0, 5));
        const tau = param("tau", cauchy(0, 5), { lower: 0 });
        observe(y, normal(param("theta", normal(mu, tau), { shape: "J", centred: false }), sigma));
      }),
    earnings: () => plain("earn", ["height"]),
    kilpisjarvi: () =>
      model(({ data, param, observe }) => {
        const prior = { pmualpha: real(), psalpha: real(), pmubeta: real(), psbeta: real() };
        const { x, y, ...given } = data({ x: vector("N"), y: vector("N"), ...prior });
        const alpha = param("alpha", normal(given.pmualpha, given.psalpha));
        const beta = param("beta", normal(given.pmubeta, given.psbeta));
        observe(y, normalIdGlm(reshape(x, [x.size, 1]), alpha, reshape(beta, [1]), param("sigma", "positive")));
      }),
    kidscore: () => plain("kid_score", ["mom_hs", "mom_iq"], ({ param }) => param("sigma", cauchy(0, 2.5), { lower: 0 })),
    nes1972: () =>
      regression(
        "partyid7",
        ["real_ideo", "race_adj", "age_discrete", "educ1", "gender", "income"],
        ({ real_ideo, race_adj, age_discrete, educ1, gender, income }) => {
          const ages = [2, 3, 4].map((age) => equal(age_discrete, age));
          return [real_ideo, race_adj, ...ages, educ1, gender, income];
        },
      ),
    mesquite: () => plain("weight", ["diam1", "diam2", "canopy_height", "total_height", "density", "group"]),
    arK: () =>
      model(({ data, param, observe, size }) => {
        const { K, y } = data({ K: integer(), y: vector("T") });
        const alpha = param("alpha", normal(0, 10));
        const beta = param("beta", normal(0, 10), { shape: "K" });
        const sigma = param("sigma", cauchy(0, 2.5), { lower: 0 });
        const lags = Array.from({ length: K }, (_, k) => slice(y, { from: K - 1 - k, to: size("T") - 1 - k }));
        observe(slice(y, { from: K }), normal(add(alpha, matmul(stack(lags, 1), beta)), sigma), "y");
      }),
    garch: () =>
      model(({ data, param, observe, size }) => {
        const { y, sigma1 } = data({ y: vector("T"), sigma1: real() });
        const mu = param("mu", "real");
        const alpha0 = param("alpha0", "positive");
        const alpha1 = param("alpha1", "unitInterval");
        const beta1 = param("beta1", { lower: 0, upper: sub(1, alpha1) });
        const shocks = square(sub(slice(y, { to: size("T") - 1 }), mu));
        const first = toArray(sigma1 * sigma1);
        const { outputs } = scan([first], [shocks], ([before], [shock]) => {
          const now = add(alpha0, add(mul(alpha1, shock), mul(beta1, before)));
          return [[now], [now]];
        });
        observe(y, normal(mu, sqrt(concatenate([reshape(first, [1]), outputs[0]]))));
      }),
    hmm_example: () =>
      model(({ data, param, target, size }) => {
        const { y } = data({ y: vector("N") });
        const theta = ["theta1", "theta2"].map((name) => param(name, "simplex", { shape: 2 }));
        const mu = param("mu", normal([3, 10], 1), { constraint: "positiveOrdered" });
        const emission = normal(mu, 1).logDensity(reshape(y, [size("N"), 1]));
        const step = log(stack(theta));
        const { carries } = scan([at(emission, 0)], [slice(emission, { from: 1, to: size("N") })], ([before], [now]) => [
          [add(logSumExp(add(reshape(before, [2, 1]), step), { axis: 0 }), now)],
          [],
        ]);
        target(logSumExp(carries[0]));
      }),
    low_dim_gauss_mix: () =>
      model(({ data, param, observe }) => {
        const { y } = data({ y: vector("N") });
        const mu = param("mu", normal(0, 2), { shape: 2, constraint: "ordered" });
        const sigma = param("sigma", normal(0, 2), { shape: 2, lower: 0 });
        const theta = param("theta", betaDistribution(5, 5));
        const parts = [0, 1].map((k) => normal(at(mu, k), at(sigma, k)));
        observe(y, mixture(stack([theta, sub(1, theta)]), parts));
      }),
  };
}

/**
 * Returns the smallest bulk ESS, the largest R-hat, and each mean with its standard error, from draws by parameter,
 * each [chain, draw].
 */
function judged({ essBulk, mcseMean, rhat }, columns) {
  return {
    least: Math.min(...columns.map((x) => essBulk(x, CHAINS))),
    rhat: Math.max(...columns.map((x) => rhat(x, CHAINS))),
    means: columns.map((x) => ({ mean: x.reduce((sum, value) => sum + value, 0) / x.length, error: mcseMean(x, CHAINS) })),
  };
}

/** Returns the index of "beta[2]" among all values of a draw. */
function placeOf(quantities, name) {
  const [, variable, index] = /^([^[]+)(?:\[(.*)\])?$/.exec(name);
  const quantity = quantities.find((one) => one.name === variable);
  return quantity.offset + (index ? Number(index) - 1 : 0);
}

/**
 * Conditions our model once; `run(algorithm, seed)` → { seconds, leapfrogs, least, means }; the seconds include all of
 * the run's set-up.
 */
export async function openOurs(name) {
  const [diagnostics, { openEngine }] = await openModules("engine/statistics/index.js", "engine/memory/engine.js");
  const posterior = await (await modelOf(name)).condition(await given(name), {});
  const engine = await openEngine();
  const plan = { chains: CHAINS, warmup: WARMUP, draws: DRAWS, workers: 1, deterministic: false };
  return {
    async run(algorithm, seed) {
      const start = performance.now();
      const sampling = algorithm.start(posterior, { ...plan, seed }, engine);
      while (sampling.converged === false) await sampling.advance(WARMUP + DRAWS);
      const draws = sampling.draws();
      const seconds = (performance.now() - start) / 1000;
      const { leapfrogs, diagonal = 0 } = sampling.report();
      sampling.dispose();
      const values = posterior.valuesOf(draws.values);
      const columns = entryOf(name).compared.map((parameter) => {
        const at = placeOf(posterior.quantities, parameter);
        return Float64Array.from({ length: CHAINS * DRAWS }, (_, k) => values[k * posterior.valueCount + at]);
      });
      return { seconds, leapfrogs, diagonal, divergences: draws.divergences, ...judged(diagnostics, columns) };
    },
    close: () => posterior[Symbol.dispose](),
  };
}

/** Formats data as R text: numbers, vectors and matrices by rows. */
function rdump(data) {
  const vector = (values) => `c(${values.join(",")})`;
  const byColumns = (rows) => rows[0].flatMap((_, j) => rows.map((row) => row[j]));
  const text = (value) => {
    if (!Array.isArray(value)) return value;
    if (!Array.isArray(value[0])) return vector(value);
    return `structure(${vector(byColumns(value))}, .Dim = ${vector([value.length, value[0].length])})`;
  };
  return Object.entries(data)
    .map(([key, value]) => `${key} <- ${text(value)}\n`)
    .join("");
}

/** rstan on a posterior: `run(seed)` as ours. @throws Skipped if rstan or the compiled program is missing */
export async function openStan(name, folder) {
  const { stan, compared, theirs = compared } = entryOf(name);
  const [diagnostics] = await openModules("engine/statistics/index.js");
  const [data, draws] = [join(folder, `${name}.R`), join(folder, `${name}.draws`)];
  writeFileSync(data, rdump(await given(name)));
  const settings = { program: join(STAN, `${stan}.stan`), cache: CACHE, data, parameters: theirs.join(" ") };
  const peer = await openPeer("rstan_nuts.R", { ...settings, chains: CHAINS, warmup: WARMUP, draws: DRAWS });
  return {
    version: peer.version,
    async run(seed) {
      const { seconds, leapfrogs, divergences, compileSeconds } = await peer.run({ seed, file: draws });
      const values = readNumbers(draws);
      const count = CHAINS * DRAWS;
      return {
        seconds,
        leapfrogs,
        divergences,
        compileSeconds,
        ...judged(
          diagnostics,
          compared.map((_, i) => values.subarray(i * count, (i + 1) * count)),
        ),
      };
    },
    close: () => peer.close(),
  };
}

/** Returns the largest difference between two sides' means, in standard errors. */
export const disagreement = (ours, theirs) =>
  Math.max(
    ...ours.means.map(({ mean, error }, i) => Math.abs(mean - theirs.means[i].mean) / Math.hypot(error, theirs.means[i].error)),
  );

export const geometricMean = (x) => Math.exp(x.reduce((sum, value) => sum + Math.log(value), 0) / x.length);
