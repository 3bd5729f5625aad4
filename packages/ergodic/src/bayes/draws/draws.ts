import type { JsonObject } from "../../engine/contract/index.ts";
import { checkNumbers, checkSignal, made, refuse } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber, OptionError } from "../../engine/errors/errors.ts";
import { printable } from "../../engine/errors/printable.ts";
import { shown } from "../../engine/errors/shown.ts";
import {
  type LooResult,
  psisLoo,
  quantile,
  summaryRow,
  summaryStages,
  type VariableSummary,
  type WaicResult,
  waic,
} from "../../engine/statistics/index.ts";
import { later } from "../../engine/threads/later.ts";
import { turn } from "../../engine/threads/turn.ts";
import { checkClaims } from "./claims.ts";
import type { DrawsContent, DrawsQuantity, DrawsSource } from "./content.ts";
import { type Derived, type DrawValue, withDerived } from "./derive.ts";
import { drawsFromJson, drawsToJson } from "./json.ts";
import { looText, waicText } from "./loo-text.ts";
import { isIndependent, paretoKText } from "./method.ts";
import type { PosteriorPrediction, PosteriorPredictor, PosteriorPredictorOptions, PosteriorRow } from "./posterior-predictor.ts";
import { type PredictiveCheck, predictiveCheck, type Statistic } from "./predictive.ts";
import { seriesOf, sizeOf, turned } from "./series.ts";
import { abbreviated, hiddenText, summaryTable, tableLegend } from "./summary-table.ts";
import { isTable, type PosteriorTable, rowsOfTable } from "./table-rows.ts";
import { type EnergyReport, energyReport, type TreeReport, treeReport } from "./trajectories.ts";
import { unknownName } from "./unknown-name.ts";
import { nothingObserved, type PredictiveOptions, type PredictiveResult, predictiveKind, refuseFew } from "./validation.ts";
import { type Verdict, verdict } from "./verdict.ts";

/** Options of `draws.summary`. */
export interface DrawsSummaryOptions<Q extends string = string> {
  /** Names of quantities, or of single numbers such as "theta[1]". Default: all. */
  readonly of?: readonly ScalarName<Q>[];
  /** Probabilities of the quantiles, in [0, 1]. Default [0.05, 0.5, 0.95]. */
  readonly probabilities?: readonly number[];
}

/** Options of `draws.summarise`. */
export interface SummariseOptions<Q extends string = string> extends DrawsSummaryOptions<Q> {
  /** Aborts the computation. */
  readonly signal?: AbortSignal;
}

type Row = readonly [name: string, row: VariableSummary];

/** Time, in milliseconds, that a slice of work may take before the event loop gets a turn. */
const SLICE_MS = 10;

/** Names of single numbers: "mu", "theta[1]", "L[2,1]". */
export type ScalarName<Q extends string> = Q | `${Q}[${string}]`;

/**
 * Draws by name and shape, returned by `sample` and read from files.
 *
 * Arrays are [chain, draw, ...shape], row-major, chain after chain. Single numbers have Stan's names: "mu", "theta[1]",
 * "L[2,1]", counted from 1.
 *
 * `Q`: quantity names, if the compiler knows the model; `D`: names of the model's data.
 *
 * Long because users find every operation on draws on this one class; most methods call a module of their own.
 *
 * @throws OptionError for an unknown name
 *
 * @example
 * ```ts
 * posterior.draws("theta");       // float64[chains · count · 8]
 * posterior.series("theta", 0);   // float64[chains · count], of theta[1]
 * posterior.summary()["theta[1]"].mean;
 * ```
 */
export class Draws<Q extends string = string, D extends string = string> {
  protected static readonly typeName: string = "Draws";
  /** Number of chains. */
  readonly chains: number;
  /** Number of draws per chain. */
  readonly count: number;
  /** Name, shape and kind of each quantity. */
  readonly quantities: readonly DrawsQuantity[];
  /** Names of the statistics stored for each transition, "logDensity" first. */
  readonly fields: readonly string[];
  /** Model, algorithm and plan, as JSON. */
  readonly description: JsonObject;
  /** Last progress report of the run. */
  readonly report: Readonly<Record<string, number>>;
  readonly #content: DrawsContent;
  /** Cached summary of all quantities with the default quantiles. The verdict also uses this summary. */
  #summary: Record<string, VariableSummary> | undefined;

  constructor(content: DrawsContent) {
    this.#content = made("Draws", content, "quantities", "the content of draws", "sample(…) or loadDraws(…)");
    this.chains = content.chains;
    this.count = content.count;
    this.quantities = content.quantities;
    this.fields = content.fields;
    this.description = content.description;
    this.report = content.report;
    checkClaims(content);
  }

  /** Returns the content as plain data for another thread, without the parts that need the model. */
  portable(): Omit<DrawsContent, "source"> {
    const { source: _, ...content } = this.#content;
    return content;
  }

  /** All draws of a quantity: [chain, draw, ...shape]. */
  draws(name: Q): Float64Array {
    this.#quantity(name);
    return this.#content.values[name];
  }

  /** Shape of a quantity; [] for a single number. */
  shape(name: Q): readonly number[] {
    return this.#quantity(name).shape;
  }

  /** Draws of one number, [chain, draw]. The index of the number counts from 0. */
  series(name: Q, ...index: readonly number[]): Float64Array {
    const { shape } = this.#quantity(name);
    const fits = index.length === shape.length && index.every((i, axis) => Number.isInteger(i) && i >= 0 && i < shape[axis]);
    if (!fits)
      throw new OptionError(
        "draws.series",
        `the index [${index.join(", ")}] is out of range for "${name}", which has shape [${shape.join(", ")}]; give one number per axis, counted from 0`,
        "OPTION_RANGE",
      );
    return this.#column(
      name,
      index.reduce((at, i, axis) => at * shape[axis] + i, 0),
    );
  }

  /** Every single number by name, each [chain, draw]. */
  scalars(of?: readonly ScalarName<Q>[]): Map<string, Float64Array> {
    return new Map(this.#series(of));
  }

  /** Statistic of every transition, [chain, draw]: "logDensity" or another name in `fields`; "divergent" is 0 or 1. */
  transition(field: string): Float64Array {
    const width = this.fields.length;
    const offset = this.fields.indexOf(field);
    if (offset < 0)
      throw new OptionError(
        "draws.transition",
        `these transitions have no "${field}"; there are ${this.fields.join(", ") || "none"}`,
        "OPTION_UNKNOWN",
      );
    const { transitions } = this.#content;
    return Float64Array.from({ length: this.chains * this.count }, (_, at) => transitions[at * width + offset]);
  }

  /**
   * Number of divergent transitions over all chains (nonzero values, if read from a file); 0 for samplers without
   * divergences.
   */
  get divergences(): number {
    return this.fields.includes("divergent") ? this.transition("divergent").filter((divergent) => divergent !== 0).length : 0;
  }

  /**
   * Summarises every number by name: mean, sd, their Monte Carlo errors, quantiles, effective sizes, R̂ (NaN for
   * independent draws, of an approximation or of the prior) and tail k̂.
   */
  summary(options: DrawsSummaryOptions<Q> = {}): Record<ScalarName<Q>, VariableSummary> {
    checkKeys("summary", options, ["of", "probabilities"]);
    const { isUsual, of, probabilities } = this.#asked("summary", options);
    if (isUsual && this.#summary) return { ...this.#summary } as Record<ScalarName<Q>, VariableSummary>;
    const rows: Row[] = [];
    for (const [name, series] of this.#series(of))
      rows.push([name, this.#compared(summaryRow(series, this.chains, probabilities))]);
    return this.#found(rows, isUsual);
  }

  /**
   * Computes `summary()` in slices of about 10 ms, so that a page stays responsive for any number of quantities. With
   * 200,000 draws, a single number takes one or two slices. `summary()`, `table()` and `verdict()` reuse the result.
   * After an abort by `signal`, nothing is stored.
   */
  async summarise(options: SummariseOptions<Q> = {}): Promise<Record<ScalarName<Q>, VariableSummary>> {
    checkKeys("summarise", options, ["of", "probabilities", "signal"]);
    const { signal } = options;
    checkSignal("summarise", signal);
    const { isUsual, of, probabilities } = this.#asked("summarise", options);
    signal?.throwIfAborted();
    if (isUsual && this.#summary) return { ...this.#summary } as Record<ScalarName<Q>, VariableSummary>;
    const rows: Row[] = [];
    let since = performance.now();
    for (const [name, series] of this.#series(of)) {
      const stages = summaryStages(series, this.chains, probabilities);
      for (let step = stages.next(); ; step = stages.next()) {
        if (step.done) {
          rows.push([name, this.#compared(step.value)]);
          break;
        }
        if (performance.now() - since < SLICE_MS) continue;
        await turn();
        signal?.throwIfAborted();
        since = performance.now();
      }
    }
    return this.#found(rows, isUsual);
  }

  /**
   * Formats `summary()` as text with at most `rows` rows (default 40). If there are more, each array is abbreviated to
   * its first elements. Below the table, a line explains the columns, and another gives the k̂ of an approximation.
   */
  table(given: DrawsSummaryOptions<Q> & { readonly rows?: number } = {}): string {
    checkKeys("table", given, ["of", "probabilities", "rows"]);
    const { rows = 40, ...options } = given;
    checkNumber("table", "rows", rows, { low: 1, integer: true });
    const all: Readonly<Record<string, VariableSummary>> = this.summary(options);
    const names = Object.keys(all);
    const shown = abbreviated(names, rows);
    const k = paretoKText(this);
    const table = Object.fromEntries(shown.map((name) => [name, all[name]]));
    const lines = [summaryTable(table), tableLegend(Object.values(table))];
    if (shown.length < names.length)
      lines.splice(1, 0, `… and ${hiddenText(names, shown)}; table({ rows: ${names.length} }) prints them`);
    if (k !== "") lines.push(`${k} of the approximation, good below 0.7`);
    return lines.filter((line) => line !== "").join("\n");
  }

  /** Mean over all draws of each number of a quantity: [...shape]. */
  mean(name: Q): Float64Array {
    return this.#each("mean", name, (series) => series.reduce((sum, value) => sum + value, 0) / series.length);
  }

  /** Quantile over all draws of each number of a quantity: [...shape]. */
  quantile(name: Q, probability: number): Float64Array {
    return this.#each("quantile", name, (series) => quantile(series, probability));
  }

  /**
   * Returns the same draws with a new quantity, computed from each draw's values by name. An array's values are a flat
   * row-major list.
   *
   * `f` returns a number (true and false become 1 and 0), a list or a list of rows, with the same shape for every draw.
   * The original draws do not change.
   *
   * @throws OptionError for a name already in use, unknown names in `f`, and results that are not numbers
   *
   * @example
   * ```ts
   * posterior.derive("ratio", ({ mu, tau }) => mu / tau).summary().ratio;
   * posterior.derive("best", ({ theta }) => Math.max(...theta));
   * ```
   */
  derive<N extends string>(name: N, f: (values: Readonly<Record<Q, DrawValue>>) => Derived): Draws<Q | N, D> {
    this.#need("draws.derive");
    return new Draws<Q | N, D>(withDerived(this.#content, name, f));
  }

  /** Judges whether these draws can be trusted, in plain words, and says what to do if not. */
  verdict(): Verdict {
    return verdict(this);
  }

  /** E-BFMI of each chain; undefined if the draws have no energies. */
  energy(): EnergyReport | undefined {
    return energyReport(this);
  }

  /** Depths of the trajectory trees; undefined for samplers without trees. */
  treeDepths(): TreeReport | undefined {
    return treeReport(this);
  }

  /**
   * Expected log predictive density by Pareto-smoothed leave-one-out cross-validation of the observed quantity `name`
   * (default: the only one).
   *
   * If terms depend on each other (a hidden Markov chain, a regression on earlier values), dropping a term does not
   * remove the influence of its value. The call is refused unless `oneStepAhead` is true.
   *
   * With this option, each value is predicted from the earlier values, while the parameters are informed by the other
   * terms. The result prints as a table with a statement of whether it can be trusted.
   *
   * @throws CapabilityError [DRAWS_DEPENDENT]
   */
  loo(name?: string, options: PredictiveOptions = {}): PredictiveResult<LooResult> {
    const { values, size, ...found } = this.#predictive("loo", name, options);
    return printable({ ...found, ...psisLoo(values, { chainCount: this.chains, observationCount: size }) }, looText);
  }

  /**
   * Widely applicable information criterion. Dependent terms are treated as in `loo`. The result prints as a table with
   * a statement of whether it can be trusted.
   */
  waic(name?: string, options: PredictiveOptions = {}): PredictiveResult<WaicResult> {
    const { values, size, ...found } = this.#predictive("waic", name, options);
    return printable({ ...found, ...waic(values, { observationCount: size }) }, waicText);
  }

  /**
   * Simulates the observed data once per draw, by name. If new rows are given (a list or a table), returns the
   * predictions of `predictor` for each row: mean, sd and interval. In rows for a formula, a group with an unknown name
   * is a new group.
   *
   * @example
   * ```ts
   * posterior.predict({ seed: 1 }).draws("y");
   * await posterior.predict([{ x: 3 }, { x: 4 }], { level: 0.9 });
   * ```
   */
  predict(options?: { readonly seed?: number }): Draws;
  predict(rows: readonly PosteriorRow<D>[] | PosteriorTable, options?: PosteriorPredictorOptions): Promise<PosteriorPrediction[]>;
  predict(
    given: { readonly seed?: number } | readonly PosteriorRow<D>[] | PosteriorTable = {},
    options?: PosteriorPredictorOptions,
  ): Draws | Promise<PosteriorPrediction[]> {
    if (Array.isArray(given)) return this.#predictRows(given, options);
    if (isTable(given)) return this.#predictRows(rowsOfTable(given) as PosteriorRow<D>[], options);
    const others = Object.keys(given).filter((key) => key !== "seed");
    if (others.length > 0 && this.#content.source)
      throw new OptionError(
        "predict",
        `${others.join(", ")} ${others.length === 1 ? "is not an option" : "are not options"} (known: seed); give new rows in a list: predict([{ ${others[0]}: … }])`,
        "OPTION_UNKNOWN",
      );
    checkKeys("predict", given, ["seed"]);
    const { seed = 0 } = given as { readonly seed?: number };
    checkNumber("predict", "seed", seed, { integer: true });
    return new Draws(this.#source("predict").predict(seed));
  }

  /**
   * Returns a predictor for new rows of data. The predictor gives the predictive mean, standard deviation and interval
   * of each value that the model observes.
   *
   * Each row supplies its own values of the data that have `rows` as their first extent, like the observed data. All
   * other data keep the model's values.
   *
   * @throws CapabilityError [MODEL_ROWS], [DRAWS_DEPENDENT] for models with mutually dependent rows; OptionError
   *   [DRAWS_MODEL] for draws without their model
   *
   * @example
   * ```ts
   * const predictor = await posterior.predictor({ level: 0.9 });
   * predictor.predict({ x: 3 }).y.upper;
   * ```
   */
  async predictor(options: PosteriorPredictorOptions = {}): Promise<PosteriorPredictor<D>> {
    this.#need("predictor");
    const source = this.#source("predictor");
    const { posteriorPredictor } = await later(() => import("./posterior-predictor.ts"));
    return (await posteriorPredictor(source, options)) as PosteriorPredictor<D>;
  }

  /**
   * Checks whether the model generates data like those observed under `name` (default: the only one), with p-values of
   * statistics.
   *
   * @throws OptionError [DRAWS_FEW] for fewer than 39 draws
   */
  check(name?: string, options: { seed?: number; statistics?: Readonly<Record<string, Statistic>> } = {}): PredictiveCheck {
    checkKeys("check", options, ["seed", "statistics"]);
    this.#need("check");
    const source = this.#source("check");
    const observed = source.observed();
    if (Object.keys(observed).length === 0) {
      this.predict();
      throw nothingObserved("check", source.hasTarget);
    }
    const chosen = this.#observedName("check", name, Object.keys(observed));
    if (source.hidden().has(chosen))
      throw new CapabilityError(
        "check",
        `some values of "${chosen}" were observed only as bounds, but replicates are exact, so their statistics differ; compare the exact observations with draws of predict()`,
        "DRAWS_CENSORED",
      );
    refuseFew("check", this.chains * this.count);
    const { seed = 0, statistics } = options;
    return predictiveCheck(observed[chosen], this.predict({ seed }).draws(chosen), statistics);
  }

  /** Formats the table of `summary()`, followed by the verdict. */
  toString(): string {
    return this.count === 0 ? `${this.verdict()}` : `${this.table()}\n${this.verdict()}`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Converts the draws to JSON. Numbers that JSON cannot represent become strings. */
  toJSON(): JsonObject {
    return drawsToJson(this.#content);
  }

  /** Restores draws from their JSON. @throws DataError [DRAWS_JSON] for anything that toJSON() did not produce */
  static fromJson(json: unknown): Draws {
    return new Draws(drawsFromJson(json));
  }

  /** Complete content of these draws, as stored in files. */
  get content(): DrawsContent {
    return this.#content;
  }

  async #predictRows(rows: readonly PosteriorRow<D>[], options?: PosteriorPredictorOptions): Promise<PosteriorPrediction[]> {
    const predictor = await this.predictor(options);
    try {
      return predictor.predict(rows);
    } finally {
      predictor.dispose();
    }
  }

  #quantity(name: string): DrawsQuantity {
    const found = this.quantities.find((quantity) => quantity.name === name);
    if (found) return found;
    throw unknownName(
      "draws",
      name,
      this.quantities.map((quantity) => quantity.name),
    );
  }

  #each(where: string, name: string, of: (series: Float64Array) => number): Float64Array {
    this.#need(where);
    return Float64Array.from({ length: sizeOf(this.#quantity(name).shape) }, (_, at) => of(this.#column(name, at)));
  }

  #asked(where: string, { of, probabilities }: DrawsSummaryOptions) {
    if (of !== undefined && !(Array.isArray(of) && of.every((name) => typeof name === "string")))
      refuse(where, "of", of, "a list of names", 'of: ["mu"]');
    if (probabilities !== undefined) checkNumbers(where, "probabilities", probabilities, { low: 0, high: 1 }, "[0.05, 0.95]");
    this.#need(where);
    return { of, probabilities, isUsual: of === undefined && probabilities === undefined };
  }

  #found(rows: readonly Row[], isUsual: boolean): Record<ScalarName<Q>, VariableSummary> {
    const table = Object.fromEntries(rows) as Record<ScalarName<Q>, VariableSummary>;
    if (isUsual) this.#summary = table;
    return { ...table };
  }

  #compared(row: VariableSummary): VariableSummary {
    return isIndependent(this) ? { ...row, rhat: Number.NaN } : row;
  }

  *#series(of: readonly string[] | undefined): Generator<[name: string, series: Float64Array]> {
    if (!of) return yield* seriesOf(this.#content, this.quantities);
    for (const name of of) {
      const whole = this.quantities.find((quantity) => quantity.name === name);
      const part = this.quantities.find((quantity) => quantity.shape.length > 0 && name.startsWith(`${quantity.name}[`));
      const own = [...seriesOf(this.#content, [whole ?? part ?? this.#quantity(name)])];
      const asked = whole ? own : own.filter(([scalar]) => scalar === name);
      if (asked.length === 0) this.#quantity(name);
      yield* asked;
    }
  }

  #column(name: string, at: number): Float64Array {
    const size = sizeOf(this.#quantity(name).shape);
    return turned(this.#content.values[name], size, { at, width: 1, length: this.chains * this.count })[0];
  }

  #need(where: string): void {
    if (this.count > 0) return;
    throw new OptionError(where, "there are no draws: the run was stopped during warm-up; let it continue", "DRAWS_EMPTY");
  }

  #source(where: string): DrawsSource {
    const { source } = this.#content;
    if (source) return source;
    throw new OptionError(
      where,
      "these draws come from a file or a plain function, so they have no model; load them with their model, loadDraws(dir, { model, data }), or sample the model",
      "DRAWS_MODEL",
    );
  }

  #predictive(where: string, asked: string | undefined, options: PredictiveOptions) {
    this.#need(where);
    const source = this.#source(where);
    const all = source.pointwise();
    const names = Object.keys(all);
    if (names.length === 0) throw nothingObserved(where, source.hasTarget);
    const name = this.#observedName(where, asked, names);
    const kind = predictiveKind(where, name, source.dependent().has(name), options);
    return { values: all[name], size: all[name].length / (this.chains * this.count), kind, observed: name };
  }

  #observedName(where: string, asked: string | undefined, names: readonly string[]): string {
    const name = asked ?? names[0];
    if (names.includes(name) && (asked !== undefined || names.length === 1)) return name;
    const given = asked === undefined ? `${names.length} things were observed` : `${shown(asked)} was not observed`;
    throw new OptionError(
      where,
      `${given}; name one of ${names.map((one) => (one.includes(",") ? shown(one) : one)).join(", ") || "none"}`,
      "OPTION_UNKNOWN",
    );
  }
}
