import { CapabilityError } from "../../engine/errors/errors.ts";
import type { TableList } from "./table-list.ts";

/**
 * Noisy-or P(child | parents): the child is turned on by the leak and by every parent with a literal that holds, each
 * with its own probability.
 */
export interface NoisyOr {
  readonly factor: number;
  /** The parents, then the child. */
  readonly variables: ArrayLike<number>;
  readonly states: ArrayLike<number>;
  /** Probabilities of the parents, followed by the probability of the leak. */
  readonly probabilities: ArrayLike<number>;
}

/** Largest table that is built when searching for the most probable state. The chain is not valid for that search. */
const MOST_MAP = 2 ** 16;

/**
 * Probability that at least one of two independent events occurs. The formula does not subtract nearly equal numbers.
 */
const either = (p: number, q: number): number => p + (1 - p) * q;

/** Returns P(child | parents) as a table over the states of all variables. */
export function noisyOrTable(list: TableList, { variables, states, probabilities }: Omit<NoisyOr, "factor">): Float64Array {
  const child = variables.length - 1;
  return list.fill(variables, (of) => {
    let on = probabilities[child];
    let off = 1 - on;
    for (let i = 0; i < child; i++) {
      if (of[i] !== states[i]) continue;
      on = either(on, probabilities[i]);
      off *= 1 - probabilities[i];
    }
    return of[child] === states[child] ? on : off;
  });
}

/**
 * Adds a noisy-or, simplified by the evidence. Observed parents are merged into the leak. If the child is observed to
 * be off, the noisy-or becomes one factor per parent. The rest becomes a single table if it is small. A larger noisy-or
 * becomes a chain of auxiliary variables. Each auxiliary variable means "turned on by one of the parents so far". The
 * chain is valid for sums, whereas the search for a largest product needs the table.
 *
 * @throws CapabilityError if a largest product needs a table that is too large
 */
export function addNoisyOr(
  list: TableList,
  given: NoisyOr,
  observed: (variable: number) => number,
  sum: boolean,
  most: number,
): void {
  const { factor, variables, states, probabilities } = given;
  const last = variables.length - 1;
  let leak = probabilities[last];
  let off = 1 - leak;
  const parents: number[] = [];
  for (let i = 0; i < last; i++) {
    const seen = observed(variables[i]);
    if (seen < 0) parents.push(i);
    else if (seen === states[i]) {
      leak = either(leak, probabilities[i]);
      off *= 1 - probabilities[i];
    }
  }
  const child = variables[last];
  const childSeen = observed(child);
  if (childSeen >= 0 && childSeen !== states[last]) {
    list.add([], Float64Array.of(off));
    for (const i of parents)
      list.add(
        [variables[i]],
        list.fill([variables[i]], ([state]) => (state === states[i] ? 1 - probabilities[i] : 1)),
      );
    return;
  }
  const kept = [...parents, last];
  const small = {
    variables: kept.map((i) => variables[i]),
    states: kept.map((i) => states[i]),
    probabilities: [...parents.map((i) => probabilities[i]), leak],
  };
  const size = list.size(small.variables);
  if (parents.length < 2 || size <= (sum ? most : MOST_MAP)) list.add(small.variables, noisyOrTable(list, small));
  else if (sum) addChain(list, factor, small);
  else
    throw new CapabilityError(
      "factor graph",
      `factor ${factor} is a noisy or of ${parents.length} parents without evidence: a most probable state needs its table of ${size.toLocaleString("en")} entries, but at most ${MOST_MAP.toLocaleString("en")} are allowed; observe more parents, or ask for marginals`,
      "GRAPH_WIDE",
    );
}

/**
 * The first auxiliary variable combines the leak and the first parent. The last link of the chain is the child itself.
 */
function addChain(list: TableList, factor: number, { variables, states, probabilities }: Omit<NoisyOr, "factor">): void {
  const child = variables.length - 1;
  let before: number[] = [];
  for (let i = 0; i < child; i++) {
    const isLast = i === child - 1;
    const next = isLast ? variables[child] : list.auxiliary(2, factor);
    const onState = isLast ? states[child] : 1;
    const scope = [...before, variables[i], next];
    const p = probabilities[i];
    list.add(
      scope,
      list.fill(scope, (of) => {
        const cause = of[before.length] === states[i] ? p : 0;
        const earlier = before.length > 0 ? of[0] : probabilities[child];
        const isOn = of[scope.length - 1] === onState;
        return isOn ? either(earlier, cause) : (1 - earlier) * (1 - cause);
      }),
    );
    before = [next];
  }
}
