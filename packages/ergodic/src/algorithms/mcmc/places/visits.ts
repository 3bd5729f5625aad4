/**
 * What the draws have of each place, and what they lack: a place was missed where the draws have less than HELD of what its mass says, and that matters:
 *
 *   n₋ >= LEAST_DRAWS,   or of some quantity q   |w δ| > MATERIAL s   or   √((1 − w)(s² + w δ²)) > (1 + MATERIAL) s,
 *
 * n₋: the draws that it should hold at the least, by its mass and that of the best place of a chain, two errors below; w = n₋ / (n₋ + all draws) >= LEAST_SHARE; s: the draws' standard
 * deviation of q; δ: how far q at the place is from their mean. So a light mode that is far away is missed, too: 0.4 % of the mass, 25 standard deviations away, doubles the
 * standard deviation. Quantities are those that the density gives names, else coordinates.
 */

import { exp } from "../../../base/exp.ts";
import { hypotenuse } from "../../../base/hypotenuse.ts";
import type { LogDensity } from "../../../contract.ts";
import { mean, variance } from "../../../diagnostics/moments.ts";
import type { ChainDraws } from "../../sampling/chain-draws.ts";
import type { VisitedPlace } from "../../sampling/sampler.ts";
import { isKnown, type Normal, type Place } from "./place.ts";

const LEAST_DRAWS = 20;
const HELD = 0.1;
/** In standard deviations, and of them: what stepBias of a verdict may be, too. */
const MATERIAL = 0.1;
/** A share that no run of a usual length tells from nothing. */
const LEAST_SHARE = 1e-6;
/** Draws that a quantity's moments are taken from. */
const MOST_DRAWS = 1000;

export type Kind = "found" | "scout" | "chain" | "left";
export const kinds: readonly Kind[] = ["found", "scout", "chain", "left"];

export interface Entry {
  kind: Kind;
  chain: number;
  elbo: number;
  /** Of a chain: that it fills its place; of what a scout found: that it is its path's end. */
  settled: boolean;
  /** The most that its log mass can be. */
  most: number;
  place: Place;
}

/** Every place, with what the draws have of it. */
export function visitsOf(entries: readonly Entry[], draws: ChainDraws, density: LogDensity): VisitedPlace[] {
  const held = (normal: Normal): number => {
    let count = 0;
    for (let c = 0; c < draws.chains; c++) for (let k = 0; k < draws.count; k++) if (normal.holds(draws.draw(c, k))) count++;
    return count;
  };
  const shown = entries.filter(
    (entry, i) =>
      entry.kind === "chain" ||
      entry.kind === "left" ||
      (isScouted(entry) && !entries.slice(0, i).some((other) => isScouted(other) && isSame(other, entry))),
  );
  const anchors = shown.filter(({ kind, place }) => kind === "chain" && isKnown(place));
  const anchor = anchors.sort((a, b) => b.place.logMass - a.place.logMass)[0]?.place;
  const anchored = anchor && draws.count > 0 ? held(anchor.normal) : 0;
  const total = draws.chains * draws.count;
  const changes = changesOf(draws, density);
  const modes = modesOf(shown);
  return shown.map((entry): VisitedPlace => {
    const { kind, chain, settled, place } = entry;
    const { normal, logMass, error, paretoK } = place;
    const odds = anchor ? exp(logMass - anchor.logMass) : Number.NaN;
    const least = anchor ? anchored * exp(logMass - anchor.logMass - 2 * hypotenuse(error, anchor.error)) : 0;
    const share = odds === Infinity ? 1 : odds / (1 + odds);
    // A chain that is stuck may have so little mass that a place next to it should hold more than all draws.
    const wanted = Math.min(least, (least * total) / (least + total));
    const lacked = kind !== "chain" && isKnown(place) && least > 0 && held(normal) < HELD * wanted;
    const change = lacked ? changes(normal.mean, least) : undefined;
    const missed = lacked && (wanted >= LEAST_DRAWS || change !== undefined);
    const by = kind === "scout" || kind === "left" ? kind : "chain";
    const mode = isMode(entry) ? modes.findIndex((known) => isSame(known, entry)) : -1;
    const more = missed && change ? { changes: change.name, sdFactor: change.sdFactor } : {};
    return {
      by,
      chain,
      point: normal.mean,
      logMass,
      error,
      paretoK,
      share,
      settled: kind !== "scout" && settled,
      mode,
      missed,
      ...more,
    };
  });
}

const isScouted = ({ kind, place }: Entry): boolean => kind === "scout" && isKnown(place);
const isMode = ({ kind, settled, place }: Entry): boolean => kind !== "left" && settled && isKnown(place);
const isSame = ({ place: a }: Entry, { place: b }: Entry): boolean =>
  a.normal.holds(b.normal.mean) || b.normal.holds(a.normal.mean);

/** One place of each mode: places that chains fill, or where scouts' searches ended, that are not within each other's region. */
function modesOf(shown: readonly Entry[]): Entry[] {
  const modes: Entry[] = [];
  const chainsFirst = [...shown].sort((a, b) => Number(b.kind === "chain") - Number(a.kind === "chain"));
  for (const entry of chainsFirst) if (isMode(entry) && !modes.some((known) => isSame(known, entry))) modes.push(entry);
  return modes;
}

interface Change {
  readonly name: string;
  readonly sdFactor: number;
}

/** The quantity whose moments a place of `least` draws at a point would change most, where that is material. */
function changesOf(draws: ChainDraws, density: LogDensity): (point: Float64Array, least: number) => Change | undefined {
  const total = draws.chains * draws.count;
  let known: { name: string; i: number; mean: number; variance: number }[] | undefined;
  const moments = () => {
    const stride = Math.max(1, Math.ceil(total / MOST_DRAWS));
    const rows: Record<string, Float64Array>[] = [];
    for (let k = 0; k < total; k += stride)
      rows.push(valuesAt(density, draws.draw(Math.floor(k / draws.count), k % draws.count)));
    return Object.entries(rows[0]).flatMap(([name, values]) =>
      Array.from(values, (_, i) => {
        const x = Float64Array.from(rows, (row) => row[name][i]);
        return { name, i, mean: mean(x), variance: variance(x) };
      }),
    );
  };
  return (point, least) => {
    const w = least / (least + total);
    if (!(w >= LEAST_SHARE)) return undefined;
    known ??= moments();
    const values = valuesAt(density, point);
    let most: (Change & { size: number }) | undefined;
    for (const { name, i, mean, variance } of known) {
      const away = (values[name][i] - mean) / Math.sqrt(variance);
      const sdFactor = Math.sqrt((1 - w) * (1 + w * away * away));
      const size = Math.max(w * Math.abs(away), sdFactor - 1);
      if (Number.isFinite(size) && size > MATERIAL && !(most && most.size >= size)) most = { name, sdFactor, size };
    }
    return most;
  };
}

const valuesAt = (density: LogDensity, u: Float64Array): Record<string, Float64Array> => density.constrain?.(u) ?? { x: u };
