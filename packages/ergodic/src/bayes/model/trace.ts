/** Runs a model's function once on data and records its declarations. */

import { watchConditions } from "../../engine/compiler/array/conditions.ts";
import { type IndexWatch, watchIndices } from "../../engine/compiler/array/indices.ts";
import { type WatchedSolution, watchSolutions } from "../../engine/compiler/array/operations/ode/watch.ts";
import {
  add,
  arraysBelow,
  input,
  isArray,
  type Shape,
  type SymbolicArray,
  shapeText,
  sizeOf,
  sub,
  sum,
  toArray,
} from "../../engine/compiler/index.ts";
import { anything, array, operand, optional, text } from "../../engine/compiler/signature.ts";
import { refusedName } from "../../engine/errors/checks.ts";
import { CapabilityError, CompileError, checkKeys, OptionError } from "../../engine/errors/errors.ts";
import { batchOf } from "../distributions/constraint.ts";
import { Distribution } from "../distributions/index.ts";
import { distributionKind } from "../distributions/kinds.ts";
import { integers, type Transform, transformFor } from "../transforms/index.ts";
import { checkArray, checkCounted, checkPrior, eventShape } from "./checks.ts";
import { boundsWithin, type ParameterConstraint, transformOf } from "./constraints.ts";
import type {
  Hint,
  MarginaliseOptions,
  ModelContext,
  ParameterOptions,
  TracedDraw,
  TracedIndices,
  TracedModel,
  TracedObservation,
  TracedParameter,
  TracedQuantity,
  TracedReplicate,
  TracedTerm,
} from "./context.ts";
import { checkChain, checkDataParameters, checkDataTimes, checkObserved, dataIndices } from "./data-checks.ts";
import { integerBounds } from "./discrete.ts";
import {
  checkFinite,
  type DataField,
  type DataFields,
  type DataOf,
  type Extent,
  type ModelData,
  type ReadField,
  readData,
} from "./fields.ts";
import { HiddenMarkov } from "./hidden-markov.ts";
import { observationHint, unboundedHint } from "./hints.ts";
import { type Marginal, marginal, type States, type StateTerms } from "./marginalise.ts";
import { nonCentred } from "./non-centred.ts";
import { GENERATED, marginalValue, OBJECT, PRIOR, said } from "./trace-arguments.ts";

export function traceModel(name: string, body: (context: ModelContext) => unknown, data: ModelData): TracedModel {
  const scope = new Scope(name, data);
  const look = dataIndices(scope.data);
  const watch: IndexWatch = (where, indices, extent) => {
    scope.taken.push({ where, indices, extent });
    look(where, indices, extent);
  };
  const lookAt = (solution: WatchedSolution): void => {
    scope.solutions.push(solution);
    checkDataTimes(solution, scope.data);
  };
  watchConditions(
    () => watchSolutions(lookAt, () => watchIndices(watch, () => refuseLater(name, body(scope.context())))),
    () => scope.results(),
  );
  checkOwn(name, scope);
  return { ...scope.traced(), again: (other) => traceModel(name, body, other) };
}

/** @throws CompileError [COMPILE_INPUT] if the density depends on a symbol of another model */
function checkOwn(name: string, scope: Scope): void {
  const own = scope.inputs();
  const stray = arraysBelow(scope.results()).find(({ op, attributes }) => op === "input" && !own.has(String(attributes)));
  if (!stray) return;
  const symbol = String(stray.attributes);
  const ofScan = symbol.startsWith("scan leaf");
  throw new CompileError(
    name,
    ofScan
      ? `an array of a scan's body, ${shapeText(stray.shape)}, is used outside of it; give it as one of the body's outputs`
      : `"${symbol.replace(/^(u|data) /, "")}" ${shapeText(stray.shape)} belongs to another model or function; declare it in this one`,
    "COMPILE_INPUT",
  );
}

/** Refuses async functions, because declarations after the first await would be missed. */
function refuseLater(name: string, made: unknown): void {
  if (!(made instanceof Promise)) return;
  made.catch(() => undefined);
  throw new CompileError(
    name,
    "the model's function is async, but must run synchronously; load data beforehand, and remove async",
    "COMPILE_OPERAND",
  );
}

class Scope {
  readonly #name: string;
  readonly #given: ModelData;
  readonly #sizes = new Map<string, number>();
  readonly data = new Map<string, Float64Array>();
  readonly #fields = new Map<string, DataField & ReadField>();
  readonly taken: TracedIndices[] = [];
  readonly solutions: WatchedSolution[] = [];
  readonly #parameters: TracedParameter[] = [];
  readonly #byValue = new Map<SymbolicArray, TracedParameter>();
  readonly #quantities: TracedQuantity[] = [];
  readonly #observed: TracedObservation[] = [];
  readonly #observedNames = new Set<string>();
  readonly #replicated: TracedReplicate[] = [];
  readonly #marginal: { name: string; pointwise: SymbolicArray; chained: boolean }[] = [];
  readonly #drawn: TracedDraw[] = [];
  readonly #names = new Set<string>();
  /** Terms in the order of the model, and the positions of observations among them. */
  readonly #terms: SymbolicArray[] = [];
  readonly #likelihood = new Set<number>();
  readonly #parts: TracedTerm[] = [];
  readonly #hints: Hint[] = [];
  readonly #jacobians: SymbolicArray[] = [];
  readonly #chosen: SymbolicArray[] = [];
  readonly #formJacobians: SymbolicArray[] = [];
  #dimension = 0;
  /** Number of target() terms. */
  #targets = 0;

  constructor(name: string, given: ModelData) {
    this.#name = name;
    this.#given = given;
  }

  context(): ModelContext {
    return {
      data: said("data", { fields: OBJECT }, (fields) => this.#read(fields)) as ModelContext["data"],
      size: said("size", { name: text }, (name) => this.#size(name)),
      param: said("param", { name: text, prior: PRIOR, options: optional(OBJECT) }, (name, prior, options) =>
        this.#param(name, prior, options),
      ),
      observe: said(
        "observe",
        { value: operand, distribution: distributionKind, name: optional(text) },
        (value, distribution, name) => this.#observe(value, distribution, name),
      ),
      marginalise: said(
        "marginalise",
        { states: anything, terms: anything, options: optional(OBJECT) },
        (states, terms, options) => this.#marginalise(states, terms, options),
      ),
      transformed: said("transformed", { name: text, value: array }, (name, value) => this.#quantity("transformed", name, value)),
      generated: said("generated", { name: text, value: GENERATED }, (name, value) => {
        if (value instanceof Distribution) this.#draw(name, value);
        else this.#quantity("generated", name, value);
      }),
      target: said("target", { term: array }, (term) => this.#target(term)),
    };
  }

  /** Names of the symbols that this model created. */
  inputs(): Set<string> {
    return new Set([...this.#parameters.map(({ name }) => `u ${name}`), ...this.data.keys()]);
  }

  results(): SymbolicArray[] {
    const drawn = this.#drawn.flatMap(({ distribution, batch }) => distribution.sampler(batch).arrays);
    return [...this.#terms, ...this.#quantities.map((q) => q.value), ...drawn];
  }

  traced(): Omit<TracedModel, "again"> {
    if (this.#dimension === 0)
      throw new OptionError(this.#name, "the model has no parameters; add one with param()", "MODEL_PARAMETERS");
    const logDensityOfValues = sub(total(this.#terms), total(this.#formJacobians));
    return {
      dimension: this.#dimension,
      parameters: this.#parameters,
      quantities: this.#quantities,
      observed: this.#observed,
      replicated: this.#replicated,
      marginal: this.#marginal,
      drawn: this.#drawn,
      hasTarget: this.#targets > 0,
      logDensity: total([...this.#terms, ...this.#jacobians]),
      logPrior: total([...this.#terms.filter((_, i) => !this.#likelihood.has(i)), ...this.#jacobians]),
      logLikelihood: total(this.#terms.filter((_, i) => this.#likelihood.has(i))),
      logDensityOfValues,
      modeObjective: this.#chosen.reduce((sum, term) => add(sum, term), logDensityOfValues),
      terms: this.#parts,
      hints: this.#hints,
      data: this.data,
      fields: this.#fields,
      taken: this.taken,
      solutions: this.solutions,
      numbers: Object.fromEntries(
        Object.entries(this.#given).filter((given): given is [string, number] => typeof given[1] === "number"),
      ),
    };
  }

  #read<F extends DataFields>(fields: F): DataOf<F> {
    const read = readData(fields, this.#given, this.#sizes);
    const made = Object.entries(fields).map(([name, { kind, extents, bounds }]) => {
      const { shape, values } = read[name];
      this.#fields.set(name, { kind, extents, shape, values, ...(bounds && { bounds }) });
      if (kind !== "array") return [name, values[0]];
      const key = `data ${name}`;
      this.data.set(key, values);
      return [name, input(key, shape)];
    });
    return Object.fromEntries(made) as DataOf<F>;
  }

  #size(name: string): number {
    const known = this.#sizes.get(name);
    if (known !== undefined) return known;
    const stated = Object.hasOwn(this.#given, name) ? this.#given[name] : undefined;
    if (typeof stated === "number" && Number.isInteger(stated) && stated > 0) return stated;
    const names = [...this.#sizes.keys()].join(", ") || "none";
    throw new OptionError(this.#name, `"${name}" is not a size in the data (known: ${names}); name it in data()`, "MODEL_SIZE");
  }

  #shape(shape: Extent | readonly Extent[]): Shape {
    const list = typeof shape === "object" ? shape : [shape];
    return list.map((extent) => (typeof extent === "number" ? extent : this.#size(extent)));
  }

  #claim(name: string): void {
    this.#refuseInherited(name);
    if (this.#names.has(name))
      throw new OptionError(this.#name, `the name "${name}" is given twice; give each quantity its own`, "MODEL_NAME");
    this.#names.add(name);
  }

  /**
   * Refuses names of inherited properties. Draws are objects with named properties, so a quantity with an inherited
   * name would seem to exist already.
   */
  #refuseInherited(name: string): void {
    const refused = refusedName(name);
    if (refused) throw new OptionError(this.#name, refused, "MODEL_NAME");
  }

  #param(name: string, given: Distribution | ParameterConstraint, options: ParameterOptions = {}): SymbolicArray {
    const where = `param "${name}"`;
    checkKeys(where, options, ["shape", "centred", "lower", "upper", "constraint"]);
    this.#claim(name);
    const prior = given instanceof Distribution ? given : undefined;
    const { lower, upper, centred = true } = options;
    const bounds = lower === undefined && upper === undefined ? undefined : { lower, upper };
    const narrowed = options.constraint ?? bounds;
    if (narrowed !== undefined && (!prior || (bounds && options.constraint)))
      throw new OptionError(where, "it has two constraints; combine them into one", "OPTION_MEANING");
    if (!centred && (!prior || narrowed !== undefined))
      throw new CapabilityError(
        where,
        `it is not centred, but has ${prior ? "a constraint" : "no distribution"}; leave out one of them`,
        "MODEL_NON_CENTRED",
      );
    const asked = options.shape === undefined ? undefined : this.#shape(options.shape);
    const shape = prior ? [...(asked ?? prior.batch), ...eventShape(prior)] : (asked ?? []);
    if (prior) {
      checkPrior(name, prior, shape);
      checkDataParameters(prior, this.data);
      this.#hint(unboundedHint(prior, this.#byValue));
    }
    const constraint = prior ? narrowed : (given as ParameterConstraint);
    // The z of a non-centred parameter has no bounds.
    const support = centred && prior ? prior.support : ({ kind: "vector" } as const);
    const discrete = prior?.kind === "discrete" ? integerBounds(prior.support, this.data) : undefined;
    if (discrete && constraint !== undefined)
      throw new OptionError(
        where,
        `${prior!.name} has whole-number values, which cannot have a constraint; write truncated()`,
        "OPTION_MEANING",
      );
    const smooth = () => {
      if (constraint === undefined) return transformFor(support, shape);
      return transformOf(typeof constraint === "string" ? constraint : boundsWithin(support, constraint), shape);
    };
    const transform = discrete ? integers(discrete.low, discrete.high, shape) : smooth();
    const made = this.#place(name, transform, prior, centred);
    const [low, high] = [lower, upper].map((bound) => (bound === undefined ? undefined : toArray(bound)));
    const own = { name, shape: transform.shape, prior, transform, bounds: bounds && { low, high }, discrete };
    const parameter = { ...made, ...own, narrowed: narrowed !== undefined };
    this.#parameters.push(parameter);
    this.#byValue.set(made.value, parameter);
    return made.value;
  }

  #place(name: string, transform: Transform, prior: Distribution | undefined, centred: boolean) {
    const unconstrained = input(`u ${name}`, transform.unconstrainedShape);
    const { value, logJacobian, chosen } = transform.constrain(unconstrained);
    const form = centred ? undefined : nonCentred(name, prior!, value);
    const offset = this.#dimension;
    this.#dimension += sizeOf(transform.unconstrainedShape);
    this.#jacobians.push(logJacobian);
    if (chosen) this.#chosen.push(chosen);
    if (form) this.#formJacobians.push(form.logJacobian);
    // The density of z equals the density of the parameter times |∂x/∂z|. The density of z therefore replaces both
    // factors.
    const density = form?.standard ?? prior;
    if (density) {
      const pointwise = density.logDensity(value);
      this.#terms.push(sum(pointwise));
      this.#parts.push({ kind: "param", name, density: pointwise, distribution: density, value });
    }
    return { unconstrained, offset, nonCentred: form, value: form ? form.value : value };
  }

  #observe(given: SymbolicArray | number | ArrayLike<number>, distribution: Distribution, name?: string): void {
    if (!isArray(given)) checkFinite(name ?? "value", typeof given === "number" ? [given] : given);
    const value = toArray(given);
    checkDataParameters(distribution, this.data);
    checkObserved(value, distribution, this.data);
    const pointwise = distribution.logDensity(value);
    const batch = batchOf(value.shape, distribution.eventRank);
    checkCounted(value, distribution, pointwise);
    this.#likelihood.add(this.#terms.push(sum(pointwise)) - 1);
    this.#hint(observationHint(value, distribution, this.#byValue), unboundedHint(distribution, this.#byValue));
    const own = { name: this.#observedName(value, name), shape: value.shape, distribution, batch };
    this.#observed.push({ ...own, value, pointwise, chained: false });
    this.#replicated.push({ ...own, value });
    this.#parts.push({ kind: "observe", name: own.name, density: pointwise, distribution, value });
  }

  #marginalise(states: States, terms: StateTerms, options: MarginaliseOptions = {}): Marginal {
    checkKeys("marginalise", options, ["value", "name"]);
    const value = options.value === undefined ? undefined : marginalValue(options.value);
    if (states instanceof HiddenMarkov) checkChain(states, this.data);
    const { marginal: made, parts } = marginal(states, terms, value, this.data);
    const pointwise = made.logDensity;
    this.#likelihood.add(this.#terms.push(sum(pointwise)) - 1);
    const chained = states instanceof HiddenMarkov;
    const several = parts.length > 1;
    const replicated = parts.map(({ key, value, distribution, batch }): TracedReplicate => {
      const name = this.#observedName(value, several ? undefined : options.name, key);
      return { name, value, shape: value.shape, distribution, batch };
    });
    this.#replicated.push(...replicated);
    const joint = several ? (options.name ?? replicated.map(({ name }) => name).join(", ")) : options.name;
    const name = replicated.length === 1 ? replicated[0].name : this.#observedName(pointwise, joint);
    if (replicated.length === 1) this.#observed.push({ ...replicated[0], pointwise, chained });
    else this.#marginal.push({ name, pointwise, chained });
    this.#parts.push({ kind: "marginalise", name, density: pointwise });
    return made;
  }

  /** Chooses a name. `key`: name to use if no name is given and the value is not data. */
  #observedName(value: SymbolicArray, given: string | undefined, key?: string): string {
    const taken = this.#observedNames;
    if (given !== undefined && taken.has(given))
      throw new OptionError("observe", `the name "${given}" is given twice; give each observation its own`, "MODEL_NAME");
    const [kind, own] = value.op === "input" ? String(value.attributes).split(/ (.*)/) : [];
    const count = this.#observed.length + this.#marginal.length;
    const free = [kind === "data" ? own : undefined, Number.isNaN(Number(key)) ? key : undefined].find(
      (one) => one && !taken.has(one),
    );
    const name = given ?? free ?? `observed ${count + 1}`;
    this.#refuseInherited(name);
    taken.add(name);
    return name;
  }

  #quantity(kind: "transformed" | "generated", name: string, value: SymbolicArray): SymbolicArray {
    this.#claim(name);
    this.#quantities.push({ kind, name, value: checkArray(kind, `"${name}"`, value) });
    return value;
  }

  #draw(name: string, distribution: Distribution): void {
    this.#claim(name);
    checkDataParameters(distribution, this.data);
    const { batch } = distribution;
    this.#drawn.push({ name, distribution, batch, shape: [...batch, ...eventShape(distribution)] });
  }

  #target(term: SymbolicArray): void {
    const density = checkArray("target", "the term", term);
    this.#terms.push(sum(density));
    const name = ++this.#targets === 1 ? "target() term" : `target() term ${this.#targets}`;
    this.#parts.push({ kind: "target", name, density });
  }

  #hint(...found: readonly (Hint | undefined)[]): void {
    this.#hints.push(...found.filter((hint) => hint !== undefined));
  }
}

const total = (terms: readonly SymbolicArray[]): SymbolicArray => terms.reduce((a, b) => add(a, b), toArray(0));
