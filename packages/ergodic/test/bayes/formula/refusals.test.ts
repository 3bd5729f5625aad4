import { describe, expect, it } from "vitest";
import { unsupportedFamilies } from "../../../src/bayes/formula/response-families.ts";
import {
  gamma,
  halfNormal,
  normal,
  poisson,
  type RegressionOptions,
  regression,
  sample,
} from "../../../src/entries/everything.ts";

/** Error message of a formula that is refused before there are data. */
function refusal(formula: unknown, options?: unknown): string {
  try {
    regression(formula as string, options as RegressionOptions);
  } catch (error) {
    return (error as Error).message;
  }
  return "it was taken";
}

const data = {
  y: [1.5, 2.5, 2, 4, 3, 5.5],
  x: [1, 2, 3, 4, 5, 7],
  z: [2, 1, 4, 3, 7, 5],
  f: ["a", "b", "a", "b", "a", "b"],
  g: ["u", "u", "v", "v", "w", "w"],
};

/** Error message of a formula that is refused for its data. */
async function dataRefusal(formula: string, given: object, options: RegressionOptions = {}): Promise<string> {
  try {
    const model = await regression(formula, options).condition({ ...data, ...given });
    model.dispose();
  } catch (error) {
    return `${(error as Error).name} ${(error as Error).message}`;
  }
  return "it was taken";
}

describe("a wrong formula is refused with a position and a correction", () => {
  it.each<[string, string, string]>([
    ["", "at its end", 'it is empty; write what is observed and what it depends on, as in "y ~ x"'],
    ["x + z", "at place 1", 'there is no "~"; write what is observed on its left, as in "y ~ x + z"'],
    ["bf(y ~ x)", "at place 1", 'bf() is not known; write the formula alone, "y ~ x"'],
    ["brmsformula()", "at place 1", 'brmsformula() is not known; write the formula alone, "y ~ x"'],
    [
      "bf(y ~ x, sigma ~ z)",
      "at place 1",
      'bf() is not known, and only one formula is supported; write "y ~ x", or the whole model with model()',
    ],
    ["~ x", "at place 1", 'there is nothing on the left of "~"; write what is observed, as in "y ~ x"'],
    ["y ~ x +", "at its end", 'after "+" a term is missing; add one, or remove the sign'],
    ["y ~ x z", "at place 7", '"z" follows without a sign before it; write + for another term, or : for an interaction'],
    ["y ~ (1 + x | g", "at place 5", 'the "(" is not closed; add a ")"'],
    ["y ~ x)", "at place 6", 'there is a ")" without a "(" before it; remove it, or add the "("'],
    ["y = x", "at place 3", '"=" is not part of a formula; write what is observed on the left of ~'],
    [
      "y ~ x %in% z",
      "at place 7",
      '"%" is not part of a formula; write nested groups as (1 | a / b), and nested effects as "a + a:b"',
    ],
    ["y ~ 1 | g", "at place 5", 'effects of groups are written within parentheses; write "(1 | g)"'],
    [
      "y ~ (1 | g + h)",
      "at place 10",
      '"g + h" are several groups; write a term for each, (1 | a) + (1 | b), or (1 | a:b) for their combinations',
    ],
    ["y ~ (0 | g)", "at place 6", "(0 | g) lets nothing vary; write (1 | g) for an intercept of each group"],
    ["y ~ (1 | 3)", "at place 10", '"3" names no group; write the name of a column on the right of |'],
    ["y ~ x^2", "at place 5", '"x^2" is "x" in a formula; write I(x^2) for a power of the column'],
    [
      "y ~ x - z",
      "at place 9",
      '"- z" removes a term, but only the intercept can be removed, by "- 1"; write only the terms that are wanted',
    ],
    [
      "y ~ 2 + x",
      "at place 5",
      "the number 2 is not a term: 1 is the intercept, and 0 omits it; write offset(x) to add a column as it is",
    ],
    ["y ~ 2 * x", "at place 5", "the number 2 is a factor of an interaction; name a column, or write I(2 * x) for a multiple"],
    ["y ~ poly(x, 2)", "at place 5", "poly() is not known; write I(x^2), or s(x) for a curve"],
    [
      "y ~ tan(x)",
      "at place 5",
      "tan() is not known; known are I, factor, log, log2, log10, log1p, exp, sqrt, abs, s and offset; or make a column of it",
    ],
    ["y ~ s(x, z)", "at place 5", "s() takes one column, but has 2; write s(x) + s(z) for two curves"],
    ["y ~ s(x, k = 2)", "at place 14", "k must be a whole number >= 3; write s(x, k = 10)"],
    ["y ~ s(x, bs = 1)", "at place 5", 's() has no option "bs" (known: k, the dimension of its basis); remove it'],
    ["y ~ s(x):z", "at place 5", "s(x) is part of an interaction, but must be a separate term; add it with +"],
    ["y ~ (s(x) | g)", "at place 6", "a smooth cannot vary by group; write it outside of the parentheses"],
    ["y ~ (offset(x) | g)", "at place 6", "an offset has no effect that could vary; write it outside of the parentheses"],
    ["y ~ offset(x, z)", "at place 5", "offset() takes one column; write offset(x), or offset(log(x))"],
    [
      "y ~ ((1 | g) | h)",
      "at place 6",
      "a group is within another; write each as its own term, (1 | a) + (1 | b), or (1 | a / b) for groups within groups",
    ],
    ["y ~ 1 + x - 1", "at place 13", "the intercept is both requested and omitted; keep one of 1 and 0"],
    ["y ~ .", "at place 5", '"." is not supported; name the columns'],
    ["y ~ x + y", "at place 5", '"y" contains what is observed; remove it from the right of ~'],
    ["cbind(y, n) ~ x", "at place 1", 'cbind(…) is not known; write "y | trials(n) ~ …" for y successes of n trials'],
    [
      "y | weights(w) ~ x",
      "at place 5",
      '"weights(w)" follows |, where only trials(n) is allowed; write y | trials(n) ~ … for counts of n trials',
    ],
    ["y ~ x ~ z", "at place 9", 'there are two "~"; keep the one between what is observed and its terms'],
    ['y ~ "x"', "at place 5", '"x" is a text where a column is wanted; write it without quotes, or within `…`'],
    ["y ~ log(x, 2)", "at place 5", "log() takes one column; write log(x)"],
    ["y ~ factor(x + 1)", "at place 5", "factor() takes the name of a column; write factor(x)"],
  ])("%s", (formula, place, said) => {
    const code =
      /not part of|there is no "~"|^(bf|brmsformula)\(|is missing|without a sign|not closed|without a "\("|is empty|nothing on the left/.test(
        said,
      )
        ? "SYNTAX"
        : "TERM";
    expect(refusal(formula)).toBe(`formula "${formula}": ${place}: ${said} [FORMULA_${code}]`);
  });
});

describe("wrong options are refused with the accepted values", () => {
  it.each<[unknown, unknown, RegExp]>([
    [3, {}, /^regression: the formula is 3, but must be a text: write "y ~ x \+ \(1 \| group\)"/],
    ["y ~ x", { family: "normal" }, /the family is "normal", which is called "gaussian" here; write family: "gaussian"/],
    ["y ~ x", { family: "cumulative" }, /write family: "ordinal"/],
    ["y ~ x", { family: "cauchy" }, /family is "cauchy", but must be one of "gaussian", "student", "bernoulli", "binomial"/],
    ["y ~ x", { family: "negbinomial" }, /write family: "negativeBinomial"/],
    ["y ~ x", { family: "neg_binomial_2" }, /write family: "negativeBinomial"/],
    ["y ~ x", { family: "Poisson()" }, /family is "Poisson\(\)", but families are names; write family: "poisson"/],
    ["y ~ x", { family: { family: "poisson", link: "log" } }, /families are names; write family: "poisson"/],
    ["y ~ x", { family: "brmsfamily" }, /families are names and need no function; write family: "poisson"/],
    ...Object.keys(unsupportedFamilies).map((family): [string, object, RegExp] => [
      "y ~ x",
      { family },
      new RegExp(
        `there is no family "${family}" .*; write the regression with model\\(\\), and observe the response as ${family}\\(`,
      ),
    ]),
    ["y ~ x", { family: "Beta" }, /there is no family "Beta" .* observe the response as beta\(…\)/],
    ["y ~ x", { familly: "gaussian" }, /unknown option "familly"/],
    [
      "y ~ x",
      { priors: normal(0, 1) },
      /priors is .*, but must be an object of distributions by name: write priors: \{ b: normal\(0, 1\) \}/,
    ],
    ["y ~ x", { priors: { b: 3 } }, /priors\["b"\] is 3, but must be a distribution/],
    [
      "y ~ x",
      { priors: { b: poisson(3) } },
      /priors\["b"\] is poisson of whole numbers, but must be of one real number; write normal\(0, 1\)/,
    ],
    ["y ~ x", { priors: { b: normal([0, 1], 1) } }, /priors\["b"\] is normal of several numbers, but must be of one real number/],
    ["y ~ x", { priors: { cor: 0 } }, /priors.cor is 0, but must be a number > 0/],
    ["y ~ x", { levels: { f: ["a", "a"] } }, /levels.f is an array of 2, but must be a list of different levels/],
    ["y ~ x", { levels: ["a"] }, /levels is an array of 1, but must be lists by column/],
    ["y ~ x", { name: 3 }, /name is 3, but must be a text/],
  ])("%s %o", (formula, options, said) => {
    expect(refusal(formula, options)).toMatch(said);
  });
});

describe("unsuitable data are refused with term, column and row", () => {
  it.each<[string, object, RegressionOptions, string]>([
    [
      "y ~ x + age",
      {},
      {},
      'DataError regression: the term "age" needs the column "age", but there are y, x, z, f, g; add it, or take it out of the formula [DATA_MISSING]',
    ],
    [
      "y ~ log(X)",
      {},
      {},
      'DataError regression: the term "log(X)" needs the column "X", but there are y, x, z, f, g; did you mean "x"? [DATA_MISSING]',
    ],
    [
      "y ~ x",
      { x: [1, 2, Number.NaN, 4, 5, 6] },
      {},
      'DataError regression: the column "x" is missing in row 3 (NaN); remove the row, or fill it in [DATA_MISSING]',
    ],
    [
      "y ~ f",
      { f: ["a", "b", "a", "b", null, "a"] },
      {},
      'DataError regression: the column "f" is missing in row 5 (null); remove the row, or fill it in [DATA_MISSING]',
    ],
    [
      "y ~ f",
      { f: ["a", "b", "NA", "b", "b", "a"] },
      {},
      'DataError regression: the column "f" is missing in row 3 ("NA"); remove the row, or fill it in [DATA_MISSING]',
    ],
    [
      "y ~ x",
      { x: [1, 2, Infinity, 4, 5, 6] },
      {},
      'DataError regression: the column "x" is Infinity in row 3, but must be finite; correct it, or remove the row [DATA_RANGE]',
    ],
    [
      "y ~ x",
      { x: [1, 2, "3", 4, 5, 6] },
      {},
      'DataError regression: the column "x" has "3" in row 3, but 1 in row 1; make them all numbers, or all strings [DATA_SHAPE]',
    ],
    [
      "y ~ x",
      { x: ["1", "2", "3", "4", "5", "6"] },
      {},
      'DataError regression: the column "x" holds numbers as text ("1"); convert them to numbers, column.map(Number), or write factor(x) if they name levels [DATA_SHAPE]',
    ],
    [
      "y ~ log(x)",
      { x: ["1", "2", "3", "4", "5", "6"] },
      {},
      'DataError regression: the term "log(x)" needs numbers, but the column "x" holds numbers as text ("1"); convert them to numbers [DATA_SHAPE]',
    ],
    [
      "y ~ sqrt(f)",
      {},
      {},
      'DataError regression: the term "sqrt(f)" needs numbers, but the column "f" holds levels ("a"); convert them to numbers [DATA_SHAPE]',
    ],
    [
      "y ~ log(x)",
      { x: [1, 2, 0, 4, 5, 6] },
      {},
      'DataError regression: "log(x)" is -Infinity in row 3, where "x" is 0; correct it, or write another expression [DATA_RANGE]',
    ],
    [
      "y ~ x",
      { x: [1, 2] },
      {},
      'DataError regression: the column "x" has 2 rows, but y has 6; give every column the same number [DATA_SHAPE]',
    ],
    ["y ~ x", { y: [], x: [] }, {}, "DataError regression: there are no rows; give at least one [DATA_EMPTY]"],
    [
      "y ~ f",
      { f: ["a", "a", "a", "a", "a", "a"] },
      {},
      'DataError regression: the factor "f" has one level, "a", in all 6 rows, so its effect cannot be estimated; remove it from the formula [DATA_LEVEL]',
    ],
    [
      "y ~ f",
      {},
      { levels: { F: ["a", "b"] } },
      'DataError regression: levels names the column "F", but there are y, x, z, f, g; did you mean "f"? [DATA_MISSING]',
    ],
    [
      "y ~ f",
      {},
      { levels: { size: ["a", "b"] } },
      'DataError regression: levels names the column "size", but there are y, x, z, f, g; take it out of levels [DATA_MISSING]',
    ],
    [
      "y ~ f",
      {},
      { levels: { f: ["b", "c"] } },
      'DataError regression: the column "f" has the level "a" in row 1, but levels lists b, c; add it to levels [DATA_LEVEL]',
    ],
    [
      "y ~ f",
      {},
      { levels: { f: ["a", "b", "c"] } },
      'DataError regression: the column "fc" of the term "f" is 0 in all rows, so that the data cannot tell their effects apart; remove one of them from the formula [DATA_COLLINEAR]',
    ],
    [
      "y ~ x",
      { x: [3, 3, 3, 3, 3, 3] },
      {},
      'DataError regression: the column "x" of the term "x" is the same in all rows, as the intercept is, so that the data cannot tell their effects apart; remove one of them from the formula [DATA_COLLINEAR]',
    ],
    [
      "y ~ x + z + w",
      { w: [6, 5, 14, 13, 21, 21.0].map((_, i) => 2 * data.x[i] + 3 * data.z[i] + 1) },
      {},
      'DataError regression: the column "w" of the term "w" is a combination of the intercept, "x", "z", so that the data cannot tell their effects apart; remove one of them from the formula [DATA_COLLINEAR]',
    ],
    [
      "y ~ x + (1 | g)",
      { g: ["u", "u", "u", "u", "u", "u"] },
      {},
      'DataError regression: (1 | g) has one group, "u", in all 6 rows, and one group cannot show how groups differ; write its terms without | g [DATA_LEVEL]',
    ],
    [
      "y ~ (x | g)",
      { g: [1, 2, 3, 4, 5, 6] },
      {},
      "DataError regression: (x | g) has a group for each of the 6 rows, so group effects cannot be told from residuals; remove the term [DATA_LEVEL]",
    ],
    [
      "y ~ s(x)",
      {},
      {},
      "DataError regression: s(x) has a basis of 10, but its column has only 6 different values; write s(x, k = 6) [DATA_SHAPE]",
    ],
    [
      "y ~ s(x, k = 4)",
      { x: [1, 1, 2, 2, 1, 2] },
      {},
      "DataError regression: s(x) has a basis of 4, but its column has only 2 different values; write s(x, k = 3), or the column alone [DATA_SHAPE]",
    ],
    [
      "y ~ x",
      {},
      { family: "bernoulli" },
      'DataError regression: "y" is 1.5 in row 1, but for the family bernoulli it must be 0 or 1, or one of two levels; make it 0 and 1, or use the family poisson for counts, gaussian for other numbers [DATA_RANGE]',
    ],
    [
      "g ~ x",
      {},
      { family: "bernoulli" },
      'DataError regression: "g" has 3 levels (u, v, w), but the family bernoulli needs two; use the family ordinal if they have an order, or make a column of 0 and 1 [DATA_LEVEL]',
    ],
    [
      "g ~ x",
      {},
      { family: "ordinal" },
      'DataError regression: "g" has levels in an unknown order (u, v, w); give their order, levels: { g: ["u", "v", "w"] }, from low to high [DATA_LEVEL]',
    ],
    [
      "f ~ x",
      {},
      { family: "ordinal", levels: { f: ["a", "b"] } },
      'DataError regression: "f" has 2 levels, but an ordinal response needs at least 3; use the family bernoulli [DATA_LEVEL]',
    ],
    [
      "g ~ x",
      {},
      {},
      'DataError regression: the term "g" needs numbers, but the column "g" holds levels ("u"); convert them to numbers [DATA_SHAPE]',
    ],
    [
      "y ~ x",
      {},
      { family: "poisson" },
      'DataError regression: "y" is 1.5 in row 1, but for the family poisson it must be a whole number >= 0; use the family gamma or gaussian for numbers that are not counts [DATA_RANGE]',
    ],
    [
      "y ~ x",
      { y: [1, 0, 2, 3, -1, 2] },
      { family: "negativeBinomial" },
      'DataError regression: "y" is -1 in row 5, but for the family negativeBinomial it must be a whole number >= 0; use the family gaussian [DATA_RANGE]',
    ],
    [
      "y ~ x",
      { y: [1, 0, 2, 3, 1, 2] },
      { family: "gamma" },
      'DataError regression: "y" is 0 in row 2, but for the family gamma it must be a number above 0; remove zeros, or use the family gaussian [DATA_RANGE]',
    ],
    [
      "y ~ x",
      { y: [1, 0, 2, 3, 1, 2] },
      { family: "binomial" },
      'DataError regression: the family is binomial, but the formula has no trials; write "y | trials(n) ~ …", or use the family bernoulli for 0 and 1 [DATA_MISSING]',
    ],
    [
      "y | trials(x) ~ z",
      {},
      {},
      "DataError regression: the formula has trials(x), but the family is gaussian; use the family binomial [DATA_SHAPE]",
    ],
    [
      "y | trials(x) ~ z",
      { y: [1, 2, 2, 5, 1, 2] },
      { family: "binomial" },
      'DataError regression: "y" is 5 of 4 trials ("x") in row 4, but the number of trials must be a whole number, at least as large as the count; correct the row [DATA_RANGE]',
    ],
    [
      "y ~ x",
      {},
      { priors: { z: normal(0, 1) } },
      'OptionError regression: priors has "z", but this model has no such parameter (it has Intercept, x, b, sigma) [OPTION_UNKNOWN]',
    ],
    [
      "y ~ x",
      {},
      { priors: { Sigma: halfNormal(1) } },
      'OptionError regression: priors has "Sigma", but this model has no such parameter; did you mean "sigma"? (it has Intercept, x, b, sigma) [OPTION_UNKNOWN]',
    ],
    [
      "y ~ sigma",
      { sigma: data.x },
      {},
      'OptionError regression: "sigma" is a column, but also the name of a parameter of the model; give the column another name [MODEL_NAME]',
    ],
    [
      "y ~ (1 | g) + (x | g)",
      {},
      {},
      'OptionError regression: "sd(g): Intercept" would be the name of two quantities; write each effect of a group once, or give the columns other names [MODEL_NAME]',
    ],
  ])("%s %o %o", async (formula, given, options, said) => {
    expect(await dataRefusal(formula, given, options)).toBe(said);
  });

  it("names only the columns that a dependent column combines", async () => {
    expect(await dataRefusal("y ~ x + z + w", { w: data.z.map((z) => 2 * z) })).toMatch(
      /"w" of the term "w" is a combination of "z", so/,
    );
    expect(await dataRefusal("y ~ x + z + w", { w: data.x.map((x) => x - 1) })).toMatch(
      /"w" is a combination of the intercept, "x", so/,
    );
  });

  it("values that are not data are refused", async () => {
    const model = regression("y ~ x");
    await expect(model.condition(3 as never)).rejects.toThrow(/the data are 3, but must be columns by name/);
    await expect(model.condition([])).rejects.toThrow(/there are no rows/);
    await expect(model.condition([{ y: 1, x: 2 }, { y: 1 }] as never)).rejects.toThrow(
      /the column "x" is missing in row 2 \(undefined\)/,
    );
    await expect(model.condition({ y: [1, {}], x: [1, 2] } as never)).rejects.toThrow(
      /"y" has an object of nothing in row 2, but 1 in row 1/,
    );
    await expect(model.condition({ y: [{}], x: [1] } as never)).rejects.toThrow(
      /"y" has an object of nothing in row 1, but a cell must be a number, a string or a Boolean/,
    );
    await expect(sample(regression("y ~ x", { priors: { b: gamma(1, 1) } }), { y: [1, 2], x: 3 } as never)).rejects.toThrow(
      /"x"/,
    );
  });
});

describe("unsuitable new rows are refused by column", () => {
  it("names the column and the known levels", async () => {
    const posterior = await sample(regression("y ~ x + f + log(z) + (1 | g)"), data, {
      seed: 1,
      chains: 1,
      warmup: 20,
      draws: 10,
    });
    const predictor = await posterior.predictor();
    const row = { x: 1, f: "a", z: 2, g: "u" };
    expect(predictor.columns).toEqual(["x", "f", "z", "g"]);
    const said = (given: unknown): string => {
      try {
        predictor.predict(given as never);
      } catch (error) {
        return (error as Error).message;
      }
      return "it was taken";
    };
    expect(said({ ...row, f: "c" })).toBe(
      'predict: "f" is "c", which is not a level in the data that the model was sampled with (a, b), so its effect is unknown; give one of these levels, or write the column as a group, (1 | f), which accepts new levels [DATA_LEVEL]',
    );
    expect(said({ ...row, f: "A" })).toMatch(/did you mean "a"\? \[DATA_LEVEL\]$/);
    expect(said({ ...row, x: "1" })).toBe('predict: "x" is "1", but must be a finite number [DATA_SHAPE]');
    expect(said([row, { ...row, x: undefined }])).toBe(
      'predict: row 2: "x" is missing (undefined), but the term "x" needs it; add it [DATA_MISSING]',
    );
    expect(said({ ...row, g: null })).toBe(
      'predict: "g" is missing (null), but the term "g" needs it; add it: the name of a known group, or any other name, such as "new", for a new group drawn from the population [DATA_MISSING]',
    );
    expect(said({ ...row, z: 0 })).toBe(
      'predict: "log(z)" is -Infinity for this row; give a row where it is a number [DATA_RANGE]',
    );
    expect(said([[1, 2]])).toBe("predict: row 1: the row is an array of 2, but must be an object with x, f, z, g [DATA_SHAPE]");
    expect(() => predictor.predictInto(new Float64Array(4), new Float64Array(4))).toThrow(
      /must be a list of rows, as a formula's columns have names/,
    );
  });
});
