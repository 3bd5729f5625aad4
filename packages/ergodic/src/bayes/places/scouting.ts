import type { JsonObject, LogDensity, Tensor } from "../../engine/contract/index.ts";
import type { KeptPart } from "../../engine/loop/kept-part.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { DensityPoint } from "../approximate/density-point.ts";
import type { ChainDraws } from "../samplers/base/chain-draws.ts";
import type { SamplingPlan, VisitedPlace } from "../samplers/base/sampler.ts";
import { drawsFor, type Normal, unknownPlace } from "./place.ts";
import { BUDGET, distinct, massDraws, massOf, type Scouted, scouted, shareOf } from "./scouts.ts";
import { decoded, ENTRY_NUMBERS, type Entry, encoded, type Total, visitsOf } from "./visits.ts";

/** Largest number of coordinates for which masses of places are measured. */
export const MOST_DIMENSION = 64;
export const SCOUTS = 24;

/** Scouts of a run, and the places that the scouts found. The work is done piece by piece. */
export class Scouting {
  protected readonly density: LogDensity;
  protected readonly plan: SamplingPlan;
  protected readonly dimension: number;
  protected entries: Entry[] = [];
  protected spent = 0;
  private readonly most: number;
  private readonly open: () => DensityPoint;
  private known: DensityPoint | undefined;
  private sent = 0;
  private looked = 0;

  constructor(density: LogDensity, plan: SamplingPlan, engine: Engine, scouts: number) {
    this.density = density;
    this.plan = plan;
    this.most = scouts;
    this.dimension = density.dimension;
    this.open = () => new DensityPoint(engine, density, "scouts");
  }

  get scouts(): number {
    return this.sent;
  }

  /** Number of evaluations of the density. */
  get evaluations(): number {
    return this.spent;
  }

  /**
   * Adds an approximation that the run itself found. The mass of this approximation is measured in the same way as for
   * approximations that scouts find.
   */
  add(normal: Normal, elbo: number): void {
    this.entries.push(foundEntry({ normal, elbo, end: true }));
  }

  /**
   * Runs one scout, or measures the mass of one place. Returns false once no work is left. `gradients`: number of
   * evaluations of the whole run, as far as known. `isCovered`: whether enough draws are already in a place, so that
   * its mass need not be measured.
   */
  async search(gradients: number, isCovered: (normal: Normal) => boolean = () => false): Promise<boolean> {
    const before = this.point.evaluations;
    const more = (await this.scout(gradients)) || this.measure(gradients, isCovered);
    this.spent += this.point.evaluations - before;
    return more;
  }

  /** Returns every place, with its share of the draws. `total`: see visitsOf. */
  visits(draws: ChainDraws, total?: Total): VisitedPlace[] {
    return visitsOf(this.entries, draws, this.density, total);
  }

  dispose(): void {
    this.known?.dispose();
    this.known = undefined;
  }

  tensors(): Record<string, Tensor> {
    return Object.fromEntries(this.entries.map((entry, i) => [`survey.${i}`, encoded(entry)]));
  }

  state(): JsonObject {
    const { sent, looked, spent } = this;
    return { sent, looked, spent };
  }

  restore(kept: KeptPart): void {
    const d = this.dimension;
    [this.sent, this.looked, this.spent] = [kept.count("sent"), kept.count("looked"), kept.count("spent")];
    this.entries = [];
    for (let i = 0; kept.has(`${i}`); i++) {
      const entry = decoded(kept.floats(`${i}`, ENTRY_NUMBERS + d + d * d), d);
      if (entry.kind === undefined || !(entry.chain < this.plan.chains)) kept.refuse("it knows a place of no chain");
      this.entries.push(entry);
    }
  }

  protected get point(): DensityPoint {
    this.known ??= this.open();
    return this.known;
  }

  private async scout(gradients: number): Promise<boolean> {
    const share = shareOf(gradients, this.spent, this.most - this.sent);
    if (share === 0) return false;
    for (const one of await scouted(this.point, this.density, this.plan, this.sent++, share)) this.entries.push(foundEntry(one));
    return true;
  }

  private measure(gradients: number, isCovered: (normal: Normal) => boolean): boolean {
    const found = this.entries.filter(({ kind }) => kind === "found");
    const places = distinct(found.map(({ place, elbo, settled }): Scouted => ({ normal: place.normal, elbo, end: settled })));
    const left = BUDGET * gradients - this.spent;
    if (this.looked >= places.length || left < drawsFor(this.dimension)) return false;
    const at = this.looked++;
    if (isCovered(places[at].normal)) return true;
    const place = massOf(this.point, places[at], massDraws(this.plan.seed, "scout", at), left);
    if (place) this.entries.push({ ...foundEntry(places[at]), kind: "scout", place });
    return true;
  }
}

const foundEntry = ({ normal, elbo, end }: Scouted): Entry => ({
  kind: "found",
  chain: -1,
  elbo,
  settled: end,
  most: Infinity,
  place: { ...unknownPlace(normal.mean), normal },
});
