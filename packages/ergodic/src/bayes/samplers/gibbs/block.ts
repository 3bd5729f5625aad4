/**
 * Blocks of Gibbs sampling. A block consists of coordinates of u that move together and of the update that moves them.
 */

import type { JsonObject, LogDensity, ParameterPlace, Snapshot } from "../../../engine/contract/index.ts";
import { OptionError } from "../../../engine/errors/errors.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import type { SamplingPlan } from "../base/sampler.ts";
import type { GibbsChain } from "./gibbs-chain.ts";

/** Input of a block's update. */
export interface BlockContext {
  readonly density: LogDensity;
  /** Names of the block's parameters, and its coordinates of u. */
  readonly names: readonly string[];
  readonly coordinates: Uint32Array;
  readonly chains: readonly GibbsChain[];
  readonly plan: SamplingPlan;
  /** Seed of the block. No two blocks share random numbers. */
  readonly seed: number;
  readonly engine: Engine;
  run(calls: { kernel: number | string; args: number[] }[]): Promise<number[]>;
}

/**
 * A block's updates within a run. The snapshot of a block contains its whole state, except for the chains' positions.
 */
export interface BlockRun {
  /**
   * Updates the block once in every chain by moving the chains' positions. Returns whether the chains' log densities
   * are still up to date.
   */
  update(sweep: number, adapt: boolean): Promise<boolean>;
  /** Statistic of the last update of chain c, if updates compute a statistic. */
  acceptance?(c: number): number;
  divergent?(c: number): number;
  report(): Record<string, number>;
  snapshot(): Snapshot;
  restore(snapshot: Snapshot): void;
  dispose(): void;
}

/** Method other than a sampler by which a block is updated. */
export interface BlockUpdate {
  /** Kind of update. */
  readonly update: string;
  /** JSON that describes the update. */
  toJSON(): JsonObject;
  /** Starts the update for a block. */
  open(context: BlockContext): BlockRun;
}

/** Positions of the parameters in u. A density without names has a single parameter, "x". */
export function placesOf({ parameters, dimension }: LogDensity): readonly ParameterPlace[] {
  return parameters ?? [{ name: "x", offset: 0, size: dimension }];
}

/** Returns the coordinates of u for the given parameter names or coordinate indices. @throws OptionError */
export function coordinatesOf(density: LogDensity, of: readonly (string | number)[]): Uint32Array {
  const places = placesOf(density);
  const found = of.flatMap((name) => {
    if (typeof name === "number") return [checkCoordinate(name, density.dimension)];
    const place = places.find((each) => each.name === name);
    if (place) return Array.from({ length: place.size }, (_, i) => place.offset + i);
    const known = density.parameters
      ? `there are ${places.map((each) => each.name).join(", ")}`
      : 'the density names none: use of: ["x"] for all coordinates, or list some, of: [0, 1]';
    throw new OptionError("gibbs", `there is no parameter "${name}"; ${known}`, "OPTION_UNKNOWN");
  });
  if (found.length > 0 && new Set(found).size === found.length) return Uint32Array.from(found);
  throw new OptionError(
    "gibbs",
    `a block is of ${of.length > 0 ? "the same coordinate twice" : "no parameter"} (${of.join(", ")}); name each once`,
    "OPTION_MEANING",
  );
}

function checkCoordinate(i: number, dimension: number): number {
  if (Number.isInteger(i) && i >= 0 && i < dimension) return i;
  throw new OptionError("gibbs", `there is no coordinate ${i} of ${dimension}; coordinates count from 0`, "OPTION_RANGE");
}

/** Whether coordinate i of u holds integers. */
export function isDiscrete(density: LogDensity, i: number): boolean {
  return (density.discrete ?? []).some(({ offset, size }) => i >= offset && i < offset + size);
}

/** @throws OptionError if a coordinate is in no block */
export function checkCover(density: LogDensity, blocks: readonly Uint32Array[]): void {
  const covered = new Set(blocks.flatMap((coordinates) => [...coordinates]));
  for (let i = 0; i < density.dimension; i++) {
    if (covered.has(i)) continue;
    const place = density.parameters?.find(({ offset, size }) => i >= offset && i < offset + size);
    throw new OptionError(
      "gibbs",
      `${place ? `the parameter "${place.name}"` : `coordinate ${i}`} is in no block, so it would never move; add a block for it`,
      "OPTION_MEANING",
    );
  }
}
