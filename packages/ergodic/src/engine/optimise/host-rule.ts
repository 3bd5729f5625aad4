import type {
  Defaults,
  HostRule,
  HostRun,
  HostState,
  Objective,
  Options,
  OptionValue,
  Ranges,
  Resolved,
  RuleConformance,
  RuleDefinition,
  StatedCost,
} from "./kinds.ts";
import { checkFacts, definedRules, definitionOf, optionsToJson, resolve } from "./rule.ts";
import type { Schedule } from "./schedule.ts";

export interface HostFacts<D extends Defaults> {
  summary: string;
  source: string;
  needs: (rowCount: number) => string;
  cost: (options: Resolved<D>) => StatedCost;
  /** Ranges of numeric options, and choices of string options. */
  ranges?: Ranges<D>;
  /** Options with which conformance tests run the rule. Every built-in rule defines them. */
  conformance?: RuleConformance;
}
export type HostRuleFactory<D extends Defaults> = ((options?: Options<D>) => HostRule) & RuleDefinition<D>;

/**
 * Makes the factory of a host rule, and defines the rule under its name. The options of a host rule are plain numbers:
 * a schedule is refused.
 *
 * Host rules choose the points at which they evaluate the whole objective. Host rules run in TypeScript, with one
 * update per call. Host rules evaluate the objective f: float64[d] → float64 as often as they need; one evaluation
 * costs a pass over all data. A rule is started with the number of coordinates and then updates x in place. A rule's
 * state consists of arrays and numbers, so that a checkpoint stores it bit for bit.
 */
export function hostRule<D extends Defaults>(
  name: string,
  defaults: D,
  start: (options: Resolved<D>, objective: Objective, count: number) => HostRun,
  facts: HostFacts<D>,
): HostRuleFactory<D> {
  checkFacts(name, facts, '{ summary: "steps of one size", source: "own", needs: () => "the whole", cost: () => ({ … }) }');
  const make = (given: Options<D> = {}): HostRule => {
    const options: Readonly<Record<string, OptionValue | Schedule>> = resolve(name, defaults, given, facts.ranges ?? {}, false);
    return {
      kind: "host",
      name,
      options,
      summary: facts.summary,
      source: facts.source,
      needs: facts.needs,
      cost: facts.cost(options as Resolved<D>),
      start: (objective, count) => start(options as Resolved<D>, objective, count),
      toJSON: () => ({ rule: name, options: optionsToJson(options) }),
    };
  };
  definedRules.define(name, (options) => make(options as Options<D>));
  return Object.assign(make, definitionOf(name, defaults, facts));
}

/** Stores the state of a run as one record that the rule mutates. `snapshot` and `restore` copy this record. */
export function keepState<S extends HostState>(
  state: S,
): Pick<HostRun, "snapshot" | "restore"> & { readonly stateBytes: number } {
  return {
    get stateBytes() {
      return Object.values(state.arrays).reduce((sum, list) => sum + list.reduce((bytes, a) => bytes + a.byteLength, 0), 0);
    },
    snapshot: () => copyState(state),
    restore: (from) => {
      const copy = copyState(from);
      Object.assign(state.numbers, copy.numbers);
      for (const [key, list] of Object.entries(state.arrays)) {
        list.length = 0;
        for (const array of copy.arrays[key] ?? []) list.push(array);
      }
    },
  };
}

function copyState(state: HostState): HostState {
  return {
    numbers: { ...state.numbers },
    arrays: Object.fromEntries(Object.entries(state.arrays).map(([k, list]) => [k, list.map((a) => a.slice())])),
  };
}
