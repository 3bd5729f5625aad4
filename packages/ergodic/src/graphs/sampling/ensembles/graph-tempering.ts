import type { Certificate, Conditionals, Snapshot, Tensor } from "../../../engine/contract/index.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import { declare } from "../../../engine/errors/options.ts";
import { KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import { power } from "../../../engine/numbers/power.ts";
import { stream } from "../../../engine/random/stream.ts";
import type { InferenceAlgorithm, InferencePlan, PartAnswer, PartInference } from "../../parts/algorithm.ts";
import { JointState } from "../../parts/joint-state.ts";
import { LogTables } from "../../parts/log-tables.ts";
import type { Component } from "../../parts/reduction.ts";
import { spreadOf } from "../../parts/spread.ts";
import { tableColumns, withKnown } from "../../parts/table-columns.ts";
import { ChainCopies } from "./chain-copies.ts";
import { type Copies, STRETCH } from "./copies.ts";
import { type Estimate, intervalOf, logRatio, objection, shareOf } from "./ensemble-answer.ts";
import { Ensembles } from "./ensembles.ts";
import { ReplicaCopies } from "./replica-copies.ts";

/** Options of `graphTempering`. */
export interface GraphLadderOptions {
  /** Number of independent ensembles. Default 16 (64 if the copies are bits); a whole number from 8 to 256. */
  ensembles?: number;
  /** Number of warm-up sweeps in which the powers are adapted. Default 200; from 50. */
  warmup?: number;
  /** Largest number of sweeps per copy after the warm-up. Default 50000; >= 100. */
  sweeps?: number;
  /** Confidence level of the intervals. Default 0.999; from 0.5 to 0.999999. */
  level?: number;
  /**
   * Interval width at which the run ends. For "marginals", the intervals of ln Z and of all probabilities must be this
   * narrow. Default 0.05; > 0.
   */
  width?: number;
}

/** Shares of the warm-up after which the powers are adapted. */
const MOVED_AT = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4];
/** Largest number of states of a variable, so that a state fits in a byte. */
const MOST_STATES = 256;
/** Powers at the first and at the last sweep of a search. */
const [FIRST_POWER, LAST_POWER] = [1 / 512, 4];

/**
 * Parallel tempering for ln Z and marginals. An ensemble consists of copies at powers 1 = β_0 > … > β_R = 0 of Π_f φ_f.
 * The copies exchange states (ensembles.ts). ln Z = ln Z_0 + Σ_k ln Z_k/Z_{k+1}, where Z_0 is the number of joint
 * states and the ratios come from Bennett's estimator with states at both powers. Marginals are means of conditional
 * probabilities at power 1, or of states if the copies are bits. The sweeps and exchanges of an ensemble leave Π_k
 * p^{β_k} invariant.
 *
 * Boolean variables with pairwise factors of few distinct strengths use 64 ensembles of bits (replica-copies.ts),
 * regardless of `ensembles`. All other graphs use chains (chain-copies.ts). Half of the ensembles start from the result
 * of simulated annealing, the others at random. Powers are adapted during the warm-up. After the warm-up, at least the
 * first quarter and at most the first half of the sweeps are discarded.
 *
 * The certificate is a Student's t interval over ensembles (ensemble-answer.ts). There is no certificate if the values
 * at some power have an R-hat above 1.01, if fewer than 100 states travelled from power 0 to power 1, or if the
 * searches found states more probable than any state seen since. Tasks: "marginals", "partition". Sources: Geyer 1991;
 * Bennett 1976; Syed, Bouchard-Côté, Deligiannidis and Doucet 2022.
 *
 * @throws CapabilityError [GRAPH_ZEROS] if a factor has a zero, [GRAPH_STATES] if a variable has more than 256 states
 */
export const graphTempering = /* @__PURE__ */ declare<GraphLadderOptions, InferenceAlgorithm>(
  {
    name: "graphTempering",
    options: {
      ensembles: { low: 8, high: 256, integer: true },
      warmup: { low: 50, integer: true },
      sweeps: { low: 100, integer: true },
      level: { low: 0.5, high: 0.999999 },
      width: { low: 0, open: true },
    },
  },
  (options) => {
    const where = "graphTempering";
    const { ensembles = 16, warmup = 200, sweeps = 50000, level = 0.999, width = 0.05 } = options;
    const given = { ensembles, warmup, sweeps, level, width };
    return {
      name: where,
      verb: "infer",
      tasks: ["marginals", "partition"],
      toJSON: () => ({ algorithm: where, ...given }),
      prepare: LogTables.making,
      start: (part, plan, engine) => {
        const tables = LogTables.of(part);
        if (tables.zeros)
          throw new CapabilityError(
            where,
            "a factor has an entry of 0, but all must be above 0; use importanceSampling(), or elimination()",
            "GRAPH_ZEROS",
          );
        const many = part.cardinalities.findIndex((count) => count > MOST_STATES);
        if (many >= 0)
          throw new CapabilityError(
            where,
            `variable ${part.variables[many]} has ${part.cardinalities[many]} states, but at most ${MOST_STATES} can be sampled; use importanceSampling(), or elimination()`,
            "GRAPH_STATES",
          );
        return new GraphTempering(part, tables, plan, engine, given);
      },
    };
  },
);

class GraphTempering implements PartInference {
  ended = false;
  private readonly part: Component;
  private readonly tables: LogTables;
  private readonly columns: Conditionals;
  private readonly plan: InferencePlan;
  private readonly engine: Engine;
  private readonly options: Required<GraphLadderOptions>;
  private readonly steps: AsyncGenerator<void>;
  private copies: Copies | undefined;
  private ensembles: Ensembles | undefined;
  /** Constant that is added to the copies' values to obtain ln of the tables' product. */
  private offset = 0;
  /** Number of sweeps so far, including the search. */
  private sweep = 0;
  /** Current place within the sweep. */
  private place = 0;
  /** For each ensemble that searched, the smallest value of its copy at power 1 in the last quarter of the search. */
  private floors = new Float64Array(0);
  private kept: KeptPart | undefined;

  constructor(part: Component, tables: LogTables, plan: InferencePlan, engine: Engine, options: Required<GraphLadderOptions>) {
    this.part = part;
    this.tables = tables;
    this.columns = withKnown(tableColumns(tables));
    this.plan = plan;
    this.engine = engine;
    this.options = options;
    this.steps = this.work();
  }

  async advance(): Promise<void> {
    if ((await this.steps.next()).done) this.ended = true;
  }

  private async *work(): AsyncGenerator<void> {
    const { plan, tables, kept } = this;
    const copies = (this.copies = this.copiesOf());
    yield;
    this.offset = new JointState(tables).value - (await copies.firstValue());
    const ensembles = new Ensembles(copies, plan.seed);
    this.floors = new Float64Array(copies.ensembles >> 1).fill(Infinity);
    if (kept) {
      ensembles.restore(kept.part("ensembles", "ensembles."));
      copies.restore(kept.part("copies", "copies."));
      kept.into(this.floors, "floors");
      const places = copies.places(this.sweep < this.searching);
      if (this.place >= places) kept.refuse(`a sweep of ${places} copies was at ${this.place}`);
      await copies.weigh();
    } else yield* copies.begin(stream(plan.seed, "graph tempering, start"));
    this.ensembles = ensembles;
    yield;
    yield* this.search(copies);
    yield* this.temper(copies, ensembles);
  }

  /** Returns bit copies if the graph allows them, else chains. */
  private copiesOf(): Copies {
    const { columns, plan, engine, options } = this;
    try {
      return new ReplicaCopies(columns, plan, engine);
    } catch (error) {
      if (!(error instanceof CapabilityError)) throw error;
      return new ChainCopies(columns, plan, engine, options.ensembles);
    }
  }

  /** Number of search sweeps before tempering starts. */
  private get searching(): number {
    return 2 * this.options.warmup;
  }

  /**
   * Searches by simulated annealing in half of the ensembles, and sets all their copies to the result. The other
   * ensembles start at random. If the two halves still disagree at the end, no interval is claimed.
   */
  private async *search(copies: Copies): AsyncGenerator<void> {
    const { warmup } = this.options;
    let cost = 0;
    while (this.sweep < this.searching) {
      const { sweep } = this;
      const share = Math.min(1, sweep / (warmup - 1));
      const search = sweep < warmup ? FIRST_POWER * power(LAST_POWER / FIRST_POWER, share) : 1;
      yield* this.draw(copies, { search });
      const powers = copies.values.length / copies.ensembles;
      if (sweep >= 1.5 * warmup)
        for (let e = 0; e < this.floors.length; e++) this.floors[e] = Math.min(this.floors[e], copies.values[e * powers]);
      if (++this.sweep === this.searching) copies.spread();
      cost += copies.cost(true);
      if (cost < STRETCH) continue;
      cost = 0;
      yield;
    }
  }

  /** Performs a sweep, beginning at the current place. */
  private async *draw(copies: Copies, how: { readonly search?: number; readonly keep?: boolean }): AsyncGenerator<void> {
    for (;;) {
      this.place = await copies.sweep(this.sweep, this.place, how);
      if (this.place === 0) return;
      yield;
    }
  }

  private async *temper(copies: Copies, ensembles: Ensembles): AsyncGenerator<void> {
    const { warmup, sweeps } = this.options;
    let cost = 0;
    for (;;) {
      const before = this.sweep - this.searching;
      if (before >= warmup + sweeps || this.precise(before - warmup)) return;
      const keep = before >= warmup;
      yield* this.draw(copies, { keep });
      ensembles.swap(this.sweep++, keep);
      if (MOVED_AT.some((share) => before + 1 === Math.floor(share * warmup))) ensembles.adapt();
      const kept = before + 1 - warmup;
      if (kept === 0) ensembles.guess();
      // The earlier sums are discarded after 1, 3, 7, … times `warmup` kept sweeps. As a result, at least half of the
      // sweeps that still contribute are from the later period.
      const times = kept % warmup === 0 ? kept / warmup : 0;
      if (times > 0 && isPowerOfTwo(times + 1)) ensembles.turn();
      cost += copies.cost(false);
      if (cost < STRETCH) continue;
      cost = 0;
      yield;
    }
  }

  /** Returns whether all intervals are narrow enough. Checked only after 2, 4, 8, … times `warmup` kept sweeps. */
  private precise(kept: number): boolean {
    const times = kept % this.options.warmup === 0 ? kept / this.options.warmup : 0;
    if (times < 2 || !isPowerOfTwo(times)) return false;
    const found = this.answer();
    return !!found && spreadOf(found) <= this.options.width;
  }

  answer(): PartAnswer | undefined {
    const { ensembles, copies, options, plan, tables } = this;
    if (!ensembles?.warm || !copies) return undefined;
    const sums = ensembles.sums();
    const missed = 1 - options.level;
    const restarts = sums.restarts.reduce((sum, count) => sum + count, 0);
    const method = `parallel tempering: ${copies.ensembles} ensembles${copies.words} at ${ensembles.powers.length} powers, ${sums.sweeps} sweeps, ${restarts} restarts`;
    const lost = Math.max(...this.floors) > Math.max(...sums.most) + ensembles.centres[0];
    const why =
      objection(sums, ensembles.powers) ??
      (lost
        ? "the ladders did not return to states that a search had found, which are more probable than all states visited since"
        : undefined);
    const certified = (certificate: Certificate): Certificate => (why ? { none: why } : certificate);
    const found = logRatio(sums, ensembles.ratios, missed);
    const base = tables.logStates + this.offset;
    const shifted: Estimate = { value: found.value + base, low: found.low + base, high: found.high + base };
    const logZ = { value: shifted.value, certificate: certified(intervalOf(shifted, options.level)) };
    if (plan.task === "partition") return { method, logZ };
    const share = shareOf(sums, missed);
    const marginals = this.part.cardinalities.map((count, variable) => {
      const { from, count: slots, alone } = copies.slotsOf(variable);
      if (alone) return { p: Float64Array.from(alone), certificate: { exact: true } as Certificate };
      const states = Array.from({ length: slots === 1 ? 1 : count }, (_, s) => share(from + s));
      if (slots === 1) states.unshift(otherOf(states[0]));
      const p = Float64Array.from(states, ({ value }) => value);
      const interval = states.map(({ low, high }) => [low, high] as const);
      return { p, certificate: certified({ interval, level: options.level }) };
    });
    return { method, logZ, marginals };
  }

  report(): Record<string, number> {
    return { sweeps: this.sweep };
  }

  snapshot(): Snapshot {
    const { ensembles, copies, sweep, place } = this;
    if (!ensembles || !copies) return this.kept?.snapshot ?? { tensors: {}, state: { sweep, place } };
    const tensors: Record<string, Tensor> = { floors: this.floors.slice() };
    for (const [name, tensor] of Object.entries(ensembles.snapshot())) tensors[`ensembles.${name}`] = tensor;
    for (const [name, tensor] of Object.entries(copies.snapshot())) tensors[`copies.${name}`] = tensor;
    return { tensors, state: { sweep, place } };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("tempering", snapshot);
    if (!kept.has("floors")) return;
    this.sweep = kept.count("sweep");
    this.place = kept.count("place");
    this.kept = kept;
  }

  dispose(): void {
    this.copies?.dispose();
  }
}

const otherOf = ({ value, low, high }: Estimate): Estimate => ({ value: 1 - value, low: 1 - high, high: 1 - low });

const isPowerOfTwo = (count: number): boolean => (count & (count - 1)) === 0;
