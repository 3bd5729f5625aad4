import { constant, substitute, vector } from "../../engine/compiler/index.ts";
import { power } from "../../engine/numbers/power.ts";
import type { EquationRule, Rule } from "../../engine/optimise/kinds.ts";
import { definedRules } from "../../engine/optimise/rule.ts";
import { isSchedule, type Schedule, type ScheduleJson } from "../../engine/optimise/schedule.ts";
import { scheduleFromJson } from "../../engine/optimise/schedules/by-name.ts";

/** How replicas step that are to move their mean as far, row by row, as one lane moves. */
export interface Faster {
  readonly rule: EquationRule;
  /** Of the rate that was asked for. */
  readonly factor: number;
  /** States that are sums over all updates: each of k replicas sums over a k-th of them. */
  readonly sums: readonly string[];
}

/** Rules whose step falls with the root of such a sum. */
const summing: Readonly<Record<string, readonly string[]>> = { adagrad: ["r"] };

/**
 * The rule of each of k replicas (`times`) in the place of one lane's; undefined where the rule has no rate, one that is not in proportion to an option or that
 * the rule finds (its states remember all updates), or one that rises, of which a start says little.
 *
 * The mean of k replicas moves by the mean of their steps. What one of them learns from a row reaches the mean as a k-th, so that with k times the step
 * a row moves the mean as far as it moves one lane, while the noise of k replicas, averaged, is that of one lane at its own rate. A replica's update t comes
 * when one lane makes its update k(t − 1) + 1, and a schedule falls as fast: η'_t = k η_{k(t−1)+1}. AdaGrad's sums are of a k-th of the gradients, by which
 * it steps √k times as far already.
 */
export function faster(rule: Rule, times: number): Faster | undefined {
  if (rule.kind !== "equation" || rule.parts.length > 0) return undefined;
  const sums = summing[rule.name] ?? [];
  if (remembers(rule, sums)) return undefined;
  const factor = sums.length > 0 ? Math.sqrt(times) : times;
  const { rate } = rule.options;
  const its = typeof rate === "number" ? factor * rate : isSchedule(rate) ? higher(rate, factor, times) : undefined;
  const make = definedRules.get(rule.name);
  if (its === undefined || !make) return undefined;
  return { rule: make({ ...rule.options, rate: its }) as EquationRule, factor, sums };
}

/** Whether its steps become shorter in the course of a run. */
export function shortens({ kind, name, options }: Rule): boolean {
  if (kind !== "equation") return false;
  const { rate } = options as { rate?: unknown };
  return name in summing || (isSchedule(rate) && rate.toJSON().schedule !== "constantRate");
}

/** Whether a state that is not one of `sums` stays as it is where a gradient is 0: it is of all updates, not of the last ones. */
function remembers(rule: EquationRule, sums: readonly string[]): boolean {
  const { states, inputs } = rule.trace(vector("g"), vector("parameter"));
  const known = { g: 0, ...Object.fromEntries(inputs.map(({ name, value }) => [name, value])) };
  return states.some(({ name, next }) => !sums.includes(name) && substitute(next, known) === vector(name));
}

/** η' = `factor` · η, and of its time `times` as much goes by per update. */
function higher(from: Schedule, factor: number, times: number): Schedule | undefined {
  const { schedule, options } = from.toJSON();
  const { rate, final = 0, factor: fall = 1, decay, every, updates, alpha } = options as Record<string, number>;
  const made = (its: ScheduleJson["options"]): Schedule => scheduleFromJson({ schedule, options: { ...options, ...its } });
  if (fall > 1 || final > rate) return undefined;
  switch (schedule) {
    case "constantRate":
      return made({ rate: factor * rate });
    case "inverseTimeDecay":
      return made({ rate: factor * rate, decay: times * decay });
    case "exponentialDecay":
      return made({ rate: factor * rate, factor: power(fall, times) });
    case "cosineDecay":
      return made({ rate: factor * rate, final: factor * final, updates: updates / times });
    case "stepDecay":
      // Steps that end between two updates of a replica would fall too early or too late, by more each time.
      return every % times === 0 ? made({ rate: factor * rate, every: every / times }) : undefined;
    case "optimalRate":
      return made({ alpha: (alpha * times) / factor, offset: 1 / (alpha * from.value(constant(1)).value * times) });
    default:
      return undefined;
  }
}
