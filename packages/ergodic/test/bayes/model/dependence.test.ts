/** Detection of models whose terms depend on each other. Similar models without dependence must not be reported. */
import { describe, expect, it } from "vitest";
import * as d from "../../../src/bayes/distributions/index.ts";
import type { ModelContext } from "../../../src/bayes/model/context.ts";
import { dependentObservations } from "../../../src/bayes/model/dependence.ts";
import { integer, matrix, vector } from "../../../src/bayes/model/fields.ts";
import { hiddenMarkov } from "../../../src/bayes/model/hidden-markov.ts";
import { traceModel } from "../../../src/bayes/model/trace.ts";
import * as c from "../../../src/engine/compiler/index.ts";
import { stream } from "../../../src/engine/random/stream.ts";

const N = 40;
const draws = stream(8, "dependence").at(0);
const y = Array.from({ length: N }, () => draws.normal());
const x = Array.from({ length: N }, () => draws.normal());
const w = Array.from({ length: N }, () => draws.normal());
const counts = y.map((value) => Math.floor(3 + 2 * value) ** 2);
const states = y.map((value) => (value < -0.5 ? 0 : value < 0.5 ? 1 : 2));
const group = y.map((_, i) => i % 5);
const table = y.map((value, i) => [x[i], value]);
const rates = [1, 2, 4, 8, 16];
const data = { y, x, w, counts, states, group, table, rates, start: 3, N };

/** Names of the observations that are found to be dependent at a random point. */
function found(body: (context: ModelContext) => void): string[] {
  const traced = traceModel("tried", body, data);
  const own = stream(9, "point").at(0);
  const inputs: Record<string, ArrayLike<number>> = Object.fromEntries(traced.data);
  for (const { name, unconstrained } of traced.parameters)
    inputs[`u ${name}`] = Float64Array.from({ length: unconstrained.size }, () => 0.3 + 0.2 * own.normal());
  return [...dependentObservations(traced, inputs)];
}

const before = (a: c.SymbolicArray) => c.slice(a, { to: N - 1 });
const after = (a: c.SymbolicArray) => c.slice(a, { from: 1 });
const scale = ({ param }: ModelContext) => param("sigma", d.halfNormal(1));
const slope = ({ param }: ModelContext) => param("beta", d.normal(0, 1));

const dependent: Record<string, (m: ModelContext) => void> = {
  "a hidden Markov chain of a value"({ data, param, marginalise }) {
    const mu = param("mu", d.normal(0, 1), { shape: 2 });
    marginalise(
      hiddenMarkov(
        [0.5, 0.5],
        [
          [0.9, 0.1],
          [0.2, 0.8],
        ],
      ),
      (k) => d.normal(c.at(mu, k), 1),
      { value: data({ y: vector("N") }).y },
    );
  },
  "a hidden Markov chain of terms"({ data, param, marginalise }) {
    const { y } = data({ y: vector("N") });
    const mu = param("mu", d.normal(0, 1), { shape: 2 });
    marginalise(
      hiddenMarkov(
        [0.5, 0.5],
        [
          [0.9, 0.1],
          [0.2, 0.8],
        ],
      ),
      (k) => d.normal(c.at(mu, k), 1).logDensity(y),
      { name: "y" },
    );
  },
  "a regression on the value before"(m) {
    const { y } = m.data({ y: vector("N") });
    m.observe(after(y), d.normal(c.mul(slope(m), before(y)), scale(m)), "y");
  },
  "a regression on the value before, of centred data"(m) {
    const { y } = m.data({ y: vector("N") });
    const z = c.sub(y, c.mean(y));
    m.observe(after(z), d.normal(c.mul(slope(m), before(z)), scale(m)), "y");
  },
  "a mixture on the value before"(m) {
    const { y } = m.data({ y: vector("N") });
    const beta = slope(m);
    m.marginalise(d.categorical([0.5, 0.5]), (k) => d.normal(c.add(k, c.mul(beta, before(y))), 1), {
      value: after(y),
      name: "y",
    });
  },
  "a chain of states that were seen"(m) {
    const { states } = m.data({ states: vector("N") });
    const P = m.param(
      "P",
      d.dirichlet([
        [1, 1, 1],
        [1, 1, 1],
        [1, 1, 1],
      ]),
    );
    m.observe(after(states), d.categorical(c.take(P, before(states))), "y");
  },
  "a variance that follows the values by a scan"(m) {
    const { y } = m.data({ y: vector("N") });
    const beta = slope(m);
    const { outputs } = c.scan([c.full(1)], [y], ([variance], [each]) => {
      const next = c.add(c.square(beta), c.mul(0.1, c.square(each)));
      return [[next], [variance]];
    });
    m.observe(y, d.normal(0, c.sqrt(outputs[0])));
  },
  "errors that a scan follows"(m) {
    const { y } = m.data({ y: vector("N") });
    const beta = slope(m);
    const { outputs } = c.scan([c.full(0)], [y], ([error], [each]) => {
      const own = c.sub(each, c.mul(beta, error));
      return [[own], [own]];
    });
    m.observe(outputs[0], d.normal(0, scale(m)), "y");
  },
  "series side by side, each on its own past"(m) {
    const { table } = m.data({ table: matrix("N", 2) });
    m.observe(after(table), d.normal(c.mul(slope(m), before(table)), 1), "y");
  },
  "a walk of vectors"(m) {
    const { table } = m.data({ table: matrix("N", 2) });
    const factor = m.param("factor", d.lkjCholesky(2, 1));
    m.observe(after(table), d.multivariateNormalCholesky(c.mul(slope(m), before(table)), factor), "y");
  },
};

const independent: Record<string, (m: ModelContext) => void> = {
  "a regression"(m) {
    const { y, x } = m.data({ y: vector("N"), x: vector("N") });
    m.observe(y, d.normal(c.mul(slope(m), x), scale(m)));
  },
  "a regression on a column of the same table"(m) {
    const { table } = m.data({ table: matrix("N", 2) });
    m.observe(c.at(table, 1, 1), d.normal(c.mul(slope(m), c.at(table, 0, 1)), scale(m)), "y");
  },
  "data centred and scaled"(m) {
    const { y, x } = m.data({ y: vector("N"), x: vector("N") });
    const z = c.div(c.sub(y, c.mean(y)), c.sqrt(c.mean(c.square(c.sub(y, c.mean(y))))));
    m.observe(z, d.normal(c.mul(slope(m), x), scale(m)), "y");
  },
  "a location about the mean of the data"(m) {
    const { y } = m.data({ y: vector("N") });
    m.observe(y, d.normal(c.add(c.mean(y), slope(m)), scale(m)));
  },
  "a prior scaled by the data"(m) {
    const { y } = m.data({ y: vector("N") });
    const alpha = m.param("alpha", d.normal(c.mean(y), c.sqrt(c.mean(c.square(y)))), { centred: false });
    m.observe(y, d.normal(alpha, scale(m)));
  },
  "groups and their own data"(m) {
    const { y, group, rates } = m.data({ y: vector("N"), group: vector("N"), rates: vector("G") });
    const effect = m.param("effect", d.normal(c.mul(slope(m), rates), 1));
    m.observe(y, d.normal(c.take(effect, group), scale(m)));
  },
  residuals(m) {
    const { y, group, rates } = m.data({ y: vector("N"), group: vector("N"), rates: vector("G") });
    m.observe(c.sub(y, c.mul(slope(m), c.take(rates, group))), d.normal(0, 1), "y");
  },
  "a value that its own distribution reads, as a hurdle does"(m) {
    const { counts } = m.data({ counts: vector("N") });
    m.observe(counts, d.poisson(c.where(c.equal(counts, 0), 0.1, c.exp(slope(m)))));
  },
  "one outcome on another"(m) {
    const { y, x, w } = m.data({ y: vector("N"), x: vector("N"), w: vector("N") });
    m.observe(y, d.normal(c.mul(slope(m), x), 1));
    m.observe(w, d.normal(c.mul(m.param("gamma", d.normal(0, 1)), y), 1));
  },
  "a mixture"(m) {
    const mu = m.param("mu", d.normal(0, 1), { shape: 2 });
    m.marginalise(d.categorical([0.4, 0.6]), (k) => d.normal(c.at(mu, k), 1), { value: m.data({ y: vector("N") }).y });
  },
  "a level that wanders, which is a parameter"(m) {
    const { y } = m.data({ y: vector("N") });
    const steps = m.param("steps", d.normal(0, 1), { shape: "N" });
    const { outputs } = c.scan([c.full(0)], [steps], ([level], [step]) => [[c.add(level, step)], [c.add(level, step)]]);
    m.observe(y, d.normal(outputs[0], scale(m)));
  },
  "a value that is a number"(m) {
    const { start } = m.data({ start: integer() });
    m.observe(start, d.poisson(c.exp(slope(m))));
  },
  "steps of a walk, differenced beforehand"(m) {
    const { y } = m.data({ y: vector("N") });
    m.observe(c.sub(after(y), before(y)), d.normal(slope(m), scale(m)), "y");
  },
  "vectors about the mean of the data"(m) {
    const { table } = m.data({ table: matrix("N", 2) });
    const factor = m.param("factor", d.lkjCholesky(2, 1));
    m.observe(table, d.multivariateNormalCholesky(c.add(c.mean(table, { axis: 0 }), slope(m)), factor));
  },
  "vectors with correlations"(m) {
    const { table } = m.data({ table: matrix("N", 2) });
    const factor = m.param("factor", d.lkjCholesky(2, 1));
    m.observe(table, d.multivariateNormalCholesky(c.full(0, [2]), factor));
  },
};

describe("dependent terms", () => {
  it.each(Object.entries(dependent))("%s", (_, body) => {
    expect(found(body)).toEqual(["y"]);
  });

  it("values observed one by one, each given the previous one, are found", () => {
    const names = found((m) => {
      const { y } = m.data({ y: vector("N") });
      const beta = slope(m);
      for (let t = 0; t < 6; t++)
        m.observe(c.at(y, t), t === 0 ? d.normal(0, 1) : d.normal(c.mul(beta, c.at(y, t - 1)), 1), `y${t}`);
    });
    expect(names.sort()).toEqual(["y0", "y1", "y2", "y3", "y4", "y5"]);
  });

  it("only the dependent terms of a model are found", () => {
    const names = found((m) => {
      const { y, w } = m.data({ y: vector("N"), w: vector("N") });
      m.observe(after(y), d.normal(c.mul(slope(m), before(y)), 1), "series");
      m.observe(w, d.normal(m.param("level", d.normal(0, 1)), 1));
    });
    expect(names).toEqual(["series"]);
  });
});

describe("independent terms", () => {
  it.each(Object.entries(independent))("%s", (_, body) => {
    expect(found(body)).toEqual([]);
  });

  it("values observed one by one are independent", () => {
    const names = found((m) => {
      const { y, x } = m.data({ y: vector("N"), x: vector("N") });
      const beta = slope(m);
      for (let t = 0; t < 6; t++) m.observe(c.at(y, t), d.normal(c.mul(beta, c.at(x, t)), 1), `y${t}`);
    });
    expect(names).toEqual([]);
  });
});
