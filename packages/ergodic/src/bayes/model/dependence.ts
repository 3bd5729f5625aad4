/**
 * Finds observations with dependent terms, in which the log density of one value reads other values of the same
 * observation. Examples are a hidden Markov chain, a regression on earlier values, and errors computed by a scan.
 * Dropping one term then does not remove the influence of its value.
 *
 * Hidden chains are known to be dependent. Everything else is tested at a point u. If two numbers of the observed data
 * are exchanged, the log densities of the other values must not change.
 *
 * An exchange does not change symmetric functions of the data, such as the mean. If the values depend on parameters, as
 * residuals do, each value is associated with one number of the data.
 *
 * Values that are observed one by one are tested together if they come from the same data.
 *
 * The test does not detect earlier values that are given as separate data, or the observed values of marginalise()
 * without `value`.
 */
import { arraysBelow, interpret, type SymbolicArray } from "../../engine/compiler/index.ts";
import type { TracedModel, TracedObservation } from "./context.ts";

/**
 * Maximum number of exchanges per array of data. If each value is observed separately, all exchanges are tried, up to
 * the larger number.
 */
const FEW_PAIRS = 12;
const MOST_PAIRS = 200;
/** Relative change that rounding can cause. */
const TOLERANCE = 1e-9;

type Inputs = Readonly<Record<string, ArrayLike<number>>>;

/** Exchange of two numbers in the same column of an array. */
interface Exchange {
  readonly key: string;
  readonly first: number;
  readonly second: number;
}

/** Returns the names of observations with mutually dependent terms. `inputs`: data and the point, by name. */
export function dependentObservations(traced: TracedModel, inputs: Inputs): Set<string> {
  const { observed, marginal } = traced;
  const found = new Set([...observed, ...marginal].filter(({ chained }) => chained).map(({ name }) => name));
  const open = observed.filter(({ name }) => !found.has(name));
  const sources = dataBelow(open.map(({ value }) => value));
  if (!open.some((observation) => isSuspect(observation, sources))) return found;
  const trial = new Trial(open, inputs);
  for (const data of sources)
    for (const exchange of exchangesOf(data, inputs, open.every(isSingle) ? MOST_PAIRS : FEW_PAIRS))
      for (const name of trial.dependent(exchange)) found.add(name);
  return found;
}

const isSingle = ({ pointwise }: TracedObservation): boolean => pointwise.size === 1;
const isMoved = (node: SymbolicArray): boolean => node.op === "input" && String(node.attributes).startsWith("u ");
const readsParameters = (array: SymbolicArray): boolean => arraysBelow([array]).some(isMoved);

/** Returns the data inputs that the arrays depend on. */
function dataBelow(roots: readonly SymbolicArray[]): SymbolicArray[] {
  return arraysBelow(roots).filter(({ op, attributes }) => op === "input" && String(attributes).startsWith("data "));
}

/**
 * Whether the terms can depend on each other. The terms can depend on each other only if the distribution reads
 * observed data or the values depend on parameters.
 */
function isSuspect({ value, distribution, batch }: TracedObservation, sources: readonly SymbolicArray[]): boolean {
  const read = new Set(dataBelow(distribution.sampler(batch).arrays));
  return sources.some((data) => read.has(data)) || readsParameters(value);
}

class Trial {
  private readonly observations: readonly TracedObservation[];
  private readonly inputs: Inputs;
  private readonly before: readonly Float64Array[];
  private readonly moved: readonly boolean[];

  constructor(observations: readonly TracedObservation[], inputs: Inputs) {
    this.observations = observations;
    this.inputs = inputs;
    this.before = this.evaluated(inputs);
    this.moved = observations.map(({ value }) => readsParameters(value));
  }

  /** Returns the names of the observations for which the exchange reveals a dependence. */
  dependent({ key, first, second }: Exchange): string[] {
    const data = Float64Array.from(this.inputs[key]);
    [data[first], data[second]] = [data[second], data[first]];
    const after = this.evaluated({ ...this.inputs, [key]: data });
    const count = this.observations.length;
    const each = this.observations.map((observation, i) => {
      const terms = changed(this.before[i], after[i]);
      const values = changed(this.before[count + i], after[count + i]);
      const width = observation.value.size / observation.pointwise.size;
      return { observation, terms, own: new Set([...values].map((k) => Math.floor(k / width))), moved: this.moved[i] };
    });
    const byOthers = each.filter(({ terms, own }) => [...terms].some((k) => !own.has(k)));
    // Exchanging two numbers of the data should change two terms. If the exchange changes more terms, the residuals
    // depend on each other through time. Data with fewer numbers than there are values describe groups. Such data are
    // exempt from this test.
    const followed = each.filter(
      ({ observation, terms, moved }) => moved && terms.size > 2 && data.length >= observation.value.size,
    );
    const within = [...byOthers.filter(({ own }) => own.size > 0), ...followed];
    const read = byOthers.some(({ observation }) => isSingle(observation));
    const together = read ? each.filter(({ observation }) => isSingle(observation) && reads(observation.value, key)) : [];
    const isShared = together.some(({ own }) => own.size > 0);
    return [...within, ...(isShared ? together : [])].map(({ observation }) => observation.name);
  }

  /** Evaluates the terms of all observations, then their values. */
  private evaluated(inputs: Inputs): Float64Array[] {
    return interpret([...this.observations.map((o) => o.pointwise), ...this.observations.map((o) => o.value)], inputs);
  }
}

const reads = (value: SymbolicArray, key: string): boolean => dataBelow([value]).some(({ attributes }) => attributes === key);

function changed(before: Float64Array, after: Float64Array): Set<number> {
  const places = new Set<number>();
  before.forEach((value, k) => {
    if (Object.is(value, after[k]) || Math.abs(value - after[k]) <= TOLERANCE * (Math.abs(value) + Math.abs(after[k]))) return;
    places.add(k);
  });
  return places;
}

/** Returns exchanges of different numbers in the same column, spread over the array. */
function exchangesOf({ attributes, shape, size }: SymbolicArray, inputs: Inputs, most: number): Exchange[] {
  const key = String(attributes);
  const values = inputs[key];
  const rows = shape[0] ?? 1;
  const width = size / rows;
  const count = Math.min(most, size);
  return Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) / count) * size)).flatMap((first) => {
    const [row, column] = [Math.floor(first / width), first % width];
    // The search for a partner starts half the array away and stops at the first row with a different number.
    for (let k = 0; k < rows - 1; k++) {
      const second = ((row + 1 + ((k + Math.floor(rows / 2)) % (rows - 1))) % rows) * width + column;
      if (second !== first && values[second] !== values[first]) return [{ key, first, second }];
    }
    return [];
  });
}
