import type { JsonObject } from "../../engine/contract/index.ts";
import { checkNumbers, checkSignal, refuse } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber, OptionError } from "../../engine/errors/errors.ts";
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
import { looText, printable, waicText } from "./loo-text.ts";
import { isApproximation, paretoKText } from "./method.ts";
import type { PosteriorPrediction, PosteriorPredictor, PosteriorPredictorOptions, PosteriorRow } from "./posterior-predictor.ts";
import { type PredictiveCheck, predictiveCheck, type Statistic } from "./predictive.ts";
import { seriesOf, sizeOf, turned } from "./series.ts";
import { summaryTable } from "./summary-table.ts";
import { isTable, type PosteriorTable, rowsOfTable } from "./table-rows.ts";
import { type EnergyReport, energyReport, type TreeReport, treeReport } from "./trajectories.ts";
import { nothingObserved, type PredictiveOptions, type PredictiveResult, predictiveKind, refuseFew } from "./validation.ts";
import { type Verdict, verdict } from "./verdict.ts";

/** Options of `draws.summary`. */
export interface DrawsSummaryOptions<Q extends string = string> {
  /** Names of quantities, or of single numbers, "theta[1]". Default: all. */
  readonly of?: readonly ScalarName<Q>[];
  /** Probabilities of the quantiles, in [0, 1]. Default [0.05, 0.5, 0.95]. */
  readonly probabilities?: readonly number[];
}

/** Options of `draws.summarise`. */
export interface SummariseOptions<Q extends string = string> extends DrawsSummaryOptions<Q> {
  /** Ends it. */
  readonly signal?: AbortSignal;
}

type Row = readonly [name: string, row: VariableSummary];

/** After so long a page is served. */
const SLICE_MS = 10;

/** Names of single numbers: "mu", "theta[1]", "L[2,1]". */
export type ScalarName<Q extends string> = Q | `${Q}[${string}]`;

/**
 * Draws by name and shape: what `sample` gives, and what files of draws are read into.
 *
 * Arrays are [chain, draw, ...shape], row-major, chain after chain. Single numbers are called as Stan calls them: "mu",
 * "theta[1]", "L[2,1]", counted from 1.
 *
 *   posterior.draws("theta")      float64[chains · count · 8]
 *   posterior.series("theta", 0)  float64[chains · count], of theta[1]
 *   posterior.summary()["theta[1]"].mean
 *
 * `Q`: names, where the compiler knows them from the model; `D`: names of the model's data.
 *
 * Long because users find all that can be asked of draws on this one class; most methods call a module of their own.
 *
 * @throws OptionError for a name that is not there
 */
export class Draws<Q extends string = string, D extends string = string> {
  /** Chains. */
  readonly chains: number;
  /** Draws of each chain. */
  readonly count: number;
  /** Names, shapes and kinds of what was drawn. */
  readonly quantities: readonly DrawsQuantity[];
  /** Names of the numbers kept of each transition, "logDensity" first. */
  readonly fields: readonly string[];
  /** Model, algorithm and plan, as JSON. */
  readonly description: JsonObject;
  /** What the run reported last. */
  readonly report: Readonly<Record<string, number>>;
  readonly #content: DrawsContent;
  /** Of all quantities, with the usual quantiles: asked for by the verdict, too. */
  #summary: Record<string, VariableSummary> | undefined;

  constructor(content: DrawsContent) {
    this.#content = content;
    this.chains = content.chains;
    this.count = content.count;
    this.quantities = content.quantities;
    this.fields = content.fields;
    this.description = content.description;
    this.report = content.report;
    checkClaims(content);
  }

  /** As plain data, for another thread: without what needs the model. */
  portable(): Omit<DrawsContent, "source"> {
    const { source: _, ...content } = this.#content;
    return content;
  }

  /** All draws of a quantity: [chain, draw, ...shape]. */
  draws(name: Q): Float64Array {
    this.#quantity(name);
    return this.#content.values[name];
  }

  /** Shape of a quantity; [] for one number. */
  shape(name: Q): readonly number[] {
    return this.#quantity(name).shape;
  }

  /** Draws of one number, [chain, draw]; its index counts from 0. */
  series(name: Q, ...index: readonly number[]): Float64Array {
    const { shape } = this.#quantity(name);
    const fits = index.length === shape.length && index.every((i, axis) => Number.isInteger(i) && i >= 0 && i < shape[axis]);
    if (!fits)
      throw new OptionError(
        "draws.series",
        `the index [${index.join(", ")}] is not one of "${name}", whose shape is [${shape.join(", ")}]; give one number from 0 for each extent`,
        "OPTION_RANGE",
      );
    return this.#column(
      name,
      index.reduce((at, i, axis) => at * shape[axis] + i, 0),
    );
  }

  /** Every single number by name, [chain, draw] each. */
  scalars(of?: readonly ScalarName<Q>[]): Map<string, Float64Array> {
    return new Map(this.#series(of));
  }

  /** A number of every transition, [chain, draw]: "logDensity" and what `fields` names; "divergent" is 0 or 1. */
  transition(field: string): Float64Array {
    const width = this.fields.length;
    const offset = this.fields.indexOf(field);
    if (offset < 0)
      throw new OptionError(
        "draws.transition",
        `there is no "${field}" of these transitions; there are ${this.fields.join(", ") || "none"}`,
        "OPTION_UNKNOWN",
      );
    const { transitions } = this.#content;
    return Float64Array.from({ length: this.chains * this.count }, (_, at) => transitions[at * width + offset]);
  }

  /** Divergent transitions of all chains, all that a file does not call 0; 0 for samplers that know none. */
  get divergences(): number {
    return this.fields.includes("divergent") ? this.transition("divergent").filter((divergent) => divergent !== 0).length : 0;
  }

  /** Mean, sd, their Monte Carlo errors, quantiles, effective sizes, R̂ (NaN of an approximation, which has no chains) and k̂ of the tails of every number, by name. */
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
   * `summary()` in slices of some 10 ms, so that a page stays free however many numbers there are; of one number 200,000 draws take such a slice, or two.
   * What it finds is there for `summary()`, `table()` and `verdict()`.
   *
   * `signal` ends it, and nothing is kept.
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

  /** `summary()` as text, at most `rows` (40) of it; of an approximation with its k̂ below. */
  table(given: DrawsSummaryOptions<Q> & { readonly rows?: number } = {}): string {
    checkKeys("table", given, ["of", "probabilities", "rows"]);
    const { rows = 40, ...options } = given;
    checkNumber("table", "rows", rows, { low: 1, integer: true });
    const all = Object.entries<VariableSummary>(this.summary(options));
    const more = all.length > rows ? `\n… and ${all.length - rows} more` : "";
    const k = paretoKText(this);
    return `${summaryTable(Object.fromEntries(all.slice(0, rows)))}${more}${k === "" ? "" : `\n${k} of the approximation, good below 0.7`}`;
  }

  /** Means over all draws, of each number of a quantity: [...shape]. */
  mean(name: Q): Float64Array {
    return this.#each("mean", name, (series) => series.reduce((sum, value) => sum + value, 0) / series.length);
  }

  /** Quantiles of all draws, of each number of a quantity: [...shape]. */
  quantile(name: Q, probability: number): Float64Array {
    return this.#each("quantile", name, (series) => quantile(series, probability));
  }

  /**
   * The same draws with a new quantity, computed from each draw's values by name: numbers, and of arrays their numbers, row-major.
   *
   *   posterior.derive("ratio", ({ mu, tau }) => mu / tau).summary().ratio;
   *   posterior.derive("best", ({ theta }) => Math.max(...theta));
   *
   * `f` gives a number (true and false are 1 and 0), a list or a list of rows, of the same shape for every draw. These draws stay as they are.
   *
   * @throws OptionError for a name that is taken, names in `f` that are not there, and what is no number
   */
  derive<N extends string>(name: N, f: (values: Readonly<Record<Q, DrawValue>>) => Derived): Draws<Q | N, D> {
    this.#need("draws.derive");
    return new Draws<Q | N, D>(withDerived(this.#content, name, f));
  }

  /** Whether these draws can be trusted, in plain words, and else what to do. */
  verdict(): Verdict {
    return verdict(this);
  }

  /** E-BFMI of each chain; undefined without energies. */
  energy(): EnergyReport | undefined {
    return energyReport(this);
  }

  /** How deep trajectories went; undefined for samplers without trees. */
  treeDepths(): TreeReport | undefined {
    return treeReport(this);
  }

  /**
   * Expected log predictive density by Pareto-smoothed leave-one-out validation, of what was observed under `name` (default: the only one).
   *
   * Where terms depend on each other (a hidden Markov chain, a regression on earlier values) it is no leave-one-out validation,
   * and refused, unless `oneStepAhead`: then each value is predicted from those before it, with parameters that the other terms
   * tell. As text it is a table, and whether to trust it.
   *
   * @throws CapabilityError [DRAWS_DEPENDENT]
   */
  loo(name?: string, options: PredictiveOptions = {}): PredictiveResult<LooResult> {
    const { values, size, ...found } = this.#predictive("loo", name, options);
    return printable({ ...found, ...psisLoo(values, { chainCount: this.chains, observationCount: size }) }, looText);
  }

  /** Widely applicable information criterion; where terms depend on each other as `loo`. As text it is a table, and whether to trust it. */
  waic(name?: string, options: PredictiveOptions = {}): PredictiveResult<WaicResult> {
    const { values, size, ...found } = this.#predictive("waic", name, options);
    return printable({ ...found, ...waic(values, { observationCount: size }) }, waicText);
  }

  /**
   * Replicated data: what was observed, simulated once for each draw, by name. Of new rows, in a list or a table, what `predictor` predicts of each: mean, sd
   * and interval.
   *
   *   posterior.predict({ seed: 1 }).draws("y");
   *   await posterior.predict([{ x: 3 }, { x: 4 }], { level: 0.9 });
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
        `${others.join(", ")} ${others.length === 1 ? "is" : "are"} no option (known: seed); new rows come in a list: predict([{ ${others[0]}: … }])`,
        "OPTION_UNKNOWN",
      );
    checkKeys("predict", given, ["seed"]);
    const { seed = 0 } = given as { readonly seed?: number };
    checkNumber("predict", "seed", seed, { integer: true });
    return new Draws(this.#source("predict").predict(seed));
  }

  /**
   * A predictor of new rows of data: predictive mean, sd and interval of what the model observes of each, from these draws.
   *
   *   const predictor = await posterior.predictor({ level: 0.9 });
   *   predictor.predict({ x: 3 }).y.upper;
   *
   * Data whose first extent is the one of what is observed (`rows`) are given anew for each row; all others stay those of the model.
   *
   * @throws CapabilityError [MODEL_ROWS], [DRAWS_DEPENDENT] for models whose rows depend on each other; OptionError [DRAWS_MODEL] for draws without their model
   */
  async predictor(options: PosteriorPredictorOptions = {}): Promise<PosteriorPredictor<D>> {
    this.#need("predictor");
    const source = this.#source("predictor");
    const { posteriorPredictor } = await later(() => import("./posterior-predictor.ts"));
    return (await posteriorPredictor(source, options)) as PosteriorPredictor<D>;
  }

  /** Whether data like those observed under `name` (default: the only one) come out of the model: p-values of statistics. @throws OptionError [DRAWS_FEW] for fewer than 39 draws */
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
        `of some values of "${chosen}" only a bound was observed, while replicates are whole values, so that their statistics differ; check those that were seen exactly against draws of predict()`,
        "DRAWS_CENSORED",
      );
    refuseFew("check", this.chains * this.count);
    const { seed = 0, statistics } = options;
    return predictiveCheck(observed[chosen], this.predict({ seed }).draws(chosen), statistics);
  }

  /** The table of `summary()`, and the verdict. */
  toString(): string {
    return this.count === 0 ? `${this.verdict()}` : `${this.table()}\n${this.verdict()}`;
  }

  /** All of it, as json.ts lays it out; for numbers that JSON has not there are texts. */
  toJSON(): JsonObject {
    return drawsToJson(this.#content);
  }

  /** Draws from their JSON. @throws DataError [DRAWS_JSON] for what toJSON() did not give */
  static fromJson(json: unknown): Draws {
    return new Draws(drawsFromJson(json));
  }

  /** All that these draws are: what files hold. */
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
    const names = this.quantities.map((quantity) => quantity.name).join(", ");
    throw new OptionError("draws", `there is no ${shown(name)}; there are ${names}`, "OPTION_UNKNOWN");
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
    return isApproximation(this) ? { ...row, rhat: Number.NaN } : row;
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
    throw new OptionError(where, "there are no draws: the run was stopped during warm-up; let it go on", "DRAWS_EMPTY");
  }

  #source(where: string): DrawsSource {
    const { source } = this.#content;
    if (source) return source;
    throw new OptionError(
      where,
      "these draws were read from a file, or are of a plain function: without the model there is nothing to ask; read them with it, loadDraws(dir, { model, data }), or sample the model",
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
