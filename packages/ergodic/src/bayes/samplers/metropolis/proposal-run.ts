import type { DensityBinding, LogDensity, Tensor } from "../../../engine/contract/index.ts";
import { OptionError } from "../../../engine/errors/errors.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import type { Call } from "../../../engine/memory/pool.ts";
import { exp } from "../../../engine/numbers/exp.ts";
import { type Draws, type Stream, stream } from "../../../engine/random/stream.ts";
import { type ChainState, ChainsRun } from "../base/chains-run.ts";
import type { SamplingPlan } from "../base/sampler.ts";
import { type Placed, placeChains } from "../base/starting-points.ts";

/** A proposed point, with the log ratio of proposal densities. */
export interface Proposal {
  /** The proposed point, float64[d]. */
  readonly x: ArrayLike<number>;
  /** log q(x | x') − log q(x' | x). Default 0, for symmetric proposals. */
  readonly logRatio?: number;
}

/**
 * Function that proposes a point, given a copy of the current point x. The function may change this copy. All
 * randomness must come from `draws`.
 */
export type Propose = (x: Float64Array, draws: Draws) => Proposal;

const fields = ["logDensity", "acceptance", "accepted"] as const;
const CAPACITY = 64;

/** Returns min(1, π(x') q(x | x') / (π(x) q(x' | x))); 0 if the proposal's log density is not finite. */
export function acceptanceProbability(before: number, after: number, logRatio: number): number {
  if (!Number.isFinite(after)) return 0;
  return Math.min(1, exp(after - before + logRatio));
}

class ProposalChain implements ChainState, Placed {
  readonly capacity = CAPACITY;
  readonly starts: Stream;
  readonly drawPoint?: (draws: Draws) => void;
  private readonly where: string;
  private readonly transitions: Stream;
  private readonly engine: Engine;
  private readonly arena: Arena;
  private readonly binding: DensityBinding;
  private readonly dimension: number;
  private readonly at: { position: number; proposal: number; gradient: number };
  private readonly value = new Float64Array(1);
  private readonly made: Float64Array;
  private readonly kept = new Float64Array(CAPACITY * fields.length);

  constructor(
    where: string,
    engine: Engine,
    density: LogDensity,
    c: number,
    seed: number,
    start?: (draws: Draws) => ArrayLike<number>,
  ) {
    const { dimension } = density;
    const purpose = `chain ${c}`;
    this.where = where;
    this.engine = engine;
    this.dimension = dimension;
    this.starts = stream(seed, "chain", c, "start");
    this.transitions = stream(seed, "chain", c, "transition");
    this.binding = density.bind({ lane: c, purpose, gradient: false });
    this.arena = new Arena(engine.memory, purpose);
    const numbers = () => this.arena.take(8 * dimension);
    this.at = { position: numbers(), proposal: numbers(), gradient: numbers() };
    this.made = new Float64Array(CAPACITY * dimension);
    if (start) this.drawPoint = (draws) => this.position.set(this.checked(start(draws), "start"));
  }

  get position(): Float64Array {
    return this.engine.memory.f64(this.at.position, this.dimension);
  }

  get logDensity(): number {
    return this.value[0];
  }

  set logDensity(value: number) {
    this.value[0] = value;
  }

  evaluation(): Call {
    return { kernel: this.binding.slot, args: [this.binding.model, this.at.position, this.at.gradient] };
  }

  /** Runs transition t, which is the k-th transition of its stretch. */
  transition(propose: Propose, t: number, k: number): void {
    const draws = this.transitions.at(t);
    const { x, logRatio = 0 } = propose(this.position.slice(), draws);
    if (typeof logRatio !== "number" || Number.isNaN(logRatio))
      throw new OptionError(
        this.where,
        `propose gave the logRatio ${String(logRatio)}, but it must be log q(x | x') - log q(x' | x), or be omitted if that is 0`,
        "PROPOSAL_RATIO",
      );
    const proposal = this.engine.memory.f64(this.at.proposal, this.dimension);
    proposal.set(this.checked(x, "propose"));
    const { slot, model } = this.binding;
    const after = this.engine.atSlot(slot)(model, this.at.proposal, this.at.gradient);
    const acceptance = acceptanceProbability(this.logDensity, after, logRatio);
    const accepted = draws.uniform() < acceptance;
    if (accepted) {
      this.position.set(this.engine.memory.f64(this.at.proposal, this.dimension));
      this.logDensity = after;
    }
    this.made.set(this.position, k * this.dimension);
    this.kept.set([this.logDensity, acceptance, accepted ? 1 : 0], k * fields.length);
  }

  stretch(count: number): { draws: Float64Array; transitions: Float64Array } {
    return { draws: this.made.subarray(0, count * this.dimension), transitions: this.kept.subarray(0, count * fields.length) };
  }

  views(): Record<string, Tensor> {
    return { position: this.position, logDensity: this.value };
  }

  dispose(): void {
    this.arena.dispose();
    this.binding.dispose();
  }

  private checked(x: ArrayLike<number>, source: string): ArrayLike<number> {
    if (x?.length === this.dimension) return x;
    throw new OptionError(
      this.where,
      `${source} gave ${x?.length === undefined ? String(x) : `${x.length} numbers`}, but the target has dimension ${this.dimension}`,
      "PROPOSAL_SHAPE",
    );
  }
}

/**
 * A run of several chains. A TypeScript function makes the proposals. Everything happens on the calling thread,
 * regardless of the plan's number of workers. Chains are advanced in turn. Only the log density is compiled. Nothing is
 * adapted. Warm-up transitions are run but not stored.
 *
 * Each chain's streams: "start" (update i is the i-th attempt at a starting point), "transition" (update t supplies
 * transition t's proposal, then its acceptance).
 *
 * @throws OptionError if a proposal has a wrong length, or its ratio is not a number; ErgodicError as in placeChains
 */
export class ProposalRun extends ChainsRun<ProposalChain> {
  private readonly propose: Propose;

  constructor(
    name: string,
    density: LogDensity,
    plan: SamplingPlan,
    engine: Engine,
    { propose, start }: { propose: Propose; start?: (draws: Draws) => ArrayLike<number> },
  ) {
    super(name, plan, density.dimension, fields, engine);
    this.propose = propose;
    this.addChains((c) => new ProposalChain(name, engine, density, c, plan.seed, start));
  }

  protected begin(): Promise<void> {
    return placeChains(this.name, this.chains, this.plan, (calls) => this.run(calls));
  }

  protected async advanceChains(first: number, count: number): Promise<void> {
    for (const chain of this.chains) for (let k = 0; k < count; k++) chain.transition(this.propose, first + k, k);
    // The engine call lets the event loop handle signals and timers. Nothing else here does.
    await this.run([this.chains[0].evaluation()]);
  }
}
