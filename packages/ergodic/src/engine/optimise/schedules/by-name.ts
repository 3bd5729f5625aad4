/** Registry of schedules by name, so that files and command lines can make them from JSON. */
import { checkNamedJson, checkOptionsJson } from "../../errors/checks.ts";
import { checkKeys } from "../../errors/errors.ts";
import type { OptionValue } from "../kinds.ts";
import type { Schedule, ScheduleJson } from "../schedule.ts";
import * as all from "./index.ts";

const schedules: Readonly<Record<string, (options: never) => Schedule>> = { ...all };

/** Names of the built-in schedules. */
export const scheduleNames = (): string[] => Object.keys(schedules).sort();

/**
 * Returns the schedule described by its `toJSON()`.
 * @throws OptionError for an unknown name
 */
export function scheduleFromJson(json: ScheduleJson): Schedule {
  checkNamedJson("scheduleFromJson", json, "schedule", "a schedule");
  checkOptionsJson("scheduleFromJson", json.options);
  checkKeys("schedule", { [json.schedule]: 1 }, scheduleNames());
  const make = schedules[json.schedule] as unknown as (options: object) => Schedule;
  return make(
    Object.fromEntries(Object.entries(json.options).map(([k, v]) => [k, typeof v === "number" ? v : scheduleFromJson(v)])),
  );
}

/** Returns a rule's options, with their schedules, from the options in its `toJSON()`. */
export function ruleOptionsFromJson(options: Readonly<Record<string, unknown>>): Record<string, OptionValue | Schedule> {
  const made = Object.entries(options).map(([key, value]) => [
    key,
    typeof value === "object" ? scheduleFromJson(value as ScheduleJson) : value,
  ]);
  return Object.fromEntries(made);
}
