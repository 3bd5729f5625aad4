/**
 * The 24 noiseless BBOB functions in d dimensions, each in any number of instances: `bbob(f, d, instance)`.
 *
 * Each function is minimised over [−5, 5]^d, where its minimum `fopt` lies at `xopt`. An instance's seed is f + 10000 ·
 * instance (f4 uses the seed of f3, f18 that of f17). The seed determines the optimum, its value, and two orthogonal
 * matrices: `q` from the seed, `r` from the seed + 10⁶. Values equal COCO's to rounding; in f6, f7, f13, f23 and f24,
 * COCO swaps the report's Q and R, as is done here. Source: Hansen, Finck, Ros, Auger 2009 (INRIA RR-6829); the
 * functions have its section numbers.
 */
import { gallagher } from "./gallagher.mjs";
import { normal, optimalValue, optimum, rotation, uniform } from "./generators.mjs";
import { asymmetric, beyond, oscillate, oscillated, place, scaled, sum, times } from "./transformations.mjs";

/** @typedef {Float64Array} Vector */
/** @typedef {{ raw: (x: Vector) => number, xopt: Vector }} Shape `raw`: the value above the minimum. */
/** @typedef {{ name: string, f: number, d: number, instance: number, xopt: Vector, fopt: number, value: (x: ArrayLike<number>) => number }} Bbob */

const SECOND = 1_000_000;

/**
 * A function of z, where z is a chain of transformations of x − xopt.
 *
 * @param {Vector} xopt
 * @param {((z: Vector) => Vector)[]} chain
 * @param {(z: Vector, x: Vector) => number} raw
 * @returns {Shape}
 */
function shifted(xopt, chain, raw) {
  return {
    xopt,
    raw: (x) => {
      /** @type {Vector} */
      let z = x.map((v, i) => v - xopt[i]);
      for (const step of chain) z = step(z);
      return raw(z, x);
    },
  };
}

/**
 * @param {number} d
 * @param {number} seed
 */
const matrices = (d, seed) => ({ q: times(rotation(d, seed)), r: times(rotation(d, seed + SECOND)) });

/** @param {Vector} z */
const squares = (z) => sum(z.length, (i) => z[i] * z[i]);
/** @param {Vector} z */
const rastrigin = (z) => 10 * (z.length - sum(z.length, (i) => Math.cos(2 * Math.PI * z[i]))) + squares(z);
/**
 * @param {Vector} z
 * @param {number} condition
 */
const ellipsoid = (z, condition) => sum(z.length, (i) => condition ** place(i, z.length) * z[i] * z[i]);
/** @param {Vector} z */
const rosenbrock = (z) => sum(z.length - 1, (i) => 100 * (z[i] * z[i] - z[i + 1]) ** 2 + (z[i] - 1) ** 2);
/** @param {number} d */
const stretch = (d) => Math.max(1, Math.sqrt(d) / 8);

/**
 * z = stretch · R x + ½, with the minimum at z = 1: the rotation determines the optimum of f9 and f19.
 *
 * @param {number} d
 * @param {number} seed
 * @param {(z: Vector) => number} raw
 * @returns {Shape}
 */
function turned(d, seed, raw) {
  const rows = rotation(d, seed);
  const rotate = times(rows);
  const xopt = Float64Array.from({ length: d }, (_, j) => sum(d, (i) => rows[i][j]) / (2 * stretch(d)));
  return { xopt, raw: (x) => raw(rotate(x).map((v) => v * stretch(d) + 0.5)) };
}

/** @type {Record<string, (d: number, seed: number) => Shape>} */
const SHAPES = {
  sphere: (d, seed) => shifted(optimum(d, seed), [], squares),

  "separable ellipsoid": (d, seed) => shifted(optimum(d, seed), [oscillate], (z) => ellipsoid(z, 1e6)),

  "separable Rastrigin": (d, seed) => shifted(optimum(d, seed), [oscillate, asymmetric(0.2), scaled(10)], rastrigin),

  "Büche-Rastrigin": (d, seed) => {
    const xopt = optimum(d, seed).map((v, i) => (i % 2 === 0 ? Math.abs(v) : v));
    /** @param {Vector} z */
    const stretched = (z) => z.map((v, i) => v * Math.sqrt(10) ** place(i, d) * (v > 0 && i % 2 === 0 ? 10 : 1));
    return shifted(xopt, [oscillate, stretched], (z, x) => rastrigin(z) + 100 * beyond(x));
  },

  "linear slope": (d, seed) => {
    const xopt = optimum(d, seed).map((v) => 5 * Math.sign(v));
    const slopes = xopt.map((v, i) => Math.sign(v) * 10 ** place(i, d));
    return { xopt, raw: (x) => sum(d, (i) => slopes[i] * (xopt[i] - (x[i] * xopt[i] < 25 ? x[i] : xopt[i]))) };
  },

  "attractive sector": (d, seed) => {
    const { q, r } = matrices(d, seed);
    const xopt = optimum(d, seed);
    return shifted(xopt, [q, scaled(10), r], (z) => {
      const weighed = z.map((v, i) => (v * xopt[i] > 0 ? 100 * v : v));
      return oscillated(squares(weighed)) ** 0.9;
    });
  },

  "step ellipsoid": (d, seed) => {
    const { q, r } = matrices(d, seed);
    /** @param {number} v */
    const stepped = (v) => (Math.abs(v) > 0.5 ? Math.floor(0.5 + v) : Math.floor(0.5 + 10 * v) / 10);
    return shifted(optimum(d, seed), [q, scaled(10)], (z, x) => {
      const plateau = ellipsoid(r(z.map(stepped)), 100);
      return 0.1 * Math.max(Math.abs(z[0]) / 1e4, plateau) + beyond(x);
    });
  },

  Rosenbrock: (d, seed) => {
    const xopt = optimum(d, seed).map((v) => 0.75 * v);
    return shifted(xopt, [(z) => z.map((v) => v * stretch(d) + 1)], rosenbrock);
  },

  "rotated Rosenbrock": (d, seed) => turned(d, seed, rosenbrock),

  ellipsoid: (d, seed) => shifted(optimum(d, seed), [matrices(d, seed).r, oscillate], (z) => ellipsoid(z, 1e6)),

  discus: (d, seed) => shifted(optimum(d, seed), [matrices(d, seed).r, oscillate], (z) => squares(z) + (1e6 - 1) * z[0] * z[0]),

  "bent cigar": (d, seed) => {
    const { r } = matrices(d, seed);
    return shifted(optimum(d, seed + SECOND), [r, asymmetric(0.5), r], (z) => 1e6 * squares(z) - (1e6 - 1) * z[0] * z[0]);
  },

  "sharp ridge": (d, seed) => {
    const { q, r } = matrices(d, seed);
    return shifted(optimum(d, seed), [q, scaled(10), r], (z) => z[0] * z[0] + 100 * Math.sqrt(squares(z.subarray(1))));
  },

  "different powers": (d, seed) =>
    shifted(optimum(d, seed), [matrices(d, seed).r], (z) => Math.sqrt(sum(d, (i) => Math.abs(z[i]) ** (2 + 4 * place(i, d))))),

  Rastrigin: (d, seed) => {
    const { q, r } = matrices(d, seed);
    return shifted(optimum(d, seed), [r, oscillate, asymmetric(0.2), q, scaled(10), r], rastrigin);
  },

  Weierstrass: (d, seed) => {
    const { q, r } = matrices(d, seed);
    /** @param {number} v */
    const rough = (v) => sum(12, (k) => 0.5 ** k * Math.cos(2 * Math.PI * 3 ** k * (v + 0.5)));
    const least = rough(0);
    return shifted(optimum(d, seed), [r, oscillate, q, scaled(1 / 100), r], (z, x) => {
      const mean = sum(d, (i) => rough(z[i])) / d;
      return 10 * (mean - least) ** 3 + (10 / d) * beyond(x);
    });
  },

  "Schaffers F7": (d, seed) => schaffers(d, seed, 10),

  "Schaffers F7, ill-conditioned": (d, seed) => schaffers(d, seed, 1000),

  "Griewank-Rosenbrock": (d, seed) =>
    turned(d, seed, (z) => {
      const terms = sum(d - 1, (i) => {
        const s = 100 * (z[i] * z[i] - z[i + 1]) ** 2 + (z[i] - 1) ** 2;
        return s / 4000 - Math.cos(s);
      });
      return (10 / (d - 1)) * terms + 10;
    }),

  Schwefel: (d, seed) => {
    const [least, atLeast] = [4.189828872724339, 4.2096874633];
    const signs = uniform(d, seed).map((u) => (u < 0.5 ? -1 : 1));
    return {
      xopt: signs.map((v) => (v * atLeast) / 2),
      raw: (x) => {
        const doubled = x.map((v, i) => 2 * signs[i] * v);
        const linked = doubled.map((v, i) => (i > 0 ? v + 0.25 * (doubled[i - 1] - atLeast) : v) - atLeast);
        const z = scaled(10)(linked).map((v) => v + atLeast);
        const waves = sum(d, (i) => 100 * z[i] * Math.sin(Math.sqrt(Math.abs(100 * z[i]))));
        return least - waves / (100 * d) + 100 * beyond(z);
      },
    };
  },

  "Gallagher, 101 peaks": (d, seed) => gallagher(d, seed, { peaks: 101, halfWidth: 5, firstCondition: Math.sqrt(1000) }),

  "Gallagher, 21 peaks": (d, seed) => gallagher(d, seed, { peaks: 21, halfWidth: 4.9, firstCondition: 1000 }),

  Katsuuras: (d, seed) => {
    const { q, r } = matrices(d, seed);
    /** @param {number} v */
    const rough = (v) => sum(32, (j) => Math.abs(2 ** (j + 1) * v - Math.round(2 ** (j + 1) * v)) / 2 ** (j + 1));
    return shifted(optimum(d, seed), [q, scaled(100), r], (z, x) => {
      const product = z.reduce((all, v, i) => all * (1 + (i + 1) * rough(v)) ** (10 / d ** 1.2), 1);
      return (10 / (d * d)) * (product - 1) + beyond(x);
    });
  },

  "Lunacek bi-Rastrigin": (d, seed) => {
    const { q, r } = matrices(d, seed);
    const first = 2.5;
    const depth = 1 - 1 / (2 * Math.sqrt(d + 20) - 8.2);
    const second = -Math.sqrt((first * first - 1) / depth);
    const signs = normal(d, seed).map((v) => (v < 0 ? -1 : 1));
    return {
      xopt: signs.map((v) => (v * first) / 2),
      raw: (x) => {
        const folded = x.map((v, i) => 2 * signs[i] * v);
        /** @param {number} centre */
        const bowl = (centre) => sum(d, (i) => (folded[i] - centre) ** 2);
        const z = r(scaled(100)(q(folded.map((v) => v - first))));
        const waves = 10 * (d - sum(d, (i) => Math.cos(2 * Math.PI * z[i])));
        return Math.min(bowl(first), d + depth * bowl(second)) + waves + 1e4 * beyond(x);
      },
    };
  },
};

/**
 * @param {number} d
 * @param {number} seed
 * @param {number} condition
 */
function schaffers(d, seed, condition) {
  const { q, r } = matrices(d, seed);
  return shifted(optimum(d, seed), [r, asymmetric(0.5), q, scaled(condition)], (z, x) => {
    const total = sum(d - 1, (i) => {
      const s = Math.sqrt(z[i] * z[i] + z[i + 1] * z[i + 1]);
      return Math.sqrt(s) * (1 + Math.sin(50 * s ** 0.2) ** 2);
    });
    return (total / (d - 1)) ** 2 + 10 * beyond(x);
  });
}

const NAMES = Object.keys(SHAPES);

/**
 * @param {number} f 1 … 24
 * @param {number} d >= 2
 * @param {number} instance
 * @returns {Bbob}
 */
export function bbob(f, d, instance = 1) {
  const name = NAMES[f - 1];
  if (name === undefined || !(d >= 2))
    throw new RangeError(`bbob: there is no f${f} in ${d} dimensions; f is 1 to 24, d at least 2`);
  const seed = (f === 4 || f === 18 ? f - 1 : f) + 10_000 * instance;
  const { raw, xopt } = SHAPES[name](d, seed);
  const fopt = optimalValue(seed);
  return { name, f, d, instance, xopt, fopt, value: (x) => raw(Float64Array.from(x)) + fopt };
}
