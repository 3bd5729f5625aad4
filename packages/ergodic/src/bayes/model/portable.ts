import type {
  BindOptions,
  DensityBinding,
  DiscretePlace,
  JsonObject,
  LogDensity,
  ParameterPlace,
  TemperedBinding,
} from "../../engine/contract/index.ts";
import { Arena } from "../../engine/memory/arena.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import type { Family } from "../../engine/memory/families.ts";
import { boundDensity } from "./bound.ts";
import type { ConditionedModel } from "./conditioned.ts";
import { familiesOfModel } from "./kernels-needed.ts";
import { densityBlock, type PortableForm, type PortableForms } from "./placed.ts";
import { LIKELIHOOD, POWER } from "./programs.ts";

/** A model and its data, in a form that can be sent to another thread. That thread needs the same kind of memory. */
export interface PortableDensity {
  readonly name: string;
  readonly dimension: number;
  readonly deterministic: boolean;
  readonly hasLikelihood: boolean;
  readonly parameters: readonly ParameterPlace[];
  readonly discrete: readonly DiscretePlace[];
  readonly quantities: readonly { readonly name: string }[];
  readonly hints: readonly JsonObject[];
  readonly facts: JsonObject;
  readonly dataShapes: Readonly<Record<string, number[]>>;
  /** Families of the kernels that it calls. */
  readonly families: readonly Family[];
  readonly forms: PortableForms;
}

/** Compiles every form of the density. */
export function portableOf(model: ConditionedModel): PortableDensity {
  const { name, dimension, deterministic, hasLikelihood, parameters, discrete, quantities } = model;
  return {
    ...{ name, dimension, deterministic, hasLikelihood, parameters, discrete },
    quantities: quantities.map((quantity) => ({ name: quantity.name })),
    hints: model.hints.map((hint) => ({ ...hint })),
    facts: model.facts,
    dataShapes: model.dataShapes,
    families: ["sampling", ...familiesOfModel(model.traced)],
    forms: model.portable(),
  };
}

/** Log density of a model that was traced and compiled on another thread. Such a density cannot draw from its prior. */
export class PortedDensity implements LogDensity {
  readonly name: string;
  readonly dimension: number;
  readonly deterministic: boolean;
  readonly hasLikelihood: boolean;
  readonly parameters: readonly ParameterPlace[];
  readonly discrete: readonly DiscretePlace[];
  readonly quantities: PortableDensity["quantities"];
  readonly hints: readonly JsonObject[];
  readonly facts: JsonObject;
  readonly dataShapes: Readonly<Record<string, number[]>>;
  private readonly engine: Engine;
  private readonly forms: PortableForms;

  constructor({ forms, ...known }: PortableDensity, engine: Engine) {
    this.name = known.name;
    this.dimension = known.dimension;
    this.deterministic = known.deterministic;
    this.hasLikelihood = known.hasLikelihood;
    this.parameters = known.parameters;
    this.discrete = known.discrete;
    this.quantities = known.quantities;
    this.hints = known.hints;
    this.facts = known.facts;
    this.dataShapes = known.dataShapes;
    this.engine = engine;
    this.forms = forms;
  }

  bind(options: BindOptions): DensityBinding {
    const { gradient = true } = options;
    return boundDensity(this, this.engine, options, (arena) => ({
      model: this.place(arena, this.forms.density[Number(gradient)], []),
    }));
  }

  bindTempered(options: BindOptions): TemperedBinding {
    const { gradient = true } = options;
    return boundDensity(this, this.engine, options, (arena) => {
      const [power, likelihood] = [arena.take(8), arena.take(8)];
      const cells = [
        [POWER, power],
        [LIKELIHOOD, likelihood],
      ] as const;
      return { power, likelihood, model: this.place(arena, this.forms.tempered[Number(gradient)], cells) };
    });
  }

  /** Evaluates log p(u) and its gradient on this thread. */
  evaluate(u: ArrayLike<number>): { value: number; gradient: Float64Array } {
    const binding = this.bind({ lane: 0, purpose: "evaluation" });
    const arena = new Arena(this.engine.memory, "evaluation");
    try {
      const [x, gradient] = [arena.copy(Float64Array.from(u)), arena.take(8 * this.dimension)];
      const value = this.engine.atSlot(binding.slot)(binding.model, x, gradient);
      return { value, gradient: this.engine.memory.f64(gradient, this.dimension).slice() };
    } finally {
      arena.dispose();
      binding.dispose();
    }
  }

  private place(arena: Arena, form: PortableForm, buffers: readonly (readonly [string, number])[]): number {
    return placeForm(this.engine, this.deterministic, arena, form, buffers);
  }
}

/** Places code and data from another thread as a LOG_DENSITY block. `buffers`: addresses by name. */
export function placeForm(
  engine: Engine,
  deterministic: boolean,
  arena: Arena,
  form: PortableForm,
  buffers: readonly (readonly [string, number])[],
): number {
  const holder = form.callsKernels ? { holder: arena, deterministic } : { holder: arena };
  const { run } = engine.link(form.bytes, ["run"], holder);
  const fixed = Object.entries(form.fixed).map(([name, values]) => [name, arena.copy(values)] as const);
  return densityBlock(engine, arena, { image: form.image, slot: run.slot }, [...fixed, ...buffers]);
}
