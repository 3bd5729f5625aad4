import type { DualBinding, Plan, Problem, Tensor } from "../../engine/contract/index.ts";
import type { KeptPart } from "../../engine/loop/kept-part.ts";
import { Arena } from "../../engine/memory/arena.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { stream } from "../../engine/random/stream.ts";
import * as field from "../fields.ts";

export interface DualLane {
  pointer: number;
  /** Range of rows that this lane processes in checks and sums. */
  first: number;
  rows: number;
  /**
   * Addresses of the lane's copy of p, and of a buffer that collects the contributions of the lane's rows to p. The two
   * addresses are equal if there is only one lane.
   */
  copy: number;
  part: number;
}

/** Dual ascent for one output. */
interface Ascent {
  beta: number;
  logit: number;
  /** u32 per row. */
  order: number;
  copies: number[];
  lanes: DualLane[];
  key: readonly [number, number];
  /** Number of lanes that were assigned rows. */
  dealt: number;
}

export interface DualLaneOptions {
  problem: Problem;
  binding: DualBinding;
  plan: Plan;
  shrinking: boolean;
}

/** Minimum number of active rows per lane. With fewer rows, fewer lanes are used. */
const ROWS_A_LANE = 64;
/** Fields of a lane's block that persist between calls. */
const words = [field.ASCENT_ACTIVE, field.ASCENT_POSITION, field.ASCENT_OPEN, field.ASCENT_SOLVED];
const numbers = [
  field.ASCENT_SPREAD_F64,
  field.ASCENT_PASS_F64,
  field.ASCENT_LARGEST_F64,
  field.ASCENT_LIMIT_F64,
  field.ASCENT_TARGET_F64,
];

/**
 * Lanes of a dual ascent. While a lane visits its rows, no other lane moves them. Each lane updates a copy of p.
 *
 * Racing lanes share one copy, whereas each replica has its own copy. If there are several lanes, the active rows are
 * redistributed to them at random whenever they synchronise. With fixed rows, the lanes would converge only slowly.
 * Each output is a separate problem with its own lanes.
 */
export class DualLanes {
  readonly list: DualLane[];
  /** Number of lanes per output. */
  readonly each: number;
  readonly racing: boolean;
  /** Whether each lane has its own p. */
  readonly replicated: boolean;
  readonly stride: number;
  private readonly ascents: Ascent[];
  private readonly arena: Arena;
  private readonly engine: Engine;
  private readonly options: DualLaneOptions;

  constructor(options: DualLaneOptions, engine: Engine) {
    const { problem, binding, plan } = options;
    this.options = options;
    this.engine = engine;
    this.stride = binding.normWeights.length;
    this.each = plan.replicas === "shared" ? plan.workers : plan.replicas;
    this.racing = plan.replicas === "shared" && this.each > 1;
    this.replicated = plan.replicas !== "shared" && this.each > 1;
    this.arena = new Arena(engine.memory, `dual ascent on ${problem.name}`);
    this.ascents = binding.outputs.map((_, k) => this.open(k));
    this.list = this.ascents.flatMap(({ lanes }) => lanes);
  }

  /**
   * Returns p for each output. Replicas that were assigned rows are averaged. Because σ′ equals the number of replicas,
   * their average contains the sum of all moves.
   */
  points(): Float64Array[] {
    return this.ascents.map(({ copies, dealt }) => {
      const moved = copies.slice(0, dealt);
      const mean = new Float64Array(this.stride);
      for (const copy of moved) {
        const p = this.p(copy);
        for (let j = 0; j < mean.length; j++) mean[j] += p[j] / moved.length;
      }
      return mean;
    });
  }

  number(lane: DualLane, at: number): number {
    return this.arena.getF64(lane.pointer, at);
  }

  word(lane: DualLane, at: number): number {
    return this.engine.memory.u32(lane.pointer + at, 1)[0];
  }

  get active(): number {
    return this.list.reduce((sum, lane) => sum + this.word(lane, field.ASCENT_ACTIVE), 0);
  }

  get solved(): boolean {
    return this.list.every((lane) => this.word(lane, field.ASCENT_SOLVED) === 1);
  }

  /**
   * Sets the thresholds for the next passes. A row at a bound leaves the active set if its slope keeps it there by more
   * than a tenth of `limit`. A lane counts as solved when its violation is at most `target`.
   */
  aim(limit: number, target: number): void {
    for (const { pointer } of this.list) {
      this.arena.setF64(pointer, field.ASCENT_LIMIT_F64, limit);
      this.arena.setF64(pointer, field.ASCENT_TARGET_F64, target);
      this.arena.set(pointer, field.ASCENT_SOLVED, 0);
    }
  }

  /** Sets all replicas of an output to their mean p. */
  average(): void {
    const means = this.points();
    this.ascents.forEach(({ copies }, k) => {
      for (const copy of copies) this.p(copy).set(means[k]);
    });
  }

  /** Sets p in every copy to the sum of the collected parts. */
  gather(): void {
    if (this.each === 1) return;
    for (const { lanes, copies } of this.ascents) {
      const sum = new Float64Array(this.stride);
      for (const { part } of lanes) {
        const own = this.p(part);
        for (let j = 0; j < sum.length; j++) sum[j] += own[j];
      }
      for (const copy of copies) this.p(copy).set(sum);
    }
  }

  /** Makes each lane process its own range of rows again. The next check then lists the active rows of each range. */
  undeal(): void {
    for (const { order, lanes } of this.ascents)
      for (const { pointer, first } of lanes) this.arena.set(pointer, field.ASCENT_ORDER, order + 4 * first);
  }

  /** Distributes the active rows evenly to the lanes, in a random order that depends on `counter`. */
  deal(counter: number): void {
    if (this.each === 1) return;
    const { plan } = this.options;
    const shuffle = this.engine.kernel("dualShuffle", plan.deterministic);
    for (const ascent of this.ascents) {
      const { order, lanes, key } = ascent;
      const all = this.engine.memory.u32(order, this.options.problem.rowCount);
      let total = 0;
      for (const lane of lanes) {
        const from = (this.word(lane, field.ASCENT_ORDER) - order) / 4;
        const count = this.word(lane, field.ASCENT_ACTIVE);
        all.copyWithin(total, from, from + count);
        total += count;
      }
      if (plan.schedule === "shuffled") shuffle(order, total, key[0], key[1], counter);
      const dealt = Math.max(1, Math.min(lanes.length, Math.ceil(total / ROWS_A_LANE)));
      ascent.dealt = dealt;
      lanes.forEach(({ pointer }, l) => {
        const [from, to] = [l, l + 1].map((edge) => Math.floor((Math.min(edge, dealt) * total) / dealt));
        this.arena.setF64(pointer, field.ASCENT_SPREAD_F64, this.replicated ? dealt : 1);
        this.arena.set(pointer, field.ASCENT_ORDER, order + 4 * from);
        this.arena.set(pointer, field.ASCENT_ACTIVE, to - from);
        this.arena.set(pointer, field.ASCENT_OPEN, 0);
        this.arena.set(pointer, field.ASCENT_SOLVED, 0);
      });
    }
  }

  tensors(): Record<string, Tensor> {
    return Object.fromEntries([...this.views()].map(([name, view]) => [name, view.slice()]));
  }

  restore(kept: KeptPart): void {
    const { rowCount } = this.options.problem;
    const { length } = words;
    for (const [name, view] of this.views()) if (!name.startsWith("lane.")) kept.into(view, name);
    this.ascents.forEach((ascent, k) => {
      const { order, lanes } = ascent;
      kept.indices(`order.${k}`, rowCount, rowCount);
      lanes.forEach(({ pointer }, l) => {
        const name = `lane.${k}.${l}`;
        const [from, ...own] = kept.floats(name, 1 + length + numbers.length);
        const [active, position] = own;
        const isWhole = (word: number): boolean => Number.isInteger(word) && word >= 0 && word <= rowCount;
        if (!isWhole(from) || !own.slice(0, length).every(isWhole) || from + active > rowCount || position > active)
          kept.refuse(`"${name}" covers rows ${from} to ${from + active} of ${rowCount}`);
        this.arena.set(pointer, field.ASCENT_ORDER, order + 4 * from);
        for (const [w, at] of words.entries()) this.arena.set(pointer, at, own[w]);
        for (const [w, at] of numbers.entries()) this.arena.setF64(pointer, at, own[length + w]);
      });
      const dealt = this.replicated ? this.number(lanes[0], field.ASCENT_SPREAD_F64) : 1;
      if (!(Number.isInteger(dealt) && dealt >= 1 && dealt <= lanes.length))
        kept.refuse(`${dealt} of ${lanes.length} lanes were dealt rows`);
      ascent.dealt = dealt;
    });
  }

  dispose(): void {
    this.arena.dispose();
  }

  private p(at: number): Float64Array {
    return this.engine.memory.f64(at, this.stride);
  }

  private *views(): Generator<[string, Tensor]> {
    const { memory } = this.engine;
    const { rowCount } = this.options.problem;
    for (const [k, { beta, logit, order, copies, lanes }] of this.ascents.entries()) {
      yield [`beta.${k}`, memory.f64(beta, rowCount)];
      if (logit) yield [`logit.${k}`, memory.f64(logit, rowCount)];
      yield [`order.${k}`, memory.u32(order, rowCount)];
      for (const [c, at] of copies.entries()) yield [`parameters.${k}.${c}`, this.p(at)];
      for (const [l, lane] of lanes.entries()) {
        const from = (this.word(lane, field.ASCENT_ORDER) - order) / 4;
        const kept = [...words.map((at) => this.word(lane, at)), ...numbers.map((at) => this.number(lane, at))];
        yield [`lane.${k}.${l}`, Float64Array.of(from, ...kept)];
      }
    }
  }

  private open(output: number): Ascent {
    const { arena, each } = this;
    const { memory } = this.engine;
    const { binding, plan, problem } = this.options;
    const { rowCount } = problem;
    const beta = arena.take(rowCount * 8);
    const logit = binding.interior ? arena.take(rowCount * 8) : 0;
    binding.start(output, memory.f64(beta, rowCount), memory.f64(logit, logit ? rowCount : 0));
    const order = arena.take(rowCount * 4);
    const copies = Array.from({ length: this.replicated ? each : 1 }, () => arena.take(this.stride * 8));
    const { key } = stream(plan.seed, "dual rows", output);
    const edge = (l: number): number => Math.floor((l * rowCount) / each);
    const lanes = Array.from({ length: each }, (_, l) => {
      const copy = copies[this.replicated ? l : 0];
      const first = edge(l);
      const rows = edge(l + 1) - first;
      const pointer = this.block({ output, l, beta, logit, order: order + 4 * first, copy, first, rows });
      return { pointer, first, rows, copy, part: each === 1 ? copy : arena.take(this.stride * 8) };
    });
    return { beta, logit, order, copies, lanes, key, dealt: copies.length };
  }

  private block(own: Record<"output" | "l" | "beta" | "logit" | "order" | "copy" | "first" | "rows", number>): number {
    const { binding, plan, shrinking } = this.options;
    const [low, high] = stream(plan.seed, "dual rows", own.output, own.l).key;
    const pointer = this.arena.block(field.ASCENT_BYTES, [
      [field.ASCENT_DUAL, binding.outputs[own.output]],
      [field.ASCENT_PARAMETERS, own.copy],
      [field.ASCENT_BETA, own.beta],
      [field.ASCENT_LOGIT, own.logit],
      [field.ASCENT_ORDER, own.order],
      [field.ASCENT_FIRST, own.first],
      [field.ASCENT_COUNT, own.rows],
      [field.ASCENT_SHUFFLE, plan.schedule === "shuffled" ? 1 : 0],
      // A row that stays at its bound in one lane might still move in another lane. With several lanes, rows therefore
      // leave the active set only at checks.
      [field.ASCENT_SHRINK, shrinking ? (this.each === 1 ? 2 : 1) : 0],
      [field.ASCENT_RACING, this.racing ? 1 : 0],
      [field.ASCENT_KEY_LOW, low],
      [field.ASCENT_KEY_HIGH, high],
    ]);
    this.arena.setF64(pointer, field.ASCENT_SPREAD_F64, this.replicated ? this.each : 1);
    this.arena.setF64(pointer, field.ASCENT_LIMIT_F64, Infinity);
    return pointer;
  }
}
