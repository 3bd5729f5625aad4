/**
 * Rules, schedules, losses, variance reduction and feature maps from their words on the command line.
 *
 * A chain of rules is joined by +: `clipNorm:norm=1+adam:rate=0.01`. `--rate` sets the rate of the rule (of a chain: of the first
 * link that has one): a number, or a schedule: `cosineDecay:rate=0.1,updates=1000`.
 *
 * @throws UsageError, or OptionError from the thing itself
 */
import {
  adagrad,
  chain,
  type EquationRule,
  fastfood,
  type Loss,
  lossFrom,
  lossNames,
  orthogonal,
  type RandomFeatures,
  type Rule,
  rff,
  rules,
  type Schedule,
  sag,
  saga,
  scheduleFromJson,
  sgd,
  sorf,
  svrg,
  type Variance,
} from "ergodic";
import { UsageError } from "../errors.ts";
import { parseSpec, type Spec, type SpecValue } from "./spec.ts";

const featureMaps: Readonly<Record<string, (options: { count: number }) => RandomFeatures>> = { rff, orthogonal, sorf, fastfood };
const variances: Readonly<Record<string, (options?: { every?: number }) => Variance>> = {
  svrg,
  saga: () => saga(),
  sag: () => sag(),
};

/** A line of its own between links, for a plus sign may stand in a number. */
const LINK = /\+(?=[A-Za-z])/;

export function parseRule(text: string | undefined, rate: string | undefined, variance: boolean): Rule | undefined {
  const given = rate === undefined ? undefined : parseRate(rate);
  if (text === undefined) {
    if (given === undefined) return undefined;
    return variance ? sgd({ rate: given }) : adagrad({ rate: given });
  }
  const links = text.split(LINK).map((link) => parseSpec("--rule", link));
  const rated = given === undefined ? -1 : linkWithRate(links);
  const made = links.map((spec, i) => makeRule(spec, i === rated ? given : undefined));
  return made.length === 1 ? made[0] : chain(...(made as EquationRule[]));
}

export function parseRate(text: string): number | Schedule {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  return makeSchedule(parseSpec("--rate", text));
}

export function parseLoss(text: string): Loss {
  const { name, options } = parseSpec("--loss", text);
  const found = lossFrom({ name, ...numbersOf("--loss", options) });
  if (found) return found;
  throw unknown("--loss", name, lossNames());
}

export function parseVariance(text: string): Variance {
  const { name, options } = parseSpec("--variance", text, "every");
  if (!Object.hasOwn(variances, name)) throw unknown("--variance", name, Object.keys(variances));
  if (name !== "svrg" && Object.keys(options).length > 0) throw new UsageError("--variance", `${name} takes no options`);
  return variances[name](numbersOf("--variance", options));
}

export function parseFeatures(text: string, seed: number | undefined): RandomFeatures {
  const { name, options } = parseSpec("--features", text, "count");
  if (!Object.hasOwn(featureMaps, name)) throw unknown("--features", name, Object.keys(featureMaps));
  if (options.count === undefined)
    throw new UsageError("--features", `${name} needs the number of features to make, e.g. ${name}:2000`);
  return featureMaps[name]({ ...(seed === undefined ? {} : { seed }), ...options } as { count: number });
}

/** `balanced`, or `name=weight,name=weight`. */
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

function makeRule({ name, options }: Spec, rate: number | Schedule | undefined): Rule {
  if (!Object.hasOwn(rules, name)) throw unknown("--rule", name, Object.keys(rules));
  if (rate !== undefined && options.rate !== undefined)
    throw new UsageError("--rate", `the rate is given twice, here and in --rule; leave one out`);
  const made = Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key, typeof value === "object" ? makeSchedule(value) : value]),
  );
  return rules[name].make(rate === undefined ? made : { ...made, rate });
}

function makeSchedule({ name, options }: Spec): Schedule {
  type Json = Parameters<typeof scheduleFromJson>[0];
  const json = (value: SpecValue): Json["options"][string] => {
    if (typeof value === "number") return value;
    if (typeof value === "object") return { schedule: value.name, options: mapped(value.options) };
    throw new UsageError("--rate", `"${String(value)}" is no number and no schedule`);
  };
  const mapped = (from: Record<string, SpecValue>): Json["options"] =>
    Object.fromEntries(Object.entries(from).map(([key, value]) => [key, json(value)]));
  return scheduleFromJson({ schedule: name, options: mapped(options) });
}

/** The first link that has a rate; the last, which then refuses it, if none has. */
function linkWithRate(links: readonly Spec[]): number {
  const at = links.findIndex(({ name }) => Object.hasOwn(rules, name) && "rate" in rules[name].make().options);
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
