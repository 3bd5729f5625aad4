import type { EquationRule, Rule } from "./kinds.ts";
import { definedRules } from "./rule.ts";
import { isSchedule, type Schedule, type ScheduleJson, scheduleFromJson } from "./schedule.ts";

/**
 * The rule with `times` its rate; undefined where it has none, one that is not in proportion to an option, or one that rises, of which a start says little.
 *
 * The mean of k replicas moves by the mean of their steps. What one of them learns from a row reaches the mean as a k-th, so that with k times the rate
 * a row moves the mean as far as it moves one lane, while the noise of k replicas, averaged, is that of one lane at its own rate.
 */
export function faster(rule: Rule, times: number): EquationRule | undefined {
  if (rule.kind !== "equation" || rule.parts.length > 0) return undefined;
  const { rate } = rule.options;
  const its = typeof rate === "number" ? times * rate : isSchedule(rate) ? higher(rate.toJSON(), times) : undefined;
  const make = definedRules.get(rule.name);
  return its === undefined || !make ? undefined : (make({ ...rule.options, rate: its }) as EquationRule);
}

/** Options of schedules that are rates. */
const rates = ["rate", "final"];

function higher(schedule: ScheduleJson, times: number): Schedule | undefined {
  const { options } = schedule;
  const { rate, final, factor } = options as Readonly<Record<string, number | undefined>>;
  const rises = schedule.schedule === "warmUp" || (factor ?? 1) > 1 || (final ?? 0) > Number(rate);
  if (typeof rate !== "number" || rises) return undefined;
  const its = Object.entries(options).map(([name, value]) => [name, rates.includes(name) ? times * (value as number) : value]);
  return scheduleFromJson({ ...schedule, options: Object.fromEntries(its) });
}
