import { linkProgram, scalar, vector } from "../compiler/index.ts";
import type { LaneBinding, Plan } from "../contract/index.ts";
import { Arena } from "../memory/arena.ts";
import type { Engine } from "../memory/engine.ts";
import * as field from "../memory/fields.ts";
import { PARAMETER_SCALE } from "../numbers/fixed-point.ts";
import { power } from "../numbers/power.ts";
import { stream } from "../random/stream.ts";
import { hasReduction, sparseBehaviour } from "./cost.ts";
import { decayBlock, decayingRule, fixedBytes } from "./decay.ts";
import type { Parts } from "./fits.ts";
import { type GroupOperands, groupBlock } from "./group.ts";
import type { EquationRule } from "./kinds.ts";
import { bindRule, type Copy, parameterBytes, type RuleBinding, shareOf, type Weights } from "./lane.ts";
import { rateOf } from "./rule.ts";
import { evaluationProgram, type RuleProgram, ruleProgram } from "./rule-program.ts";

export const CURRENT_RATE = "currentRate";
/** Number of updates for which kernels/engine/optimise/descend.ts draws rows at a time. */
const DRAWN_AHEAD = 16;
/** These constants must equal the values in kernels/engine/optimise/decay.ts. */
const SMALLEST_SCALE = { f32: 2 ** -20, f64: 2 ** -20, i16: 7 / 8 };
export const SWEEP_ROWS = 256;
const controlKinds = { saga: field.CONTROL_SAGA, sag: field.CONTROL_SAG, svrg: field.CONTROL_SVRG };

export interface Sweep {
  binding: LaneBinding;
  /** Address of the control block for the sweep that fills the control variates' table. */
  record: number;
  listed: number;
  accumulator: number;
}

export interface Lane {
  pointer: number;
  binding: LaneBinding;
  copy: Copy;
  /** Absent for line searches, because they make their own steps. */
  rule: RuleBinding | undefined;
  /** Range of rows of this lane: [first, first + rows). */
  first: number;
  rows: number;
  /** Address of the lane's part of the row order, or 0 if rows are drawn with replacement. */
  order: number;
  key: readonly [number, number];
  sweep: Sweep | undefined;
  /** Address of a DECAY block, or 0. */
  decay: number;
}

/**
 * All lanes of a run, and the data that they share: copies of the model, the table of control variates, and weights of
 * coordinates.
 *
 * Racing lanes ("shared") have one copy and take turns in the row order. Each replica has its own copy, and reads its
 * own rows (sharded) or all rows (replicated). The work of a lane depends only on the lane's index, the seed and the
 * update's index, and not on the worker.
 */
export class Lanes {
  readonly list: Lane[] = [];
  readonly copies: Copy[] = [];
  readonly batch: number;
  readonly precision: "f32" | "f64";
  readonly program: RuleProgram | undefined;
  readonly table: { pointer: number; count: number } | undefined;
  /** Address of the row order, u32[rows], that racing lanes share. The address is 0 if each lane has its own order. */
  readonly sharedOrder: number;
  private readonly parts: Parts;
  private readonly engine: Engine;
  private readonly arena: Arena;
  private readonly racing: boolean;
  private readonly weights: Weights;
  private readonly buffered: boolean;
  private readonly largestShare: number;
  /** Set if the L2 penalty is represented by a scale of all parameters (decay.ts). */
  private readonly decaying: EquationRule | undefined;
  private readonly fixed: number;

  constructor(parts: Parts, engine: Engine) {
    const { plan, problem, target, rule, variance } = parts;
    this.parts = parts;
    this.engine = engine;
    this.precision = plan.precision.model === "f64" ? "f64" : "f32";
    this.racing = plan.replicas === "shared";
    this.arena = new Arena(engine.memory, `training ${problem.name}`);
    const laneCount = plan.replicas === "shared" ? plan.workers : plan.replicas;
    const shards = shardRows(problem.rowCount, laneCount, plan);
    this.batch = Math.min(plan.batch as number, ...shards.map((s) => s.rows));
    this.buffered = rule.kind === "search" || (rule.kind === "equation" && this.needsBuffer(rule));
    const indexed = target.sparse && !this.buffered;
    this.fixed = fixedBytes(parts, this.batch, this.buffered);
    this.decaying = decayingRule(parts, indexed, this.fixed);
    const penalised = !this.decaying && (target.penalty.l1 > 0 || target.penalty.l2 > 0);
    const share = penalised ? shareOf(target, target.penalty.weights, this.batch, indexed) : undefined;
    this.largestShare = share?.reduce((a, b) => Math.max(a, b), 0) ?? 0;
    this.weights = {
      share: share ? this.vector(share) : 0,
      reach: variance && indexed ? this.vector(shareOf(target, undefined, this.batch, indexed)) : 0,
      rates: target.rates ? this.vector(target.rates) : 0,
    };
    if (variance) {
      const count = problem.rowCount * (target.derivativesPerRow ?? 0);
      this.table = { pointer: this.arena.take(count * 8), count };
    }
    this.program = this.makeProgram(indexed);
    for (let c = 0; c < (this.racing ? 1 : laneCount); c++) this.copies.push(this.newCopy());
    this.sharedOrder = this.racing && plan.schedule !== "replacement" ? this.arena.take(problem.rowCount * 4) : 0;
    for (let l = 0; l < laneCount; l++) this.list.push(this.newLane(l, shards[l], laneCount));
  }

  /** Returns all arrays that a checkpoint must contain, by name, as views of the current buffer. */
  arrays(copy: Copy): Map<string, Float32Array | Float64Array | Int16Array> {
    const { memory } = this.engine;
    const { parameterCount } = this.parts.problem;
    const views = new Map<string, Float32Array | Float64Array | Int16Array>();
    views.set("parameters", memory[this.parts.plan.precision.model](copy.parameters, parameterCount));
    for (const [name, pointer] of copy.states) views.set(`state.${name}`, memory[this.precision](pointer, parameterCount));
    if (copy.mean) views.set("mean", memory[this.precision](copy.mean, parameterCount));
    return views;
  }

  /** Returns the point at which a copy's model is evaluated. */
  evaluationPoint(copy: Copy): Float64Array {
    const { plan, problem, rule } = this.parts;
    const { memory } = this.engine;
    const { parameterCount } = problem;
    const model = plan.precision.model;
    const spec = rule.kind === "equation" ? evaluationProgram(rule, { precision: this.precision, parameterType: model }) : null;
    if (!spec) {
      const stored = memory[model](copy.parameters, parameterCount);
      const scale = this.scaleOf(copy) * (model === "i16" ? PARAMETER_SCALE : 1);
      const point = new Float64Array(stored);
      if (scale !== 1) for (let i = 0; i < point.length; i++) point[i] *= scale;
      return point;
    }
    const arena = new Arena(memory, "evaluation point");
    try {
      const { program, functions } = linkProgram(this.engine, spec, arena);
      const block = arena.take(program.blockBytes);
      const point = arena.take(parameterCount * 8);
      for (const [name, at] of Object.entries(program.pointers)) {
        arena.set(block, at, name === "point" ? point : name === "parameter" ? copy.parameters : copy.states.get(name)!);
      }
      const lane = this.list.find((l) => l.copy === copy)!;
      for (const [name, at] of Object.entries(program.scalars)) {
        const own = lane.rule?.program.scalars[name];
        if (own !== undefined) arena.setF64(block, at, arena.getF64(lane.rule!.block, own));
      }
      const { trainedCount = parameterCount } = this.parts.target;
      functions[program.update].call(trainedCount, block);
      // Coordinates that no rule updates are copied unchanged.
      const all = Float64Array.from(memory[this.precision](point, parameterCount));
      all.set(memory[this.precision](copy.parameters, parameterCount).subarray(trainedCount), trainedCount);
      return all;
    } finally {
      arena.dispose();
    }
  }

  /** Multiplies the parameters of each copy by the copy's scale, so that copies can be averaged. */
  settle(): void {
    for (const copy of this.copies) {
      const scale = this.scaleOf(copy);
      if (scale === 1) continue;
      const { model } = this.parts.plan.precision;
      const stored = this.engine.memory[model](copy.parameters, this.parts.problem.parameterCount);
      for (let i = 0; i < stored.length; i++) stored[i] = model === "i16" ? Math.round(stored[i] * scale) : stored[i] * scale;
      this.setScale(copy, 1);
    }
  }

  /**
   * After a stretch in which racing lanes had separate scales, gives them a common scale again. Multiplies the
   * parameters by the scale before the scale becomes too small for float32.
   */
  bringTogether(): void {
    if (!this.racing || !this.decaying || this.list.length === 1) return;
    const [copy] = this.copies;
    this.setScale(copy, this.scaleOf(copy));
    if (this.scaleOf(copy) < SMALLEST_SCALE[this.parts.plan.precision.model]) this.settle();
  }

  private setScale(copy: Copy, scale: number): void {
    for (const lane of this.list) if (lane.copy === copy) this.arena.setF64(lane.decay, field.DECAY_SCALE_F64, scale);
  }

  /** Returns the factor by which stored parameters are multiplied. */
  private scaleOf(copy: Copy): number {
    const decay = this.list.find((lane) => lane.copy === copy)?.decay;
    return decay ? this.arena.getF64(decay, field.DECAY_SCALE_F64) : 1;
  }

  dispose(): void {
    for (const lane of this.list) {
      lane.binding.dispose();
      lane.sweep?.binding.dispose();
    }
    this.arena.dispose();
  }

  /**
   * Returns whether a gradient must be collected in a buffer before the rule uses it. A gradient of a single row
   * consists of one piece per output, and each piece has its own scale. However, the compiler moves scalar factors out
   * of a rule's reductions, which is only correct for a single scale. Sparse gradients are also collected if the rule
   * must visit every coordinate.
   */
  private needsBuffer(rule: EquationRule): boolean {
    const { target } = this.parts;
    if (target.sparse && sparseBehaviour(rule) === "dense") return true;
    return this.batch === 1 && (target.derivativesPerRow ?? 1) > 1 && hasReduction(rule);
  }

  private makeProgram(indexed: boolean): RuleProgram | undefined {
    const { rule, target, variance, plan } = this.parts;
    if (rule.kind !== "equation") return undefined;
    const probe = this.bindModel(this.batch);
    const { piece } = this.batch > 1 ? { piece: { ...probe.piece, type: this.precision } } : probe;
    probe.dispose();
    const program = ruleProgram(this.decaying ?? rule, {
      gradientType: piece.type,
      indexed,
      precision: this.precision,
      parameterType: plan.precision.model,
      share: this.weights.share !== 0,
      damped: indexed && mayOvershoot(rule, target.penalty.l2, this.largestShare),
      base: variance !== undefined,
      refresh: variance !== undefined && variance.name !== "svrg",
      reach: this.weights.reach !== 0,
      rates: this.weights.rates !== 0,
      l1: target.penalty.l1 > 0,
      l2: target.penalty.l2 > 0 && !this.decaying,
    });
    if (this.decaying) return program;
    // Ticks and the group penalty read a scheduled rate from this scalar. A constant rate has a slot of its own.
    const rate = rateOf(rule);
    if (rate && rate !== scalar("rate")) program.spec.results.push({ scalar: CURRENT_RATE, value: rate });
    return program;
  }

  private bindModel(batch: number, lane = 0): LaneBinding {
    return this.parts.target.bind({ batch, buffered: this.buffered, purpose: `training ${this.parts.problem.name}`, lane });
  }

  private newCopy(): Copy {
    const { problem, plan, variance } = this.parts;
    const { parameterCount, start } = problem;
    const bytes = this.precision === "f64" ? 8 : 4;
    const { memory } = this.engine;
    const model = plan.precision.model;
    const parameters = this.arena.take(parameterCount * parameterBytes[model]);
    if (start)
      memory[model](parameters, parameterCount).set(model === "i16" ? start.map((p) => Math.round(p / PARAMETER_SCALE)) : start);
    const states = new Map<string, number>();
    for (const { name, initial } of this.program?.states ?? []) {
      const pointer = this.arena.take(parameterCount * bytes);
      if (initial !== 0)
        memory[this.precision](pointer, parameterCount).set(
          initial === "p" ? (start ?? new Float64Array(parameterCount)) : new Float64Array(parameterCount).fill(initial),
        );
      states.set(name, pointer);
    }
    return { parameters, states, mean: variance ? this.arena.take(parameterCount * bytes) : 0 };
  }

  private newLane(l: number, shard: { first: number; rows: number }, laneCount: number): Lane {
    const { plan, problem, target, rule, variance } = this.parts;
    const { arena, engine } = this;
    const binding = this.bindModel(this.batch, l);
    const copy = this.copies[this.racing ? 0 : l];
    const key = stream(plan.seed, "rows", l).key;
    const draws = plan.schedule === "replacement";
    const order = draws ? 0 : this.racing ? this.sharedOrder + 4 * shard.first : arena.take(shard.rows * 4);
    // Racing lanes share one order and together draw all rows, so the table's mean is also taken over all rows.
    const meanRows = this.racing ? problem.rowCount : shard.rows;
    const control = variance ? this.controlBlock(controlKinds[variance.name], meanRows) : 0;
    const constants = {
      l1: target.penalty.l1,
      l2: target.penalty.l2,
      parameterScale: PARAMETER_SCALE,
      epochUpdates: Math.ceil(meanRows / this.batch),
    };
    const bound =
      this.program && bindRule(arena, engine, this.program, copy, constants, this.weights, { seed: plan.seed, lane: l });
    const decay = this.decaying ? decayBlock(arena, engine, this.parts, copy.parameters, binding, bound!, l) : 0;
    const pointer = arena.block(field.LANE_BYTES, [
      [field.LANE_GRADIENT, binding.gradientSlot],
      [field.LANE_MODEL, binding.model],
      [field.LANE_PARAMETERS, copy.parameters],
      [field.LANE_PIECES, binding.pieces],
      [field.LANE_RULE, bound?.table ?? 0],
      [field.LANE_CONTROL, control],
      [field.LANE_ORDER, order],
      [field.LANE_BATCH, this.batch],
      [field.LANE_FIRST_ROW, this.racing ? 0 : shard.first],
      [field.LANE_ROWS, shard.rows],
      [field.LANE_DRAWN_FROM, meanRows],
      [field.LANE_KEY_LOW, key[0]],
      [field.LANE_KEY_HIGH, key[1]],
      [field.LANE_DRAWN, draws ? arena.take(DRAWN_AHEAD * this.batch * 4) : 0],
      [field.LANE_TOUCH, plan.schedule === "shuffled" || draws ? binding.touchSlot : field.ABSENT],
      [field.LANE_DECAY, decay],
      [field.LANE_FIXED, decay ? this.fixed : 0],
      [field.LANE_GROUP, target.penalty.group > 0 ? groupBlock(arena, target.penalty, this.groupOperands(copy, bound!)) : 0],
      [field.LANE_SEARCH, rule.kind === "search" ? this.searchBlock(binding, shard.rows) : 0],
      [field.LANE_UPDATE_AT, binding.updateAt ?? 0],
    ]);
    arena.setF64(pointer, field.LANE_T_FIRST_F64, this.racing ? l + 1 : 1);
    arena.setF64(pointer, field.LANE_T_STEP_F64, this.racing ? laneCount : 1);
    const sweep = variance?.name === "svrg" ? this.newSweep(meanRows) : undefined;
    return { pointer, binding, copy, rule: bound, ...shard, order, key, sweep, decay };
  }

  private controlBlock(kind: number, rows: number): number {
    return this.arena.block(field.CONTROL_BYTES, [
      [field.CONTROL_KIND, kind],
      [field.CONTROL_TABLE, this.table!.pointer],
      [field.CONTROL_ROWS, rows],
    ]);
  }

  private newSweep(rows: number): Sweep {
    const { target, problem } = this.parts;
    const binding = target.bind({ batch: SWEEP_ROWS, buffered: true, purpose: "snapshot" });
    const record = this.controlBlock(field.CONTROL_RECORD, rows);
    return { binding, record, listed: this.arena.take(SWEEP_ROWS * 4), accumulator: this.arena.take(problem.parameterCount * 8) };
  }

  private groupOperands({ parameters }: Copy, { block, program }: RuleBinding): GroupOperands {
    const rate = block + (program.scalars[CURRENT_RATE] ?? program.scalars.rate);
    return { parameters, type: this.precision, rate };
  }

  private searchBlock(binding: LaneBinding, rows: number): number {
    const { rule, problem, target } = this.parts;
    const { arena } = this;
    if (rule.kind !== "search") return 0;
    const bytes = this.precision === "f64" ? 8 : 4;
    const block = arena.block(field.SEARCH_BYTES, [
      [field.SEARCH_OBJECTIVE, binding.objectiveSlot],
      [field.SEARCH_ELEMENT_BYTES, bytes],
      [field.SEARCH_BACKUP, arena.take(problem.parameterCount * bytes)],
      [field.SEARCH_SHARE, this.weights.share],
      [field.SEARCH_MAX_TRIES, rule.options.maxTrials],
    ]);
    const { options } = rule;
    arena.setF64(block, field.SEARCH_RATE_F64, options.initial);
    arena.setF64(block, field.SEARCH_GROWTH_F64, power(options.growth, 1 / Math.ceil(rows / this.batch)));
    arena.setF64(block, field.SEARCH_SUFFICIENT_F64, options.c);
    arena.setF64(block, field.SEARCH_SHRINK_F64, options.shrink);
    arena.setF64(block, field.SEARCH_FALLBACK_F64, options.fallback);
    arena.setF64(block, field.SEARCH_L2_F64, target.penalty.l2);
    return block;
  }

  private vector(values: Float64Array): number {
    const pointer = this.arena.take(values.length * 8);
    this.engine.memory[this.precision](pointer, values.length).set(values);
    return pointer;
  }
}

/**
 * Returns whether an explicit L2 step can overshoot past 0. This can happen if the share of a rare coordinate exceeds
 * 1/(η·l2). If η is a schedule, the function assumes that a step can overshoot.
 */
function mayOvershoot(rule: EquationRule, l2: number, largestShare: number): boolean {
  const rate =
    rateOf(rule) === scalar("rate")
      ? rule.trace(vector("g"), vector("p")).inputs.find(({ name }) => name === "rate")?.value
      : undefined;
  return (rate ?? Infinity) * l2 * largestShare > 1;
}

function shardRows(rowCount: number, laneCount: number, plan: Plan): { first: number; rows: number }[] {
  if (plan.replicas !== "shared" && plan.data === "replicated")
    return Array.from({ length: laneCount }, () => ({ first: 0, rows: rowCount }));
  const edge = (l: number): number => Math.floor((l * rowCount) / laneCount);
  return Array.from({ length: laneCount }, (_, l) => ({ first: edge(l), rows: edge(l + 1) - edge(l) }));
}
