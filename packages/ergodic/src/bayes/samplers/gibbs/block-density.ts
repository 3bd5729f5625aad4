import type { BindOptions, DensityBinding, DiscretePlace, LogDensity } from "../../../engine/contract/index.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import * as field from "../../fields.ts";

/**
 * Log density of some coordinates of u, with all others fixed. Any sampler accepts this form. Each evaluation computes
 * the density of all of u through kernels/bayes/block-density.ts.
 */
export class BlockDensity implements LogDensity {
  readonly dimension: number;
  readonly hasGradient: boolean;
  readonly onThisThread: boolean;
  /** Discrete coordinates of the block, with their positions within the block. */
  readonly discrete: readonly DiscretePlace[];
  private readonly engine: Engine;
  private readonly deterministic: boolean;
  private readonly whole: LogDensity;
  private readonly coordinates: Uint32Array;
  /** Address of u for each lane. */
  private readonly points: readonly number[];

  constructor(whole: LogDensity, coordinates: Uint32Array, points: readonly number[], engine: Engine, deterministic: boolean) {
    this.whole = whole;
    this.coordinates = coordinates;
    this.points = points;
    this.engine = engine;
    this.deterministic = deterministic;
    this.dimension = coordinates.length;
    this.hasGradient = whole.hasGradient !== false;
    this.onThisThread = whole.onThisThread === true;
    this.discrete = (whole.discrete ?? []).flatMap((place) => this.ownPlace(place));
  }

  bind({ lane, purpose, gradient = true }: BindOptions): DensityBinding {
    if (lane >= this.points.length)
      throw new CapabilityError(
        "gibbs",
        `its block would be sampled by several chains simultaneously (${purpose}); use a sampler that runs a single chain there`,
        "SAMPLE_INNER",
      );
    const wanted = gradient && this.hasGradient;
    const binding = this.whole.bind({ lane, purpose: `${purpose}, of a block`, gradient: wanted });
    const arena = new Arena(this.engine.memory, purpose);
    const coordinates = arena.take(4 * this.dimension);
    this.engine.memory.u32(coordinates, this.dimension).set(this.coordinates);
    const model = arena.block(field.BLOCK_DENSITY_BYTES, [
      [field.BLOCK_DENSITY_SLOT, binding.slot],
      [field.BLOCK_DENSITY_MODEL, binding.model],
      [field.BLOCK_DENSITY_POINT, this.points[lane]],
      [field.BLOCK_DENSITY_GRADIENT, arena.take(8 * this.whole.dimension)],
      [field.BLOCK_DENSITY_COORDINATES, coordinates],
      [field.BLOCK_DENSITY_COUNT, this.dimension],
      [field.BLOCK_DENSITY_WANTED, wanted ? 1 : 0],
    ]);
    return {
      slot: this.engine.kernelSlot("blockDensity", this.deterministic),
      model,
      dispose: () => {
        arena.dispose();
        binding.dispose();
      },
    };
  }

  /**
   * Returns the coordinates of a parameter that belong to the block. A block can contain a whole parameter, or single
   * coordinates of it.
   */
  private ownPlace(place: DiscretePlace): DiscretePlace[] {
    const own: DiscretePlace[] = [];
    this.coordinates.forEach((i, at) => {
      if (i >= place.offset && i < place.offset + place.size) own.push({ ...place, offset: at, size: 1 });
    });
    return own;
  }
}
