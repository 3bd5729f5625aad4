/** Blocks of Gibbs sampling: which coordinates of u move together, and what an update of them is. */

import type { JsonObject, LogDensity, ParameterPlace, Snapshot } from "../../../engine/contract/index.ts";
import { OptionError } from "../../../engine/errors/errors.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import type { SamplingPlan } from "../base/sampler.ts";
import type { GibbsChain } from "./gibbs-chain.ts";

/** What an update of a block works on. */
export interface BlockContext {
  readonly density: LogDensity;
  /** Names of the block's parameters, and its coordinates of u. */
  readonly names: readonly string[];
  readonly coordinates: Uint32Array;
  readonly chains: readonly GibbsChain[];
  readonly plan: SamplingPlan;
  /** The block's own seed: no two blocks share random numbers. */
  readonly seed: number;
  readonly engine: Engine;
  run(calls: { kernel: number | string; args: number[] }[]): Promise<number[]>;
}

/** A block's updates in a run. All that it knows beyond the chains' points is in its snapshot. */
export interface BlockRun {
  /** One update of the block in every chain: moves the chains' positions. True where it leaves their log densities right. */
  update(sweep: number, adapt: boolean): Promise<boolean>;
  /** Of chain c's last update, where there is such a thing. */
  acceptance?(c: number): number;
  divergent?(c: number): number;
  report(): Record<string, number>;
  snapshot(): Snapshot;
  restore(snapshot: Snapshot): void;
  dispose(): void;
}

/** HOW a block is updated, other than by a sampler. */
export interface BlockUpdate {
  /** Which kind it is. */
  readonly update: string;
  /** What it is, as JSON. */
  toJSON(): JsonObject;
  /** The update at work on a block. */
  open(context: BlockContext): BlockRun;
}

/** Places of the parameters. A density without names has one parameter, "x". */
export function placesOf({ parameters, dimension }: LogDensity): readonly ParameterPlace[] {
  return parameters ?? [{ name: "x", offset: 0, size: dimension }];
}

/** Coordinates of u by parameters' names, or by their numbers. @throws OptionError */
export function coordinatesOf(density: LogDensity, of: readonly (string | number)[]): Uint32Array {
  const places = placesOf(density);
  const found = of.flatMap((name) => {
    if (typeof name === "number") return [checkCoordinate(name, density.dimension)];
    const place = places.find((each) => each.name === name);
    if (place) return Array.from({ length: place.size }, (_, i) => place.offset + i);
    const known = density.parameters
      ? `there are ${places.map((each) => each.name).join(", ")}`
      : 'the density names none: take of: ["x"] for all coordinates, or list some, of: [0, 1]';
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
  throw new OptionError("gibbs", `there is no coordinate ${i} of ${dimension}; they count from 0`, "OPTION_RANGE");
}

/** Whether coordinate i of u holds integers. */
export function isDiscrete(density: LogDensity, i: number): boolean {
  return (density.discrete ?? []).some(({ offset, size }) => i >= offset && i < offset + size);
}

/** @throws OptionError where a coordinate is in no block */
export function checkCover(density: LogDensity, blocks: readonly Uint32Array[]): void {
  const covered = new Set(blocks.flatMap((coordinates) => [...coordinates]));
  for (let i = 0; i < density.dimension; i++) {
    if (covered.has(i)) continue;
    const place = density.parameters?.find(({ offset, size }) => i >= offset && i < offset + size);
    throw new OptionError(
      "gibbs",
      `${place ? `the parameter "${place.name}"` : `coordinate ${i}`} is in no block, so that it would never move; add one`,
      "OPTION_MEANING",
    );
  }
}
