import { checkKeys, checkNumber, OptionError } from "../../base/errors.ts";
import { KeptPart } from "../../base/kept-part.ts";
import { stream } from "../../base/stream.ts";
import type { Conditionals, Snapshot, Tensor } from "../../contract.ts";
import type { Engine } from "../../host/engine.ts";
import { batchLength, LEAST_BATCHES } from "../graph-gibbs/chain-sums.ts";
import { stretchesOf } from "../graph-gibbs/schedules/chromatic.ts";
import { pieces, type Stretch } from "../graph-gibbs/schedules/schedule.ts";
import { tableColumns } from "../graph-gibbs/table-columns.ts";
import type { InferenceAlgorithm, InferencePlan, PartAnswer, PartInference } from "../inference/algorithm.ts";
import { LogTables } from "../inference/log-tables.ts";
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
/** Sweeps that are kept before a run may end as precise. */
const LEAST_SWEEPS = 1000;
/** By how much more sweeps there must be until precision is looked at again. */
const LOOK = 1.25;
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
export function replicaGibbs(options: ReplicaGibbsOptions = {}): InferenceAlgorithm {
  checkKeys("replicaGibbs", options, ["replicas", "warmup", "sweeps", "mcse"]);
  const { replicas = 64, warmup = 200, sweeps = 20000, mcse = 0.003 } = options;
  checkNumber("replicaGibbs", "replicas", replicas, { low: REPLICAS, high: 1024, integer: true });
  if (replicas % REPLICAS !== 0)
    throw new OptionError("replicaGibbs", `replicas is ${replicas}, but must be a multiple of ${REPLICAS}`, "OPTION_RANGE");
  checkNumber("replicaGibbs", "warmup", warmup, { low: 0, integer: true });
  checkNumber("replicaGibbs", "sweeps", sweeps, { low: 100, high: MOST_SWEEPS, integer: true });
  checkNumber("replicaGibbs", "mcse", mcse, { low: 0, open: true });
  const given = { replicas, warmup, sweeps, mcse };
  return {
    name: "replicaGibbs",
    tasks: ["marginals"],
    toJSON: () => ({ algorithm: "replicaGibbs", ...given }),
    start: (part, plan, engine) => new ReplicaGibbs(tableColumns(new LogTables(part)), plan, engine, given),
    startWhole: (columns, plan, engine) => new ReplicaGibbs(columns, plan, engine, given),
  };
}

class ReplicaGibbs implements PartInference {
  ended = false;
  private readonly plan: InferencePlan;
  private readonly engine: Engine;
  private readonly options: Required<ReplicaGibbsOptions>;
  private readonly columns: Conditionals;
  private readonly steps: AsyncGenerator<void>;
  private layout: BitLayout | undefined;
  private blocks: Replicas[] = [];
  /** Sweeps that are done, and stretches of the one under way. */
  private sweep = 0;
  private stretch = 0;
  /** Of kept sweeps: batches that are done, their sweeps, and sweeps of the one under way. */
  private batches = 0;
  private settled = 0;
  private inBatch = 0;
  /** When precision was last looked at, and whether it was enough. */
  private looked = 0;
  private precise = false;
  private kept: KeptPart | undefined;

  constructor(columns: Conditionals, plan: InferencePlan, engine: Engine, options: Required<ReplicaGibbsOptions>) {
    const { cardinalities, observed } = columns;
    this.columns = { ...columns, observed: observed.map((state, v) => (state < 0 && cardinalities[v] === 1 ? 0 : state)) };
    this.plan = plan;
    this.engine = engine;
    this.options = options;
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
    const last = options.warmup + options.sweeps;
    while (this.sweep < last && !this.precise) {
      const { warmup } = options;
      // What is kept while replicas warm up is an answer in need: it is forgotten once more is known.
      const half = Math.floor(warmup / 2);
      if (this.stretch === 0 && (this.sweep === warmup || this.sweep === half)) this.forget();
      const batch = Math.min(batchLength(this.batches) - this.inBatch, this.blocks[0].room);
      const left = Math.min(batch, (this.sweep < half ? half : this.sweep < warmup ? warmup : last) - this.sweep);
      const fit = Math.floor(STRETCH_VISITS / (layout.positions + 1) / this.blocks.length);
      const sweeps = stretches.length === 1 && !stretches[0].shared ? Math.max(1, Math.min(left, fit)) : 1;
      while (this.stretch < stretches.length) {
        await this.draw(stretches[this.stretch], sweeps);
        if (++this.stretch < stretches.length) yield;
      }
      this.stretch = 0;
      this.sweep += sweeps;
      this.count(sweeps, layout);
      yield;
    }
    if (this.inBatch > 0) this.settle();
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
    const calls = this.blocks.flatMap((block) => block.calls(stretch, this.sweep, sweeps, true, workers));
    await this.engine.run(calls, { workers: Math.min(workers, calls.length), deterministic: false });
  }

  private count(sweeps: number, layout: BitLayout): void {
    for (const block of this.blocks) block.counted(sweeps);
    this.inBatch += sweeps;
    if (this.inBatch === batchLength(this.batches)) this.settle();
    const enough = this.sweep > this.options.warmup && this.batches >= LEAST_BATCHES && this.settled >= LEAST_SWEEPS;
    if (!enough || this.settled < this.looked * LOOK) return;
    this.looked = this.settled;
    this.precise = precise(this.sums(layout), this.options.mcse);
  }

  private forget(): void {
    for (const block of this.blocks) block.forget();
    this.settled = this.inBatch = this.batches = 0;
  }

  private settle(): void {
    for (const block of this.blocks) block.settle(this.inBatch);
    this.settled += this.inBatch;
    this.inBatch = 0;
    this.batches++;
  }

  private sums(layout: BitLayout) {
    return { layout, blocks: this.blocks, sweeps: this.settled, batches: this.batches };
  }

  answer(): PartAnswer | undefined {
    const { layout, settled, batches, options } = this;
    if (!layout || batches < 2) return undefined;
    const method = `bit-parallel Gibbs: ${options.replicas} replicas of ${settled} sweeps`;
    const marginals = marginalsOf(this.sums(layout));
    if (this.sweep > options.warmup) return { method, marginals };
    const certificate = { none: "the replicas had not warmed up" };
    return { method, marginals: marginals.map(({ p }) => ({ p, certificate })) };
  }

  report(): Record<string, number> {
    return { sweeps: this.sweep };
  }

  snapshot(): Snapshot {
    // What was restored is not in blocks yet.
    if (this.kept && this.blocks.length === 0) return this.kept.snapshot;
    const { sweep, stretch, batches, settled, inBatch, looked, precise } = this;
    const tensors: Record<string, Tensor> = {};
    for (const [b, block] of this.blocks.entries())
      for (const [name, tensor] of Object.entries(block.snapshot())) tensors[`${b}.${name}`] = tensor;
    const tallied = this.blocks[0]?.tallied ?? 0;
    return { tensors, state: { sweep, stretch, batches, settled, inBatch, tallied, looked, precise } };
  }

  restore(snapshot: Snapshot): void {
    const kept = (this.kept = new KeptPart("replica Gibbs sampling", snapshot));
    this.sweep = kept.count("sweep");
    this.stretch = kept.count("stretch");
    this.batches = kept.count("batches");
    this.settled = kept.count("settled");
    this.inBatch = kept.count("inBatch");
    this.looked = kept.count("looked");
    this.precise = kept.flag("precise");
  }

  dispose(): void {
    for (const block of this.blocks) block.dispose();
    this.layout?.dispose();
  }
}
