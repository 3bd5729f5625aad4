/**
 * Finds places of the posterior with too few draws.
 *
 * A place lacks draws if it has fewer than HELD times the draws that its mass implies. A place also lacks draws if the
 * number of its draws is at least SURE standard errors below half of the number that its mass implies. A place that
 * lacks draws counts as missed if the missing draws matter:
 *
 *   n₋ >= LEAST_DRAWS,   or n₋ >= LEAST_TELLING and for some quantity q
 *   |w δ| > MATERIAL s   or   √((1 − w)(s² + w δ²)) > (1 + MATERIAL) s
 *
 * n₋: lower bound, two standard errors below the estimate, of the number of draws that the place should contain. The
 * estimate comes from the mass of the place relative to the mass of a reference. The reference is the mass of
 * everything that the draws represent, if that mass is known. Otherwise the reference is the heaviest place that a
 * chain fills. If no chain fills a place, the reference is the heaviest place with at least LEAST_HELD of the draws. w
 * = n₋ / (n₋ + all draws); s: the standard deviation of q in the draws; δ: distance of q at the place from its mean in
 * the draws. So a light mode far away can also count as missed. For example, a mode with 0.4 % of the mass, 25 standard
 * deviations away, doubles the standard deviation.
 *
 * If n₋ < LEAST_TELLING, more than one in 150 correct runs have no draws in the place. Such a place is `rare`: the run
 * is too short to visit it, and nothing is wrong with the chains. Quantities are the parameters that the density names,
 * or coordinates if it names none.
 */

import type { LogDensity } from "../../engine/contract/index.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { hypotenuse } from "../../engine/numbers/hypotenuse.ts";
import { mean, variance } from "../../engine/statistics/moments.ts";
import type { ChainDraws } from "../samplers/base/chain-draws.ts";
import type { VisitedPlace } from "../samplers/base/sampler.ts";
import { haveLikeSpreads, isKnown, Normal, type Place } from "./place.ts";

const LEAST_DRAWS = 20;
/** A run in which 5 draws are expected at a place has none there with probability e^−5 = 0.7 %. */
const LEAST_TELLING = 5;
const HELD = 0.1;
/** Number of batches per chain, and number of standard errors beyond which a difference counts as certain. */
const [BATCHES, SURE] = [5, 5];
const LEAST_HELD = 0.01;
/** Smallest change, in standard deviations, that counts as material. Verdicts use the same bound for the step bias. */
const MATERIAL = 0.1;
/** Smallest share of the mass. A place with a smaller share would get no draws in a run of usual length. */
const LEAST_SHARE = 1e-6;
/** Maximum number of draws for the moments of a quantity. */
const MOST_DRAWS = 1000;

export type Kind = "found" | "scout" | "chain" | "left";
export const kinds: readonly Kind[] = ["found", "scout", "chain", "left"];

export interface Entry {
  kind: Kind;
  chain: number;
  elbo: number;
  /** Whether a chain fills the place, or the normal comes from the end of a scout's path. */
  settled: boolean;
  /** Upper bound on the log mass of the place. */
  most: number;
  place: Place;
}

/** Log mass represented by all draws, with its standard error. */
export type Total = Pick<Place, "logMass" | "error">;

/**
 * Returns every place, with its share of the draws. `total` is given only for draws of an approximation, because the
 * importance weights determine it.
 */
export function visitsOf(entries: readonly Entry[], draws: ChainDraws, density: LogDensity, total?: Total): VisitedPlace[] {
  const held = (normal: Normal): Held => heldBy(normal, draws);
  const shown = entries.filter(
    (entry, i) =>
      entry.kind === "chain" ||
      entry.kind === "left" ||
      (isScouted(entry) && !entries.slice(0, i).some((other) => isScouted(other) && isSamePlace(other, entry))),
  );
  const all = draws.chains * draws.count;
  const reference = all > 0 ? (total ? { ...total, count: all } : referenceOf(shown, held, all)) : undefined;
  const changes = changesOf(draws, density);
  const modes = modesOf(shown);
  return shown.map((entry): VisitedPlace => {
    const { kind, chain, settled, place } = entry;
    const { normal, logMass, error, paretoK } = place;
    const odds = reference ? exp(logMass - reference.logMass) : Number.NaN;
    const least = reference ? reference.count * odds * exp(-2 * hypotenuse(error, reference.error)) : 0;
    const share = odds === Infinity ? 1 : odds / (1 + odds);
    // The mass of a stuck chain's place can be very small. If this place is the reference, a neighbouring place seems
    // to need more draws than there are.
    const wanted = Math.min(least, (least * all) / (least + all));
    const lacked = isKnown(place) && least > 0 && hasFewer(held(normal), wanted);
    const change = lacked ? changes(normal.mean, least) : undefined;
    const missed = lacked && (wanted >= LEAST_DRAWS || (wanted >= LEAST_TELLING && change !== undefined));
    const rare = lacked && !missed && change !== undefined;
    const by = kind === "scout" || kind === "left" ? kind : "chain";
    const mode = isMode(entry) ? modes.findIndex((known) => isSamePoint(known, entry)) : -1;
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
      ...(rare ? { rare } : {}),
      ...((missed || rare) && change ? { changes: change.name, sdFactor: change.sdFactor } : {}),
    };
  });
}

/** Number of draws in a place, with a standard error computed from batches of each chain. */
interface Held {
  readonly count: number;
  readonly error: number;
}

export function heldBy(normal: Normal, draws: ChainDraws): Held {
  const { chains, count } = draws;
  const perChain = Math.min(BATCHES, count);
  const batches = new Float64Array(chains * perChain);
  for (let c = 0; c < chains; c++)
    for (let k = 0; k < count; k++)
      if (normal.holds(draws.draw(c, k))) batches[c * perChain + Math.floor((k * perChain) / count)]++;
  const total = batches.reduce((sum, one) => sum + one, 0);
  return { count: total, error: Math.sqrt(batches.length * variance(batches)) };
}

/**
 * Whether a place contains almost none of the draws that it should contain, or significantly fewer than half of them.
 */
const hasFewer = ({ count, error }: Held, wanted: number): boolean =>
  count < HELD * wanted || (count < wanted / 2 && count + SURE * error < wanted);

/** Returns the reference place for masses and draws; undefined if none is known. */
function referenceOf(
  shown: readonly Entry[],
  held: (normal: Normal) => Held,
  all: number,
): (Total & { count: number }) | undefined {
  const known = shown.filter(({ place }) => isKnown(place)).sort((a, b) => b.place.logMass - a.place.logMass);
  const filled = known.find(({ kind }) => kind === "chain");
  const counted = (filled ? [filled] : known).map(({ place }) => ({ ...place, count: held(place.normal).count }));
  return counted.find(({ count }) => filled !== undefined || count >= LEAST_HELD * all);
}

const isScouted = ({ kind, place }: Entry): boolean => kind === "scout" && isKnown(place);
const isMode = ({ kind, settled, place }: Entry): boolean => kind !== "left" && settled && isKnown(place);
const isSamePoint = ({ place: a }: Entry, { place: b }: Entry): boolean =>
  a.normal.holds(b.normal.mean) || b.normal.holds(a.normal.mean);
const isSamePlace = (a: Entry, b: Entry): boolean => isSamePoint(a, b) && haveLikeSpreads(a.place.normal, b.place.normal);

/**
 * Returns one place per mode. Candidates are places that chains fill, and places at which scouts' searches ended. The
 * returned places lie outside each other's regions.
 */
function modesOf(shown: readonly Entry[]): Entry[] {
  const modes: Entry[] = [];
  const chainsFirst = [...shown].sort((a, b) => Number(b.kind === "chain") - Number(a.kind === "chain"));
  for (const entry of chainsFirst) if (isMode(entry) && !modes.some((known) => isSamePoint(known, entry))) modes.push(entry);
  return modes;
}

interface Change {
  readonly name: string;
  readonly sdFactor: number;
}

/**
 * Finds the quantity that `least` additional draws at a point would change most in its mean or standard deviation.
 * Undefined if the change is not material.
 */
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

/** Number of values that precede the mean and factor in an encoded entry. */
export const ENTRY_NUMBERS = 8;

export function encoded({ kind, chain, elbo, settled, most, place }: Entry): Float64Array {
  const { normal, logMass, error, paretoK } = place;
  const numbers = [kinds.indexOf(kind), chain, elbo, settled ? 1 : 0, most, logMass, error, paretoK];
  return Float64Array.from([...numbers, ...normal.mean, ...normal.factor]);
}

export function decoded(numbers: Float64Array, d: number): Entry {
  const [kind, chain, elbo, settled, most, logMass, error, paretoK] = numbers;
  const normal = new Normal(numbers.slice(ENTRY_NUMBERS, ENTRY_NUMBERS + d), numbers.slice(ENTRY_NUMBERS + d));
  return { kind: kinds[kind], chain, elbo, settled: settled === 1, most, place: { normal, logMass, error, paretoK } };
}
