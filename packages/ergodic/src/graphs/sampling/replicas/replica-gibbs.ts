import type { Conditionals, Snapshot, Tensor } from "../../../engine/contract/index.ts";
import { OptionError } from "../../../engine/errors/errors.ts";
import { declare } from "../../../engine/errors/options.ts";
import { KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { stream } from "../../../engine/random/stream.ts";
import type { InferenceAlgorithm, InferencePlan, PartAnswer, PartInference } from "../../parts/algorithm.ts";
import { LogTables } from "../../parts/log-tables.ts";
import { tableColumns, withKnown } from "../../parts/table-columns.ts";
import { Batches } from "../gibbs/batches.ts";
import { stretchesOf } from "../gibbs/schedules/chromatic.ts";
import { pieces, type Stretch } from "../gibbs/schedules/schedule.ts";
import { BitLayout } from "./bit-layout.ts";
import { marginalsOf, precise } from "./marginals.ts";
import { REPLICAS, Replicas, TALLY_SWEEPS } from "./replicas.ts";

/** Options of `replicaGibbs`. */
export interface ReplicaGibbsOptions {
  /** Number of independent replicas, a multiple of 64. Default 64; from 64 to 1024. */
  replicas?: number;
  /** Number of warm-up sweeps. Default 200; >= 0. */
  warmup?: number;
  /** Maximum number of sweeps after warm-up. Default 20000; from 100 to 500000000. */
  sweeps?: number;
  /** Standard error at which the run ends. Every probability must reach this error. Default 0.003; > 0. */
  mcse?: number;
}

/** Number of words drawn per stretch of work, over all blocks of replicas. A stretch takes a few milliseconds. */
const STRETCH_VISITS = 1 << 17;
/** Largest number of sweeps. The count of ones of eight replicas must fit in 32 bits. */
const MOST_SWEEPS = 500_000_000;

/**
 * Gibbs sampling of many replicas of a Boolean graph in parallel, with one bit of a word per replica (multi-spin
 * coding). Replica sampling is designed for lattices and other pairwise graphs in which each variable has few distinct
 * conditional probabilities: p(x_i = 1 | x_−i) = 1/(1 + e^(−h − Σ_j K_j [edge j is active])). A variable's edges with
 * equal K are interchangeable. Active neighbours are counted bitwise in 64 replicas simultaneously. Each replica has
 * its own random bits. A Bernoulli bit is 1 if a uniform 32-bit number is below 2^32 p, rounded. The comparison starts
 * at the top bit. p is accurate to 2^-33, and never below 2^-32 or above 1 − 2^-32. Leaves Π φ invariant up to this
 * rounding. Variables without a common factor are drawn simultaneously, so the result does not depend on the number of
 * workers.
 *
 * Marginals are shares of ones over replicas and sweeps. Each group of eight replicas stores a total and a sum of
 * squares over batches. For 64 replicas, this takes 88 bytes per variable. Eight replicas start with all variables in
 * their first state, eight with all in their last state, and the others at random. The certificate is { mcse, rhat, ess
 * }. The standard error is the larger of two estimates, from batches and from the groups of eight. There is no
 * certificate if the groups disagree or are too short, or if the variable or a neighbour never changed in any replica.
 * The answer then states the reason. Task: "marginals". Sources: Creutz, Jacobs and Rebbi 1981 for multi-spin coding;
 * Salmon et al. 2011 for the random numbers.
 *
 * @throws CapabilityError [GRAPH_REPLICAS] for variables with more than two states, factors of more than two variables
 * or with zeros, variables with more than 16 conditional probabilities, and graphs with more than 256 sets of these
 */
export const replicaGibbs = /* @__PURE__ */ declare<ReplicaGibbsOptions, InferenceAlgorithm>(
  {
    name: "replicaGibbs",
    options: {
      replicas: { low: REPLICAS, high: 1024, integer: true },
      warmup: { low: 0, integer: true },
      sweeps: { low: 100, high: MOST_SWEEPS, integer: true },
      mcse: { low: 0, open: true },
    },
  },
  (options) => {
    const { replicas = 64, warmup = 200, sweeps = 20000, mcse = 0.003 } = options;
    if (replicas % REPLICAS !== 0)
      throw new OptionError("replicaGibbs", `replicas is ${replicas}, but must be a multiple of ${REPLICAS}`, "OPTION_RANGE");
    const given = { replicas, warmup, sweeps, mcse };
    return {
      name: "replicaGibbs",
      verb: "infer",
      tasks: ["marginals"],
      toJSON: () => ({ algorithm: "replicaGibbs", ...given }),
      prepare: LogTables.making,
      start: (part, plan, engine) => new ReplicaGibbs(tableColumns(LogTables.of(part)), plan, engine, given),
      startWhole: (columns, plan, engine) => new ReplicaGibbs(columns, plan, engine, given),
    };
  },
);

class ReplicaGibbs implements PartInference {
  ended = false;
  private readonly plan: InferencePlan;
  private readonly engine: Engine;
  private readonly options: Required<ReplicaGibbsOptions>;
  private readonly columns: Conditionals;
  private readonly steps: AsyncGenerator<void>;
  private layout: BitLayout | undefined;
  private readonly blocks: Replicas[] = [];
  private readonly batches: Batches;
  private kept: KeptPart | undefined;

  constructor(columns: Conditionals, plan: InferencePlan, engine: Engine, options: Required<ReplicaGibbsOptions>) {
    this.columns = withKnown(columns);
    this.plan = plan;
    this.engine = engine;
    this.options = options;
    this.batches = new Batches(options);
    this.steps = this.work();
  }

  async advance(): Promise<void> {
    if ((await this.steps.next()).done) this.ended = true;
  }

  private async *work(): AsyncGenerator<void> {
    const { options, engine } = this;
    const layout = (this.layout = new BitLayout(this.columns, engine.memory));
    yield;
    this.begin(layout);
    const stretches = this.stretches(layout);
    const { batches, blocks } = this;
    const whole = stretches.length === 1 && !stretches[0].shared;
    const fit = Math.floor(STRETCH_VISITS / (layout.positions + 1) / blocks.length);
    while (!batches.over) {
      batches.begin(blocks);
      const sweeps = whole ? Math.max(1, Math.min(batches.left, blocks[0].room, fit)) : 1;
      while (batches.stretch < stretches.length) {
        await this.draw(stretches[batches.stretch], sweeps);
        if (++batches.stretch < stretches.length) yield;
      }
      for (const block of blocks) block.counted(sweeps);
      batches.count(sweeps, blocks, () => precise(this.sums(layout), options.mcse));
      yield;
    }
    batches.end(blocks);
  }

  private begin(layout: BitLayout): void {
    const { plan, engine, options, kept } = this;
    for (let b = 0; b < options.replicas / REPLICAS; b++) {
      const block = new Replicas(layout, engine, stream(plan.seed, "replica gibbs", b), Math.max(1, plan.workers));
      this.blocks.push(block);
      if (kept?.has(`${b}.states`)) block.restore(kept.part("replicas", `${b}.`), kept.count("tallied", 0, TALLY_SWEEPS - 1));
      else block.begin(stream(plan.seed, "replica gibbs, start", b).at(0));
    }
  }

  /**
   * Returns the stretches of a sweep, split into pieces of a few milliseconds. Checkpoints count pieces, so the pieces
   * are the same for any number of workers.
   */
  private stretches({ colourEnds, positions }: BitLayout): Stretch[] {
    const most = Math.max(8192, Math.ceil(STRETCH_VISITS / this.blocks.length / 8) * 8);
    return stretchesOf(colourEnds, 0).flatMap((one) => (positions <= most ? one : pieces(one, most)));
  }

  private async draw(stretch: Stretch, sweeps: number): Promise<void> {
    const workers = Math.max(1, this.plan.workers);
    const calls = this.blocks.flatMap((block) => block.calls(stretch, this.batches.sweep, sweeps, true, workers));
    await this.engine.run(calls, { workers: Math.min(workers, calls.length), deterministic: false });
  }

  private sums(layout: BitLayout) {
    return { layout, blocks: this.blocks, sweeps: this.batches.settled, batches: this.batches.done };
  }

  answer(): PartAnswer | undefined {
    const { layout, batches, options } = this;
    if (!layout || batches.done < 2) return undefined;
    const method = `bit-parallel Gibbs: ${options.replicas} replicas of ${batches.settled} sweeps`;
    const marginals = marginalsOf(this.sums(layout));
    if (batches.warmedUp) return { method, marginals };
    const certificate = { none: "the replicas had not warmed up" };
    return { method, marginals: marginals.map(({ p }) => ({ p, certificate })) };
  }

  report(): Record<string, number> {
    return { sweeps: this.batches.sweep };
  }

  snapshot(): Snapshot {
    // The restored snapshot is not yet applied to the blocks.
    if (this.kept && this.blocks.length === 0) return this.kept.snapshot;
    const tensors: Record<string, Tensor> = {};
    for (const [b, block] of this.blocks.entries())
      for (const [name, tensor] of Object.entries(block.snapshot())) tensors[`${b}.${name}`] = tensor;
    const tallied = this.blocks[0]?.tallied ?? 0;
    return { tensors, state: { ...this.batches.snapshot(), tallied } };
  }

  restore(snapshot: Snapshot): void {
    this.kept = new KeptPart("replica Gibbs sampling", snapshot);
    this.batches.restore(this.kept);
  }

  dispose(): void {
    for (const block of this.blocks) block.dispose();
    this.layout?.dispose();
  }
}
