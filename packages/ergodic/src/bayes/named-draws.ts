/** Converts the raw draws of `sample` to constrained values by name, and adds the operations that need the model. */

import type { JsonObject, LogDensity } from "../engine/contract/index.ts";
import { CapabilityError, DataError } from "../engine/errors/errors.ts";
import { type Stream, stream } from "../engine/random/stream.ts";
import { later } from "../engine/threads/later.ts";
import { Draws, type DrawsContent, type DrawsQuantity, type DrawsSource, scalarName } from "./draws/index.ts";
import type { FunctionDensity } from "./model/functional/index.ts";
import { ConditionedModel, type NamedValues } from "./model/index.ts";
import { edgesToJson } from "./named-edges.ts";
import type { Edges } from "./places/edges.ts";
import { ChainDraws } from "./samplers/base/chain-draws.ts";
import type { VisitedPlace } from "./samplers/base/sampler.ts";

const MOST_NAMED = 8;

/** Result of a sampling run, before its values are named. */
export interface Drawn {
  readonly raw: ChainDraws;
  readonly places: readonly VisitedPlace[];
  /** Jumps of the log density, if transitions diverged. */
  readonly edges?: Edges | undefined;
  readonly description: JsonObject;
  readonly report: Readonly<Record<string, number>>;
}

/** Describes a visited place by the first MOST_NAMED numbers of its parameters. */
function placeToJson(density: LogDensity, { point, ...place }: VisitedPlace): JsonObject {
  const { quantities, values } =
    density instanceof ConditionedModel
      ? { quantities: density.quantities, values: namedValues(density, point, stream(0, "places")) }
      : plainValues(density, new ChainDraws(1, 1, density.dimension, point, [], new Float64Array(0)));
  const parameters = quantities.filter(({ kind }) => kind === "parameter");
  const numbers = parameters.flatMap(({ name, shape }) =>
    [...values[name]].map((x, i) => [scalarName(name, shape, i), x] as const),
  );
  const finite = (x: string | number | boolean) => (typeof x !== "number" || Number.isFinite(x) ? x : null);
  const told = Object.entries(place).map(([key, value]) => [key, finite(value)]);
  return {
    ...Object.fromEntries(told),
    at: Object.fromEntries(numbers.slice(0, MOST_NAMED).map(([name, x]) => [name, finite(x)])),
  };
}

/** Converts raw draws to constrained values by name. */
export function drawsOf(density: LogDensity, { raw, places, edges, report, ...drawn }: Drawn): Draws {
  const visited: JsonObject = places.length > 0 ? { places: places.map((place) => placeToJson(density, place)) } : {};
  const jumps: JsonObject = edges ? { edges: edgesToJson(density, edges) } : {};
  const description: JsonObject = { ...drawn.description, ...visited, ...jumps };
  const seed = (description.plan as { seed: number }).seed;
  const { chains, count } = raw;
  const moved = density instanceof ConditionedModel && density.traced.reports ? movedFields(density.dimension) : [];
  const fields = [...raw.fields, ...moved];
  const transitions = new Float64Array(chains * count * fields.length);
  raw.fields.forEach((field, j) => {
    raw.transition(field).forEach((value, k) => {
      transitions[k * fields.length + j] = value;
    });
  });
  if (moved.length > 0)
    for (let k = 0; k < chains * count; k++)
      transitions.set(point(raw.values, moved.length, k), k * fields.length + raw.fields.length);
  const shared = { chains, count, fields, transitions, description, report };
  if (!(density instanceof ConditionedModel)) return new Draws({ ...shared, ...plainValues(density, raw) });
  const values = namedValues(density, raw.values, stream(seed, "generated"));
  const solutions = density.solutionsAt(raw.values);
  if (solutions) description.solutions = solutions;
  const variances = density.relativeVariances(raw.values);
  if (Object.keys(variances).length > 0) description.relativeVariances = variances;
  const content = { ...shared, quantities: density.quantities, values };
  return new Draws({ ...content, source: sourceOf(density, content, (k) => point(raw.values, density.dimension, k)) });
}

/**
 * Names of the fields that store the unconstrained numbers with each transition, if draws report quantities other than
 * the parameters. Without these fields, the unconstrained numbers could not be recovered bit for bit.
 */
const movedFields = (dimension: number): string[] => Array.from({ length: dimension }, (_, i) => `unconstrained_${i + 1}`);

const point = (points: Float64Array, dimension: number, k: number): Float64Array =>
  points.subarray(k * dimension, (k + 1) * dimension);

/**
 * Creates the operations that need the model. The operations use only the values of the model's parameters. So draws
 * from a file give the same results as the draws of the run, bit for bit.
 *
 * `outside`: returns the unconstrained numbers of draw k if its values do not determine them, for example if rounding
 * reached a bound.
 */
export function sourceOf(
  density: ConditionedModel,
  content: Omit<DrawsContent, "source">,
  outside: (k: number, cause: unknown) => Float64Array,
): DrawsSource {
  const { chains, count, values, description } = content;
  let made: Float64Array | undefined;
  const points = (): Float64Array => {
    made ??= pointsOf(density, content, outside);
    return made;
  };
  return {
    pointwise: () => density.pointwiseOf(points()),
    dependent: () => density.dependentObservations(point(points(), density.dimension, 0)),
    hasTarget: density.traced.hasTarget,
    hidden: () => density.hiddenObservations(),
    observed: () => density.observedValues(),
    newRows: async (options) => {
      const { newRows } = await later(() => import("./model/new-rows.ts"));
      const { name, traced, deterministic } = density;
      const own = traced.reports ? density.parameterValuesOf(points()) : values;
      return newRows({ name, traced, deterministic, points: points(), values: own }, options);
    },
    predict: (seed) => {
      const { marginal, replicated: observed } = density.traced;
      if (observed.length === 0 && marginal.length > 0) throw withoutValues(marginal.map(({ name }) => name));
      const replicated = density.predictOf(points(), stream(seed, "predict"));
      const quantities = observed.map(({ name, shape }) => ({ name, shape, kind: "generated" as const }));
      const none = { fields: [], transitions: new Float64Array(0), report: {} };
      return { chains, count, quantities, values: replicated, description, ...none };
    },
  };
}

const withoutValues = (names: readonly string[]): CapabilityError =>
  new CapabilityError(
    "predict",
    `the terms of ${names.map((name) => `"${name}"`).join(", ")} do not say which value they are of, so nothing can be drawn; give marginalise() distributions and { value: y }`,
    "DRAWS_TERMS",
  );

/**
 * Unconstrained numbers of all draws, concatenated. These numbers are either stored, or computed from the parameters'
 * values.
 *
 * @throws DataError [DRAWS_MODEL] if the numbers should have been stored, but are missing
 */
export function pointsOf(
  density: ConditionedModel,
  { chains, count, values, fields, transitions }: Omit<DrawsContent, "source">,
  outside: (k: number, cause: unknown) => Float64Array,
): Float64Array {
  const { dimension, traced } = density;
  const total = chains * count;
  if (traced.reports) return keptPoints(density, fields, transitions, total);
  const points = new Float64Array(total * dimension);
  const own = traced.parameters.map(({ name }) => ({ name, all: values[name], size: values[name].length / total }));
  const at: Record<string, Float64Array> = {};
  for (let k = 0; k < total; k++) {
    for (const { name, all, size } of own) at[name] = all.subarray(k * size, (k + 1) * size);
    let u: Float64Array;
    try {
      u = density.unconstrain(at);
    } catch (cause) {
      u = outside(k, cause);
    }
    points.set(u, k * dimension);
  }
  return points;
}

function keptPoints(
  { name, dimension }: ConditionedModel,
  fields: readonly string[],
  transitions: Float64Array,
  total: number,
): Float64Array {
  const columns = movedFields(dimension).map((field) => fields.indexOf(field));
  if (columns.includes(-1))
    throw new DataError(
      "loadDraws",
      `the model is the formula "${name}", and these draws lack its ${dimension} unconstrained numbers, because an earlier release saved them or columns were removed; sample again`,
      "DRAWS_MODEL",
    );
  const points = new Float64Array(total * dimension);
  for (let k = 0; k < total; k++)
    for (let i = 0; i < dimension; i++) points[k * dimension + i] = transitions[k * fields.length + columns[i]];
  return points;
}

/** Returns every quantity by name: [point, ...shape]. */
export function namedValues(density: ConditionedModel, points: Float64Array, generated: Stream): NamedValues {
  const { quantities, valueCount, dimension } = density;
  const count = points.length / dimension;
  if (count === 0) return Object.fromEntries(quantities.map(({ name }) => [name, new Float64Array(0)]));
  const all = density.valuesOf(points);
  const drawn = density.generatedOf(points, generated);
  const column = (offset: number, size: number): Float64Array => {
    const values = new Float64Array(count * size);
    for (let k = 0; k < count; k++) values.set(all.subarray(k * valueCount + offset, k * valueCount + offset + size), k * size);
    return values;
  };
  return Object.fromEntries(quantities.map(({ name, offset, size }) => [name, drawn[name] ?? column(offset, size)]));
}

/** Returns the values of a plain function under the names that the function declares, or under the name "x". */
function plainValues(density: LogDensity, raw: ChainDraws): { quantities: DrawsQuantity[]; values: NamedValues } {
  const kind = "parameter" as const;
  const { names } = density as Partial<FunctionDensity>;
  if (!names) return { quantities: [{ name: "x", shape: [density.dimension], kind }], values: { x: raw.values } };
  const quantities = names.map((name) => ({ name, shape: [], kind }));
  return { quantities, values: Object.fromEntries(names.map((name, i) => [name, raw.coordinate(i)])) };
}
