/**
 * Which observations have terms that depend on each other: the log density of one value reads other values of the same
 * observation, as that of a hidden Markov chain, of a regression on earlier values, or of errors that a scan follows does.
 * Leaving out one term then does not leave out its value.
 *
 * A chain of hidden states is known as such. Else it is tried out, at a point u: two numbers of the observed data change
 * places, which keeps what is symmetric in them (a mean over all data), and the log densities of other values must stay. Values
 * that depend on parameters (residuals) count as one a datum. Of single values observed one by one those count together that
 * are taken from the same data. Not seen: values of before that are given as data of their own; of marginalise() without a
 * value, what is observed.
 */
import { arraysBelow, interpret, type SymbolicArray } from "../../engine/compiler/index.ts";
import type { TracedModel, TracedObservation } from "./context.ts";

/** Exchanges tried for each array of data; all where single values are observed one by one, up to so many. */
const FEW_PAIRS = 12;
const MOST_PAIRS = 200;
/** What rounding may change. */
const TOLERANCE = 1e-9;

type Inputs = Readonly<Record<string, ArrayLike<number>>>;

/** An exchange of two numbers: rows of one column of an array. */
interface Exchange {
  readonly key: string;
  readonly first: number;
  readonly second: number;
}

/** Names of those whose terms depend on each other. `inputs`: data and the point, by name. */
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

/** Arrays of data below, each an input. */
function dataBelow(roots: readonly SymbolicArray[]): SymbolicArray[] {
  return arraysBelow(roots).filter(({ op, attributes }) => op === "input" && String(attributes).startsWith("data "));
}

/** Whether what the values are compared with reads observed data, or the values are made with parameters: only then can terms depend on each other. */
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

  /** Of those that the exchange shows. */
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
    // Two data, two terms: residuals that read more are followed through time. Fewer data than values are those of groups.
    const followed = each.filter(
      ({ observation, terms, moved }) => moved && terms.size > 2 && data.length >= observation.value.size,
    );
    const within = [...byOthers.filter(({ own }) => own.size > 0), ...followed];
    const read = byOthers.some(({ observation }) => isSingle(observation));
    const together = read ? each.filter(({ observation }) => isSingle(observation) && reads(observation.value, key)) : [];
    const isShared = together.some(({ own }) => own.size > 0);
    return [...within, ...(isShared ? together : [])].map(({ observation }) => observation.name);
  }

  /** Terms of all, then values of all. */
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

/** Of different numbers of the same column, from all over the array. */
function exchangesOf({ attributes, shape, size }: SymbolicArray, inputs: Inputs, most: number): Exchange[] {
  const key = String(attributes);
  const values = inputs[key];
  const rows = shape[0] ?? 1;
  const width = size / rows;
  const count = Math.min(most, size);
  return Array.from({ length: count }, (_, i) => Math.floor(((i + 0.5) / count) * size)).flatMap((first) => {
    const [row, column] = [Math.floor(first / width), first % width];
    // Half the array away, or as near to that as numbers differ.
    for (let k = 0; k < rows - 1; k++) {
      const second = ((row + 1 + ((k + Math.floor(rows / 2)) % (rows - 1))) % rows) * width + column;
      if (second !== first && values[second] !== values[first]) return [{ key, first, second }];
    }
    return [];
  });
}
