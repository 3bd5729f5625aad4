import { CapabilityError } from "../../engine/errors/errors.ts";
import type { TableList } from "./table-list.ts";

/** P(child | parents): each parent whose literal holds turns the child on with its probability, and so does the leak. */
export interface NoisyOr {
  readonly factor: number;
  /** Parents, then the child. */
  readonly variables: ArrayLike<number>;
  readonly states: ArrayLike<number>;
  /** Of the parents, then the leak. */
  readonly probabilities: ArrayLike<number>;
}

/** Entries of a table for a search for the most probable state, where there is no chain. */
const MOST_MAP = 2 ** 16;

/** The chance of either of two independent events: no difference of near numbers. */
const either = (p: number, q: number): number => p + (1 - p) * q;

/** P(child | parents) by the states of all variables. */
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
 * What was observed goes first: parents become part of the leak, and a child that is off is a factor for each parent by itself. What is left is one table
 * where that is small. Else a chain of auxiliary variables, "on by the first parents", each of which is on by chance: right for sums. A largest product
 * needs the table.
 *
 * @throws CapabilityError where there is none
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
      `factor ${factor} is a noisy or of ${parents.length} parents without evidence: a most probable state needs its table, of ${size.toLocaleString("en")} entries, and at most ${MOST_MAP.toLocaleString("en")} are made; observe more of them, or ask for marginals`,
      "GRAPH_WIDE",
    );
}

/** The first auxiliary variable is on by the leak or the first parent; the child itself is the last. */
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
