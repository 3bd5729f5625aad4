import { checkChoice } from "../../base/checks.ts";
import { checkKeys, checkNumber } from "../../base/errors.ts";
import { KeptPart } from "../../base/kept-part.ts";
import { power } from "../../base/power.ts";
import { stream } from "../../base/stream.ts";
import type { Conditionals, Snapshot, Tensor } from "../../contract.ts";
import type { Engine } from "../../host/engine.ts";
import type { InferenceAlgorithm, InferencePlan, PartAnswer, PartInference } from "../inference/algorithm.ts";
import { type Ergodicity, ergodicity } from "../inference/ergodicity.ts";
import { LogTables } from "../inference/log-tables.ts";
import { positiveState } from "../inference/positive-state.ts";
import type { Component } from "../inference/reduction.ts";
import { noPositiveState } from "../local-search/incumbent.ts";
import { neighbourhood } from "./adjacency.ts";
import { Batches } from "./batches.ts";
import { BlockLayout } from "./block-layout.ts";
import type { Blocks } from "./blocks.ts";
import { Chain } from "./chain.ts";
import { Layout } from "./layout.ts";
import { marginalsOf, precise } from "./marginals.ts";
import { blocks } from "./schedules/blocks.ts";
import { chromatic } from "./schedules/chromatic.ts";
import { hogwild } from "./schedules/hogwild.ts";
import { randomScan } from "./schedules/random-scan.ts";
import { pieces, type Schedule, type Stretch } from "./schedules/schedule.ts";
import { sequential } from "./schedules/sequential.ts";
import { tableColumns, withKnown } from "./table-columns.ts";

/** Orders of visits, by name. */
const schedules = { chromatic, blocks, sequential, random: randomScan, hogwild } as const;

/** Options of `graphGibbs`. */
export interface GraphGibbsOptions {
  /**
   * The order of visits: "chromatic" (default): variables that share no factor at the same time, exact; "blocks": trees, small junction trees and variables
   * that zeros link each at once, from their joint distribution; "sequential": one after another; "random": each drawn at random; "hogwild": workers race, biased.
   */
  schedule?: keyof typeof schedules;
  /** Independent chains. Default 4; from 2 to 256. */
  chains?: number;
  /** Sweeps of each chain before anything is kept. Default 200; >= 0. */
  warmup?: number;
  /** Sweeps of each chain that are kept, at most. Default 20000; >= 100. */
  sweeps?: number;
  /** It ends once the standard error of every probability is at most this. Default 0.003; > 0. */
  mcse?: number;
}

/** Variables that are drawn in a stretch of work, over all chains: a few milliseconds. */
const STRETCH_VISITS = 1 << 17;
/** Of the chain that searches: the power of its first sweep, and of the last one of the first half of its warm-up, geometrically in between. */
const SEARCHER = 2;
const [FIRST_POWER, LAST_POWER] = [1 / 512, 4];

/**
 * Gibbs sampling over a graph: sweep after sweep each variable is drawn from its distribution given all others, p(x_i | x_−i) ∝ Π_f φ_f(x). Marginals
 * are means of these conditional probabilities (Rao-Blackwell), not of states. What of each is kept is a total and a sum of squares over batches of
 * sweeps, never states.
 *
 * One chain begins with all variables in their first state, one with all in their last, the others at random, and a third one searches for a probable
 * state first: where all end up alike, this is not for having begun alike. The certificate is { mcse, rhat, ess }: the standard error from batches or
 * from the chains' means, the larger one; or none, and why: the chains disagree or are too short, the variable or a neighbour never changed in any of
 * them, or changes of single variables may not reach all states (inference/ergodicity.ts). Task: "marginals". Sources: Geman and Geman 1984; Gelfand and
 * Smith 1990 for Rao-Blackwell; Gonzalez, Low, Gretton and Guestrin 2011 for colours.
 *
 * @throws CapabilityError for variables of more than 256 states
 */
export function graphGibbs(options: GraphGibbsOptions = {}): InferenceAlgorithm {
  checkKeys("graphGibbs", options, ["schedule", "chains", "warmup", "sweeps", "mcse"]);
  const { schedule = "chromatic", chains = 4, warmup = 200, sweeps = 20000, mcse = 0.003 } = options;
  checkChoice("graphGibbs", "schedule", schedule, ["chromatic", "blocks", "sequential", "random", "hogwild"] as const);
  checkNumber("graphGibbs", "chains", chains, { low: 2, high: 256, integer: true });
  checkNumber("graphGibbs", "warmup", warmup, { low: 0, integer: true });
  checkNumber("graphGibbs", "sweeps", sweeps, { low: 100, integer: true });
  checkNumber("graphGibbs", "mcse", mcse, { low: 0, open: true });
  const given = { schedule, chains, warmup, sweeps, mcse };
  return {
    name: "graphGibbs",
    tasks: ["marginals"],
    toJSON: () => ({ algorithm: "graphGibbs", ...given }),
    start: (part, plan, engine) => {
      const tables = new LogTables(part);
      return new GraphGibbs(tableColumns(tables), plan, engine, given, tables.zeros ? { part, tables } : undefined);
    },
    startWhole: (columns, plan, engine) => new GraphGibbs(columns, plan, engine, given),
  };
}

/** Variables by block. */
function setsOf({ order, ends }: Blocks): number[][] {
  return Array.from(ends, (end, block) => [...order.subarray(block === 0 ? 0 : ends[block - 1], end)]);
}

/** A part with zeros: where chains may begin, and whether they reach everything, is looked at first. */
interface WithZeros {
  readonly part: Component;
  readonly tables: LogTables;
}

class GraphGibbs implements PartInference {
  ended = false;
  private readonly columns: Conditionals;
  private readonly plan: InferencePlan;
  private readonly engine: Engine;
  private readonly options: Required<GraphGibbsOptions>;
  private readonly schedule: Schedule;
  private readonly zeros: WithZeros | undefined;
  private readonly steps: AsyncGenerator<void>;
  private layout: Layout | undefined;
  private together: BlockLayout | undefined;
  private readonly chains: Chain[] = [];
  private ergodic: Ergodicity | undefined;
  private impossible = false;
  private readonly batches: Batches;
  private kept: KeptPart | undefined;

  constructor(
    columns: Conditionals,
    plan: InferencePlan,
    engine: Engine,
    options: Required<GraphGibbsOptions>,
    zeros?: WithZeros,
  ) {
    this.columns = withKnown(columns);
    this.plan = plan;
    this.engine = engine;
    this.options = options;
    this.batches = new Batches(options);
    this.schedule = schedules[options.schedule];
    this.zeros = zeros;
    this.steps = this.work();
  }

  async advance(): Promise<void> {
    if ((await this.steps.next()).done) this.ended = true;
  }

  private async *work(): AsyncGenerator<void> {
    const { options, schedule, engine, columns } = this;
    const visits = schedule.visits(columns);
    yield;
    if (this.zeros) this.ergodic = yield* ergodicity(this.zeros.part, { blocks: visits.blocks && setsOf(visits.blocks) });
    const layout = (this.layout = new Layout(columns, visits.order, engine.memory));
    yield;
    if (visits.blocks) this.together = new BlockLayout(columns, layout, visits.blocks, engine.memory);
    if (!layout.joined.includes(1)) this.batches.onlyTwo();
    yield;
    yield* this.begin(layout);
    if (this.impossible) return;
    const stretches = visits.stretches.flatMap((one) => this.divided(one, visits.order.length));
    const { batches, chains } = this;
    const whole = stretches.length === 1 && !stretches[0].shared;
    const fit = Math.floor(STRETCH_VISITS / (layout.drawn + 1) / options.chains);
    while (!batches.over) {
      const searching = this.search();
      batches.begin(chains);
      const sweeps = whole && !searching ? Math.max(1, Math.min(batches.left, fit)) : 1;
      while (batches.stretch < stretches.length) {
        await this.draw(stretches[batches.stretch], sweeps);
        if (++batches.stretch < stretches.length) yield;
      }
      batches.count(sweeps, chains, () => precise(layout, chains, batches.settled, batches.done, options.mcse));
      yield;
    }
    batches.end(chains);
  }

  /** Chains at their first states, or where they were. */
  private *begin(layout: Layout): Generator<void> {
    const { plan, engine, options, columns, zeros, kept } = this;
    const workers = Math.max(1, plan.workers);
    for (let c = 0; c < options.chains; c++) {
      const chain = new Chain(layout, engine, stream(plan.seed, "graph gibbs", c), workers, this.together);
      this.chains.push(chain);
      if (kept?.has(`${c}.states`)) {
        chain.restore(kept.part("a chain", `${c}.`));
        continue;
      }
      const random = stream(plan.seed, "graph gibbs, start", c).at(0);
      if (!zeros) {
        const { cardinalities } = columns;
        chain.begin((v) => (c === 0 ? 0 : c === 1 ? cardinalities[v] - 1 : random.integer(cardinalities[v])));
        continue;
      }
      const found = yield* positiveState(zeros.tables, random);
      if (found === "impossible") this.impossible = true;
      if (found === "impossible") return;
      if (!found) throw noPositiveState("graphGibbs");
      chain.begin((v) => found[v]);
    }
  }

  /** In pieces of some milliseconds, the same at any number of workers: a checkpoint counts them. Whole multiples of what a call of the generator gives. */
  private divided(stretch: Stretch, all: number): Stretch[] {
    const most = Math.max(8192, Math.ceil(STRETCH_VISITS / this.options.chains / 8) * 8) * (stretch.shared ? 2 : 1);
    return this.schedule.random || all <= most ? [stretch] : pieces(stretch, most);
  }

  private async draw(stretch: Stretch, sweeps: number): Promise<void> {
    const { chains, schedule, engine } = this;
    const workers = Math.max(1, this.plan.workers);
    const calls = chains.flatMap((chain) => chain.calls(stretch, schedule, this.batches.sweep, sweeps, true, workers));
    await engine.run(calls, { workers: Math.min(workers, calls.length), deterministic: false });
  }

  /** Whether the third chain still searches in this sweep: as in simulated annealing, with powers that grow. */
  private search(): boolean {
    const searcher: Chain | undefined = this.chains[SEARCHER];
    const { sweep, half } = this.batches;
    if (!searcher || sweep > half) return false;
    searcher.setPower(sweep < half ? FIRST_POWER * power(LAST_POWER / FIRST_POWER, sweep / half) : 1);
    return sweep < half;
  }

  answer(): PartAnswer | undefined {
    const { layout, chains, batches, columns, schedule, options, plan } = this;
    if (this.impossible) return { method: "no state is possible", logZ: { value: -Infinity, certificate: { exact: true } } };
    if (!layout || batches.done < 2) return undefined;
    const method = `${schedule.words}: ${options.chains} chains of ${batches.settled} sweeps`;
    const biased = plan.workers > 1 ? schedule.biased : undefined;
    const early = batches.warmedUp ? undefined : "the chains had not warmed up";
    const why = early ?? biased ?? (this.ergodic && this.ergodic.ergodic !== true ? this.ergodic.reason : undefined);
    const neighbours = neighbourhood(columns);
    const marginals = marginalsOf(layout, chains, batches.settled, batches.done, neighbours, this.together?.blockOf);
    return { method, marginals: why ? marginals.map(({ p }) => ({ p, certificate: { none: why } })) : marginals };
  }

  report(): Record<string, number> {
    return { sweeps: this.batches.sweep };
  }

  snapshot(): Snapshot {
    // What was brought is not yet there where chains have not begun.
    if (this.kept && this.chains.length < this.options.chains) return this.kept.snapshot;
    const tensors: Record<string, Tensor> = {};
    for (const [c, chain] of this.chains.entries())
      for (const [name, tensor] of Object.entries(chain.snapshot())) tensors[`${c}.${name}`] = tensor;
    return { tensors, state: this.batches.snapshot() };
  }

  restore(snapshot: Snapshot): void {
    this.kept = new KeptPart("Gibbs sampling", snapshot);
    this.batches.restore(this.kept);
  }

  dispose(): void {
    for (const chain of this.chains) chain.dispose();
    this.layout?.dispose();
  }
}
