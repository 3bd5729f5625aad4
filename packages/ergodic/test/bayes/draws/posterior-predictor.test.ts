/**
 * Compares posterior.predictor() with direct sums over the same draws and random numbers, with predict() for the same
 * row, and with closed forms. The draws are independent draws of prior().
 */
import { describe, expect, it } from "vitest";
import * as c from "../../../src/engine/compiler/index.ts";
import { quantile } from "../../../src/engine/statistics/index.ts";
import * as e from "../../../src/entries/everything.ts";
import { average, expected, line, near, short, spread, x, y } from "./predicted.ts";

describe("a regression", async () => {
  const posterior = await e.sample(line, { x, y }, short);
  const predictor = await posterior.predictor();
  const [alpha, beta, sigma] = (["alpha", "beta", "sigma"] as const).map((name) => posterior.draws(name));
  const meansAt = (place: number) => alpha.map((a, s) => a + beta[s] * place);

  it("describes its inputs and outputs", () => {
    const { kind, level, columns, outputs, drawCount, inputCount, width } = predictor;
    expect({ kind, level, columns, outputs, drawCount, inputCount, width }).toEqual({
      ...{ kind: "posterior", level: 0.9, columns: ["x"], outputs: ["y"] },
      ...{ drawCount: 100, inputCount: 1, width: 4 },
    });
  });

  it.each([0, 3, -1.5])("matches the moments of its draws and the quantiles of one value per draw: x = %d", (place) => {
    near(predictor.predict({ x: place }).y, expected(meansAt(place), sigma));
  });

  it.each([0, 3, -1.5])("matches the interval of the expected value: x = %d", async (place) => {
    const wide = await posterior.predictor({ level: 0.5, seed: 3 });
    for (const [of, tail] of [
      [predictor, 0.05],
      [wide, 0.25],
    ] as const) {
      const { expected } = of.predict({ x: place }).y;
      expect(expected.lower).toBeCloseTo(quantile(meansAt(place), tail), 12);
      expect(expected.upper).toBeCloseTo(quantile(meansAt(place), 1 - tail), 12);
    }
  });

  it("accepts a level, a seed and a number of evenly spaced draws", async () => {
    const wide = await posterior.predictor({ level: 0.5, seed: 7 });
    expect(wide.level).toBe(0.5);
    near(wide.predict({ x: 1 }).y, expected(meansAt(1), sigma, { level: 0.5, seed: 7 }));
    const at = (s: number) => Math.floor((s * 100) / 30);
    const some = (values: Float64Array) => Float64Array.from({ length: 30 }, (_, s) => values[at(s)]);
    const thin = await posterior.predictor({ draws: 30 });
    expect(thin.drawCount).toBe(30);
    near(thin.predict({ x: 1 }).y, expected(some(meansAt(1)), some(sigma), { at }));
    expect((await posterior.predictor({ draws: 1000 })).drawCount).toBe(100);
  });

  it("predicts a row identically in every input format", () => {
    const alone = predictor.predict({ x: 0.3 });
    expect(predictor.predict([{ x: 5 }, { x: 0.3 }, { x: 0.3, y: 9 }]).slice(1)).toEqual([alone, alone]);
    expect(predictor.predict([0.3])).toEqual(alone);
    expect(predictor.predict(Float64Array.of(0.3))).toEqual(alone);
    expect(predictor.predict([[0.3], [5]])[0]).toEqual(alone);
    expect(predictor.predict([])).toEqual([]);
    const { mean, sd, lower, upper } = alone.y;
    const out = new Float64Array(9).fill(-1);
    expect(predictor.predictInto(Float64Array.of(5, 0.3), out)).toBe(2);
    expect([...out.subarray(4)]).toEqual([mean, sd, lower, upper, -1]);
    expect(predictor.predictInto([{ x: 0.3 }], out)).toBe(1);
    expect([...out.subarray(0, 4)]).toEqual([mean, sd, lower, upper]);
  });

  it("refuses unreadable rows by number", () => {
    const refused = (rows: unknown) => expect(() => predictor.predict(rows as never));
    refused({}).toThrow('predict: "x" is missing, but must be a finite number; a row gives x [DATA_MISSING]');
    refused([{ x: 1 }, { x: null }]).toThrow(
      'predict: row 2: "x" is missing, but must be a finite number; a row gives x [DATA_MISSING]',
    );
    refused({ x: "3" }).toThrow('predict: "x" is "3", but must be a finite number; a row gives x [DATA_SHAPE]');
    refused({ x: Infinity }).toThrow(/"x" is Infinity/);
    refused({ x: [1, 2] }).toThrow(/"x" is an array of 2/);
    refused([1, 2]).toThrow("predict: the row has 2 numbers, but must have 1: x [DATA_SHAPE]");
    refused([{ x: 1 }, 4]).toThrow("predict: row 2: the row is 4, but must be an object with x [DATA_SHAPE]");
    refused(4).toThrow(/the row is 4, but must be a row, or a list of rows/);
    refused(null).toThrow(/the row is null/);
  });

  it.each([0, 1, 1.5, Number.NaN, "0.5"])("refuses the level %s", async (level) => {
    await expect(posterior.predictor({ level: level as number })).rejects.toThrow(
      /^predictor: level is .* \[OPTION_(RANGE|TYPE)\]$/,
    );
  });

  it("refuses an output that is too small", () => {
    const into = (rows: unknown, out: unknown) => expect(() => predictor.predictInto(rows as never, out as never));
    into([{ x: 1 }, { x: 2 }], new Float64Array(7)).toThrow(
      "predictInto: out has room for 7 numbers, but 2 rows need 8; make it new Float64Array(predictor.width * rowCount) [PREDICT_INPUT]",
    );
    into({ x: 1 }, new Float64Array(4)).toThrow(/predictInto: rows is an object of x/);
    into([{ x: 1 }], [0, 0, 0, 0]).toThrow(/predictInto: out is an array of 4/);
    into([{ x: 1 }, {}], new Float64Array(8)).toThrow(/predictInto: row 2: "x" is missing/);
  });

  it("frees its memory", async () => {
    const engine = await e.openEngine({ deterministic: true });
    const before = engine.memory.usedBytes;
    for (let i = 0; i < 3; i++) {
      using other = await posterior.predictor({ seed: i });
      other.predict({ x: 1 });
    }
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
    const gone = await posterior.predictor();
    gone.dispose();
    gone.dispose();
    expect(() => gone.predict({ x: 1 })).toThrow(
      "predict: the predictor was used after dispose(); make another by posterior.predictor() [PREDICTOR_DISPOSED]",
    );
  });

  it("checks the names in rows by type", () => {
    // @ts-expect-error there is no z
    expect(() => predictor.predict({ z: 1 })).toThrow(/"x" is missing/);
  });
});

describe("observed values", () => {
  it("predict as predict() does for a model with one row", async () => {
    const body = e.model({ x: e.vector("N"), y: e.vector("N"), z: e.matrix("N", 2) }, ({ x, y, z, param, observe }) => {
      const beta = param("beta", e.normal(0, 1));
      observe(y, e.poissonLog(c.mul(beta, x)));
      observe(z, e.student(4, c.add(beta, c.reshape(x, [x.shape[0], 1])), c.exp(beta)));
      return { beta };
    });
    const posterior = await e.sample(body, { x: [0.7], y: [2], z: [[1, 2]] }, short);
    const predictor = await posterior.predictor({ seed: 3, level: 0.8 });
    expect(predictor.outputs).toEqual(["y", "z[1]", "z[2]"]);
    const found = predictor.predict({ x: 0.7 });
    const drawn = posterior.predict({ seed: 3 });
    for (const [j, name] of ["z[1]", "z[2]"].entries()) {
      const values = drawn.series("z", 0, j);
      expect(found[name].lower).toBeCloseTo(quantile(values, 0.1), 12);
      expect(found[name].upper).toBeCloseTo(quantile(values, 0.9), 12);
    }
    // Intervals of whole numbers are the 10th and 90th of 100 values, without interpolation.
    const counts = drawn.series("y", 0).slice().sort();
    expect([found.y.lower, found.y.upper]).toEqual([counts[9], counts[89]]);
    const rates = posterior.draws("beta").map((beta) => Math.exp(0.7 * beta));
    expect(found.y.mean).toBeCloseTo(average(rates), 12);
    expect(found.y.sd).toBeCloseTo(Math.sqrt(average(rates) + spread(rates)), 11);
  });

  it("have the probability of 1 as their mean", async () => {
    const logistic = e.model({ x: e.matrix("N", "K"), y: e.vector("N") }, ({ x, y, size, param, observe }) => {
      const beta = param("beta", e.normal(0, 1), { shape: size("K") });
      observe(y, e.bernoulliLogit(c.matmul(x, beta)));
      return { beta };
    });
    const rows = x.map((at, i) => [1, at, i / 6]);
    const posterior = await e.sample(logistic, { x: rows, y: x.map((at) => Number(at > 0)) }, short);
    const predictor = await posterior.predictor();
    const found = predictor.predict({ x: [1, 2, -1] }).y;
    const beta = posterior.draws("beta");
    const p = Float64Array.from(
      { length: 100 },
      (_, s) => 1 / (1 + Math.exp(-(beta[3 * s] + 2 * beta[3 * s + 1] - beta[3 * s + 2]))),
    );
    expect(found.mean).toBeCloseTo(average(p), 14);
    expect(found.sd).toBeCloseTo(Math.sqrt(average(p) * (1 - average(p))), 12);
    expect([found.lower, found.upper]).toEqual([0, 1]);
    const matrix = Float32Array.of(0, 0, 0, 1, 2, -1);
    const out = new Float64Array(8);
    expect(predictor.predictInto(matrix, out)).toBe(2);
    expect(out[4]).toBe(found.mean);
    expect(() => predictor.predictInto(new Float64Array(4), out)).toThrow(
      /4 numbers, which is not a multiple of the row length 3/,
    );
    expect(() => predictor.predict({ x: [1, 2] })).toThrow('predict: "x" has length 2, but must have 3 [DATA_SHAPE]');
    expect(() => predictor.predict({ x: 3 })).toThrow(/"x" is 3, but must be a list of 3/);
    expect(() => predictor.predict({ x: [1, Number.NaN, 2] })).toThrow('predict: "x"[1] is missing');
  });

  it("can be vectors, with a prediction per element", async () => {
    const pair = e.model({ x: e.vector("N"), y: e.matrix("N", 2) }, ({ x, y, param, observe }) => {
      const beta = param("beta", e.normal(0, 1), { shape: 2 });
      const centre = c.mul(c.reshape(x, [x.shape[0], 1]), beta);
      observe(
        y,
        e.multivariateNormal(centre, [
          [2, 0.5],
          [0.5, 1],
        ]),
      );
      return { beta };
    });
    const posterior = await e.sample(pair, { x, y: x.map((at) => [at, -at]) }, short);
    const predictor = await posterior.predictor();
    const found = predictor.predict({ x: 2 });
    const beta = posterior.draws("beta");
    for (const [k, variance] of [2, 1].entries()) {
      const mu = Float64Array.from({ length: 100 }, (_, s) => 2 * beta[2 * s + k]);
      expect(found[`y[${k + 1}]`].mean).toBeCloseTo(average(mu), 12);
      expect(found[`y[${k + 1}]`].sd).toBeCloseTo(Math.sqrt(variance + spread(mu)), 11);
      expect(found[`y[${k + 1}]`].expected.lower).toBeCloseTo(quantile(mu, 0.05), 12);
    }
    expect(found["y[1]"].lower).toBeLessThan(found["y[1]"].upper);
  });

  it("have moments of drawn values if the family has no closed form", async () => {
    const cut = e.model({ x: e.vector("N"), y: e.vector("N") }, ({ x, y, param, observe }) => {
      const beta = param("beta", e.normal(0, 1));
      observe(y, e.truncated(e.normal(c.mul(beta, x), 1), { lower: 0 }));
      return { beta };
    });
    const posterior = await e.sample(cut, { x: [2], y: [1] }, short);
    const values = posterior.predict().draws("y");
    const found = (await posterior.predictor()).predict({ x: 2 }).y;
    expect(found.mean).toBeCloseTo(average(values), 12);
    expect(found.sd).toBeCloseTo(Math.sqrt(spread(values)), 11);
    expect(found.expected).toEqual({ lower: Number.NaN, upper: Number.NaN });
    expect(found.levels).toBe(undefined);
  });

  it("use the matching element of rows, draws and observations", async () => {
    const placed = e.model(
      { x: e.matrix("N", 2), w: e.vector("N"), y: e.matrix("N", 2), units: e.vector(2) },
      ({ x, w, y, units, param, observe }) => {
        const alpha = param("alpha", e.normal(0, 1));
        const tau = param("tau", e.halfNormal(1));
        // The logarithm of tau is its unconstrained number.
        const shift = c.add(alpha, c.log(tau));
        observe(y, e.normal(c.add(c.mul(x, units), c.add(c.reshape(c.mul(500, w), [w.shape[0], 1]), shift)), 1));
        return { alpha, tau };
      },
    );
    const rows = {
      x: [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      w: [1, 0, 1],
      y: [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    };
    const stated = { N: 3, units: [2, 30], ...rows };
    const posterior = await e.sample(placed, stated, short);
    const [alpha, tau] = (["alpha", "tau"] as const).map((name) => posterior.draws(name));
    const shift = average(alpha.map((value, s) => value + Math.log(tau[s])));
    const found = (await posterior.predictor()).predict({ x: [7, 8], w: 2 });
    expect(found["y[1]"].mean).toBeCloseTo(14 + 1000 + shift, 10);
    expect(found["y[2]"].mean).toBeCloseTo(240 + 1000 + shift, 10);
  });

  it("have whole interval ends if they are whole numbers", async () => {
    const counts = e.model({ x: e.vector("N"), y: e.vector("N") }, ({ x, y, param, observe }) => {
      const beta = param("beta", e.normal(3, 1));
      observe(y, e.poissonLog(c.mul(beta, x)));
      return { beta };
    });
    const predictor = await (await e.sample(counts, { x: [1, 2], y: [1, 2] }, short)).predictor({ draws: 7, level: 0.77 });
    const ends = predictor.predict([0.5, 1, 1.5, 2].map((at) => ({ x: at }))).flatMap(({ y }) => [y.lower, y.upper]);
    expect(ends.filter((end) => !Number.isInteger(end))).toEqual([]);
    expect(new Set(ends).size).toBeGreaterThan(5);
  });

  it("have no moments if the distribution has none", async () => {
    const wild = e.model({ y: e.vector("N") }, ({ y, param, observe }) => {
      const mu = param("mu", e.normal(0, 1));
      observe(y, e.cauchy(mu, 1));
      return { mu };
    });
    const predictor = await (await e.sample(wild, { y }, short)).predictor();
    expect(predictor.columns).toEqual([]);
    const found = predictor.predict({}).y;
    expect([found.mean, found.sd]).toEqual([Number.NaN, Number.NaN]);
    expect(found.expected).toEqual({ lower: Number.NaN, upper: Number.NaN });
    expect(found.lower).toBeLessThan(found.upper);
  });
});

/**
 * Closed forms, tested with independent draws. With 4.6 standard errors for 20 checks, a false alarm occurs for 1e-4 of
 * all seeds. A bias of a tenth of the noise, such as noise missing from the interval, is many times larger.
 */
describe("closed forms", () => {
  const [count, errors] = [8000, 4.6];
  const many = { ...short, chains: 4, draws: count / 4 };

  /** Compares a prediction with its exact distribution, within the sampling errors of averages and quantiles. */
  function held(found: e.PredictedNumber, exact: { mean: number; sd: number; cdf: (y: number) => number }): void {
    expect(Math.abs(found.mean - exact.mean)).toBeLessThan((errors * exact.sd) / Math.sqrt(count));
    for (const [end, share] of [
      [found.lower, 0.05],
      [found.upper, 0.95],
    ] as const)
      expect(Math.abs(exact.cdf(end) - share)).toBeLessThan(errors * Math.sqrt((0.05 * 0.95) / count));
    expect(Math.abs(found.sd / exact.sd - 1)).toBeLessThan(0.05);
  }

  it.each([0, 1, -3])("normal coefficients and noise predict a normal: x = %d", async (place) => {
    const known = e.model({ x: e.vector("N"), y: e.vector("N") }, ({ x, y, param, observe }) => {
      const alpha = param("alpha", e.normal(1, 2));
      const beta = param("beta", e.normal(-1, 0.5));
      observe(y, e.normal(c.add(alpha, c.mul(beta, x)), 1.5));
      return { alpha, beta };
    });
    const sd = Math.sqrt(4 + 0.25 * place * place + 2.25);
    const predictor = await (await e.sample(known, { x, y }, many)).predictor();
    const of = e.normal(1 - place, sd);
    held(predictor.predict({ x: place }).y, { mean: 1 - place, sd, cdf: (at) => of.cdf(at) });
  });

  it("a normal with unknown mean and precision predicts Student's t", async () => {
    const [shape, rate, k] = [6, 8, 0.5];
    const unknown = e.model({ y: e.vector("N") }, ({ y, param, observe }) => {
      const precision = param("precision", e.gamma(shape, rate));
      const mu = param("mu", e.normal(2, c.div(1, c.sqrt(c.mul(k, precision)))));
      observe(y, e.normal(mu, c.div(1, c.sqrt(precision))));
      return { precision, mu };
    });
    const scale = Math.sqrt((rate / shape) * (1 + 1 / k));
    const of = e.student(2 * shape, 2, scale);
    const predictor = await (await e.sample(unknown, { y }, many)).predictor();
    held(predictor.predict({}).y, { mean: 2, sd: scale * Math.sqrt(shape / (shape - 1)), cdf: (at) => of.cdf(at) });
  });

  it("counts with a gamma rate and an exposure predict a negative binomial", async () => {
    const counted = e.model({ years: e.vector("N"), y: e.vector("N") }, ({ years, y, param, observe }) => {
      const rate = param("rate", e.gamma(3, 0.5));
      observe(y, e.poisson(c.mul(rate, years)));
      return { rate };
    });
    const data = { years: y.map(() => 1), y: y.map(() => 2) };
    const { y: found } = (await (await e.sample(counted, data, many)).predictor()).predict({ years: 2 });
    // Mean 12 and variance 12 + 144/3.
    expect(Math.abs(found.mean - 12)).toBeLessThan((errors * Math.sqrt(48)) / Math.sqrt(count));
    expect(Math.abs(found.sd / Math.sqrt(60) - 1)).toBeLessThan(0.05);
    const below = (at: number) => e.negativeBinomial(3, 0.25).cdf(at);
    for (const [end, share] of [
      [found.lower, 0.05],
      [found.upper, 0.95],
    ] as const) {
      const error = errors * Math.sqrt((0.05 * 0.95) / count);
      expect(below(end)).toBeGreaterThan(share - error);
      expect(below(end - 1)).toBeLessThan(share + error);
    }
  });
});
