/**
 * Values for the options of factories with a declaration, as options.test.ts tries them: the values that each option
 * accepts, and a call. Options whose declaration leaves the check to the factory ("own") are declared here.
 */
import { samplerRegistry } from "../../../src/bayes/samplers/registry.ts";
import type { Accepted, Accepts, Declaration } from "../../../src/engine/errors/options.ts";
import * as rules from "../../../src/engine/optimise/rules/index.ts";
import * as scheduleFactories from "../../../src/engine/optimise/schedules/index.ts";
import { inferenceRegistry } from "../../../src/graphs/infer/registry.ts";
import { learnerRegistry } from "../../../src/graphs/learn/registry.ts";
import * as lossFactories from "../../../src/learning/models/losses/index.ts";
import { layerDefinition, layerKinds } from "../../../src/learning/models/neural/layers/by-kind.ts";
import * as searchFactories from "../../../src/search/algorithms/all.ts";
import type { Declared } from "./factories.ts";
import { callable, either, flag, group, list, made, none, number, one, type Takes, text, whole } from "./values.ts";

const below1: Takes = (value) => number(0)(value) && value !== 0 && value !== 1 && number(0, 1)(value);
const ladder: Takes = (value) => Array.isArray(value) && value.length === 1 && value[0] === 1;
const tempered = {
  tempered: either(flag, group),
  "tempered.temperatures": ladder,
  "tempered.count": whole(1, 1024),
  "tempered.lowest": below1,
  "tempered.swapEvery": whole(1, 2 ** 31),
};
const extent = whole(1);
const list1: Takes = (value) => Array.isArray(value) && value.every((n) => n === 1);

/** Values accepted by options that the factory checks itself, by option or by factory and option. */
const own: Readonly<Record<string, Readonly<Record<string, Takes>>>> = {
  blocks: { blocks: none },
  tempered,
  inner: { inner: made("a sampler") },
  name: { name: (value) => typeof value === "string" && /^[^.\s]+$/.test(value) },
  initial: { initial: none },
  initialBias: { initialBias: none },
  initialHidden: { initialHidden: none },
  kernel: { kernel: extent },
  stride: { stride: extent },
  dilation: { dilation: extent },
  size: { size: extent },
  padding: { padding: whole(0) },
  shape: { shape: list1 },
};

/** A valid value for a required option, needed to test the other options. */
const sample = (accepts: Accepts): unknown => (Array.isArray(accepts) ? accepts[0] : typeof accepts === "string" ? true : 100);

function takesOf(name: string, accepts: Accepts): Readonly<Record<string, Takes>> {
  if (accepts === "own") {
    if (own[name]) return own[name];
    throw new Error(`the option ${name} is "own", but what it takes is not declared in test/conformance/options/declared.ts`);
  }
  if (accepts === "boolean") return { [name]: flag };
  if (accepts === "string") return { [name]: text };
  if (accepts === "function") return { [name]: callable };
  if (Array.isArray(accepts)) return { [name]: one(...accepts) };
  if ("either" in accepts) {
    const all = accepts.either.map((each) => takesOf(name, each));
    return { ...Object.assign({}, ...all), [name]: either(...all.map((takes) => takes[name])) };
  }
  if ("numbers" in accepts) return { [name]: list(takesOf(name, accepts.numbers)[name], { empty: true }) };
  if ("options" in accepts) {
    const inner = Object.entries(accepts.options).flatMap(([key, each]) => Object.entries(takesOf(`${name}.${key}`, each)));
    return { [name]: accepts.required ? none : group, ...Object.fromEntries(inner) };
  }
  const { low = -Infinity, high = Infinity, open = false, integer = false } = accepts as Record<string, never>;
  const within = integer ? whole(low, high) : number(low, high);
  return { [name]: (value) => within(value) && !(open && value === low) };
}

/** Other required options of the same nested object, by the path of the tested option. */
function baseOf(options: Accepted): Readonly<Record<string, object>> {
  const nested = ([name, accepts]: [string, Accepts]): [string, object][] => {
    if (typeof accepts !== "object" || Array.isArray(accepts)) return [];
    if ("either" in accepts) return accepts.either.flatMap((each) => nested([name, each]));
    if (!("options" in accepts) || !accepts.required) return [];
    const needed = Object.fromEntries(accepts.required.map((key) => [key, sample((accepts.options as Accepted)[key])]));
    return Object.keys(accepts.options).map((key) => [`${name}.${key}`, { [name]: needed }]);
  };
  return Object.fromEntries(Object.entries(options).flatMap(nested));
}

export function declaredOf(call: (options: never) => unknown, { options }: Omit<Declaration, "name">): Declared {
  const takes = Object.entries(options).flatMap(([name, accepts]) => Object.entries(takesOf(name, accepts)));
  return { call, options: Object.fromEntries(takes), base: baseOf(options) };
}

type Table = Readonly<Record<string, Declared>>;
type Carries = ((options?: never) => unknown) & { readonly declaration: Declaration };

const tableOf = (all: object): Table =>
  Object.fromEntries(
    Object.entries(all)
      .filter((entry): entry is [string, Carries] => "declaration" in Object(entry[1]))
      .map(([name, factory]) => [name, declaredOf(factory, factory.declaration)]),
  );

/** Numeric options without a range, as "rule.option". */
export const withoutRange = (): string[] =>
  [rules, scheduleFactories, searchFactories, lossFactories, inferenceRegistry, learnerRegistry, samplerRegistry].flatMap((all) =>
    Object.values(all as Readonly<Record<string, Partial<Carries>>>).flatMap(({ declaration }) =>
      Object.entries(declaration?.options ?? {}).flatMap(([option, accepts]) =>
        typeof accepts === "object" && Object.keys(accepts).length === 0 ? [`${declaration!.name}.${option}`] : [],
      ),
    ),
  );

export const ruleOptions = tableOf(rules);
export const scheduleOptions = tableOf(scheduleFactories);
export const searchOptions = tableOf(searchFactories);
export const lossOptions = tableOf(lossFactories);
export const inferenceOptions = tableOf(inferenceRegistry);
export const learnerOptions = tableOf(learnerRegistry);
export const samplerOptions = tableOf(samplerRegistry);

/** Layers with a definition. Layers made of other layers are in factories.ts. */
export const layerOptions: Table = Object.fromEntries(
  layerKinds().flatMap((kind) => {
    const { make, facts } = layerDefinition(kind)!;
    const example = facts.example?.options;
    if (!example || !facts.options) return [];
    const call = (options: object): unknown =>
      make(Object.prototype.toString.call(options) === "[object Object]" ? { ...example, ...options } : options);
    const known = { ...(facts.options as Accepted), name: "own" as const };
    return [[kind, declaredOf(call, { options: known })]];
  }),
);
