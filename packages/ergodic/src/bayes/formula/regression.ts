import { checkChoice, isPlainObject, refuse } from "../../engine/errors/checks.ts";
import { checkKeys, OptionError } from "../../engine/errors/errors.ts";
import { printable } from "../../engine/errors/printable.ts";
import { shown } from "../../engine/errors/shown.ts";
import type { TracedModel, TracedReport } from "../model/context.ts";
import type { ModelData } from "../model/fields.ts";
import { conditionTraced, type StatisticalModel } from "../model/model.ts";
import { traceModel } from "../model/trace.ts";
import { regressionBody } from "./body.ts";
import { Columns, type FormulaData } from "./formula-data.ts";
import { columnsOfFormula, newGroupsOf, numbersOfRow } from "./new-rows.ts";
import { checkNames, Plan } from "./plan.ts";
import { checkPriors, Priors, type RegressionPriors } from "./priors.ts";
import { type FamilyName, familyNames, familyOf, familySynonyms, unsupportedFamilies } from "./response-families.ts";
import { readFormula } from "./terms.ts";

/** Options of `regression`. */
export interface RegressionOptions {
  /** Family of the response distribution. Default "gaussian". */
  readonly family?: FamilyName;
  /** Priors that replace the defaults, e.g. { b: normal(0, 1), "sd(school)": halfNormal(1) }. */
  readonly priors?: RegressionPriors;
  /**
   * Levels of columns, in order: { size: ["small", "large"] }. The first is the reference level. Columns that the
   * formula does not use are ignored. Default: sorted.
   */
  readonly levels?: Readonly<Record<string, readonly (string | number)[]>>;
  /** Name of the model. Default: the formula. */
  readonly name?: string;
}

/** A regression made by `regression`. */
export interface RegressionModel extends StatisticalModel<FormulaData> {
  /**
   * Returns the prior of each parameter for these data, such as "normal(0, 2.5)", by the parameter's name. "Intercept" is
   * the intercept at the means of all columns. Prints as a table.
   */
  priors(data: FormulaData): Readonly<Record<string, string>>;
}

const WHERE = "regression";

/**
 * A regression written as a formula, with group effects as in R's lme4 and brms. A regression can be given to `sample`,
 * `fit` and every other function that takes a model.
 *
 * The left side of ~ is the response, or `y | trials(n)` for the family binomial. The right side consists of terms:
 * numeric columns; string columns, which become factors with treatment contrasts to their first level; `a:b`, `a*b`;
 * `s(x)`, a smooth curve; `offset(x)`; `(1 + x | group)`, which adds correlated effects per group (with `||`,
 * uncorrelated ones); `0 +` or `- 1` to remove the intercept.
 *
 * Data are columns by name, a list of rows, or a table.
 *
 * Draws have an "Intercept", coefficients named after their columns ("age", "sexmale", "age:sexmale"), "sd(child):
 * age", "cor(child): Intercept, age", "sigma", and each group's effects, "child[Ann]: age".
 *
 * Default priors are those of brms, except that coefficients have `normal(0, 2.5 s / sd(x))`, where s is the standard
 * deviation of the response for gaussian and student, and 1 for other families. With d = 2.5 or, if larger, 1.4826 times
 * the median absolute deviation of the response, the intercept at the means of all columns has `student(3, median, d)`
 * and standard deviations and sigma have `halfStudent(3, d)`. `growth.priors(data)` lists them all with their numbers.
 *
 * @param formula response and terms, e.g. "height ~ age + (1 | child)"
 * @param options family of the response (default "gaussian"), priors, order of levels, name of the model
 * @throws OptionError for an invalid formula, with the position and a correction. `sample` and `fit` throw DataError
 *   for data that do not fit the formula
 *
 * @example
 * ```ts
 * const growth = regression("height ~ age * sex + (1 + age | child)");
 * const posterior = await sample(growth, { height, age, sex, child }, { seed: 1 });
 *
 * const admission = regression("admitted ~ score + (1 | school)", { family: "bernoulli", priors: { b: normal(0, 1) } });
 * ```
 */
export function regression(formula: string, options: RegressionOptions = {}): RegressionModel {
  if (typeof formula !== "string") refuse(WHERE, "the formula", formula, "a text", '"y ~ x + (1 | group)"');
  const read = readFormula(formula);
  const checked = checkedOptions(options);
  const { name = formula.trim() } = checked;
  const planned = (data: FormulaData) => {
    const columns = new Columns(WHERE, data, checked.levels);
    const plan = new Plan(read, familyOf(checked.family), columns);
    return { columns, plan, priors: new Priors(checked.priors, plan.family, plan.response.values) };
  };
  const ofNumbers = (data: FormulaData): { model: StatisticalModel; data: ModelData } => {
    const { columns, plan, priors } = planned(data);
    return {
      model: {
        kind: "statistical",
        trainable: { by: "mode" },
        name,
        condition: async (numbers, condition = {}) =>
          conditionTraced(name, traced(name, plan, priors, columns.texts, numbers), condition),
      },
      data: plan.data,
    };
  };
  return {
    kind: "statistical",
    trainable: { by: "mode" },
    name,
    ofNumbers,
    priors(data) {
      const { columns, plan, priors } = planned(data);
      traced(name, plan, priors, columns.texts, plan.data);
      const width = Math.max(...Object.keys(priors.used).map(({ length }) => length));
      return printable(priors.used, (used) =>
        Object.entries(used)
          .map(([parameter, prior]) => `${parameter.padEnd(width)}  ${prior}`)
          .join("\n"),
      );
    },
    async condition(data, condition) {
      const { model, data: numbers } = ofNumbers(data);
      return model.condition(numbers, condition);
    },
  };
}

interface Checked extends RegressionOptions {
  readonly levels: Readonly<Record<string, readonly string[]>>;
  readonly family: FamilyName;
  readonly priors: RegressionPriors;
}

function checkedOptions(options: RegressionOptions): Checked {
  checkKeys(WHERE, options, ["family", "priors", "levels", "name"]);
  const { family = "gaussian", priors = {}, levels = {}, name } = options;
  if (typeof family === "string" && Object.hasOwn(familySynonyms, family))
    throw new OptionError(
      WHERE,
      `the family is "${family}", which is called "${familySynonyms[family]}" here; write family: "${familySynonyms[family]}"`,
      "OPTION_RANGE",
    );
  checkFamily(family);
  checkPriors(priors);
  if (name !== undefined && typeof name !== "string") refuse(WHERE, "name", name, "a text", 'name: "growth"');
  if (!isPlainObject(levels)) refuse(WHERE, "levels", levels, "lists by column", '{ size: ["small", "large"] }');
  const texts = Object.entries(levels).map(([column, list]) => {
    if (!Array.isArray(list) || list.length === 0 || new Set(list.map(String)).size < list.length)
      refuse(WHERE, `levels.${column}`, list, "a list of different levels", '["small", "large"]');
    return [column, list.map(String)] as const;
  });
  return { family, priors, levels: Object.fromEntries(texts), ...(name === undefined ? {} : { name }) };
}

/** Throws unless the family is known, and says how to write what brms calls a family. */
function checkFamily(family: unknown): void {
  const own = isPlainObject(family) ? (family as { family?: unknown }).family : family;
  const written = typeof own === "string" ? own.replace(/\(\)$/, "") : "";
  const near = familyNames.find((name) => name.toLowerCase() === written.toLowerCase());
  if (near !== undefined && family !== near)
    throw new OptionError(WHERE, `family is ${shown(family)}, but families are names; write family: "${near}"`, "OPTION_RANGE");
  const distribution = written.toLowerCase();
  if (Object.hasOwn(unsupportedFamilies, distribution))
    throw new OptionError(
      WHERE,
      `there is no family "${written}" (known: ${familyNames.join(", ")}); write the regression with model(), and observe the response as ${unsupportedFamilies[distribution]}(…)`,
      "OPTION_RANGE",
    );
  if (typeof family === "string" && /^(brms)?family$/.test(written))
    throw new OptionError(WHERE, 'families are names and need no function; write family: "poisson"', "OPTION_RANGE");
  checkChoice(WHERE, "family", family, familyNames);
}

function traced(name: string, plan: Plan, priors: Priors, texts: readonly string[], data: ModelData): TracedModel {
  const reports: TracedReport[] = [];
  const made = traceModel(name, regressionBody(plan, priors, false, reports), data);
  priors.checkAllAsked();
  checkNames(
    reports.flatMap(({ places }) => places.map((place) => place.name)),
    plan.coefficients,
  );
  const columns = columnsOfFormula(plan.formula);
  return {
    ...made,
    reports,
    newRows: {
      columns,
      texts: columns.filter((column) => texts.includes(column)),
      again: (rows) => traceModel(name, regressionBody(plan, priors, true, []), rows),
      numbers: (row, where) => numbersOfRow(plan, row, where),
      newGroups: (rows) => newGroupsOf(plan, rows),
      levels: plan.response.levels ? { [plan.formula.response.label]: plan.response.levels } : {},
    },
  };
}
