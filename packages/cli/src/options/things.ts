/**
 * Parses algorithms, rules, schedules, losses, variance reduction and feature maps from their words on the command
 * line.
 *
 * A chain of rules is joined by +: `clipNorm:norm=1+adam:rate=0.01`. `--rate` sets the rate of the rule (in a chain: of
 * the first link that has one), as a number or a schedule: `cosineDecay:rate=0.1,updates=1000`.
 *
 * @throws UsageError, or OptionError from the algorithm, rule or loss itself
 */
import { coordinateDescent, newtonCholesky } from "ergodic";
import { featureMaps, type RandomFeatures } from "ergodic/data";
import type { Algorithm } from "ergodic/extend";
import { type DualCoordinateDescentOptions, dualCoordinateDescent, type NewtonCholeskyOptions } from "ergodic/learning";
import { type Loss, lossFromJson, lossNames } from "ergodic/losses";
import {
  type Rule,
  type RuleJson,
  ruleFromJson,
  ruleRegistry,
  type ScheduleJson,
  scheduleFromJson,
  scheduleNames,
  type Variance,
  varianceFromJson,
} from "ergodic/rules";
import type { CoordinateDescentOptions } from "ergodic/search";
import { UsageError } from "../errors.ts";
import { parseSpec, type Spec, type SpecValue } from "./spec.ts";

/** Separator between links. A letter must follow the plus sign, because the sign can also be part of a number. */
export const LINK = /\+(?=[A-Za-z])/;

const algorithms: Readonly<Record<string, (options: Spec["options"]) => Algorithm | "auto" | "gradient">> = {
  auto(options) {
    if (Object.keys(options).length === 0) return "auto";
    throw new UsageError("--algorithm", "auto takes no options; name an algorithm to set its options");
  },
  gradient(options) {
    if (Object.keys(options).length === 0) return "gradient";
    throw new UsageError("--algorithm", "gradient takes no options; write them as --rule, --rate and --variance");
  },
  coordinate({ rows, rate, ...options }) {
    const steps = typeof rate === "object" ? scheduleFromJson(scheduleJson(rate)) : rate;
    const estimate = rows === undefined && rate === undefined ? {} : { estimate: { rows, rate: steps } };
    return coordinateDescent({ ...options, ...estimate } as CoordinateDescentOptions);
  },
  newton: (options) => newtonCholesky(options as NewtonCholeskyOptions),
  dual: (options) => dualCoordinateDescent(options as DualCoordinateDescentOptions),
};

/** Parses an algorithm. `coordinate:rows=…,rate=…` estimates partial derivatives. */
export function parseAlgorithm(text: string): Algorithm | "auto" | "gradient" {
  const { name, options } = parseSpec("--algorithm", text);
  if (!Object.hasOwn(algorithms, name)) throw unknown("--algorithm", name, Object.keys(algorithms));
  return algorithms[name](options);
}

/** Parses a rule. `usual`: the rule to use if only a rate is given. */
export function parseRule(text: string | undefined, rate: string | undefined, usual: string): Rule | undefined {
  const given = rate === undefined ? undefined : parseRate(rate);
  if (text === undefined) {
    if (given === undefined) return undefined;
    return ruleFromJson({ rule: usual, options: { rate: given } });
  }
  const links = text.split(LINK).map((link) => parseSpec("--rule", link));
  for (const { name } of links) if (!Object.hasOwn(ruleRegistry, name)) throw unknown("--rule", name, Object.keys(ruleRegistry));
  const rated = given === undefined ? -1 : linkWithRate(links);
  const parts = links.map((spec, i) => ruleJson(spec, i === rated ? given : undefined));
  return ruleFromJson(parts.length === 1 ? parts[0] : { rule: "chain", parts });
}

function parseRate(text: string): number | ScheduleJson {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  return scheduleJson(parseSpec("--rate", text));
}

export function parseLoss(text: string): Loss {
  const { name, options } = parseSpec("--loss", text);
  if (!lossNames().includes(name)) throw unknown("--loss", name, lossNames());
  return lossFromJson({ name, ...numbersOf("--loss", options) });
}

export function parseVariance(text: string): Variance {
  const { name, options } = parseSpec("--variance", text, "every");
  return varianceFromJson({ name, ...numbersOf("--variance", options) });
}

export function parseFeatures(text: string, seed: number | undefined): RandomFeatures {
  const { name, options } = parseSpec("--features", text, "count");
  if (!Object.hasOwn(featureMaps, name)) throw unknown("--features", name, Object.keys(featureMaps));
  if (options.count === undefined)
    throw new UsageError("--features", `${name} needs the number of features to make, e.g. ${name}:2000`);
  return featureMaps[name]({ ...(seed === undefined ? {} : { seed }), ...options } as { count: number });
}

/** Parses `balanced`, or `name=weight,name=weight`. */
export function parseClassWeights(text: string): "balanced" | Record<string, number> {
  if (text === "balanced") return text;
  return Object.fromEntries(
    text.split(",").map((part) => {
      const at = part.lastIndexOf("=");
      const weight = Number(part.slice(at + 1));
      if (at > 0 && part.slice(at + 1).trim() !== "" && Number.isFinite(weight)) return [part.slice(0, at), weight];
      throw new UsageError("--class-weights", `"${part}" cannot be read; write balanced, or class=weight,class=weight`);
    }),
  );
}

function ruleJson({ name, options }: Spec, rate: number | ScheduleJson | undefined): RuleJson {
  if (rate !== undefined && options.rate !== undefined)
    throw new UsageError("--rate", `the rate is given twice, here and in --rule; leave one out`);
  const made = Object.entries(options).map(([key, value]) => [key, typeof value === "object" ? scheduleJson(value) : value]);
  return { rule: name, options: { ...Object.fromEntries(made), ...(rate === undefined ? {} : { rate }) } };
}

function scheduleJson({ name, options }: Spec): ScheduleJson {
  if (!scheduleNames().includes(name))
    throw new UsageError(
      "--rate",
      `"${name}" is neither a number nor a schedule; write 0.01 or cosineDecay:rate=0.1,updates=1000 (known: ${scheduleNames().join(", ")})`,
    );
  const json = (value: SpecValue): number | ScheduleJson => {
    if (typeof value === "number") return value;
    if (typeof value === "object") return scheduleJson(value);
    throw new UsageError("--rate", `"${String(value)}" is neither a number nor a schedule`);
  };
  return { schedule: name, options: Object.fromEntries(Object.entries(options).map(([key, value]) => [key, json(value)])) };
}

/**
 * Returns the first link with a rate. If there is none, returns the last link, which refuses the rate with an error.
 */
function linkWithRate(links: readonly Spec[]): number {
  const at = links.findIndex(({ name }) => "rate" in ruleRegistry[name].make().options);
  return at < 0 ? links.length - 1 : at;
}

function numbersOf(flag: string, options: Record<string, SpecValue>): Record<string, number> {
  for (const [key, value] of Object.entries(options)) {
    if (typeof value !== "number") throw new UsageError(flag, `${key} is ${JSON.stringify(value)}, but must be a number`);
  }
  return options as Record<string, number>;
}

function unknown(flag: string, name: string, known: readonly string[]): UsageError {
  const near = known.find((k) => k.toLowerCase() === name.toLowerCase() || k.startsWith(name) || name.startsWith(k));
  return new UsageError(flag, `"${name}" is not known${near ? `; did you mean ${near}?` : ""} (known: ${known.join(", ")})`);
}
