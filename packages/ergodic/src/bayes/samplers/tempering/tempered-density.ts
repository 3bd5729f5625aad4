import type { BindOptions, DensityBinding, LogDensity, TemperedBinding } from "../../../engine/contract/index.ts";
import { assert } from "../../../engine/errors/errors.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import * as field from "../../fields.ts";

/**
 * A log density at many powers, one per lane. At power β, the value is log prior + β log likelihood if the density has
 * a likelihood and can separate both parts (`bindTempered`). In all other cases, the value is β log density.
 *
 * Lane l has the power powers[l], which can change between evaluations. `likelihood(l)` is the term that was multiplied
 * by β in the lane's last evaluation.
 */
export class TemperedDensity implements LogDensity {
  readonly dimension: number;
  readonly hasGradient: boolean;
  readonly onThisThread: boolean;
  readonly discrete: LogDensity["discrete"];
  readonly parameters: LogDensity["parameters"];
  /** Whether β multiplies the whole density. */
  readonly isWhole: boolean;
  private readonly engine: Engine;
  private readonly deterministic: boolean;
  private readonly density: LogDensity;
  private readonly powers: Float64Array;
  private readonly bound = new Map<number, TemperedBinding[]>();

  constructor(density: LogDensity, powers: Float64Array, engine: Engine, deterministic: boolean) {
    this.density = density;
    this.powers = powers;
    this.engine = engine;
    this.deterministic = deterministic;
    this.dimension = density.dimension;
    this.hasGradient = density.hasGradient !== false;
    this.onThisThread = density.onThisThread === true;
    this.discrete = density.discrete;
    this.parameters = density.parameters;
    this.isWhole = !density.bindTempered || density.hasLikelihood === false;
  }

  bind(options: BindOptions): DensityBinding {
    const binding = this.isWhole ? this.scaled(options) : this.density.bindTempered!(options);
    this.engine.memory.f64(binding.power, 1)[0] = this.powers[options.lane];
    const own = this.bound.get(options.lane) ?? [];
    this.bound.set(options.lane, [...own, binding]);
    return {
      slot: binding.slot,
      model: binding.model,
      dispose: () => {
        this.bound.set(
          options.lane,
          (this.bound.get(options.lane) ?? []).filter((each) => each !== binding),
        );
        binding.dispose();
      },
    };
  }

  setPower(lane: number, power: number): void {
    this.powers[lane] = power;
    for (const binding of this.bound.get(lane) ?? []) this.engine.memory.f64(binding.power, 1)[0] = power;
  }

  /**
   * Returns the likelihood from the last evaluation through the first binding of the lane. A chain evaluates its log
   * density through this binding. Valid right after that evaluation.
   */
  likelihood(lane: number): number {
    const first = this.bound.get(lane)?.[0];
    assert(first, `tempered lane ${lane} is not bound`);
    return this.engine.memory.f64(first.likelihood, 1)[0];
  }

  private scaled(options: BindOptions): TemperedBinding {
    const binding = this.density.bind(options);
    const arena = new Arena(this.engine.memory, options.purpose);
    const wanted = this.hasGradient && options.gradient !== false;
    const model = arena.block(field.POWER_DENSITY_BYTES, [
      [field.POWER_DENSITY_SLOT, binding.slot],
      [field.POWER_DENSITY_MODEL, binding.model],
      [field.POWER_DENSITY_COUNT, wanted ? this.dimension : 0],
    ]);
    return {
      slot: this.engine.kernelSlot("powerDensity", this.deterministic),
      model,
      power: model + field.POWER_DENSITY_POWER_F64,
      likelihood: model + field.POWER_DENSITY_LIKELIHOOD_F64,
      dispose: () => {
        arena.dispose();
        binding.dispose();
      },
    };
  }
}
