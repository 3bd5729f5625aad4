/** Objective of a mode search: a model's log density, evaluated locally or in a worker. */

import type { ParameterPlace } from "../../engine/contract/index.ts";
import { CapabilityError } from "../../engine/errors/errors.ts";
import { Arena } from "../../engine/memory/arena.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import type { Family } from "../../engine/memory/families.ts";
import { own } from "../../engine/memory/memory.ts";
import { ConditionedModel } from "../model/index.ts";
import { familiesOfModel } from "../model/kernels-needed.ts";
import type { PortableForm } from "../model/placed.ts";
import { placeForm } from "../model/portable.ts";
import type { ModeOptions } from "./mode-options.ts";

/** Position of a parameter's unconstrained numbers, with the shape and transform of the parameter. */
export interface ModePlace extends ParameterPlace {
  /** Shape of the parameter's values. */
  readonly shape: readonly number[];
  /** Name of the transform from the unconstrained numbers. */
  readonly transform: string;
}

/** The log density of a model's constrained values (without log |J|), as a function of its unconstrained numbers. */
export interface ModeTarget {
  readonly name: string;
  readonly dimension: number;
  readonly places: readonly ModePlace[];
  /** Starting point, if there is only one start. */
  readonly start?: Float64Array | undefined;
  evaluate(u: Float64Array): { value: number; gradient: Float64Array };
  /** Explains which term is not finite at these points. */
  explain?(points: readonly Float64Array[]): string | undefined;
  dispose(): void;
}

/** A mode target as plain data. */
export interface PortableMode extends Pick<ModeTarget, "name" | "dimension" | "places" | "start"> {
  readonly deterministic: boolean;
  readonly families: readonly Family[];
  readonly form: PortableForm;
}

/**
 * Makes a target with the density of the model's constrained values, not of its unconstrained numbers. @throws
 * CapabilityError for discrete parameters
 */
export function modeTarget(
  given: ConditionedModel,
  engine: Engine,
  { start }: ModeOptions,
): ModeTarget & { readonly model: ConditionedModel } {
  const { traced, name, dimension } = given;
  if (given.discrete.length > 0)
    throw new CapabilityError(
      "fit",
      `"${given.discrete[0].name}" is discrete, but a mode search follows gradients; sum it out with marginalise()`,
      "SAMPLE_DISCRETE",
    );
  const model = new ConditionedModel(name, { ...traced, logDensity: traced.modeObjective }, engine, given.deterministic);
  return {
    ...{ model, name, dimension },
    places: given.parameters.map((place, i) => {
      const { shape, transform } = traced.parameters[i];
      return { ...place, shape, transform: transform.name };
    }),
    start: start && given.unconstrain(start),
    evaluate: (u) => model.evaluate(u),
    explain: (points) => model.explain(points),
    dispose: () => model.dispose(),
  };
}

export function portableMode({ model, name, dimension, places, start }: ReturnType<typeof modeTarget>): PortableMode {
  const { deterministic, traced } = model;
  const families = ["sampling", ...familiesOfModel(traced)] as const;
  return { name, dimension, places, start, deterministic, families, form: model.portableDensity() };
}

/** A mode target received from another thread. */
export class PortedMode implements ModeTarget {
  readonly name: string;
  readonly dimension: number;
  readonly places: readonly ModePlace[];
  readonly start: Float64Array | undefined;
  private readonly engine: Engine;
  private readonly arena: Arena;
  private readonly call: () => number;
  private readonly x: number;
  private readonly gradient: number;

  constructor({ name, dimension, places, start, deterministic, form }: PortableMode, engine: Engine) {
    this.name = name;
    this.dimension = dimension;
    this.places = places;
    this.start = start;
    this.engine = engine;
    this.arena = new Arena(engine.memory, `mode of ${name}`);
    const density = placeForm(engine, deterministic, this.arena, form, []);
    const [x, gradient] = [this.arena.take(8 * dimension), this.arena.take(8 * dimension)];
    this.x = x;
    this.gradient = gradient;
    this.arena.ownedBy(this, own);
    const kernel = engine.kernel("logDensityGradient", deterministic);
    this.call = () => kernel(density, x, gradient);
  }

  evaluate(u: Float64Array): { value: number; gradient: Float64Array } {
    const { engine, x, gradient, dimension } = this;
    engine.memory.f64(x, dimension).set(u);
    const value = this.call();
    return { value, gradient: engine.memory.f64(gradient, dimension).slice() };
  }

  dispose(): void {
    this.arena.dispose();
  }
}
