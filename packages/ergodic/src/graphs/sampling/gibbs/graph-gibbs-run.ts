import type { Conditionals, EndedChains, Snapshot } from "../../../engine/contract/index.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import type { Call } from "../../../engine/memory/pool.ts";
import { power } from "../../../engine/numbers/power.ts";
import { stream } from "../../../engine/random/stream.ts";
import { atOnce, Pauses } from "../../../engine/threads/steps.ts";
import type { InferencePlan, PartAnswer, PartInference } from "../../parts/algorithm.ts";
import { type Ergodicity, ergodicity } from "../../parts/ergodicity.ts";
import { noPositiveState } from "../../parts/incumbent.ts";
import type { LogTables } from "../../parts/log-tables.ts";
import { positiveState } from "../../parts/positive-state.ts";
import type { Component } from "../../parts/reduction.ts";
import { withKnown } from "../../parts/table-columns.ts";
import { adjoining } from "./adjacency.ts";
import { Batches, LEAST_CONTINUED, LEAST_SWEEPS } from "./batches.ts";
import { BlockLayout } from "./block-layout.ts";
import { setsOf } from "./blocking.ts";
import { Chain } from "./chain.ts";
import { earlierFrom, earlierKept, firstState, statesOf } from "./earlier.ts";
import { Layout } from "./layout.ts";
import { marginalsOf, precision, variancesOf } from "./marginals.ts";
import { groupsOf, logMeans, Regions } from "./regions.ts";
import { blocks } from "./schedules/blocks.ts";
import { chromatic } from "./schedules/chromatic.ts";
import { hogwild } from "./schedules/hogwild.ts";
import { randomScan } from "./schedules/random-scan.ts";
import { pieces, type Schedule, type Stretch, type Visits } from "./schedules/schedule.ts";
import { sequential } from "./schedules/sequential.ts";
import { FIRST_BATCHES, type ScoutDriver, Scouts } from "./scouts.ts";
import { type Tempered, TemperedChains } from "./tempered-chains.ts";

/** Visiting orders by name. */
export const schedules = { chromatic, blocks, sequential, random: randomScan, hogwild } as const;

/** Number of variables drawn per stretch of work, over all chains. A stretch takes a few milliseconds. */
const STRETCH_VISITS = 1 << 17;
/** Chain that searches in the first half of its warm-up, and its powers at the first and last search sweep. */
const SEARCHER = 2;
const [FIRST_POWER, LAST_POWER] = [1 / 512, 4];
/** Shares of the warm-up after which the powers of a ladder are adapted. */
const MOVED_AT = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4];
/** Share of the warm-up that remains if the chains continue an earlier run. */
const CONTINUED_WARMUP = 0.1;

/** Options with every default filled in. */
export interface GibbsSettings {
  readonly schedule: keyof typeof schedules;
  readonly chains: number;
  readonly warmup: number;
  readonly sweeps: number;
  readonly mcse: number;
  readonly tempered: Tempered | undefined;
}

/** A part with zeros. The start states and the ergodicity of the part are checked first. */
interface WithZeros {
  readonly part: Component;
  readonly tables: LogTables;
}

/** Run of `graphGibbs` on one part, or on a whole graph. */
export class GraphGibbsRun implements PartInference {
  ended = false;
  private readonly columns: Conditionals;
  private readonly plan: InferencePlan;
  private readonly engine: Engine;
  private readonly options: GibbsSettings;
  private readonly schedule: Schedule;
  private readonly zeros: WithZeros | undefined;
  private readonly steps: AsyncGenerator<void>;
  private layout: Layout | undefined;
  private together: BlockLayout | undefined;
  private readonly chains: Chain[] = [];
  private ladder: TemperedChains | undefined;
  private scouts: Scouts | undefined;
  /** Whether the chains have states, either initial or restored. */
  private begun = false;
  private ergodic: Ergodicity | undefined;
  private impossible = false;
  /** Starting point of the chains, for graphs without zeros. */
  private earlier: EndedChains | undefined;
  private batches: Batches;
  private kept: KeptPart | undefined;

  constructor(
    columns: Conditionals,
    plan: InferencePlan,
    engine: Engine,
    options: GibbsSettings,
    earlier: EndedChains | undefined,
    zeros?: WithZeros,
  ) {
    const racing = plan.workers > 1 && schedules[options.schedule].biased;
    if (racing && plan.deterministic)
      throw new CapabilityError(
        "graphGibbs",
        `deterministic is true, but with schedule "${options.schedule}" ${plan.workers} workers race; use "chromatic", or one worker`,
        "PLAN_MEANING",
      );
    this.columns = withKnown(columns);
    this.plan = plan;
    this.engine = engine;
    this.options = options;
    this.earlier = earlier;
    this.batches = this.newBatches();
    this.schedule = schedules[options.schedule];
    this.zeros = zeros;
    this.steps = this.work();
  }

  private newBatches(): Batches {
    const { earlier, options } = this;
    if (!earlier) return new Batches(options, LEAST_SWEEPS);
    // A ladder always adapts its powers from scratch.
    const share = options.tempered ? 1 : CONTINUED_WARMUP;
    return new Batches({ ...options, warmup: Math.ceil(share * options.warmup) }, LEAST_CONTINUED);
  }

  /** Number of sweeps, including the sweeps of earlier runs. This number determines the random numbers. */
  private get sweep(): number {
    return (this.earlier?.sweeps ?? 0) + this.batches.sweep;
  }

  async advance(): Promise<void> {
    if ((await this.steps.next()).done) this.ended = true;
  }

  private async *work(): AsyncGenerator<void> {
    const { options, schedule, engine, columns } = this;
    const visits = yield* schedule.visits(columns);
    yield;
    if (this.zeros) this.ergodic = yield* ergodicity(this.zeros.part, { blocks: visits.blocks && setsOf(visits.blocks) });
    const layout = (this.layout = new Layout(columns, visits.order, engine.memory));
    yield* layout.filling();
    yield;
    if (visits.blocks) {
      const together = new BlockLayout(columns, layout, visits.blocks, engine.memory);
      yield* together.filling();
      this.together = together;
    }
    if (!layout.joined.includes(1)) this.batches.onlyTwo();
    yield;
    yield* this.begin(layout);
    if (this.impossible) return;
    const { batches, chains, ladder } = this;
    const driver = this.driver(layout, visits);
    const isPrecise = (): Generator<void, boolean> =>
      precision(layout, chains, batches.settled, batches.done, options.mcse, this.earlier);
    const look = async function* (this: GraphGibbsRun): AsyncGenerator<void> {
      if (this.scouts) yield* this.scouts.follow(batches.settled * chains.length, driver);
      batches.look((yield* isPrecise()) && !this.scouts?.apart);
    }.bind(this);
    // A restored run can continue from just before a comparison or a precision check.
    if (!batches.over) yield* this.compare(layout, driver);
    if (!ladder && !batches.over && batches.isDue) yield* look();
    while (!batches.over) {
      const searching = this.search();
      batches.begin(chains);
      const stretches = this.stretchesOf(visits);
      const whole = stretches.length === 1 && !stretches[0].shared;
      const fit = Math.floor(STRETCH_VISITS / (layout.drawn + 1) / this.chainCount);
      const most = Math.min(batches.left, fit, ladder?.until(batches.sweep) ?? Infinity);
      const sweeps = whole && !searching ? Math.max(1, most) : 1;
      while (batches.stretch < stretches.length) {
        await this.draw(stretches[batches.stretch], sweeps);
        if (++batches.stretch < stretches.length) yield;
      }
      batches.made(sweeps, chains);
      yield* this.compare(layout, driver);
      // A run cannot resume between a precision check and a swap, so this check must not yield.
      if (batches.isDue && ladder) batches.look(atOnce(isPrecise()));
      else if (batches.isDue) yield* look();
      if (ladder) await this.climb(ladder);
      yield;
    }
    batches.end(chains);
    if (this.scouts) yield* this.scouts.follow(batches.settled * chains.length, driver);
  }

  /** Records where the chains are when a batch ends. Starts the scouts as soon as a comparison is possible. */
  private async *compare(layout: Layout, driver: ScoutDriver): AsyncGenerator<void> {
    const { batches, chains, columns, options, zeros } = this;
    if (!this.compares || !batches.isBetween || batches.done < FIRST_BATCHES) return;
    if (!this.scouts) {
      const groups = yield* groupsOf(columns, layout);
      this.scouts = new Scouts(new Regions(layout, groups, logMeans(layout, chains, batches.settled)), chains.length);
    }
    await this.scouts.see(chains, batches, driver);
    const fewest = chains.length * (batches.warmup + Math.min(options.sweeps, batches.least));
    // With zeros, the search for a scout's start state costs more than its sweeps.
    yield* this.scouts.make(Scouts.wanted(fewest, zeros ? 2 * chains.length : undefined), driver);
  }

  /** Whether scouts are used. A ladder, or the lack of a certificate, makes scouts unnecessary. */
  private get compares(): boolean {
    const { ladder, layout, schedule, plan, ergodic } = this;
    const biased = schedule.biased !== undefined && plan.workers > 1;
    return !ladder && !biased && (ergodic?.ergodic ?? true) === true && layout!.joined.includes(1);
  }

  private driver(layout: Layout, visits: Visits): ScoutDriver {
    const { plan, engine, options, columns, zeros, together, schedule } = this;
    const workers = Math.max(1, plan.workers);
    const run = (calls: Call[]): Promise<void> => this.run(calls);
    const stretches = this.stretchesOf(visits);
    const whole = stretches.length === 1 && !stretches[0].shared;
    return {
      together: options.chains,
      chain: (scout) => new Chain(layout, engine, stream(plan.seed, "graph gibbs, scout", scout), workers, together, false),
      *begin(chain, scout) {
        const random = stream(plan.seed, "graph gibbs, scout start", scout).at(0);
        const found = zeros ? yield* positiveState(zeros.tables, random) : undefined;
        if (found === "impossible" || (zeros && !found)) return false;
        chain.begin((v) => found?.[v] ?? random.integer(columns.cardinalities[v]));
        return true;
      },
      async *draw(chains, sweep, sweeps) {
        const each = whole ? sweeps : 1;
        for (let k = 0; k < sweeps; k += each)
          for (const stretch of stretches) {
            await run(chains.flatMap((chain) => chain.calls(stretch, schedule, sweep + k, each, false, workers)));
            yield;
          }
      },
      value: (chains) => run(chains.map((chain) => chain.valueCall())),
    };
  }

  /** Number of chains, including all copies. */
  private get chainCount(): number {
    return this.options.chains * (this.ladder?.powers.length ?? 1);
  }

  /** After a sweep, swaps states if due. Adapts the powers during warm-up, and resets the counts at its end. */
  private async climb(ladder: TemperedChains): Promise<void> {
    const { sweep } = this.batches;
    const { warmup } = this.options;
    if (ladder.isDue(sweep)) {
      await this.run(ladder.valueCalls());
      ladder.swap(sweep, sweep <= warmup);
    }
    if (MOVED_AT.some((share) => sweep === Math.floor(share * warmup))) ladder.adapt();
    if (sweep === warmup) ladder.begin();
  }

  /** Sets the chains to their initial or restored states. */
  private *begin(layout: Layout): Generator<void> {
    const { plan, engine, options, columns, zeros, kept } = this;
    const workers = Math.max(1, plan.workers);
    const pauses = new Pauses();
    for (let c = 0; c < options.chains; c++) {
      if (pauses.due(columns.variables.length)) yield;
      const chain = new Chain(layout, engine, stream(plan.seed, "graph gibbs", c), workers, this.together);
      this.chains.push(chain);
      if (kept?.has(`${c}.states`)) {
        chain.restore(kept.part("a chain", `${c}.`));
        continue;
      }
      const random = stream(plan.seed, "graph gibbs, start", c).at(0);
      const { cardinalities } = columns;
      if (this.earlier) {
        chain.begin(firstState(this.earlier, c, cardinalities, (count) => random.integer(count)));
        continue;
      }
      if (!zeros) {
        chain.begin((v) => (c === 0 ? 0 : c === 1 ? cardinalities[v] - 1 : random.integer(cardinalities[v])));
        continue;
      }
      const found = yield* positiveState(zeros.tables, random);
      if (found === "impossible") this.impossible = true;
      if (found === "impossible") return;
      if (!found) throw noPositiveState("graphGibbs");
      chain.begin((v) => found[v]);
    }
    if (options.tempered) this.temper(options.tempered, layout);
    if (kept?.has("scouts.logs")) {
      const regions = new Regions(
        layout,
        yield* groupsOf(columns, layout),
        kept.floats("scouts.logs", layout.slots[layout.drawn]),
      );
      this.scouts = new Scouts(regions, options.chains);
      this.scouts.restore(kept.part("scouts", "scouts.", kept.object("scouts")), this.chains[0].packedStates().length);
    }
    this.begun = true;
  }

  private temper(tempered: Tempered, layout: Layout): void {
    const { plan, engine, kept } = this;
    const workers = Math.max(1, plan.workers);
    const make = (c: number, k: number): Chain =>
      new Chain(layout, engine, stream(plan.seed, "graph gibbs", c, "rung", k), workers, this.together);
    this.ladder = new TemperedChains(tempered, this.chains, make, { seed: plan.seed, name: "graph gibbs" });
    if (kept?.has("ladder.powers")) this.ladder.restore(kept.part("the ladder", "ladder."));
  }

  /** Returns the stretches of a sweep. */
  private stretchesOf({ stretches, order }: Visits): Stretch[] {
    return stretches.flatMap((one) => this.divided(one, order.length));
  }

  /**
   * Splits a stretch into pieces of a few milliseconds. Checkpoints count pieces, so the pieces are the same for any
   * number of workers. The lengths of the pieces are multiples of the generator's output per call.
   */
  private divided(stretch: Stretch, all: number): Stretch[] {
    const most = Math.max(8192, Math.ceil(STRETCH_VISITS / this.chainCount / 8) * 8) * (stretch.shared ? 2 : 1);
    return this.schedule.random || all <= most ? [stretch] : pieces(stretch, most);
  }

  private async draw(stretch: Stretch, sweeps: number): Promise<void> {
    const { chains, schedule } = this;
    const workers = Math.max(1, this.plan.workers);
    const calls = (of: readonly Chain[], keep: boolean): Call[] =>
      of.flatMap((chain) => chain.calls(stretch, schedule, this.sweep, sweeps, keep, workers));
    await this.run([...calls(chains, true), ...calls(this.ladder?.copies ?? [], false)]);
  }

  private async run(calls: Call[]): Promise<void> {
    const workers = Math.max(1, this.plan.workers);
    await this.engine.run(calls, { workers: Math.min(workers, calls.length), deterministic: false });
  }

  /** Anneals the third chain in the first half of the warm-up. Returns whether the chain searches in this sweep. */
  private search(): boolean {
    const searcher: Chain | undefined = this.chains[SEARCHER];
    const { sweep, half } = this.batches;
    if (!searcher || this.earlier || sweep > half) return false;
    searcher.setPower(sweep < half ? FIRST_POWER * power(LAST_POWER / FIRST_POWER, sweep / half) : 1);
    return sweep < half;
  }

  answer(): PartAnswer | undefined {
    return atOnce(this.answering());
  }

  *answering(): Generator<void, PartAnswer | undefined> {
    const { layout, chains, batches, columns, schedule, options, plan, earlier } = this;
    if (this.impossible) return { method: "no state is possible", logZ: { value: -Infinity, certificate: { exact: true } } };
    if (!layout || batches.done < 2) return undefined;
    const tempered = this.ladder ? `, ${this.ladder.words}` : "";
    const method = `${schedule.words}: ${options.chains} chains of ${batches.settled} sweeps${tempered}`;
    const biased = plan.workers > 1 ? schedule.biased : undefined;
    const early = batches.warmedUp ? undefined : "the chains had not warmed up";
    const lost = this.ladder?.lost
      ? "lower powers did not lead back to states that chains had found, which are more probable than all states visited since"
      : undefined;
    const compared = !this.compares || this.scouts?.count ? undefined : "no other starts had been compared with the chains";
    const why =
      early ?? biased ?? lost ?? compared ?? (this.ergodic && this.ergodic.ergodic !== true ? this.ergodic.reason : undefined);
    const adjacency = yield* adjoining(columns);
    const { blockOf } = this.together ?? {};
    const more = { blockOf, earlier, apart: this.scouts?.apart };
    const marginals = yield* marginalsOf(layout, chains, batches.settled, batches.done, { columns, adjacency }, more);
    const certified = why ? marginals.map(({ p }) => ({ p, certificate: { none: why } })) : marginals;
    const ended = {
      states: yield* statesOf(layout, chains),
      variances: yield* variancesOf(layout, chains, batches.settled, batches.done, certified, earlier),
      ...{ sweeps: this.sweep, kept: Math.max(batches.settled, earlier?.kept ?? 0) },
    };
    return { method, marginals: certified, chains: ended };
  }

  report(): Record<string, number> {
    const { ladder, batches } = this;
    return { sweeps: batches.sweep, ...(ladder ? { roundTrips: ladder.roundTrips } : {}) };
  }

  snapshot(): Snapshot {
    // Before the chains have started, the restored snapshot has not been applied yet.
    if (this.kept && !this.begun) return this.kept.snapshot;
    const { tensors, state } = earlierKept(this.earlier);
    for (const [c, chain] of this.chains.entries())
      for (const [name, tensor] of Object.entries(chain.snapshot())) tensors[`${c}.${name}`] = tensor;
    for (const [name, tensor] of Object.entries(this.ladder?.snapshot() ?? {})) tensors[`ladder.${name}`] = tensor;
    const scouts = this.scouts?.snapshot();
    for (const [name, tensor] of Object.entries(scouts?.tensors ?? {})) tensors[`scouts.${name}`] = tensor;
    const own = { schedule: this.options.schedule, ...(scouts ? { scouts: scouts.state } : {}) };
    return { tensors, state: { ...state, ...own, ...this.batches.snapshot() } };
  }

  restore(snapshot: Snapshot): void {
    this.kept = new KeptPart("Gibbs sampling", snapshot);
    // Sums are stored in visiting order, so a restored run must have the same schedule.
    this.kept.choice("schedule", [this.options.schedule]);
    this.earlier = earlierFrom(this.kept, this.columns.cardinalities.length);
    this.batches = this.newBatches();
    this.batches.restore(this.kept);
  }

  dispose(): void {
    for (const chain of this.chains) chain.dispose();
    this.ladder?.dispose();
    this.scouts?.dispose();
    this.layout?.dispose();
  }
}
