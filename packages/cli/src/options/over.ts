import { ruleRegistry } from "ergodic/rules";
import type { SettingRange } from "ergodic/search";
import { UsageError } from "../errors.ts";
import { parseSpec } from "./spec.ts";
import { LINK } from "./things.ts";
import { type TrainOptions, usualRule } from "./training.ts";

const own = ["rate", "l1", "l2", "batch", "epochs"] as const;
type Own = (typeof own)[number];
const DIGITS = 4;

/**
 * The settings that `tune` searches: `rate:log:1e-4..1,l2:log:1e-6..1e-1,batch:int:1..256`.
 *
 *   range   name {":" how} ":" low ".." high
 *   how     log | int
 *   name    rate, l1, l2, batch, epochs; or a numeric option of the rule: beta1, in a chain also adam.beta1
 *
 * A setting is inserted into the options of `train` as a user would type it, with four significant digits.
 *
 * @throws UsageError for text that does not match, an unknown name, and an option that is both given and searched
 */
export type Over = Record<string, SettingRange>;

export function parseOver(text: string, options: TrainOptions): Over {
  return parseRanges(text, ["batch"], "rate:log:1e-4..1", (name) => refuseUnknown(name, options));
}

/** Parses ranges by name. `whole`: names that are always whole numbers; `check` refuses unknown names. */
export function parseRanges(text: string, whole: readonly string[], example: string, check: (name: string) => void): Over {
  const over: Over = {};
  for (const part of text.split(",").filter(Boolean)) {
    const [name, ...how] = part.split(":").map((word) => word.trim());
    const ends = /^(.+?)\.\.(.+)$/.exec(how.pop() ?? "");
    const [low, high] = (ends?.slice(1) ?? []).map(Number);
    const unknown = how.find((word) => word !== "log" && word !== "int");
    if (!ends || !Number.isFinite(low) || !Number.isFinite(high) || unknown !== undefined)
      throw new UsageError("--over", `"${part}" cannot be read; write name:low..high, name:log:low..high or name:int:low..high`);
    if (low > high || (how.includes("log") && low <= 0))
      throw new UsageError(
        "--over",
        `"${part}" is not a range; ${low > high ? "write the lower end first" : "with log, both ends must be > 0"}`,
      );
    if (Object.hasOwn(over, name)) throw new UsageError("--over", `${name} is given twice`);
    check(name);
    over[name] = {
      low,
      high,
      scale: how.includes("log") ? "log" : "linear",
      integer: how.includes("int") || whole.includes(name),
    };
  }
  if (Object.keys(over).length === 0) throw new UsageError("--over", `names nothing to search; write e.g. ${example}`);
  return over;
}

/** Rounds settings to the number of digits with which they are used and shown. */
export function readable(settings: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, Number(value.toPrecision(DIGITS))]));
}

/** Returns the options of `train` with these settings. */
export function withSettings<T extends TrainOptions>(options: T, settings: Readonly<Record<string, number>>): T {
  const set: T = { ...options };
  for (const [name, value] of Object.entries(readable(settings))) {
    if (name === "rate") set.rate = String(value);
    else if (isOwn(name)) (set as Partial<Record<Own, number | string>>)[name] = value;
    else set.rule = withRuleOption(ruleOf(set), name, value);
  }
  return set;
}

function isOwn(name: string): name is Own {
  return (own as readonly string[]).includes(name);
}

function ruleOf(options: TrainOptions): string {
  return options.rule ?? usualRule(options);
}

function refuseUnknown(name: string, options: TrainOptions): void {
  if (isOwn(name)) {
    if (options[name] === undefined) return;
    throw new UsageError("--over", `${name} is searched, and --${name} was given; leave one out`);
  }
  const rule = ruleOf(options);
  const known = rule.split(LINK).flatMap((link) => numbersOf(nameOf(link)));
  const link = rule.split(LINK)[linkWith(rule, name)];
  if (options.algorithm !== undefined || link === undefined) {
    const ofRule = options.algorithm === undefined && known.length > 0 ? `; of ${rule}: ${known.join(", ")}` : "";
    throw new UsageError("--over", `"${name}" is not known (known: ${own.join(", ")}${ofRule})`);
  }
  const key = name.slice(name.lastIndexOf(".") + 1);
  if (Object.hasOwn(parseSpec("--rule", link).options, key))
    throw new UsageError("--over", `${name} is searched, and --rule ${rule} sets it; leave one out`);
}

/** Adds an option to the rule's text. */
function withRuleOption(rule: string, name: string, value: number): string {
  const links = rule.split(LINK);
  const at = linkWith(rule, name);
  links[at] += `${links[at].includes(":") ? "," : ":"}${name.slice(name.lastIndexOf(".") + 1)}=${value}`;
  return links.join("+");
}

/** Returns the named link. If no link is named, returns the first link that has the option. */
function linkWith(rule: string, name: string): number {
  const dot = name.lastIndexOf(".");
  const key = name.slice(dot + 1);
  return rule
    .split(LINK)
    .findIndex((link) => (dot < 0 || nameOf(link) === name.slice(0, dot)) && numbersOf(nameOf(link)).includes(key));
}

function nameOf(link: string): string {
  return parseSpec("--rule", link).name;
}

/** Numeric options of a rule, except the rate, which --rate sets. */
function numbersOf(rule: string): string[] {
  if (!Object.hasOwn(ruleRegistry, rule)) return [];
  const options = Object.entries(ruleRegistry[rule].make().options as Record<string, unknown>);
  return options.filter(([key, value]) => typeof value === "number" && key !== "rate").map(([key]) => key);
}
