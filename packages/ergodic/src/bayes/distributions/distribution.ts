import { constantArray, isArray, type SymbolicArray, toArray } from "../../engine/compiler/index.ts";
import { checkArgument, checkedItself, operation } from "../../engine/compiler/signature.ts";
import { Registry } from "../../engine/contract/registry.ts";
import { isPlainObject, refuse } from "../../engine/errors/checks.ts";
import { CompileError, OptionError } from "../../engine/errors/errors.ts";
import type { Draws } from "../../engine/random/stream.ts";
import { withUserLine } from "../model/user-line.ts";
import { type Constraint, checkConstraint, type NumberOf, rankOf, type Support } from "./constraint.ts";
import type { Family } from "./family.ts";
import { parameter } from "./kinds.ts";
import { Distribution } from "./value.ts";

/** Parameter of a distribution: a number, a vector or matrix of numbers, or a symbolic array. */
export type Parameter = SymbolicArray | number | ArrayLike<number> | readonly (readonly number[])[];

type Symbolic<C> = { readonly [K in keyof C]: SymbolicArray };
type Numbers<C> = { readonly [K in keyof C]: NumberOf<C[K]> };

/** Definition of a family. The constraints determine the types of its parameters. */
export interface Definition<C> {
  readonly kind: "continuous" | "discrete";
  readonly eventRank?: 0 | 1 | 2;
  /**
   * Two parameters. The first must be below the second. For distributions of whole numbers, the two parameters may be
   * equal.
   */
  readonly increasing?: readonly [low: keyof C & string, high: keyof C & string];
  /**
   * Scale parameter of a location-scale family: x = mu + scale·z, where z follows the family with mu = 0 and scale = 1.
   * With `log`, this form applies to log x instead of x. Such parameters can be non-centred.
   */
  readonly locationScale?: { readonly scale: keyof C & string; readonly log?: boolean };
  /**
   * Example for the tests: parameters and values x for which the density, distribution function, tails and sampler are
   * compared with each other. `mutant`: wrong parameters that 20,000 draws can distinguish from the right ones.
   * Required for distributions that the tests do not list in a table of their own.
   */
  readonly example?: {
    readonly parameters: readonly Parameter[];
    readonly x: readonly number[];
    readonly mutant: readonly Parameter[];
  };
  support(parameters: Symbolic<C>): Support;
  logDensity(x: SymbolicArray, parameters: Symbolic<C>): SymbolicArray;
  logCdf?(x: SymbolicArray, parameters: Symbolic<C>): SymbolicArray;
  logSurvival?(x: SymbolicArray, parameters: Symbolic<C>): SymbolicArray;
  sample(draws: Draws, parameters: Numbers<C>): number | Float64Array;
  cdf?(x: number, parameters: Numbers<C>): number;
  survival?(x: number, parameters: Numbers<C>): number;
  quantile?(p: number, parameters: Numbers<C>): number;
  upperQuantile?(q: number, parameters: Numbers<C>): number;
  mean?(parameters: Numbers<C>): number | Float64Array;
  variance?(parameters: Numbers<C>): number | Float64Array;
}

export type DistributionOf = (...parameters: Parameter[]) => Distribution;

const defined = new Registry<DistributionOf>("distribution");
const examples = new Map<string, NonNullable<Definition<unknown>["example"]>>();
const parametersOf = new Map<string, Readonly<Record<string, Constraint>>>();

/**
 * Defines a distribution and registers its name. A definition consists of a name, the constraints of its parameters,
 * its log density in the compiler's arrays, and functions of plain numbers. These functions are an exact sampler and,
 * if they have a closed form, the distribution function, its inverse, the mean and the variance.
 *
 * `distribution(name, constraints, definition)` returns the function that users call with parameters, in the order of
 * the constraints: `normal(mu, sigma)`. Parameters are numbers, arrays of numbers or symbolic arrays, and broadcast.
 *
 * Outside the support, the log density is −∞ and its gradient is meaningless. Parameters that violate their constraints
 * give NaN, or an error if they are plain numbers.
 *
 * @throws OptionError [NAME_TAKEN] for a name of this library
 */
export function distribution<const C extends Readonly<Record<string, Constraint>>>(
  name: string,
  constraints: C,
  definition: Definition<C>,
): DistributionOf {
  if (typeof name !== "string") refuse("distribution", "name", name, "a string", '"halfStudent"');
  if (!isPlainObject(constraints))
    refuse("distribution", "constraints", constraints, "the constraint of each parameter by name", '{ scale: "positive" }');
  if (!isPlainObject(definition))
    refuse("distribution", "the definition", definition, "an object", "{ kind, support, logDensity, … }");
  const family = { ...definition, name, constraints } as unknown as Family;
  const names = Object.keys(constraints);
  const kinds = Object.fromEntries(names.map((key) => [key, parameter]));
  const { increasing, kind } = definition;
  const build: DistributionOf = (...given) => {
    const parameters = Object.fromEntries(names.map((key, i) => [key, parameterArray(name, key, constraints[key], given[i])]));
    if (increasing) checkOrder(name, parameters, increasing, kind === "discrete");
    return new Distribution(family, parameters);
  };
  const checked = operation(name, kinds, build);
  const make = checkedItself<DistributionOf>(name, (...given) => withUserLine(() => checked(...given)));
  defined.define(name, make);
  parametersOf.set(name, constraints);
  if (definition.example) examples.set(name, definition.example);
  return make;
}

export const distributionNames = (): string[] => defined.names();

/** Returns the builder of a distribution by name; undefined if unknown. */
export const distributionOf = (name: string): DistributionOf | undefined => defined.get(name);

/** Examples in definitions, by name. */
export const distributionExamples = (): ReadonlyMap<string, NonNullable<Definition<unknown>["example"]>> => examples;

/**
 * Constraints of a distribution's parameters by name, in the order of its arguments; undefined if the distribution is
 * unknown.
 */
export const constraintsOf = (name: string): Readonly<Record<string, Constraint>> | undefined => parametersOf.get(name);

/** Reserves the given names, and the names of all distributions defined so far, for this library. */
export const reserveDistributionNames = (names: readonly string[]): void => defined.reserve(...names);

/** @throws OptionError if numbers violate the constraint; CompileError if the parameter has too few axes */
export function parameterArray(where: string, name: string, constraint: Constraint, given: Parameter): SymbolicArray {
  checkArgument(where, name, parameter, given);
  const rank = rankOf(constraint);
  const array = isArray(given) ? given : numbersAsArray(given);
  if (array.rank < rank)
    throw new CompileError(
      where,
      `${name} has ${array.rank} axes, but must be ${rank === 1 ? "a vector" : "a matrix"}; give it more`,
      "COMPILE_SHAPE",
    );
  if (rank === 2 && array.shape[array.rank - 1] !== array.shape[array.rank - 2])
    throw new CompileError(where, `${name} has shape [${array.shape.join(", ")}], but must be square`, "COMPILE_SHAPE");
  const numbers = constantsOf(array);
  if (!numbers) return array;
  const size = rank === 0 ? 1 : array.shape.slice(array.rank - rank).reduce((a, b) => a * b, 1);
  for (let from = 0; from < numbers.length; from += size)
    checkConstraint(where, name, constraint, numbers.subarray(from, from + size));
  return array;
}

/** @throws OptionError if two parameters with known numbers are in the wrong order */
export function checkOrder(
  where: string,
  parameters: Readonly<Record<string, SymbolicArray | undefined>>,
  [low, high]: readonly [string, string],
  mayBeEqual = false,
): void {
  const [lows, highs] = [parameters[low], parameters[high]].map((array) => array && constantsOf(array));
  if (!lows || !highs) return;
  for (let i = 0; i < Math.max(lows.length, highs.length); i++) {
    const [from, to] = [lows[lows.length === 1 ? 0 : i], highs[highs.length === 1 ? 0 : i]];
    if (from > to || (from === to && !mayBeEqual))
      throw new OptionError(
        where,
        `${low} is ${from} and ${high} is ${to}, but ${low} must be below ${high}${from > to ? "; exchange them" : ""}`,
        "OPTION_RANGE",
      );
  }
}

/** Returns the numbers of a constant; undefined if the array depends on inputs. */
function constantsOf(array: SymbolicArray): Float64Array | undefined {
  if (array.op === "full") return new Float64Array(array.size).fill(array.attributes as number);
  return array.op === "constant" ? (array.attributes as Float64Array) : undefined;
}

function numbersAsArray(given: Exclude<Parameter, SymbolicArray>): SymbolicArray {
  if (typeof given === "number" || !Array.isArray(given) || !Array.isArray(given[0])) return toArray(given as number | number[]);
  const rows = given as readonly (readonly number[])[];
  return constantArray(rows.flat(), [rows.length, rows[0].length]);
}
