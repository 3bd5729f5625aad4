import { constant, substitute, vector } from "../../engine/compiler/index.ts";
import { power } from "../../engine/numbers/power.ts";
import type { EquationRule, Rule } from "../../engine/optimise/kinds.ts";
import { definedRules } from "../../engine/optimise/rule.ts";
import { isSchedule, type Schedule, type ScheduleJson } from "../../engine/optimise/schedule.ts";
import { scheduleFromJson } from "../../engine/optimise/schedules/by-name.ts";

/** Rule for replicas, chosen so that each row moves their mean as far as it moves one lane. */
export interface Faster {
  readonly rule: EquationRule;
  /** Ratio of the replicas' rate to the user's rate. */
  readonly factor: number;
  /** Names of states that sum over all updates. Each of k replicas sums over 1/k of the updates. */
  readonly sums: readonly string[];
}

/** States of rules whose step is proportional to 1/√sum, by rule name. */
const summing: Readonly<Record<string, readonly string[]>> = { adagrad: ["r"] };

/**
 * Returns the rule that each of k (`times`) replicas uses instead of the one-lane rule. Undefined if:
 * - the rule is a chain, or is not given by equations
 * - the rule has no `rate` option, or its schedule cannot be scaled exactly
 * - the rule estimates its own step size (its states remember all updates)
 * - the rate rises during the run, so that trials at the beginning say little about the rest
 *
 * The mean of k replicas moves by the mean of their steps, so one replica's step on a row moves the mean by 1/k of that
 * step. With k times the rate, the row moves the mean as far as it would move one lane. The noise of the averaged
 * replicas then equals that of one lane at its own rate. Update t of a replica corresponds to update k(t − 1) + 1 of
 * one lane, so schedules decay faster per update: η'_t = k η_{k(t−1)+1}. AdaGrad's sums cover only 1/k of the
 * gradients, which already makes its steps √k times as long. Its rate is therefore multiplied by √k only.
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

/** Whether the rule's steps become shorter during a run. */
export function shortens({ kind, name, options }: Rule): boolean {
  if (kind !== "equation") return false;
  const { rate } = options as { rate?: unknown };
  return name in summing || (isSchedule(rate) && rate.toJSON().schedule !== "constantRate");
}

/**
 * Whether the rule has a state, other than `sums`, that a zero gradient leaves unchanged. Such a state depends on all
 * updates, not just on recent ones.
 */
function remembers(rule: EquationRule, sums: readonly string[]): boolean {
  const { states, inputs } = rule.trace(vector("g"), vector("parameter"));
  const known = { g: 0, ...Object.fromEntries(inputs.map(({ name, value }) => [name, value])) };
  return states.some(({ name, next }) => !sums.includes(name) && substitute(next, known) === vector(name));
}

/** Returns the schedule η' = `factor` · η that advances `times` updates per step; undefined if it has no exact form. */
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
      // Otherwise each drop would fall between two updates of a replica, and the rounding errors would accumulate.
      return every % times === 0 ? made({ rate: factor * rate, every: every / times }) : undefined;
    case "optimalRate":
      return made({ alpha: (alpha * times) / factor, offset: 1 / (alpha * from.value(constant(1)).value * times) });
    default:
      return undefined;
  }
}
