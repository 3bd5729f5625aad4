/**
 * Host rules: rules that need the whole objective at points of their own choice, and so run in TypeScript, one update a call.
 *
 * The objective f: float64[d] → float64 is evaluated as often as the rule wishes; one evaluation costs a pass over all data.
 * A rule is started at a number of coordinates and then steps x in place. Its state is arrays and numbers, so that a checkpoint
 * can hold it bit for bit.
 */
import type { Defaults, Options, OptionValue, Ranges, Resolved, RuleBase } from "./rule.ts";
import { definedRules, optionsToJson, resolve } from "./rule.ts";
import type { Schedule } from "./schedule.ts";

export interface Objective {
  /** The value at x; fills `gradient` unless it is null. */
  (x: Float64Array, gradient: Float64Array | null): number;
  /** dᵀ∇²f(x)d, where f is quadratic or the model can give it: makes exact line search a closed form. */
  curvature?: (x: Float64Array, direction: Float64Array) => number;
}

export interface HostReport {
  /** f at the x that the step left; with `lossBefore` at the x it started from, where the rule computes no other value. */
  loss: number;
  lossBefore?: true;
  /** Multiple of the direction that was walked; 0 if the rule stayed. */
  stepSize: number;
  /** Evaluations of the objective in this step: each is a pass over the data. */
  evaluations: number;
  /** Why no further step can help, in words; null to go on. */
  stopped: string | null;
}

export interface HostState {
  numbers: Record<string, number>;
  arrays: Record<string, Float64Array[]>;
}

export interface HostRun {
  step(x: Float64Array): HostReport;
  /** Bytes held beside x. */
  readonly stateBytes: number;
  /** A copy of the state. */
  snapshot(): HostState;
  /** What in a state is none of this rule's, in words: a file that holds it is damaged. */
  misfit?(state: HostState): string | undefined;
  restore(state: HostState): void;
}

/** What a rule without an equation costs, in words where a number would not do. */
export interface StatedCost {
  /** Beside the parameters; null: it grows with the updates. */
  floatsPerParameter: number | null;
  perStep: string;
}

export interface HostRule extends RuleBase {
  readonly kind: "host";
  /** Why it refuses a minibatch, and what to take instead, for the error that does so. */
  needs(rowCount: number): string;
  readonly cost: StatedCost;
  start(objective: Objective, count: number): HostRun;
}

export interface HostFacts<D extends Defaults> {
  summary: string;
  source: string;
  needs: (rowCount: number) => string;
  cost: (options: Resolved<D>) => StatedCost;
  /** Of numbers their range, of texts the choices. */
  ranges?: Ranges<D>;
}
export type HostRuleFactory<D extends Defaults> = ((options?: Options<D>) => HostRule) & {
  readonly ruleName: string;
  readonly defaults: D;
};

/** Makes the factory of a host rule, and defines the rule by its name. Its options are plain numbers: a schedule is refused. */
export function hostRule<D extends Defaults>(
  name: string,
  defaults: D,
  start: (options: Resolved<D>, objective: Objective, count: number) => HostRun,
  facts: HostFacts<D>,
): HostRuleFactory<D> {
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
  return Object.assign(make, { ruleName: name, defaults });
}

/** State of a run as one record that the rule mutates; copies go out and come in. */
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
