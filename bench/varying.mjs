/**
 * Five posteriors whose scales vary by position, as our models and as Stan programs (peers/stan), with simulated data.
 * A metric that is the same everywhere fits them badly.
 *
 * gp_scales: Gaussian processes with multiplicative scales, 68 parameters. gp_poisson: a Gaussian process behind
 * counts. hierarchy_*: a funnel, in its original form and in units of its spread. item_response: 500 pupils, 50
 * questions, 602 parameters including those of the priors.
 */
import { openModules } from "./ergodic.mjs";

const series = (name, count) => Array.from({ length: count }, (_, i) => `${name}[${i + 1}]`);
const [GROUPS, TIMES] = [4, 11];
const [PUPILS, ITEMS, EACH] = [500, 50, 20];

/** By name, like `posteriors` of posteriors.mjs; `data` generates the data from numbers of a stream. */
export const varying = {
  gp_scales: {
    stan: "gp_scales",
    compared: [
      "mu",
      "total",
      ...series("share", 4),
      "rho_common",
      "rho_group",
      ...series("z_common", TIMES),
      ...series("w", GROUPS),
    ],
    data: (draws) => {
      const t = Array.from({ length: TIMES }, (_, i) => i / 2);
      const common = t.map((x) => Math.sin(x));
      const groups = Array.from({ length: GROUPS }, () => [2 * draws.uniform(), draws.uniform(), 0.3 + draws.uniform()]);
      const y = t.map((x, i) =>
        groups.map(([phase, shift, size]) => common[i] + shift + size * Math.cos(1.5 * x + phase) + 0.2 * draws.normal()),
      );
      return { J: GROUPS, T: TIMES, t, y };
    },
  },
  gp_poisson: {
    stan: "gp_poisson",
    compared: ["rho", "alpha", ...series("z", 11)],
    data: () => ({
      N: 11,
      x: Array.from({ length: 11 }, (_, i) => 2 * i - 10),
      k: [35, 33, 41, 60, 58, 29, 12, 3, 2, 5, 11],
    }),
  },
  hierarchy_centred: { stan: "hierarchy_centred", compared: ["mu", "tau", ...series("theta", 10)], data: groupsOf },
  hierarchy_non_centred: { stan: "hierarchy_non_centred", compared: ["mu", "tau"], data: groupsOf },
  item_response: {
    stan: "item_response",
    compared: ["sigma_a", "mu_b", "sigma_b", ...series("a", ITEMS), ...series("b", ITEMS), ...series("theta", PUPILS)],
    data: (draws) => {
      const theta = Array.from({ length: PUPILS }, () => draws.normal());
      const a = Array.from({ length: ITEMS }, () => Math.exp(0.4 * draws.normal()));
      const b = Array.from({ length: ITEMS }, () => 0.3 + 1.2 * draws.normal());
      const [pupil, item, y] = [[], [], []];
      for (let p = 0; p < PUPILS; p++)
        for (let k = 0; k < EACH; k++) {
          const i = (7 * p + k) % ITEMS;
          pupil.push(p);
          item.push(i);
          y.push(Number(draws.uniform() < 1 / (1 + Math.exp(-a[i] * (theta[p] - b[i])))));
        }
      return { P: PUPILS, I: ITEMS, N: y.length, pupil, item, y };
    },
  },
};

function groupsOf(draws) {
  const sigma = Array.from({ length: 10 }, (_, j) => 0.5 + 0.25 * j);
  return { J: 10, y: sigma.map((s) => 2 + 0.8 * draws.normal() + s * draws.normal()), sigma };
}

export async function dataOfVarying(name) {
  const [{ stream }] = await openModules("engine/random/stream.js");
  return varying[name].data(stream(1, "varying", name).at(0));
}

export async function modelOfVarying(name) {
  const [compiler, statistical] = await openModules("engine/compiler/index.js", "bayes/model/index.js");
  return models({ ...compiler, distributions: statistical })[name]();
}

function models(ergodic) {
  const { add, at, cholesky, div, exp, identity, matmul, mul, reshape, sqrt, square, sub, take } = ergodic;
  const {
    bernoulliLogit,
    cauchy,
    dirichlet,
    gamma,
    integer,
    inverseGamma,
    lognormal,
    matrix,
    model,
    normal,
    poissonLog,
    vector,
  } = ergodic.distributions;
  const factorOf = (x, rho, jitter) => {
    const apart = sub(reshape(x, [x.size, 1]), reshape(x, [1, x.size]));
    return cholesky(add(exp(div(mul(-0.5, square(apart)), square(rho))), mul(jitter, identity(x.size))));
  };
  const hierarchy = (centred) => () =>
    model(({ data, param, observe }) => {
      const { y, sigma } = data({ y: vector("J"), sigma: vector("J") });
      const mu = param("mu", normal(0, 5));
      const tau = param("tau", cauchy(0, 2), { lower: 0 });
      observe(y, normal(param("theta", normal(mu, tau), { shape: "J", centred }), sigma));
    });
  return {
    gp_scales: () =>
      model(({ data, param, observe }) => {
        const { t, y } = data({ t: vector("T"), y: matrix("T", "J"), J: integer(), T: integer() });
        const mu = param("mu", normal(0, 2));
        const total = param("total", gamma(2, 2));
        const share = param("share", dirichlet([2, 2, 2, 2]));
        const rhoCommon = param("rho_common", inverseGamma(4, 8));
        const rhoGroup = param("rho_group", inverseGamma(4, 8));
        const zCommon = param("z_common", normal(0, 1), { shape: TIMES });
        const zGroup = param("z_group", normal(0, 1), { shape: [TIMES, GROUPS] });
        const w = param("w", normal(0, 1), { shape: GROUPS });
        const sd = (k) => sqrt(mul(total, at(share, k)));
        const common = add(mu, mul(sd(0), matmul(factorOf(t, rhoCommon, 1e-6), zCommon)));
        const sizes = mul(sd(1), exp(mul(sqrt(at(share, 2)), w)));
        const own = mul(reshape(sizes, [1, GROUPS]), matmul(factorOf(t, rhoGroup, 1e-6), zGroup));
        observe(y, normal(add(reshape(common, [TIMES, 1]), own), sd(3)));
      }),
    gp_poisson: () =>
      model(({ data, param, observe }) => {
        const { x, k } = data({ x: vector("N"), k: vector("N"), N: integer() });
        const rho = param("rho", gamma(25, 4));
        const alpha = param("alpha", normal(0, 2), { lower: 0 });
        const z = param("z", normal(0, 1), { shape: "N" });
        observe(k, poissonLog(mul(alpha, matmul(factorOf(x, rho, 1e-10), z))));
      }),
    hierarchy_centred: hierarchy(true),
    hierarchy_non_centred: hierarchy(false),
    item_response: () =>
      model(({ data, param, observe }) => {
        const { pupil, item, y } = data({
          pupil: vector("N"),
          item: vector("N"),
          y: vector("N"),
          P: integer(),
          I: integer(),
          N: integer(),
        });
        const theta = param("theta", normal(0, 1), { shape: PUPILS });
        const a = param("a", lognormal(0, param("sigma_a", cauchy(0, 2), { lower: 0 })), { shape: ITEMS, centred: true });
        const b = param("b", normal(param("mu_b", normal(0, 5)), param("sigma_b", cauchy(0, 2), { lower: 0 })), {
          shape: ITEMS,
          centred: true,
        });
        observe(y, bernoulliLogit(mul(take(a, item), sub(take(theta, pupil), take(b, item)))));
      }),
  };
}
