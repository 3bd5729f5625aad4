/**
 * Typical first mistakes of users of Stan, PyMC, brms, scikit-learn or plain TypeScript. Each is refused or hinted at,
 * with words that explain the mistake and its remedy. Models are written as in an untyped file.
 */
import { describe, expect, it } from "vitest";
import * as statistical from "../../src/bayes/model/index.ts";
import * as compiler from "../../src/engine/compiler/index.ts";
import { ErgodicError } from "../../src/engine/errors/errors.ts";
import { adam, crossValidate, Dataset, fit, linear, model, nuts, sample, sgld } from "../../src/entries/everything.ts";

// biome-ignore lint/suspicious/noExplicitAny: types are what a newcomer does not have
type Any = any;
const c = compiler as Any;
const s = statistical as Any;
const { vector, integer, real } = statistical;

const y = [1.2, -0.3, 0.8, 2.1];
const quick = { warmup: 10, draws: 10, chains: 1, seed: 1 };

type Body = (context: Any) => void;
const posterior = (body: Body, data: object = {}) => (model as Any)(body).condition(data);
const drawn = (body: Body, data: object = {}, options: object = {}) =>
  (sample as Any)((model as Any)(body), data, { ...quick, ...options });

const regression: Body = ({ data, param, observe }) => {
  const d = data({ y: vector("N") });
  observe(d.y, s.normal(param("mu", s.normal(0, 10)), param("sigma", "positive")));
};

/** A mistake: its name, the call, the error code and words of the message. */
const refused: readonly [slip: string, run: () => unknown, code: string, words: RegExp][] = [
  [
    "Stan: indices count from 1",
    () =>
      posterior(
        ({ data, param, observe }) => {
          const d = data({ y: vector("N"), group: vector("N") });
          const alpha = param("alpha", s.normal(0, 1), { shape: 2 });
          observe(d.y, s.normal(c.take(alpha, d.group), 1));
        },
        { y, group: [1, 1, 2, 2] },
      ),
    "DATA_INDEX",
    /data "group"\[2\]: it is 2, but take\(\) has 2 to choose from.*from 0 to 1.*indices count from 0.*subtract 1/,
  ],
  [
    "brms: a number of groups that is too small",
    () =>
      posterior(
        ({ data, param, observe }) => {
          const d = data({ y: vector("N"), group: vector("N") });
          observe(d.y, s.normal(param("alpha", s.normal(0, 1), { shape: 2 }).take(d.group), 1));
        },
        { y, group: [0, 1, 2, 3] },
      ),
    "DATA_INDEX",
    /data "group"\[2\]: it is 2.*whole number from 0 to 1, as indices count from 0/,
  ],
  [
    "indices that are fractions",
    () =>
      posterior(
        ({ data, param, observe }) => {
          const d = data({ y: vector("N"), group: vector("N") });
          observe(d.y, s.normal(c.take(param("alpha", s.normal(0, 1), { shape: 3 }), d.group), 1));
        },
        { y, group: [0, 1, 1.5, 2] },
      ),
    "DATA_INDEX",
    /data "group"\[2\]: it is 1\.5.*whole number from 0 to 2/,
  ],
  [
    "indices from 1, in numbers that stand in the model",
    () =>
      posterior(({ param, observe }) =>
        observe(y.slice(0, 2), s.normal(c.take(param("a", s.normal(0, 1), { shape: 2 }), [1, 2]), 1)),
      ),
    "COMPILE_INDEX",
    /take: index 1 is 2, but must be a whole number from 0 to 1, as indices count from 0.*subtract 1/,
  ],
  [
    "the last element as a[N]",
    () => posterior(({ param, target }) => target(c.at(param("a", s.normal(0, 1), { shape: 3 }), 3))),
    "COMPILE_SHAPE",
    /at: index is 3, but axis 0 of \[3\] has 3 elements.*count from 0/,
  ],
  [
    "missing data: null",
    () => posterior(regression, { y: [1, null, 3] }),
    "DATA_MISSING",
    /data "y"\[1\]: it is missing \(null\).*leave its row out/,
  ],
  [
    "missing data: NaN",
    () => posterior(regression, { y: [1, 2, Number.NaN] }),
    "DATA_MISSING",
    /data "y"\[2\]: it is missing \(NaN\)/,
  ],
  [
    "missing data: a text of R",
    () => posterior(regression, { y: [1, "NA", 3] }),
    "DATA_MISSING",
    /data "y"\[1\]: it is missing \("NA"\)/,
  ],
  ["data of another name", () => posterior(regression, { Y: y }), "DATA_MISSING", /the model asks for "y", but the data have Y/],
  [
    "numbers as texts, as CSV readers give them",
    () => posterior(regression, { y: ["1.5", "2"] }),
    "DATA_SHAPE",
    /data "y"\[0\]: it is "1.5".*without quotes/,
  ],
  [
    "categories as texts",
    () => posterior(regression, { y: ["a", "b"] }),
    "DATA_SHAPE",
    /data "y"\[0\]: it is "a".*number the categories from 0/,
  ],
  [
    "a factor K that the data do not give",
    () => posterior(({ param }) => param("beta", s.normal(0, 1), { shape: "K" }), { y }),
    "MODEL_SIZE",
    /"K" is not a size in the data/,
  ],
  [
    "lengths that differ",
    () => posterior(({ data }) => data({ x: vector("N"), y: vector("N") }), { x: [1, 2], y: [1, 2, 3] }),
    "DATA_SHAPE",
    /it makes "N" 3, but earlier data make it 2/,
  ],
  [
    "a count that is a fraction",
    () => posterior(({ data }) => data({ trials: integer() }), { trials: 2.5 }),
    "DATA_SHAPE",
    /data "trials": it is 2\.5, but must be a whole number/,
  ],
  [
    "PyMC: sd in place of sigma, by name",
    () => posterior(({ param }) => param("mu", s.normal({ mu: 0, sd: 1 }))),
    "COMPILE_OPERAND",
    /normal: 1 argument was given, but it takes 2: mu, sigma/,
  ],
  [
    "PyMC: a size as a third parameter",
    () => posterior(({ param }) => param("mu", s.normal(0, 1, 3))),
    "COMPILE_OPERAND",
    /normal: 3 arguments were given, but it takes 2: mu, sigma/,
  ],
  [
    "PyMC: the name in the distribution",
    () => posterior(({ param }) => param(s.normal("mu", 0, 1))),
    "COMPILE_OPERAND",
    /normal: 3 arguments were given/,
  ],
  [
    "a parameter without a name",
    () => posterior(({ param }) => param(s.normal(0, 1))),
    "COMPILE_OPERAND",
    /param: 1 argument was given, but it takes 2 to 3: name, prior, options/,
  ],
  [
    "a distribution that is not called",
    () => posterior(({ param }) => param("mu", s.normal)),
    "COMPILE_OPERAND",
    /param: prior is the function normal; call it/,
  ],
  [
    "a distribution by its name",
    () => posterior(({ param }) => param("mu", "normal")),
    "OPTION_UNKNOWN",
    /"normal" is not a constraint.*known: real, positive.*normal\(…\)/,
  ],
  [
    "a negative scale",
    () => posterior(({ param }) => param("mu", s.normal(0, -1))),
    "OPTION_RANGE",
    /normal: sigma is -1, but must be > 0/,
  ],
  [
    "a number as a text",
    () => posterior(({ param }) => param("mu", s.normal("0", 1))),
    "COMPILE_OPERAND",
    /normal: mu is "0", but must be a symbolic array, a number/,
  ],
  [
    "two parameters of one name",
    () => posterior(({ param }) => [param("a", "real"), param("a", "real")]),
    "MODEL_NAME",
    /the name "a" is given twice/,
  ],
  [
    "bounds as PyMC calls them",
    () => posterior(({ param }) => param("tau", s.normal(0, 1), { low: 0 })),
    "OPTION_UNKNOWN",
    /unknown option "low"; did you mean "lower"/,
  ],
  [
    "bounds of truncated as SciPy calls them",
    () => posterior(({ param }) => param("tau", s.truncated(s.normal(0, 1), { min: 0 }))),
    "COMPILE_OPTION",
    /truncated: unknown option "min"; did you mean "lower"/,
  ],
  [
    "bounds one by one",
    () => posterior(({ param }) => param("tau", s.truncated(s.normal(0, 1), 0, 5))),
    "COMPILE_OPERAND",
    /truncated: 3 arguments were given, but it takes 2.*\{ lower, upper \}/,
  ],
  [
    "bounds in the other order",
    () => posterior(({ param }) => param("tau", s.truncated(s.normal(0, 1), { lower: 5, upper: 0 }))),
    "OPTION_RANGE",
    /truncated: lower is 5 and upper is 0.*exchange them/,
  ],
  [
    "a uniform in the other order",
    () => posterior(({ param }) => param("p", s.uniform(1, 0))),
    "OPTION_RANGE",
    /uniform: low is 1 and high is 0.*exchange them/,
  ],
  [
    "a parameter whose bounds leave nothing",
    () => posterior(({ param }) => param("p", { lower: 1, upper: 0 })),
    "OPTION_RANGE",
    /lower is 1 and upper is 0.*exchange them/,
  ],
  [
    "numpy: a sum over axis 0",
    () => posterior(({ data, target }) => target(c.sum(data({ x: vector("N") }).x, 0)), { x: y }),
    "COMPILE_OPERAND",
    /sum: options is 0, but must be an object: \{ axis, keep \}; write \{ axis: 0 \}/,
  ],
  [
    "JavaScript: slice(from, to)",
    () => posterior(({ data, target }) => target(c.slice(data({ x: vector("N") }).x, 0, 1)), { x: y }),
    "COMPILE_OPERAND",
    /slice: 3 arguments were given.*\{ axis, from, to, step \}/,
  ],
  [
    "numpy: slice by start",
    () => posterior(({ data, target }) => target(data({ x: vector("N") }).x.slice({ start: 1 })), { x: y }),
    "COMPILE_OPTION",
    /slice: unknown option "start"; did you mean "from"/,
  ],
  [
    "arithmetic on arrays",
    () => posterior(({ param, target }) => target(param("a", "real") * 2)),
    "COMPILE_VALUE",
    /used as a number.*add, mul/,
  ],
  [
    "a condition on a parameter",
    () =>
      posterior(({ param, target }) => {
        const a = param("a", "real");
        target(c.less(a, 0) ? a : c.mul(a, 2));
      }),
    "COMPILE_CONTROL_FLOW",
    /write where\(condition, yes, no\)/,
  ],
  [
    "an async model",
    () => posterior(async ({ param }) => param("a", s.normal(0, 1))),
    "COMPILE_OPERAND",
    /the model's function is async/,
  ],
  [
    "the data where the distribution belongs",
    () => posterior(({ data, observe }) => observe(s.normal(0, 1), data({ y: vector("N") }).y), { y }),
    "COMPILE_OPERAND",
    /observe: value is the distribution normal, but must be a symbolic array/,
  ],
  [
    "the name of the data in place of the data",
    () => posterior(({ param, observe }) => observe("y", s.normal(param("mu", "real"), 1)), { y }),
    "COMPILE_OPERAND",
    /observe: value is "y", but must be a symbolic array/,
  ],
  [
    "the name in an object",
    () => posterior(({ param, observe }) => observe(1, s.normal(param("mu", "real"), 1), { name: "y" })),
    "COMPILE_OPERAND",
    /observe: name is an object of name, but must be a string/,
  ],
  [
    "a Dirichlet of another length",
    () =>
      posterior(({ param, observe }) => observe([0.4, 0.6], s.dirichlet(c.mul(param("a", "positive"), c.toArray([1, 2, 3]))))),
    "COMPILE_SHAPE",
    /dirichlet: x has 2 numbers along its last axis, but its concentration has 3/,
  ],
  [
    "probabilities that do not sum to 1",
    () => posterior(({ param, observe }) => [param("a", "real"), observe(1, s.categorical([0.5, 0.6]))]),
    "OPTION_RANGE",
    /categorical: probabilities is \[0\.5, 0\.6\].*sum 1/,
  ],
  [
    "a model without parameters",
    () => posterior(({ data, observe }) => observe(data({ y: vector("N") }).y, s.normal(0, 1)), { y }),
    "MODEL_PARAMETERS",
    /has no parameters; add one with param/,
  ],
  ["brms: a formula", () => (model as Any)("y ~ x"), "OPTION_TYPE", /model: got "y ~ x", wanted a function/],
  [
    "nuts without a call",
    () => drawn(regression, { y }, { algorithm: nuts }),
    "OPTION_TYPE",
    /algorithm is the function nuts, not called.*write nuts\(\)/,
  ],
  [
    "Stan: iter_sampling",
    () => drawn(regression, { y }, { iter_sampling: 100 }),
    "OPTION_UNKNOWN",
    /unknown option "iter_sampling"; did you mean "draws"/,
  ],
  ["PyMC: tune", () => drawn(regression, { y }, { tune: 100 }), "OPTION_UNKNOWN", /unknown option "tune"; did you mean "warmup"/],
  [
    "Stan: adapt_delta",
    () => drawn(regression, { y }, { algorithm: (nuts as Any)({ adapt_delta: 0.9 }) }),
    "OPTION_UNKNOWN",
    /did you mean "targetAcceptance"/,
  ],
  [
    "scikit-learn: random_state",
    () => (fit as Any)((model as Any)(regression), { y }, { random_state: 1 }),
    "OPTION_UNKNOWN",
    /unknown option "random_state"; did you mean "seed"/,
  ],
  [
    "options in the place of the data",
    () => (sample as Any)((model as Any)(regression), { draws: 100 }),
    "DATA_MISSING",
    /the model asks for "y", but the data have draws/,
  ],
  ["half a chain", () => drawn(regression, { y }, { chains: 1.5 }), "OPTION_RANGE", /chains is 1\.5, but must be an integer/],
  [
    "a start outside of the support",
    () => drawn(regression, { y }, { start: { mu: 0, sigma: -1 } }),
    "OPTION_RANGE",
    /sigma.*-1.*must be > 0/,
  ],
  [
    "a start of an unknown name",
    () => drawn(regression, { y }, { start: { mu: 0, sd: 1 } }),
    "OPTION_UNKNOWN",
    /unknown option "sd".*known: mu, sigma/,
  ],
  [
    "outcomes 1 and 2",
    () =>
      drawn(({ data, param, observe }) => observe(data({ y: vector("N") }).y, s.bernoulli(param("p", s.beta(1, 1)))), {
        y: [1, 0, 1, 2],
      }),
    "SAMPLE_START",
    /bernoulli y\[3\] = 2 is -inf at all of them: its values are whole numbers from 0 to 1/,
  ],
  [
    "categories from 1",
    () =>
      drawn(
        ({ data, param, observe }) => observe(data({ y: vector("N") }).y, s.categorical(param("p", s.dirichlet([1, 1, 1])))),
        { y: [1, 2, 3] },
      ),
    "SAMPLE_START",
    /categorical y\[2\] = 3 is -inf at all of them: its values are whole numbers from 0 to 2/,
  ],
  [
    "counts that are fractions",
    () =>
      drawn(({ data, param, observe }) => observe(data({ y: vector("N") }).y, s.poisson(param("rate", s.gamma(1, 1)))), {
        y: [1, 2.5],
      }),
    "SAMPLE_START",
    /poisson y\[1\] = 2\.5 is -inf at all of them: its values are whole numbers from 0 on/,
  ],
  [
    "more successes than trials",
    () =>
      drawn(
        ({ data, param, observe }) => {
          const d = data({ y: vector("N"), n: vector("N") });
          observe(d.y, s.binomial(d.n, param("p", s.beta(1, 1))));
        },
        { y: [1, 5], n: [3, 4] },
      ),
    "SAMPLE_START",
    /binomial y\[1\] = 5 is -inf at all of them: its values are whole numbers from 0 to 4/,
  ],
  [
    "a scale that is data, and negative",
    () =>
      drawn(
        ({ data, param, observe }) => {
          const d = data({ y: vector("N"), sd: vector("N") });
          observe(d.y, s.normal(param("mu", s.normal(0, 1)), d.sd));
        },
        { y: [1, 5], sd: [1, -2] },
      ),
    "DATA_RANGE",
    /data "sd"\[1\]: it is -2, but is the sigma of normal, which must be > 0/,
  ],
  [
    "a scalar where a list is asked for",
    () => posterior(regression, { y: 3 }),
    "DATA_SHAPE",
    /data "y": it has 0 axes, but must have 1/,
  ],
  [
    "a list where a number is asked for",
    () => posterior(({ data }) => data({ scale: real() }), { scale: [1] }),
    "DATA_SHAPE",
    /must be one number/,
  ],
  ["a field in words", () => posterior(({ data }) => data({ y: "vector" }), { y }), "OPTION_TYPE", /data "y".*vector\("N"\)/],
  [
    "a matrix product of shapes that do not fit",
    () =>
      posterior(({ param, target }) =>
        target(c.matmul(param("a", s.normal(0, 1), { shape: [2, 3] }), param("b", s.normal(0, 1), { shape: 2 }))),
      ),
    "COMPILE_SHAPE",
    /matmul: shapes are \[2, 3\] and \[2\]/,
  ],
  [
    "a term that is a plain number",
    () => posterior(({ param, target }) => [param("a", "real"), target(3)]),
    "COMPILE_OPERAND",
    /target: term is 3, but must be a symbolic array/,
  ],
  [
    "Stan: indices from 1, one after another in a loop",
    () =>
      posterior(
        ({ data, param, observe }) => {
          const d = data({ y: vector("N"), group: vector("N") });
          const alpha = param("alpha", s.normal(0, 1), { shape: 2 });
          const { outputs } = c.scan([c.full(0)], [d.group], ([last]: Any, [i]: Any) => [[last], [c.take(alpha, i)]]);
          observe(d.y, s.normal(outputs[0], 1));
        },
        { y, group: [1, 1, 2, 2] },
      ),
    "DATA_INDEX",
    /data "group"\[2\]: it is 2, but take\(\) has 2 to choose from.*subtract 1/,
  ],
  [
    "R: arithmetic on a list of numbers",
    () => posterior(({ param, target }) => target(c.mul(c.add([1, 2, 3], 1), param("a", s.normal(0, 1))))),
    "COMPILE_OPERAND",
    /add: a is \[1, 2, 3\], but must be .*; write toArray\(…\)/,
  ],
  [
    "numpy: a comparison with a list of numbers",
    () => posterior(({ param, target }) => target(c.where(c.less([1, 2, 3], 2), param("a", s.normal(0, 1)), 0))),
    "COMPILE_OPERAND",
    /less: a is \[1, 2, 3\], but must be .*; write toArray\(…\)/,
  ],
  [
    "numpy: a matrix as a list of rows",
    () =>
      posterior(({ param, target }) =>
        target(
          c.add(
            [
              [1, 2, 3],
              [4, 5, 6],
            ],
            param("a", s.normal(0, 1)),
          ),
        ),
      ),
    "COMPILE_OPERAND",
    /add: a is .*but must be a symbolic array or a number; write constantArray\(rows\.flat\(\), \[2, 3\]\)/,
  ],
  [
    "a scan whose body forgets its return",
    () =>
      posterior(({ param, target }) => {
        const a = param("a", s.normal(0, 1), { shape: 3 });
        target(c.scan([c.full(0)], [a], ([sum]: Any, [x]: Any) => void [[sum.add(x)], []]).carries[0]);
      }),
    "COMPILE_SHAPE",
    /scan: the body must give \[next carries, outputs\].*write \[\[next\], \[output\]\]/,
  ],
  [
    "what a scan's body made, used outside of it",
    () =>
      posterior(({ param, target }) => {
        const a = param("a", s.normal(0, 1), { shape: 3 });
        let last: Any;
        c.scan([c.full(0)], [a], ([sum]: Any, [x]: Any) => {
          last = x;
          return [[sum.add(x)], []];
        });
        target(last);
      }),
    "COMPILE_INPUT",
    /an array of a scan's body, \[\], is used outside of it; give it as one of the body's outputs/,
  ],
  [
    "a parameter of another model",
    async () => {
      let mu: Any;
      (
        await posterior(({ param }) => {
          mu = param("mu", s.normal(0, 1));
        })
      ).dispose();
      return posterior(({ param, observe }) => observe(y, s.normal(mu, param("sigma", "positive"))), {});
    },
    "COMPILE_INPUT",
    /"mu" \[\] belongs to another model or function; declare it in this one/,
  ],
  [
    "a mixture of nothing",
    () => posterior(({ param, observe }) => observe(y, s.mixture([], [])) ?? param("a", "real")),
    "COMPILE_SHAPE",
    /mixture: 0 components/,
  ],
];

/** Models that can be sampled but cause a hint. */
const hinted: readonly [slip: string, body: Body, data: object, words: RegExp, advice: RegExp][] = [
  [
    "a scale without bounds",
    ({ data, param, observe }) => observe(data({ y: vector("N") }).y, s.normal(0, param("sigma", "real"))),
    { y },
    /the parameter "sigma" has no bounds, but is the sigma of normal, which must be positive/,
    /param\("sigma", "positive"\)/,
  ],
  [
    "a scale with a normal prior",
    ({ data, param, observe }) => observe(data({ y: vector("N") }).y, s.normal(0, param("sigma", s.normal(0, 1)))),
    { y },
    /the parameter "sigma" has no bounds/,
    /halfNormal/,
  ],
  [
    "a chance without bounds",
    ({ data, param, observe }) => observe(data({ y: vector("N") }).y, s.bernoulli(param("p", "real"))),
    { y: [0, 1] },
    /the parameter "p" has no bounds, but is the probability of bernoulli, which must be between 0 and 1/,
    /unitInterval/,
  ],
  [
    "Stan: a prior as an observation",
    ({ param, observe }) => observe(param("mu", "real"), s.normal(0, 1)),
    {},
    /observe\(\) is applied to the parameter "mu", which then counts as an observation/,
    /write param\("mu", normal\(…\)\)/,
  ],
  [
    "Stan: a transformed parameter on the left",
    ({ param, observe }) => observe(c.log(param("tau", "positive")), s.normal(0, 1)),
    {},
    /observe\(\) is applied to an expression that depends on "tau", and no Jacobian is added/,
    /log \|∂value\/∂parameter\| with target\(\)/,
  ],
];

async function failure(run: () => unknown): Promise<ErgodicError> {
  try {
    await run();
  } catch (error) {
    expect(error).toBeInstanceOf(ErgodicError);
    return error as ErgodicError;
  }
  return expect.fail("nothing was thrown");
}

describe("newcomers' mistakes", () => {
  it("there are at least forty different mistakes", () => {
    const slips = [...refused, ...hinted].map(([slip]) => slip);
    expect(new Set(slips).size).toBe(slips.length);
    expect(slips.length).toBeGreaterThanOrEqual(40);
  });

  it.each(refused)("is refused: %s", async (_, run, code, words) => {
    const error = await failure(run);
    expect(error.message).toMatch(words);
    expect(error.code).toBe(code);
  });

  it.each(hinted)("is hinted at: %s", async (_, body, data, words, advice) => {
    using conditioned = await posterior(body, data);
    expect(conditioned.hints).toHaveLength(1);
    expect(conditioned.hints[0].text).toMatch(words);
    expect(conditioned.hints[0].text).toMatch(/slips\.test\.ts:\d+:\d+/);
    expect(conditioned.hints[0].advice).toMatch(advice);
  });

  it("reports a forgotten await", async () => {
    const run = drawn(regression, { y });
    expect(() => (run as Any).summary()).toThrow(/await/);
    await run;
  });
});

describe("options and losses of other libraries are answered with our equivalents", () => {
  const data = Dataset.fromArrays({ x: [[1], [2], [3], [4]], y: [0, 1, 0, 1] });
  const linearly = linear as Any;
  it.each<[string, (options: object) => unknown, RegExp]>([
    ["penalty", linearly, /^linear: penalty is not an option of linear: write l2: 0\.01 or l1: 0\.01/],
    ["C", linearly, /^linear: C is not an option of linear: it is an inverse penalty; write l2: 1 \/ \(n \* C\)/],
    ["cv", linearly, /write l2: "auto" .*crossValidate\(model, data, \{ folds: 5 \}\)/],
    ["n_estimators", linearly, /a linear model is one vector of weights; ensembles of trees are made by trees\(\)/],
    ["max_iter", linearly, /it is an option of fit; write fit\(model, data, \{ epochs: 100 \}\)/],
    ["random_state", linearly, /it is an option of fit; write fit\(model, data, \{ seed: 1 \}\)/],
    ["learning_rate", linearly, /rule: adam\(\{ rate: 0\.01 \}\)/],
    ["penalty", (options) => fit(linear(), data, options), /write linear\(\{ l2: 0\.01 \}\)/],
    ["C", (options) => fit(linear(), data, options), /write linear\(\{ l2: 1 \/ \(n \* C\) \}\)/],
    ["cv", (options) => fit(linear(), data, options), /write crossValidate\(model, data, \{ folds: 5 \}\)/],
    [
      "n_estimators",
      (options) => fit(linear(), data, options),
      /epochs sets the number of passes over the rows or, for trees\(\), the number of rounds/,
    ],
    ["max_iter", (options) => fit(linear(), data, options), /did you mean "epochs"\?/],
    ["learning_rate", (options) => fit(linear(), data, options), /write rule: adam\(\{ rate: 0\.01 \}\)/],
    ["random_state", (options) => fit(linear(), data, options), /did you mean "seed"\?/],
    ["cv", (options) => crossValidate(linear(), data, options), /write folds: 5/],
    ["thin", (options) => drawn(regression, { y }, options), /write draws: 500 .* sgld\(\{ thin: 10 \}\)/],
    ["adapt_delta", (options) => drawn(regression, { y }, options), /algorithm: nuts\(\{ targetAcceptance: 0\.95 \}\)/],
    ["max_treedepth", (options) => drawn(regression, { y }, options), /algorithm: nuts\(\{ maxTreeDepth: 12 \}\)/],
    ["random_state", (options) => drawn(regression, { y }, options), /did you mean "seed"\?/],
  ])("%s", async (name, run, words) => {
    await expect((async () => run({ [name]: 1 }))()).rejects.toThrow(words);
  });

  it("advises only calls that exist", async () => {
    const rule = adam({ rate: 0.01 });
    const options = { epochs: 2, seed: 1, rule } as const;
    await fit(linear({ l1: 0.01, l2: 1 / (4 * 0.8) }), data, options);
    await fit(linear({ l2: "auto" }), data);
    expect((await crossValidate(linear({ l2: 0.1 }), data, { folds: 2 })).metrics.accuracy.mean).toBeGreaterThanOrEqual(0);
    expect([nuts({ targetAcceptance: 0.95 }).name, nuts({ maxTreeDepth: 12 }).name, sgld({ thin: 10 }).name]).toContain("sgld");
  });

  it.each([
    ["log_loss", "logistic"],
    ["neg_log_loss", "logistic"],
    ["binary_crossentropy", "logistic"],
    ["cross_entropy", "multinomial"],
    ["squared_error", "squared"],
    ["mse", "squared"],
    ["absolute_error", "quantile"],
    ["squared_hinge", "squaredHinge"],
    ["epsilon_insensitive", "epsilonInsensitive"],
    ["HuberLoss", "huber"],
  ])("the loss %s is called %s", (given, own) => {
    expect(() => linearly({ loss: given })).toThrow(`; did you mean "${own}"? [OPTION_UNKNOWN]`);
    expect(linearly({ loss: own }).options.loss.name ?? own).toBe(own);
  });

  it("has no suggestion for an unknown loss", () => {
    for (const loss of ["loss", "", "perceptron", 3])
      expect(() => linearly({ loss })).toThrow(/squaredHinge \[OPTION_UNKNOWN\]$/);
  });
});
