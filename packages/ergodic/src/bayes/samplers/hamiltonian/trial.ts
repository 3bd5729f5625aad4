import type { JsonObject } from "../../../engine/contract/index.ts";
import type { KeptPart } from "../../../engine/loop/kept-part.ts";
import { leastJump, type Moves, takesDiagonal, tooDear, worthTrying } from "./choice.ts";
import type { Chain } from "./hamiltonian-chain.ts";
import { TRIAL_ADAPTS } from "./warmup.ts";

/** Minimum number of draws per chain for computing a jump. */
const FEWEST = 8;

interface Tally {
  transitions: number;
  leapfrogs: number;
  divergences: number;
}
const nothing = (): Tally => ({ transitions: 0, leapfrogs: 0, divergences: 0 });

/**
 * Trial of a diagonal metric during warm-up, in all chains. Decides when the trial begins and ends, and which metric
 * wins (choice.ts).
 *
 * The performance of the low-rank metric is measured in the last period before the trial. The first TRIAL_ADAPTS
 * transitions of the trial adapt its step. The performance of the metric is measured in the later transitions. The
 * trial ends early if the diagonal metric is too expensive to win.
 */
export class Trial {
  /**
   * First transition of the trial, the transitions before which the trial is judged, and the transition at which it
   * ends.
   */
  readonly boundaries: readonly number[];
  private readonly dimension: number;
  private phase: "before" | "running" | "over" = "before";
  private taken = false;
  private first: Moves | undefined;
  private tallies = { low: nothing(), adapting: nothing(), diagonal: nothing() };

  /** `boundaries`: empty if there is nothing to choose. */
  constructor(boundaries: readonly number[], dimension: number) {
    this.boundaries = boundaries;
    this.dimension = dimension;
  }

  /** Whether the diagonal metric was chosen. */
  get diagonal(): boolean {
    return this.taken;
  }

  /**
   * Whether the diagonal metric is in use (tried or chosen) before transition `step`. A restarted chain switches to the
   * diagonal metric at the same transition as all other chains.
   */
  diagonalAt(step: number): boolean {
    return this.running || (this.taken && step >= this.boundaries[0]);
  }

  get running(): boolean {
    return this.phase === "running";
  }

  count(transition: number, leapfrogs: number, divergent: number): void {
    const [from] = this.boundaries;
    if (from === undefined || this.phase === "over") return;
    const recent = this.phase === "before" && transition >= 0.75 * from;
    const tally = this.running ? (transition < from + TRIAL_ADAPTS ? "adapting" : "diagonal") : recent ? "low" : undefined;
    if (!tally) return;
    const one = this.tallies[tally];
    one.transitions++;
    one.leapfrogs += leapfrogs;
    one.divergences += divergent;
  }

  /**
   * Judges the trial at a boundary. Returns true if metrics have changed. The search for step sizes must then be
   * repeated.
   */
  judge(step: number, chains: readonly Chain[]): boolean {
    const [from] = this.boundaries;
    if (step === from && this.phase === "over") return this.taken;
    if (step === from) return this.begin(chains);
    if (!this.running || !this.first) return false;
    const { adapting, diagonal } = this.tallies;
    const made = adapting.transitions + diagonal.transitions;
    const dear = tooDear(this.first, (adapting.leapfrogs + diagonal.leapfrogs) / made);
    if (!dear && step < this.boundaries[this.boundaries.length - 1]) return false;
    this.phase = "over";
    if (dear) return false;
    const judged = (diagonal.transitions / chains.length) * this.dimension;
    const rows = chains.map((chain) => chain.seen(1)).map((seen) => seen.slice(Math.max(0, seen.length - judged)));
    const reference = chains.map((chain) => chain.seen(0));
    const moves = { jump: leastJump(rows, reference, this.dimension), cost: diagonal.leapfrogs / diagonal.transitions };
    this.taken = takesDiagonal(this.first, moves);
    return false;
  }

  state(): JsonObject {
    const { phase, taken, first, tallies } = this;
    return { phase, taken, first: first ? { ...first } : null, tallies: structuredClone(tallies) as unknown as JsonObject };
  }

  restore(kept: KeptPart): void {
    const tallies = kept.part("the trial's tallies", "", kept.object("tallies"));
    const tally = (name: string): Tally => {
      const own = tallies.part("a tally", "", tallies.object(name));
      return {
        transitions: own.number("transitions", 0),
        leapfrogs: own.number("leapfrogs", 0),
        divergences: own.number("divergences", 0),
      };
    };
    this.phase = kept.choice("phase", ["before", "running", "over"]);
    this.taken = kept.flag("taken");
    this.first = undefined;
    if (kept.state.first !== null) {
      const first = kept.part("the trial's first metric", "", kept.object("first"));
      this.first = { jump: first.number("jump"), cost: first.number("cost"), divergent: first.number("divergent") };
    }
    this.tallies = { low: tally("low"), adapting: tally("adapting"), diagonal: tally("diagonal") };
  }

  private begin(chains: readonly Chain[]): boolean {
    const { transitions, leapfrogs, divergences } = this.tallies.low;
    const rows = chains.map((chain) => chain.seen(0));
    this.phase = "over";
    if (!(transitions > 0) || rows.some((own) => own.length < FEWEST * this.dimension)) return false;
    const first = {
      jump: leastJump(rows, rows, this.dimension),
      cost: leapfrogs / transitions,
      divergent: divergences / transitions,
    };
    if (!worthTrying(first)) return false;
    this.first = first;
    this.phase = "running";
    return true;
  }
}
