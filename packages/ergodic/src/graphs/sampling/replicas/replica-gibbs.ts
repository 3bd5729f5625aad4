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
  /** Independent replicas, a multiple of 64. Default 64; from 64 to 1024. */
  replicas?: number;
  /** Sweeps before anything is kept. Default 200; >= 0. */
  warmup?: number;
  /** Sweeps that are kept, at most. Default 20000; from 100 to 500000000. */
  sweeps?: number;
  /** It ends once the standard error of every probability is at most this. Default 0.003; > 0. */
  mcse?: number;
}

/** Words that are drawn in a stretch of work, over all blocks of replicas: a few milliseconds. */
const STRETCH_VISITS = 1 << 17;
/** Ones of eight replicas must fit 32 bits. */
const MOST_SWEEPS = 500_000_000;

/**
 * Gibbs sampling of many replicas of a graph of Booleans at once, a bit of a word each (multi-spin coding), for lattices and other graphs of pairs whose
 * variables have few distinct conditional probabilities: p(x_i = 1 | x_−i) = 1/(1 + e^(−h − Σ_j K_j [x_j is what edge j asks for])), where the edges of
 * a variable with equal K count alike. Counts of neighbours are added bit by bit in 64 replicas at once. Each replica has random bits of its own: a
 * Bernoulli bit is 1 where a uniform number of 32 bits is below 2^32 p, rounded, compared from the top bit down; p is right to 2^-33, and never below
 * 2^-32 or above 1 − 2^-32. Leaves Π φ invariant up to that. Variables that share no factor are drawn at once: the same at any number of workers.
 *
 * Marginals are shares of ones over replicas and sweeps; what is kept of eight replicas each is a total, and a sum of squares over batches: 88 bytes a
 * variable for 64 replicas. Eight replicas begin with all variables in their first state, eight with all in their last, the others at random. The
 * certificate is { mcse, rhat, ess }: the standard error from batches or from the groups of eight, the larger one; or none, and why: the groups disagree
 * or are too short, the variable or a neighbour never changed in any replica. Task: "marginals". Sources: Creutz, Jacobs and Rebbi 1981 for multi-spin
 * coding; Salmon et al. 2011 for the random numbers.
 *
 * @throws CapabilityError [GRAPH_REPLICAS] for variables of more than two states, factors of more than two variables or with zeros, variables of more
 * than 16 conditional probabilities, and graphs with more than 256 sets of these
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

  /** In pieces of some milliseconds, the same at any number of workers: a checkpoint counts them. */
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
    // What was restored is not in blocks yet.
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
