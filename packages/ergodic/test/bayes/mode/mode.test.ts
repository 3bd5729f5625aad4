/**
 * fit() of a statistical model: modes known in closed form, far starts, narrow valleys, several modes, and densities
 * without a mode.
 */
import { describe, expect, it } from "vitest";
import {
  add,
  at,
  cos,
  div,
  log,
  logSumExp,
  mul,
  sin,
  square,
  stack,
  sub,
  sum,
  toArray,
} from "../../../src/engine/compiler/index.ts";
import {
  adam,
  beta,
  binomial,
  fit,
  gamma,
  halfCauchy,
  integer,
  lbfgs,
  model,
  normal,
  real,
  stochasticLineSearch,
  vector,
} from "../../../src/entries/everything.ts";
import { arma, armaData } from "../../arma.ts";

const x = [-2, -1, 0, 1, 2, 3];
const y = [-3.9, -1.8, 0.3, 2.2, 3.9, 6.4];

/** With flat priors, the mode is that of the likelihood. */
const line = model(({ data, param, observe }) => {
  const { x, y } = data({ x: vector("N"), y: vector("N") });
  const alpha = param("alpha", "real");
  const slope = param("slope", "real");
  const sigma = param("sigma", "positive");
  observe(y, normal(add(alpha, mul(slope, x)), sigma));
});

function leastSquares() {
  const n = x.length;
  const mean = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0) / n;
  const slope = mean(x.map((xi, i) => (xi - mean(x)) * (y[i] - mean(y)))) / mean(x.map((xi) => (xi - mean(x)) ** 2));
  const alpha = mean(y) - slope * mean(x);
  const sigma = Math.sqrt(mean(x.map((xi, i) => (y[i] - alpha - slope * xi) ** 2)));
  return { alpha, slope, sigma };
}

const coin = model(({ data, param, observe }) => {
  const { heads, flips } = data({ heads: integer(), flips: integer() });
  const p = param("p", beta(3, 2));
  observe(heads, binomial(flips, p));
});

describe("the mode of a posterior", () => {
  it("equals least squares under flat priors, with σ² = RSS / n and without log |J|", async () => {
    const { values, gradientNorm, logDensity } = await fit(line, { x, y });
    const wanted = leastSquares();
    for (const [name, value] of Object.entries(wanted)) expect(values[name][0], name).toBeCloseTo(value, 6);
    expect(gradientNorm).toBeLessThan(1e-5);
    expect(logDensity).toBeCloseTo(-3 * Math.log(2 * Math.PI) - 6 * Math.log(wanted.sigma) - 3, 8);
  });

  it("is (a − 1) / (a + b − 2) for a beta posterior, by L-BFGS and by adam", async () => {
    const exact = (3 + 7 - 1) / (3 + 7 + 2 + 3 - 2);
    const data = { heads: 7, flips: 10 };
    expect((await fit(coin, data)).values.p[0]).toBeCloseTo(exact, 8);
    const byAdam = await fit(coin, data, { rule: adam({ rate: 0.05 }), epochs: 3000, start: { p: 0.2 } });
    expect(byAdam.values.p[0]).toBeCloseTo(exact, 4);
  });

  it("does not depend on the start or the seed", async () => {
    const found = await Promise.all([1, 2, 3].map((seed) => fit(line, { x, y }, { seed })));
    for (const { values } of found) expect(values.slope[0]).toBeCloseTo(leastSquares().slope, 6);
  });

  it("refuses meaningless options", async () => {
    await expect(fit(coin, { heads: 7, flips: 10 }, { rule: stochasticLineSearch() })).rejects.toThrow(/searches on minibatches/);
    await expect(fit(coin, { heads: 7, flips: 10 }, { batch: 3 } as never)).rejects.toThrow(/batch/);
    const discrete = model(({ param }) => void param("z", binomial(3, 0.5)));
    await expect(fit(discrete, {})).rejects.toThrow(/"z" is discrete.*marginalise/);
    const run = fit(coin, { heads: 7, flips: 10 });
    await run;
    await expect(run.checkpoint("mode.checkpoint")).rejects.toThrow(/start it again/);
    for (const starts of [0, 1.5, 101])
      await expect(fit(coin, { heads: 7, flips: 10 }, { starts })).rejects.toThrow(/starts is .*OPTION/);
    await expect(fit(coin, { heads: 7, flips: 10 }, { start: { p: 0.5 }, starts: 3 })).rejects.toThrow(
      /start gives a single starting point.*OPTION_CONFLICT/,
    );
  });
});

describe("converged", () => {
  // Log density at the mode. None of 24 starts ended higher.
  const MODE = 85.086827;

  it("an ARMA process converges from twelve seeds whose starts lie up to 10^95 nats below", async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const found = await fit(arma, armaData(), { seed });
      expect(found.logDensity).toBeCloseTo(MODE, 5);
      expect([found.converged, found.unbounded, found.spread.count]).toEqual([true, [], 8]);
      expect(found.gradientNorm).toBeLessThan(1e-6);
      expect(found.left).toBeLessThan(1e-12);
      expect(found.reason).toMatch(
        /^converged(; \d of 8 starts ended within 0\.1 nats of the best, and the lowest was \S+ nats below it)?$/,
      );
      expect(found.run.reason).toBe(found.reason);
    }
  });

  it("a search that stops in a narrow valley does not converge and reports the remaining rise", async () => {
    let short = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const found = await fit(arma, armaData(), { seed, starts: 1, rule: lbfgs(), epochs: 300 });
      expect(found.spread).toMatchObject({ count: 1, near: 1, lowest: found.logDensity });
      if (found.converged) {
        expect(found.logDensity).toBeGreaterThan(MODE - 1e-5);
        continue;
      }
      short++;
      expect(found.logDensity).toBeLessThan(MODE - 1);
      expect(found.left).toBeGreaterThan(1);
      expect(found.reason).toMatch(/not converged: the log density can still rise by about \S+ nats$/);
    }
    expect(short).toBeGreaterThan(3);
  });

  it("a search that was cut short does not converge", async () => {
    const found = await fit(arma, armaData(), { seed: 1, epochs: 5 });
    expect(found.converged).toBe(false);
    expect(found.reason).toMatch(/^all updates made; not converged/);
    const { reason } = await fit(coin, { heads: 7, flips: 10 }, { rule: adam({ rate: 0.001 }), epochs: 3, start: { p: 0.2 } });
    expect(reason).toMatch(/^all updates made; not converged: the log density can still rise by about \S+ nats$/);
  });

  it("a valley with a floor 10^8 times flatter than its walls is followed to the end", async () => {
    // Twenty coordinates under a reflection, so that no single coordinate is the floor.
    const size = 20;
    const scales = Array.from({ length: size }, (_, i) => 10 ** ((-4 * i) / (size - 1)));
    const narrow = model(({ param, target }) => {
      const z = param("z", "real", { shape: size });
      const turned = sub(z, mul(2 / size, sum(z)));
      target(mul(-0.5, sum(square(div(sub(turned, 3), toArray(scales))))));
    });
    for (const seed of [1, 2]) {
      const { logDensity, converged, left, spread } = await fit(narrow, {}, { seed, starts: 3 });
      expect(logDensity).toBeGreaterThan(-1e-6);
      expect([converged, spread.near]).toEqual([true, 3]);
      expect(left).toBeLessThan(1e-6);
    }
  });

  it("a saddle with zero slopes does not count as convergence", async () => {
    const two = model(({ param, target }) => {
      const x = param("x", "real", { shape: 3 });
      target(mul(-1, add(square(sub(square(at(x, 0)), 1)), add(square(at(x, 1)), square(at(x, 2))))));
    });
    const { values, converged, logDensity } = await fit(two, {}, { start: { x: [0, 0, 0] } });
    expect(Math.abs(values.x[0])).toBeCloseTo(1, 6);
    expect([converged, Math.abs(logDensity) < 1e-10]).toEqual([true, true]);
  });

  it("the best of several starts is kept and the spread reported", async () => {
    // Modes at −1.5 and 1.5 with masses 0.2 and 0.8 and equal widths. Their log densities differ by log 4.
    const two = model(({ param, target }) => {
      const x = param("x", "real");
      const part = (mean: number, mass: number) => add(Math.log(mass), normal(mean, 0.3).logDensity(x));
      target(logSumExp(stack([part(-1.5, 0.2), part(1.5, 0.8)])));
    });
    for (const seed of [1, 2, 3]) {
      const { values, spread, logDensity, reason } = await fit(two, {}, { seed, starts: 12 });
      expect(values.x[0]).toBeCloseTo(1.5, 4);
      expect(spread.near).toBeGreaterThan(0);
      expect(spread.near).toBeLessThan(12);
      expect(logDensity - spread.lowest).toBeCloseTo(Math.log(4), 4);
      expect(reason).toBe(
        `converged; ${spread.near} of 12 starts ended within 0.1 nats of the best, and the lowest was 1.39 nats below it`,
      );
    }
    const { spread } = await fit(two, {}, { start: { x: -1 } });
    expect(spread).toEqual({ count: 1, near: 1, lowest: expect.any(Number), unbounded: 0 });
  });
});

describe("unbounded densities", () => {
  const schools = { y: [28, 8, -3, 7, -1, 1, 18, 12], sigma: [15, 10, 16, 11, 9, 11, 10, 18] };
  const hierarchy = (centred: boolean) =>
    model(({ data, param, observe }) => {
      const { y, sigma } = data({ y: vector("J"), sigma: vector("J") });
      const mu = param("mu", normal(0, 5));
      const tau = param("tau", halfCauchy(5));
      observe(y, normal(param("theta", normal(mu, tau), { shape: "J", centred }), sigma));
    });

  it.each([true, false])("a hierarchical scale runs to 0 (centred: %s)", async (centred) => {
    for (const seed of [1, 2]) {
      const { converged, unbounded, spread, reason, values } = await fit(hierarchy(centred), schools, { seed });
      expect([converged, unbounded, spread.unbounded]).toEqual([false, ["tau"], 8]);
      expect(reason).toBe("unbounded: the log density grows without limit as tau runs to its border");
      expect(values.tau[0]).toBeLessThan(1e-3);
    }
  });

  it("a normal scale runs to 0 at its own mean, and a beta parameter to 1", async () => {
    const flat = model(({ data, param, observe }) => {
      const { y } = data({ y: real() });
      observe(y, normal(0, param("scale", gamma(0.5, 1))));
    });
    const grown = await fit(flat, { y: 0 });
    expect([grown.converged, grown.unbounded]).toEqual([false, ["scale"]]);
    expect(grown.values.scale[0]).toBeLessThan(1e-6);
    const heads = model(({ data, param, observe }) => {
      const { heads } = data({ heads: integer() });
      observe(heads, binomial(10, param("p", beta(0.5, 0.5))));
    });
    expect((await fit(heads, { heads: 10 })).unbounded).toEqual(["p"]);
    // With a flat prior the density approaches its limit 1 at the border, so it is bounded.
    const { unbounded, converged, values } = await fit(coin, { heads: 10, flips: 10 });
    expect([unbounded, converged, values.p[0] < 1]).toEqual([[], true, true]);
  });

  it("the element is named, and a mode from another start is kept", async () => {
    const pair = model(({ data, param, target }) => {
      const { y } = data({ y: vector("N") });
      const mu = param("mu", "real", { shape: 2 });
      const sigma = param("sigma", "positive", { shape: 2 });
      const part = (k: number) => add(Math.log(0.5), normal(at(mu, k), at(sigma, k)).logDensity(y));
      target(sum(logSumExp(stack([part(0), part(1)]), { axis: 0 })));
    });
    const y = Array.from({ length: 30 }, (_, i) => (i % 2 ? 4 : 0) + Math.sin(1.7 * i));
    const fallen = await fit(pair, { y }, { start: { mu: [1, y[6] + 1e-4], sigma: [2, 1e-3] } });
    expect(fallen.unbounded).toEqual(["sigma[2]"]);
    const grid = model(({ param, target }) => {
      const s = param("s", "positive", { shape: [2, 3] });
      const free = at(at(s, 1), 0);
      target(sub(sub(square(sub(free, 2)), sum(square(sub(s, 2)))), log(free)));
    });
    expect((await fit(grid, {}, { starts: 1 })).unbounded).toEqual(["s[2,1]"]);
    const sound = await fit(pair, { y });
    expect([sound.unbounded, sound.converged]).toEqual([[], true]);
    // The density grows as 1/s towards 0, and has a maximum at 1/s = (2 − s)/0.49.
    const both = model(({ param, target }) => {
      const s = param("s", "positive");
      target(sub(normal(2, 0.7).logDensity(s), log(s)));
    });
    const { values, converged, unbounded, spread, reason } = await fit(both, {}, { starts: 20 });
    expect(values.s[0]).toBeCloseTo(1 + Math.sqrt(0.51), 6);
    expect([converged, unbounded]).toEqual([true, ["s"]]);
    expect(spread.unbounded).toBeGreaterThan(0);
    expect(spread.near + spread.unbounded).toBe(20);
    expect(reason).toMatch(
      /^converged; unbounded: the log density grows without limit as s runs to its border, from \d+ of 20 starts; /,
    );
  });

  it("a small scale is not reported as unbounded", async () => {
    const scaled = (by: number) => ({ x, y: y.map((v) => by * v) });
    for (const options of [{}, { epochs: 10 }, { rule: adam({ rate: 0.1 }), epochs: 200, starts: 2 }]) {
      const { unbounded, spread, converged, values } = await fit(line, scaled(1e-9), options);
      expect([unbounded, spread.unbounded]).toEqual([[], 0]);
      if (converged) expect(values.sigma[0] / (1e-9 * leastSquares().sigma)).toBeCloseTo(1, 6);
    }
    const { values, converged, unbounded } = await fit(line, scaled(1e-6));
    expect(values.sigma[0] / (1e-6 * leastSquares().sigma)).toBeCloseTo(1, 6);
    expect([converged, unbounded]).toEqual([true, []]);
  });
});

describe("values with redundant numbers", () => {
  it.each(["angle", "unitVector"] as const)("%s: converges to the direction of the data", async (kind) => {
    const directions = [3, -3, 3.1, 2.8];
    const [c, s] = [Math.cos, Math.sin].map((f) => directions.reduce((sum, v) => sum + f(v), 0));
    const circle = model(({ param, target }) => {
      if (kind === "angle") {
        const phi = param("phi", "angle");
        target(add(mul(c, cos(phi)), mul(s, sin(phi))));
      } else target(sum(mul(param("v", "unitVector", { shape: 2 }), stack([toArray(c), toArray(s)]))));
    });
    const { values, converged, logDensity } = await fit(circle, {});
    expect(converged).toBe(true);
    expect(logDensity).toBeCloseTo(Math.hypot(c, s), 8);
    const found = kind === "angle" ? values.phi[0] : Math.atan2(values.v[1], values.v[0]);
    expect(found).toBeCloseTo(Math.atan2(s, c), 5);
  });
});
