import type { Json, JsonObject, LogDensity } from "../../engine/contract/index.ts";
import { isWhole, type KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { hypotenuse } from "../../engine/numbers/hypotenuse.ts";
import { log } from "../../engine/numbers/log.ts";
import type { SamplingPlan } from "../samplers/base/sampler.ts";
import { isKnown, measured, Normal, type Place, unknownPlace } from "./place.ts";
import { Scouting } from "./scouting.ts";
import { massDraws, randomPoint } from "./scouts.ts";
import type { Entry } from "./visits.ts";

const GAP = 10;
const WIDER = 10;
const SETTLED = [0.4, 2.5] as const;

export interface SurveyOptions {
  /** Number of short independent searches for places that the chains may have missed. Default 24. */
  scouts: number;
  /** Maximum number of restarts per chain. Default 10. */
  restarts: number;
}

/** A chain's last warm-up draws and the gradients at these draws, [n, d] each. */
export interface Recent {
  readonly draws: Float64Array;
  readonly gradients: Float64Array;
  /** Highest log density. */
  readonly highest: number;
}

/**
 * A survey at the end of warm-up. The survey finds the places of chains and scouts. The survey also finds chains in
 * regions where the posterior has almost no mass.
 *
 * Scouts come first (scouts.ts), then each chain's place: a normal fitted to its last warm-up draws, and its mass
 * (place.ts). A chain is out of place if
 *
 *   log mass + GAP + 2 errors < the largest log mass of all places,
 *
 * if both masses are known (k̂ <= 0.7) and the chain has settled there. The chain has settled if −mean (xᵢ − x̄ᵢ)
 * ∂ℓ/∂xᵢ is within SETTLED for every i. This quantity is 1 for draws that fill their place. A chain that is stuck in a
 * narrow part of a wider place also covers little mass, but such a chain has not settled. R̂ will reveal it. Even if
 * its mass is unknown or it has not settled, a chain is out of place if
 *
 *   max ℓ + ½ log det 2πC + d log WIDER + GAP < the largest log mass,
 *
 * where the left side is the log mass of a place that is WIDER times as wide as the region visited by the chain. The
 * density is taken to be as high everywhere in this place as at the highest point of the region. A chain restarts from
 * a random point with a complete warm-up if it is out of place, or if it is lost in a region where log densities differ
 * only by rounding. It restarts at most `restarts` times. Nothing is copied from other chains.
 *
 * After sampling, `visits` lists the places that have too few draws (visits.ts). The survey applies to posteriors with
 * at most MOST_DIMENSION coordinates. With more coordinates, or without known masses, the survey draws no conclusions.
 */
export class Survey extends Scouting {
  private readonly options: SurveyOptions;
  private restarted: number[];
  private chainsLeft: number[] = [];

  constructor(density: LogDensity, plan: SamplingPlan, engine: Engine, options: SurveyOptions) {
    super(density, plan, engine, options.scouts);
    this.options = options;
    this.restarted = new Array<number>(plan.chains).fill(0);
  }

  /** Number of restarts of each chain. */
  get restarts(): readonly number[] {
    return this.restarted;
  }

  begin(chains: readonly number[]): void {
    this.chainsLeft = [...chains];
  }

  /**
   * Processes one scout or one place. Returns false once the survey is complete. `gradients`: number of evaluations of
   * the whole run, as far as known.
   */
  async work(gradients: number, recent: (c: number) => Recent): Promise<boolean> {
    if (await this.search(gradients)) return true;
    const before = this.point.evaluations;
    const more = this.lookAtChain(recent);
    this.spent += this.point.evaluations - before;
    return more;
  }

  /**
   * Returns the chains to restart: chains that are out of place, and chains that are `lost` in a region where the
   * density cannot be computed.
   */
  outOfPlace(lost: readonly number[]): number[] {
    const mayStart = ({ kind, chain }: Entry): boolean => kind === "chain" && this.restarted[chain] < this.options.restarts;
    const out = this.lessMass();
    return this.entries.filter((one) => mayStart(one) && (lost.includes(one.chain) || out(one))).map(({ chain }) => chain);
  }

  /** Returns a test for places with almost no mass compared with the best known place. */
  private lessMass(): (entry: Entry) => boolean {
    const trusted = this.entries.filter(({ place }) => isKnown(place));
    const best = trusted.reduce<Place | undefined>(
      (most, { place }) => (!most || place.logMass > most.logMass ? place : most),
      undefined,
    );
    if (!best) return () => false;
    const under = (logMass: number, error: number): boolean => logMass + GAP + 2 * hypotenuse(error, best.error) < best.logMass;
    return ({ settled, most, place }) => (settled && isKnown(place) && under(place.logMass, place.error)) || under(most, 0);
  }

  /** Returns a random point for the restart of chain c; undefined if no random point has a finite density. */
  async fresh(c: number): Promise<Float64Array | undefined> {
    this.restarted[c]++;
    const x = await randomPoint(this.point, this.plan, this.options.scouts + c + this.plan.chains * this.restarted[c]);
    if (x) for (const entry of this.entries) if (entry.kind === "chain" && entry.chain === c) entry.kind = "left";
    return x;
  }

  /**
   * Discards the place of chain c. The chain repeats its warm-up from its current position and is then surveyed again.
   */
  again(c: number): void {
    this.entries = this.entries.filter(({ kind, chain }) => kind !== "chain" || chain !== c);
  }

  override state(): JsonObject {
    return { ...super.state(), restarted: [...this.restarted], chainsLeft: [...this.chainsLeft] };
  }

  override restore(kept: KeptPart): void {
    const { chains } = this.plan;
    super.restore(kept);
    this.restarted = kept.list("restarted", isWhole, chains);
    this.chainsLeft = kept.list("chainsLeft", (c: Json): c is number => isWhole(c) && c < chains);
  }

  private lookAtChain(recent: (c: number) => Recent): boolean {
    const c = this.chainsLeft.shift();
    if (c === undefined) return false;
    const { draws, gradients, highest } = recent(c);
    const d = this.dimension;
    const n = draws.length / d;
    if (n === 0) return true;
    const normal = n > d ? Normal.of(draws, new Float64Array(n).fill(1 / n), d) : undefined;
    const most = highest - (normal ? normal.logDensity(0) : 0) + d * log(WIDER);
    const entry = { kind: "chain", chain: c, elbo: 0, most } as const;
    if (!normal) {
      this.entries.push({ ...entry, settled: false, place: unknownPlace(draws.slice(-d)) });
      return true;
    }
    const names = ["chain", c, "place", this.restarted[c]];
    const place = measured(normal, (x) => this.point.evaluate(x), massDraws(this.plan.seed, ...names));
    this.entries.push({ ...entry, settled: isSettled(draws, gradients, normal.mean), place });
    return true;
  }
}

function isSettled(draws: Float64Array, gradients: Float64Array, mean: Float64Array): boolean {
  const d = mean.length;
  const sums = new Float64Array(d);
  for (let k = 0; k < draws.length; k++) sums[k % d] -= ((draws[k] - mean[k % d]) * gradients[k] * d) / draws.length;
  return sums.every((sum) => sum >= SETTLED[0] && sum <= SETTLED[1]);
}
