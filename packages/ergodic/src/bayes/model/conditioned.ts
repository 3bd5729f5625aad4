import { arraysBelow, interpret, type SymbolicArray } from "../../engine/compiler/index.ts";
import type {
  BindOptions,
  DensityBinding,
  DiscretePlace,
  JsonObject,
  LogDensity,
  ParameterPlace,
  TemperedBinding,
} from "../../engine/contract/index.ts";
import { DataError, OptionError } from "../../engine/errors/errors.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { own } from "../../engine/memory/memory.ts";
import type { Draws, Stream } from "../../engine/random/stream.ts";
import { Distribution } from "../distributions/index.ts";
import { boundDensity } from "./bound.ts";
import type { Hint, TracedModel, TracedObservation } from "./context.ts";
import { dependentObservations } from "./dependence.ts";
import { Drawer } from "./drawing.ts";
import { explained } from "./explain.ts";
import { type GivenValues, numbersOf } from "./given-values.ts";
import { hierarchyOf, relativeVariances } from "./hierarchy.ts";
import { PlacedModel, type PointFunction, type PortableForm, type PortableForms } from "./placed.ts";
import { drawEach, eachPoint, namedColumns } from "./points.ts";
import { PriorDrawer } from "./prior.ts";
import { isAnyMoved, placesOf, type QuantityPlace } from "./programs.ts";
import { solutionsOf } from "./solutions.ts";

/** Arrays of values by name, row-major. */
export type NamedValues = Record<string, Float64Array>;

/** Memory addresses that evaluations on this thread use. */
interface Evaluator {
  readonly x: number;
  readonly gradient: number;
  readonly density: number;
}

/**
 * A model with its data. Provides log p(u) for unconstrained numbers u, its gradient, and the values that u represents.
 *
 * u: f64[dimension], the unconstrained numbers of all parameters, concatenated in the order of `param`. log p(u) = log
 * p(values) + Σ log |J|. Whole-number parameters are stored in u unchanged and have a gradient of 0.
 */
export class ConditionedModel implements LogDensity, Disposable {
  protected static readonly typeName: string = "ConditionedModel";
  /** Name of the model. */
  readonly name: string;
  /** Number of unconstrained numbers. */
  readonly dimension: number;
  /**
   * Quantities reported by draws, in the order of their values. Generated quantities that are drawn from a distribution
   * come last.
   */
  readonly quantities: readonly QuantityPlace[];
  /** Number of values per point. Generated quantities that are drawn at random are not counted. */
  readonly valueCount: number;
  /** Result of tracing the model's function. */
  readonly traced: TracedModel;
  /** Whether results are bitwise identical on all hosts. */
  readonly deterministic: boolean;
  /**
   * Position of each parameter's unconstrained numbers in u. `discrete` lists the whole-number parameters with their
   * bounds.
   */
  readonly parameters: readonly ParameterPlace[];
  readonly discrete: readonly DiscretePlace[];
  private readonly engine: Engine;
  private readonly placed: PlacedModel;
  private readonly reported: readonly SymbolicArray[];
  private readonly generated: Drawer;
  private readonly predicted: Drawer;
  private readonly prior: PriorDrawer;
  private readonly functions = new Map<string, PointFunction>();
  private evaluator: Evaluator | undefined;

  constructor(name: string, traced: TracedModel, engine: Engine, deterministic: boolean) {
    this.name = name;
    this.traced = traced;
    this.engine = engine;
    this.deterministic = deterministic;
    this.dimension = traced.dimension;
    this.placed = new PlacedModel(name, traced, engine, deterministic);
    const { reported, places } = placesOf(traced);
    this.reported = reported;
    this.quantities = places;
    this.valueCount = reported.reduce((count, { size }) => count + size, 0);
    this.parameters = traced.parameters.map((p) => ({ name: p.name, offset: p.offset, size: p.unconstrained.size }));
    this.discrete = traced.parameters.flatMap(({ discrete }, i) => (discrete ? [{ ...this.parameters[i], ...discrete }] : []));
    this.generated = new Drawer(this.placed, "generated", traced.drawn);
    this.predicted = new Drawer(this.placed, "predicted", traced.replicated);
    this.prior = new PriorDrawer(name, traced, this.placed);
  }

  bind(options: BindOptions): DensityBinding {
    const { gradient = true } = options;
    return boundDensity(this, this.engine, options, (arena) => ({ model: this.placed.density(arena, gradient) }));
  }

  /** Whether `observe` or `marginalise` terms depend on parameters. If not, tempering the likelihood has no effect. */
  get hasLikelihood(): boolean {
    return isAnyMoved([this.traced.logLikelihood]);
  }

  /**
   * Binds the tempered density. `param` and `target` terms and log |J| form the prior; `observe` and `marginalise`
   * terms form the likelihood.
   */
  bindTempered(options: BindOptions): TemperedBinding {
    const { gradient = true } = options;
    return boundDensity(this, this.engine, options, (arena) => {
      const cells = { power: arena.take(8), likelihood: arena.take(8) };
      return { ...cells, model: this.placed.tempered(arena, gradient, cells) };
    });
  }

  /** Evaluates log p(u) and its gradient on this thread. @throws OptionError unless u has `dimension` numbers */
  evaluate(u: ArrayLike<number>): { value: number; gradient: Float64Array } {
    const point = this.checked(u);
    this.placed.checkAlive();
    this.evaluator ??= this.makeEvaluator();
    const { x, gradient, density } = this.evaluator;
    this.engine.memory.f64(x, this.dimension).set(point);
    const value = this.engine.kernel("logDensityGradient", this.deterministic)(density, x, gradient);
    return { value, gradient: this.engine.memory.f64(gradient, this.dimension).slice() };
  }

  /**
   * Returns parameters, transformed and generated quantities at u. Without `draws`, quantities that need random draws
   * are omitted.
   */
  constrain(u: ArrayLike<number>, draws?: Draws): NamedValues {
    const all = this.valuesOf(u);
    const { drawn } = this.traced;
    const known = this.quantities.slice(0, this.quantities.length - drawn.length);
    const made: NamedValues = Object.fromEntries(known.map(({ name, offset, size }) => [name, all.slice(offset, offset + size)]));
    if (draws) for (const { name, values } of this.generated.at(this.checked(u), draws)) made[name] = values;
    return made;
  }

  /**
   * Returns the values at many points, one point after another. The `dimension` numbers of each point give `valueCount`
   * values, in the order of `quantities`.
   */
  valuesOf(points: ArrayLike<number>): Float64Array {
    return this.ofPoints("values", this.reported, points);
  }

  /**
   * Returns the values of all parameters by name, each [point, size], including parameters that draws do not report.
   */
  parameterValuesOf(points: ArrayLike<number>): NamedValues {
    const { parameters } = this.traced;
    const all = this.ofPoints(
      "parameters",
      parameters.map(({ value }) => value),
      points,
    );
    return namedColumns(
      all,
      parameters.map(({ name, value }) => ({ name, size: value.size })),
    );
  }

  /**
   * Draws the generated quantities at many points. Returns the draws by name, each [point, size]. Point i uses update i
   * of the stream.
   */
  generatedOf(points: ArrayLike<number>, stream: Stream): NamedValues {
    return this.drawnOf(this.generated, points, stream);
  }

  /**
   * Returns u for given parameter values. `rest`: unconstrained point that supplies the parameters without a given
   * value.
   *
   * @throws OptionError if a value violates its constraint, DataError if a value is missing and there is no `rest`
   */
  unconstrain(values: GivenValues, rest?: Float64Array): Float64Array {
    const u = new Float64Array(this.dimension);
    const inputs: Record<string, ArrayLike<number>> = Object.fromEntries(this.traced.data);
    for (const { name, value, transform, nonCentred, offset, unconstrained } of this.traced.parameters) {
      const given = values[name];
      if (given === undefined && rest) {
        inputs[`u ${name}`] = rest.subarray(offset, offset + unconstrained.size);
        u.set(inputs[`u ${name}`], offset);
        continue;
      }
      if (given === undefined)
        throw new DataError(this.name, `the parameter "${name}" has no value; give all of them`, "DATA_MISSING");
      const own = ofParameter(name, () => {
        const numbers = numbersOf(given, value.shape);
        return transform.unconstrain(nonCentred ? nonCentred.standardise(numbers, inputs) : numbers, inputs);
      });
      u.set(own, offset);
      inputs[`u ${name}`] = own;
    }
    return u;
  }

  /** Evaluates log p(u) with the interpreter, as a test oracle for `evaluate`. */
  logDensity(u: ArrayLike<number>): number {
    return interpret([this.traced.logDensity], this.inputs(u))[0][0];
  }

  /** Log density of the constrained values that u represents, as in textbooks, without log |J|. */
  logDensityOfValues(u: ArrayLike<number>): number {
    return interpret([this.traced.logDensityOfValues], this.inputs(u))[0][0];
  }

  /** Log density of each observed value at u, by name, for leave-one-out validation. */
  pointwise(u: ArrayLike<number>): NamedValues {
    return this.pointwiseOf(this.checked(u));
  }

  /** Computes `pointwise` at many points. Returns results by name, each [point, size]. */
  pointwiseOf(points: ArrayLike<number>): NamedValues {
    const observed = [...this.traced.observed, ...this.traced.marginal];
    const terms = observed.map(({ pointwise }) => pointwise);
    const all = this.ofPoints("pointwise", terms, points);
    return namedColumns(
      all,
      observed.map(({ name, pointwise }) => ({ name, size: pointwise.size })),
    );
  }

  /** Names of observed quantities with terms that depend on each other. The dependence is tested at u. */
  dependentObservations(u: ArrayLike<number>): Set<string> {
    return dependentObservations(this.traced, this.inputs(u));
  }

  /** Code and data of all forms of the density, for another thread. */
  portable(): PortableForms {
    return this.placed.portable();
  }

  /** Code and data of the density with its gradient, for another thread. */
  portableDensity(): PortableForm {
    return this.placed.portableDensity(true);
  }

  /**
   * Facts for advice: the parameters that belong to a hierarchy. Empty for formulas, because users do not write the
   * parameters of a formula.
   */
  get facts(): JsonObject {
    return this.traced.reports ? {} : hierarchyOf(this.traced);
  }

  /**
   * Shapes of the data by name. Draws from a file can be combined with the model only if the file contains the same
   * shapes.
   */
  get dataShapes(): Record<string, number[]> {
    return Object.fromEntries([...this.traced.fields].map(([name, { shape }]) => [name, [...shape]]));
  }

  /** Valid constructs in the model that are probably mistakes. */
  get hints(): readonly Hint[] {
    return this.traced.hints;
  }

  /**
   * Reports how accurately the model's differential equations are solved at some of these points. The report contains
   * the largest number of steps, the largest error, and the number of points without a solution. Undefined if the model
   * has no differential equations.
   */
  solutionsAt(points: Float64Array): JsonObject | undefined {
    return solutionsOf(this.traced, points, (arrays, some) => this.ofPoints("solutions", arrays, some));
  }

  /** Posterior variance divided by prior variance, for each parameter in `facts`; see relativeVariances. */
  relativeVariances(points: Float64Array): Record<string, number> {
    if (this.traced.reports) return {};
    return relativeVariances(this.traced, points, (arrays, some) => this.ofPoints("variances", arrays, some));
  }

  /** Explains which prior or observation is not finite at these points; undefined if all are finite. */
  explain(points: readonly Float64Array[]): string | undefined {
    if (points.length === 0 || points[0].length !== this.dimension) return undefined;
    const densities = this.traced.terms.map(({ density }) => density);
    if (densities.length === 0) return undefined;
    const all = points.flatMap((u) => [...u]);
    const values = this.ofPoints("explain", densities, all);
    return explained(this.traced, values, points.length, this.inputs(points[0]));
  }

  /** Simulates the observed data, given the parameters at u. */
  predict(u: ArrayLike<number>, draws: Draws): NamedValues {
    return Object.fromEntries(this.predicted.at(this.checked(u), draws).map(({ name, values }) => [name, values]));
  }

  /**
   * Returns the observed values by name, as computed from the data alone. Values that depend on parameters are omitted.
   */
  observedValues(): NamedValues {
    const { replicated, data } = this.traced;
    const isData = ({ op, attributes }: SymbolicArray): boolean => op !== "input" || data.has(String(attributes));
    const known = replicated.filter(({ value }) => arraysBelow([value]).every(isData));
    const values = interpret(
      known.map(({ value }) => value),
      Object.fromEntries(data),
    );
    return Object.fromEntries(known.map(({ name }, i) => [name, values[i]]));
  }

  /**
   * Names of quantities that are only partially observed, for example because some values are known only up to a bound.
   */
  hiddenObservations(): ReadonlySet<string> {
    const hides = ({ distribution }: TracedObservation): boolean =>
      distribution instanceof Distribution && distribution.family.hides === true;
    return new Set(this.traced.observed.filter(hides).map(({ name }) => name));
  }

  /**
   * Runs `predict` at many points. Returns results by name, each [point, size]. Point i uses update i of the stream.
   */
  predictOf(points: ArrayLike<number>, stream: Stream): NamedValues {
    return this.drawnOf(this.predicted, points, stream);
  }

  /**
   * Draws u from the prior. Together with `constrain` and `predict`, a draw of u yields a draw of all quantities and
   * data.
   * @throws CapabilityError for a flat prior or a target()
   */
  drawPrior(draws: Draws): Float64Array {
    return this.prior.draw(draws);
  }

  /** Draws a starting point; see LogDensity. */
  drawStart(draws: Draws): Float64Array {
    return this.prior.drawStart(draws);
  }

  /** Releases the model's memory. The model's bindings must not be used afterwards. */
  dispose(): void {
    this.evaluator = undefined;
    this.functions.clear();
    this.placed.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private ofPoints(purpose: string, arrays: readonly SymbolicArray[], points: ArrayLike<number>): Float64Array {
    const all = this.checkedPoints(points);
    this.placed.checkAlive();
    const made = this.functions.get(purpose) ?? this.placed.pointFunction(purpose, arrays);
    this.functions.set(purpose, made);
    return eachPoint(all, this.dimension, made);
  }

  private drawnOf(drawer: Drawer, points: ArrayLike<number>, stream: Stream): NamedValues {
    return drawEach(this.checkedPoints(points), this.dimension, drawer, stream);
  }

  private checkedPoints(points: ArrayLike<number>): Float64Array {
    return this.checked(points, Math.max(1, Math.floor(points.length / this.dimension)));
  }

  /** Returns the interpreter's inputs by name. */
  private inputs(u: ArrayLike<number>): Record<string, ArrayLike<number>> {
    const point = this.checked(u);
    const moved = this.parameters.map(({ name, offset, size }) => [`u ${name}`, point.subarray(offset, offset + size)]);
    return { ...Object.fromEntries(this.traced.data), ...Object.fromEntries(moved) };
  }

  private checked(u: ArrayLike<number>, points = 1): Float64Array {
    if (u.length === this.dimension * points) return Float64Array.from(u);
    throw new OptionError(
      this.name,
      `the point has ${u.length} numbers, but must have ${this.dimension}; unconstrain() makes them`,
      "OPTION_LENGTH",
    );
  }

  private makeEvaluator(): Evaluator {
    const arena = this.placed.ownArena(`model ${this.name} here`);
    const density = this.placed.density(arena, true);
    const x = arena.take(8 * this.dimension);
    const gradient = arena.take(8 * this.dimension);
    arena.ownedBy(this.placed, own);
    return { x, gradient, density };
  }
}

/** Adds the parameter's name to errors from its transform, which does not know the name. */
function ofParameter<T>(name: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    throw new OptionError(`"${name}"`, `${error.where}: ${error.said}`, error.code, { cause: error });
  }
}
