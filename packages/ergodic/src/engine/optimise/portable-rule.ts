/** A rule with an equation, as plain data, so that another thread can run the rule without its definition. */
import { type Expr, scalar, substitute, vector } from "../compiler/index.ts";
import { expressionsFrom, type PortableExpressions, portableExpressions } from "../compiler/portable.ts";
import type { EquationRule, OptionValue, Traced } from "./kinds.ts";
import { optionsToJson, reservedNames } from "./rule.ts";
import type { ScheduleJson } from "./schedule.ts";
import { ruleOptionsFromJson } from "./schedules/by-name.ts";

/**
 * A rule traced on symbols. The expressions of the rule give the step, the next states and scalars, and the evaluation
 * point (unless this is p).
 */
export interface PortableRule extends Pick<EquationRule, "name" | "last" | "link" | "summary" | "source"> {
  readonly options: Readonly<Record<string, OptionValue | ScheduleJson>>;
  /** Names of the rule's states, scalars and options, in the order in which the formula first uses them. */
  readonly names: readonly string[];
  readonly inputs: Traced["inputs"];
  readonly states: readonly Omit<Traced["states"][number], "next">[];
  readonly scalars: readonly Omit<Traced["scalars"][number], "next">[];
  readonly evaluates: boolean;
  readonly expressions: PortableExpressions;
}

/** Names that no state can have. */
const [gradient, parameter] = [vector(" g"), vector(" p")];
/** Scalars that belong to no rule. */
const given = ["t", "loss", "epochUpdates"];

export function portableRule({ name, last, link, summary, source, options, trace }: EquationRule): PortableRule {
  const names = new Set(given);
  const { step, states, scalars, inputs, evaluation } = trace(gradient, parameter, names);
  const next = [...states, ...scalars].map((state) => state.next);
  return {
    ...{ name, last, link, summary, source, inputs },
    options: optionsToJson(options),
    names: [...names].slice(given.length),
    states: states.map(({ name, initial }) => ({ name, initial })),
    scalars: scalars.map(({ name, initial }) => ({ name, initial })),
    evaluates: evaluation !== null,
    expressions: portableExpressions([step, ...(evaluation ? [evaluation] : []), ...next]),
  };
}

export function ruleFromPortable(portable: PortableRule): EquationRule {
  const { name, last, link, summary, source, options } = portable;
  return {
    ...{ kind: "equation", name, last, link, summary, source, parts: [] },
    options: Object.freeze(ruleOptionsFromJson(options)),
    trace: (g, p, names = new Set(reservedNames)) => retraced(portable, g, p, names),
    toJSON: () => ({ rule: name, options: { ...options } }),
  };
}

/** Returns the same equation as if the formula had been traced on these symbols. */
function retraced(portable: PortableRule, g: Expr, p: Expr, taken: Set<string>): Traced {
  const renamed = new Map<string, string>();
  const symbols = new Map<Expr, Expr>([
    [gradient, g],
    [parameter, p],
  ]);
  for (const name of portable.names) {
    const asked = given.find((one) => name === `${one}2`) ?? name;
    let own = asked;
    for (let n = 2; taken.has(own); n++) own = `${asked}${n}`;
    taken.add(own);
    renamed.set(name, own);
    symbols.set(scalar(name), scalar(own)).set(vector(name), vector(own));
  }
  const all = expressionsFrom(portable.expressions).map((expression) => substitute(expression, symbols));
  const next = all.slice(portable.evaluates ? 2 : 1);
  const { states, scalars, inputs } = portable;
  const own = <T extends { name: string }>(one: T): T => ({ ...one, name: renamed.get(one.name)! });
  return {
    step: all[0],
    states: states.map((state, i) => ({ ...own(state), next: next[i] })),
    scalars: scalars.map((state, i) => ({ ...own(state), next: next[states.length + i] })),
    inputs: inputs.map(own),
    evaluation: portable.evaluates ? all[1] : null,
  };
}
