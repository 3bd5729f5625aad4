/**
 * A regression as a model: η = α + Xβ + Σ_smooths f(x) + Σ_groups z u[group] + offset, y ~ family(η).
 *
 * X: the columns. If there is an intercept, the columns are centred, and α is the intercept at the means of the
 * columns. Draws report the intercept that applies when all columns are 0. u is non-centred: u = diag(sd) L v with v ~
 * N(0, 1), where L Lᵀ is the correlation matrix. f is the sum of a line, which is a column of X, and wiggles with
 * weights N(0, sd²). New groups in new rows get their own u, drawn once per draw of sd and L.
 */
import {
  add,
  at,
  concatenate,
  less,
  matmul,
  matrixTranspose,
  min,
  mul,
  reshape,
  type SymbolicArray,
  stack,
  sub,
  sum,
  take,
  toArray,
  where,
} from "../../engine/compiler/index.ts";
import type { ModelContext, TracedReport } from "../model/context.ts";
import {
  type DataFields,
  Distribution,
  lkjCholesky,
  matrix,
  multivariateNormalCholesky,
  normal,
  vector,
} from "../model/index.ts";
import { effectField, FIXED, indexField, OFFSET, type Plan, type PlannedGroup, smoothField, TRIALS } from "./plan.ts";
import { isPositive, type Priors } from "./priors.ts";
import type { FamilyParameter } from "./response-families.ts";

/** Lower bounds of family parameters. With one degree of freedom, Student's t has no mean. */
const lowest: Readonly<Partial<Record<FamilyParameter, number>>> = { nu: 1 };

type Fields = Readonly<Record<string, SymbolicArray>>;

/**
 * Returns the model's function. The function also fills `reports` with the quantities that draws report. `forNewRows`:
 * whether rows can have unknown groups.
 */
export function regressionBody(
  plan: Plan,
  priors: Priors,
  forNewRows: boolean,
  reports: TracedReport[],
): (context: ModelContext) => void {
  return (context) => new Writer(plan, priors, context).write(forNewRows, reports);
}

class Writer {
  readonly #plan: Plan;
  readonly #priors: Priors;
  readonly #context: ModelContext;
  readonly #fields: Fields;
  readonly #reports: TracedReport[] = [];
  /** Summands of η. */
  readonly #parts: SymbolicArray[] = [];

  constructor(plan: Plan, priors: Priors, context: ModelContext) {
    this.#plan = plan;
    this.#priors = priors;
    this.#context = context;
    this.#fields = context.data(fieldsOf(plan)) as Fields;
  }

  write(forNewRows: boolean, reports: TracedReport[]): void {
    const { family, formula, groups, smooths } = this.#plan;
    const fields = this.#fields;
    const threshold = this.#fixed();
    for (const j of smooths.keys()) this.#smooth(j);
    const effects = groups.map((group) => this.#group(group));
    const own = Object.fromEntries(
      family.parameters.map((name) => [name, name === "threshold" ? threshold! : this.#scale(name)]),
    );
    for (const [j, { term, levels, effects: names }] of groups.entries()) {
      const places = levels.flatMap((level) => names.map((name) => ({ name: `${term.label}[${level}]: ${name}`, shape: [] })));
      this.#reports.push({ places, kind: "parameter", value: effects[j].value });
    }
    // Group effects come after all parameters of the posterior, because rows with new groups can add parameters.
    for (const [j, group] of groups.entries()) {
      const fresh = forNewRows ? effects[j].fresh() : undefined;
      this.#vary(group, effects[j].value, fresh, fields[indexField(j)], fields[effectField(j)]);
    }
    if (formula.offsets.length > 0) this.#parts.push(fields[OFFSET]);
    const eta = this.#parts.length === 0 ? toArray(0) : this.#parts.reduce((a, b) => add(a, b));
    const y = fields[formula.response.label];
    this.#context.observe(
      y,
      family.distribution(eta, own as Record<FamilyParameter, SymbolicArray>, fields[TRIALS] ?? toArray(1)),
    );
    reports.push(...this.#reports);
  }

  /**
   * Adds the intercept and the coefficients. For an ordinal response, adds and returns thresholds, which replace the
   * intercept.
   */
  #fixed(): SymbolicArray | undefined {
    const { formula, family, response, coefficients, deviations, means } = this.#plan;
    const { param } = this.#context;
    const isOrdinal = family.parameters.includes("threshold");
    const threshold = isOrdinal
      ? param("threshold", this.#priors.of("threshold"), { shape: response.levels!.length - 1, constraint: "ordered" })
      : undefined;
    const intercept = formula.intercept && !isOrdinal ? param("Intercept", this.#priors.intercept()) : undefined;
    const b = this.#sideBySide(
      "b",
      coefficients.map((name, j) => this.#priors.coefficient(name, deviations[j])),
      false,
    );
    const atMeans: SymbolicArray | undefined = b && means.some((mean) => mean !== 0) ? sum(mul(b, toArray(means))) : undefined;
    if (threshold) {
      const value = atMeans ? add(threshold, atMeans) : threshold;
      this.#reports.push({ places: [{ name: "threshold", shape: threshold.shape }], kind: "parameter", value });
    }
    if (intercept) this.#report(["Intercept"], atMeans ? sub(intercept, atMeans) : intercept);
    if (b) this.#report(coefficients, b);
    const product = b && matmul(this.#fields[FIXED], b);
    // Adds the product and the intercept as a single sum, so that the compiler fuses the sum with the density.
    if (product && intercept) this.#parts.push(add(product, intercept));
    else this.#parts.push(...[product, intercept].filter((part) => part !== undefined));
    return threshold;
  }

  #smooth(j: number): void {
    const { label } = this.#plan.smooths[j].term;
    const name = `sd(${label})`;
    const [sd] = this.#positive(name, [this.#priors.sd(name)]);
    this.#report([name], sd);
    const wiggles = this.#fields[smoothField(j)];
    const weights = this.#context.param(`${label} wiggles`, normal(0, sd), { shape: wiggles.shape[1], centred: false });
    this.#parts.push(matmul(wiggles, weights));
  }

  /** Returns the effects of all groups, [group, effect], and a function for the effects of a new group. */
  #group({ term, effects, levels }: PlannedGroup): { value: SymbolicArray; fresh: () => SymbolicArray } {
    const { param } = this.#context;
    const kind = `sd(${term.label})`;
    const names = effects.map((name) => `${kind}: ${name}`);
    const k = effects.length;
    const key = `${term.label}: ${effects.join(", ")}`;
    const sd = this.#positive(
      kindOf(kind, effects),
      names.map((name) => this.#priors.sd(name, kind)),
    )[1];
    this.#report(names, sd);
    if (!term.correlated || k === 1)
      return {
        value: param(key, normal(0, sd), { shape: [levels.length, k], centred: false }),
        fresh: () => param(`new ${key}`, normal(0, sd), { shape: [k], centred: false }),
      };
    const factor = param(`cor(${key})`, lkjCholesky(k, this.#priors.correlation(term.label)));
    const pairs = effects.flatMap((b, j) =>
      effects.slice(0, j).map((a, i) => ({ name: `cor(${term.label}): ${a}, ${b}`, at: j * k + i })),
    );
    const correlations = reshape(matmul(factor, matrixTranspose(factor)), [k * k]);
    this.#report(
      pairs.map(({ name }) => name),
      take(
        correlations,
        pairs.map((pair) => pair.at),
      ),
    );
    const prior = multivariateNormalCholesky(new Array<number>(k).fill(0), mul(reshape(sd, [k, 1]), factor));
    return {
      value: param(key, prior, { shape: levels.length, centred: false }),
      fresh: () => param(`new ${key}`, prior, { centred: false }),
    };
  }

  #vary(
    { coding, term }: PlannedGroup,
    effects: SymbolicArray,
    fresh: SymbolicArray | undefined,
    index: SymbolicArray,
    columns: SymbolicArray | undefined,
  ): void {
    const [count, k] = effects.shape;
    const known = fresh ? min(index, count - 1) : index;
    const own = (j: number): SymbolicArray => {
      const all = k === 1 ? take(reshape(effects, [count]), known) : at(gathered, j, 1);
      return fresh ? where(less(count - 1, index), at(fresh, j), all) : all;
    };
    const gathered = take(effects, known);
    if (term.intercept) this.#parts.push(own(0));
    const first = term.intercept ? 1 : 0;
    for (const j of coding.names.keys()) this.#parts.push(mul(own(first + j), at(columns!, j, 1)));
  }

  #scale(name: FamilyParameter): SymbolicArray {
    const [value] = this.#positive(name, [this.#priors.of(name)], lowest[name]);
    this.#report([name], value);
    return value;
  }

  /**
   * Adds positive parameters with these priors. Returns the first parameter as a single number, and all parameters as a
   * list.
   */
  #positive(name: string, priors: readonly Distribution[], lower = 0): [single: SymbolicArray, all: SymbolicArray] {
    const all = this.#sideBySide(name, priors, true, lower)!;
    return [at(all, 0), all];
  }

  /** Returns a list of parameters, each with its own prior. One param() is used per family of priors. */
  #sideBySide(name: string, priors: readonly Distribution[], isScale: boolean, lower = 0): SymbolicArray | undefined {
    if (priors.length === 0) return undefined;
    const kinds = [...new Set(priors.map(({ family }) => family))];
    const lists = kinds.map((family) => [...priors.keys()].filter((j) => priors[j].family === family));
    const made = lists.map((list, k) => {
      const prior = stacked(list.map((j) => priors[j]));
      const bounds = isScale && (lower > 0 || !isPositive(prior)) ? { lower } : {};
      return this.#context.param(k === 0 ? name : `${name} ${k + 1}`, prior, { shape: list.length, ...bounds });
    });
    if (made.length === 1) return made[0];
    const order = lists.flat();
    return take(
      concatenate(made),
      [...priors.keys()].map((j) => order.indexOf(j)),
    );
  }

  #report(names: readonly string[], value: SymbolicArray): void {
    this.#reports.push({ places: names.map((name) => ({ name, shape: [] })), kind: "parameter", value });
  }
}

/** Several terms of the same group have separate parameters. */
const kindOf = (kind: string, effects: readonly string[]): string => `${kind}: ${effects.join(", ")}`;

/** Combines priors of one family into one distribution with a batch axis. */
function stacked(priors: readonly Distribution[]): Distribution {
  const [{ family, parameters }] = priors;
  const lists = Object.keys(parameters).map((name) => [name, stack(priors.map((prior) => prior.parameters[name]))] as const);
  return new Distribution(family, Object.fromEntries(lists));
}

function fieldsOf({ formula, coefficients, groups, smooths }: Plan): DataFields {
  const fields: [string, DataFields[string]][] = [[formula.response.label, vector("N")]];
  if (coefficients.length > 0) fields.push([FIXED, matrix("N", coefficients.length)]);
  if (formula.offsets.length > 0) fields.push([OFFSET, vector("N")]);
  if (formula.trials) fields.push([TRIALS, vector("N")]);
  for (const [j, { coding }] of groups.entries()) {
    fields.push([indexField(j), vector("N")]);
    if (coding.names.length > 0) fields.push([effectField(j), matrix("N", coding.names.length)]);
  }
  for (const [j, { spline }] of smooths.entries()) fields.push([smoothField(j), matrix("N", spline.width)]);
  return Object.fromEntries(fields);
}
