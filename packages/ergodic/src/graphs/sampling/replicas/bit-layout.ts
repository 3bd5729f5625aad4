import type { Conditionals } from "../../../engine/contract/index.ts";
import type { Allocation, EngineMemory } from "../../../engine/memory/memory.ts";
import { exp } from "../../../engine/numbers/exp.ts";
import * as F from "../../fields.ts";
import { coloursOf } from "../gibbs/colours.ts";
import { type LogOdds, logOddsOf, refuse } from "./log-odds.ts";

/**
 * Largest number of conditional probabilities of a variable, and largest number of distinct sets of such probabilities
 * in a graph.
 */
const MOST_LEVELS = 16;
const MOST_KINDS = 256;
/** Number of bits in a threshold. */
const BITS = 32;
/**
 * Number of edges in the kernel's fast path. The fast path also handles variables with fewer edges, because missing
 * edges read state 0.
 */
const QUICK = 4;
/**
 * A variable is certain if all its conditional probabilities lie within this distance of 0, or if all lie within this
 * distance of 1.
 */
const CERTAIN = 1e-3;

/**
 * Conditional probabilities of state 1, by level. Variables with the same probabilities share them. A level is a
 * combination of counts: the number of active edges in each group of edges with equal coupling. The count of the last
 * group varies fastest.
 */
export interface Kind {
  /** Number of edges in each group. */
  readonly sizes: readonly number[];
  /** Log odds of state 1 at each level. */
  readonly logOdds: readonly number[];
  readonly probabilities: readonly number[];
  /** 2^32 times the probabilities as u32, rounded, at least 1 and at most 2^32 − 1. */
  readonly thresholds: Uint32Array;
  /**
   * Whether the variable has neighbours (`joined`), and whether its state is certain regardless of them (`certain`).
   */
  readonly joined: boolean;
  readonly certain: boolean;
}

/** Positions with the same colour and kind. `to` is even, so the last position might not have a variable. */
export interface BitRun {
  readonly from: number;
  readonly to: number;
  readonly kind: number;
}

/**
 * A graph of Booleans, laid out for replicas of which each is one bit of a word. The layout contains pairs of positions
 * by colour and kind, the kinds with their thresholds, and the neighbours of each pair. Takes four bytes per edge.
 */
export class BitLayout {
  /** Number of positions in all runs, including those without a variable. */
  readonly positions: number;
  /** Position of each variable, or −1 if it is observed. */
  readonly positionOf: Int32Array;
  /** Variable at each position, or −1 if there is none. */
  readonly variables: Int32Array;
  readonly runs: readonly BitRun[];
  readonly kinds: readonly Kind[];
  /** Kind at each position. */
  readonly kindOf: Uint16Array;
  /** End position of each colour. */
  readonly colourEnds: readonly number[];
  readonly columns: Conditionals;
  private readonly memory: EngineMemory;
  private readonly held: Allocation[] = [];
  private readonly runBlocks: number;
  private readonly kindBlocks: readonly number[];
  /** Address of each run's edges. */
  private readonly edges: readonly number[];

  /**
   * `like`: a layout of the same graph. Both layouts share lists and edges. Only their thresholds are separate. That
   * layout must be disposed of last. `odds`: log odds of the graph, if known.
   *
   * @throws CapabilityError with the reason if the graph is not supported
   */
  constructor(columns: Conditionals, memory: EngineMemory, { like, odds: known }: { like?: BitLayout; odds?: LogOdds } = {}) {
    this.columns = columns;
    this.memory = memory;
    const odds = like ? undefined : (known ?? logOddsOf(columns));
    const places = like ?? placesOf(columns, odds!);
    this.positions = places.positions;
    this.positionOf = places.positionOf;
    this.variables = places.variables;
    this.runs = places.runs;
    this.kinds = places.kinds;
    this.kindOf = places.kindOf;
    this.colourEnds = places.colourEnds;
    this.edges = like?.edges ?? this.writeEdges(odds!);
    this.kindBlocks = this.kinds.map((kind) => this.writeKind(kind));
    this.runBlocks = this.writeRuns();
  }

  /** Address of the runs, for blocks of replicas. */
  get pointer(): number {
    return this.runBlocks;
  }

  /** Returns the kind at a position. */
  kindAt(position: number): Kind {
    return this.kinds[this.kindOf[position]];
  }

  /** Sets the power, so that draws are from p^power. */
  setPower(power: number): void {
    for (const [kind, block] of this.kindBlocks.entries())
      this.writeThresholds(this.kinds[kind], thresholdsOf(this.kinds[kind].logOdds.map((z) => 1 / (1 + exp(-z * power)))), block);
  }

  dispose(): void {
    for (const piece of this.held) piece.dispose();
  }

  private allocate(bytes: number): number {
    const piece = this.memory.allocate(Math.max(8, bytes), "a graph laid out for replicas");
    this.held.push(piece);
    return piece.pointer;
  }

  private writeRuns(): number {
    const { memory, runs, edges, kindBlocks } = this;
    const pointer = this.allocate(F.RUN_BYTES * runs.length);
    runs.forEach(({ from, to, kind }, run) => {
      const block = memory.u32(pointer + run * F.RUN_BYTES, F.RUN_BYTES / 4);
      block[F.RUN_FROM / 4] = from;
      block[F.RUN_TO / 4] = to;
      block[F.RUN_EDGES / 4] = edges[run];
      block[F.RUN_KIND / 4] = kindBlocks[kind];
    });
    return pointer;
  }

  private writeEdges(odds: LogOdds): number[] {
    const { memory, kinds, runs } = this;
    let pointer = this.allocate(
      runs.reduce((sum, { from, to, kind }) => sum + ((to - from) / 2) * quickEdges(kinds[kind]) * F.NEIGHBOURS_BYTES, 0),
    );
    return runs.map(({ from, to, kind }) => {
      const count = quickEdges(kinds[kind]);
      const bytes = ((to - from) / 2) * count * F.NEIGHBOURS_BYTES;
      this.writeEdgesOf(odds, from, to, count, memory.u32(pointer, bytes / 4));
      const own = pointer;
      pointer += bytes;
      return own;
    });
  }

  /** A missing neighbour refers to the word of zeros after all positions. */
  private writeEdgesOf(
    { begins, neighbours, couplings }: LogOdds,
    from: number,
    to: number,
    count: number,
    into: Uint32Array,
  ): void {
    const nothing = 8 * this.positions;
    for (let position = from, first = 0; position < to; position += 2, first += (F.NEIGHBOURS_BYTES / 4) * count)
      for (let side = 0; side < 2; side++) {
        const variable = this.variables[position + side];
        const begin = variable < 0 ? 0 : begins[variable];
        const own = variable < 0 ? 0 : begins[variable + 1] - begin;
        for (let e = 0; e < count; e++) {
          const at = first + (F.NEIGHBOURS_BYTES / 4) * e;
          const field = side === 0 ? F.NEIGHBOURS_FIRST : F.NEIGHBOURS_SECOND;
          into[at + field / 4] += e < own ? 8 * this.positionOf[neighbours[begin + e]] : nothing;
          if (e < own && couplings[begin + e] < 0) into[at + F.NEIGHBOURS_FIRST / 4] += 1 + side;
        }
      }
  }

  private writeKind(kind: Kind): number {
    const quick = isQuick(kind);
    const levels = quick ? QUICK + 1 : kind.thresholds.length;
    const block = this.allocate(F.KIND_BYTES + 16 * BITS * levels);
    const fields = this.memory.u32(block, F.KIND_BYTES / 4);
    fields[F.KIND_EDGES / 4] = quickEdges(kind);
    fields[F.KIND_LEVELS / 4] = levels;
    fields[F.KIND_GROUPS / 4] = kind.sizes.length;
    this.memory.u8(block + F.KIND_SIZES, 4).set(kind.sizes);
    this.writeThresholds(kind, kind.thresholds, block);
    return block;
  }

  private writeThresholds(kind: Kind, thresholds: Uint32Array, block: number): void {
    const levels = isQuick(kind) ? QUICK + 1 : thresholds.length;
    const masks = this.memory.i32(block + F.KIND_BYTES, 4 * BITS * levels);
    for (let bit = 0; bit < BITS; bit++)
      thresholds.forEach((threshold, level) => {
        const set = (threshold >>> (BITS - 1 - bit)) & 1 ? -1 : 0;
        masks.fill(set, 4 * (bit * levels + level), 4 * (bit * levels + level + 1));
      });
  }
}

const isQuick = ({ sizes }: Kind): boolean => sizes.length === 1 && sizes[0] <= QUICK;

const quickEdges = (kind: Kind): number => (isQuick(kind) ? QUICK : kind.sizes.reduce((sum, size) => sum + size, 0));

type Places = Pick<BitLayout, "positions" | "positionOf" | "variables" | "runs" | "kinds" | "kindOf" | "colourEnds">;

/** Assigns positions by colour and kind. */
function placesOf(columns: Conditionals, odds: LogOdds): Places {
  const { kinds, kindOf } = kindsOf(columns, odds);
  const { order, ends } = coloursOf(columns);
  const runs: BitRun[] = [];
  const placed: number[] = [];
  const colourEnds: number[] = [];
  for (let colour = 0, from = 0; colour < ends.length; from = ends[colour++]) {
    const own = new Map<number, number[]>();
    for (const variable of order.subarray(from, ends[colour])) {
      const list = own.get(kindOf[variable]);
      if (list) list.push(variable);
      else own.set(kindOf[variable], [variable]);
    }
    for (const [kind, list] of own) {
      const first = placed.length;
      for (const variable of list) placed.push(variable);
      if (placed.length % 2 === 1) placed.push(-1);
      runs.push({ from: first, to: placed.length, kind });
    }
    colourEnds.push(placed.length);
  }
  const positionOf = new Int32Array(kindOf.length).fill(-1);
  for (const [position, variable] of placed.entries()) if (variable >= 0) positionOf[variable] = position;
  return {
    ...{ runs, kinds, colourEnds, positionOf, positions: placed.length, variables: Int32Array.from(placed) },
    kindOf: Uint16Array.from(placed, (variable) => (variable < 0 ? 0 : kindOf[variable])),
  };
}

/** Returns the kinds, and the kind of each variable. */
function kindsOf(columns: Conditionals, odds: LogOdds): { kinds: Kind[]; kindOf: Uint16Array } {
  const { own, begins, couplings } = odds;
  const kinds: Kind[] = [];
  const kindOf = new Uint16Array(own.length);
  const known = new Map<string, number>();
  for (let variable = 0; variable < own.length; variable++) {
    if (columns.observed[variable] >= 0) continue;
    /**
     * Log odds if no edge is active. An edge with a positive coupling is active if the neighbour's state is 1. An edge
     * with a negative coupling is active if the neighbour's state is 0.
     */
    let base = own[variable];
    const sizes: number[] = [];
    const steps: number[] = [];
    for (let edge = begins[variable]; edge < begins[variable + 1]; edge++) {
      const step = Math.abs(couplings[edge]);
      if (couplings[edge] < 0) base += couplings[edge];
      if (step === steps.at(-1)) sizes[sizes.length - 1]++;
      else {
        steps.push(step);
        sizes.push(1);
      }
    }
    const key = `${base} ${sizes} ${steps}`;
    const found = known.get(key);
    if (found !== undefined) {
      kindOf[variable] = found;
      continue;
    }
    const levels = sizes.reduce((product, size) => product * (size + 1), 1);
    if (levels > MOST_LEVELS)
      refuse(
        `${columns.name(variable)} has ${levels} conditional probabilities by its neighbours' states, but must have at most ${MOST_LEVELS}`,
      );
    if (kinds.length === MOST_KINDS)
      refuse(`its variables have more than ${MOST_KINDS} sets of conditional probabilities, but must have few (equal weights)`);
    known.set(key, kinds.length);
    kindOf[variable] = kinds.length;
    kinds.push(kindFrom(base, sizes, steps, odds.unit));
  }
  return { kinds, kindOf };
}

function kindFrom(base: number, sizes: readonly number[], steps: readonly number[], unit: number): Kind {
  let levels = [base];
  sizes.forEach((size, group) => {
    levels = levels.flatMap((z) => Array.from({ length: size + 1 }, (_, count) => z + count * steps[group]));
  });
  const logOdds = levels.map((z) => z * unit);
  const probabilities = logOdds.map((z) => 1 / (1 + exp(-z)));
  const thresholds = thresholdsOf(probabilities);
  const [low, high] = [Math.min(...probabilities), Math.max(...probabilities)];
  const certain = high < CERTAIN || low > 1 - CERTAIN;
  return { sizes, logOdds, probabilities, thresholds, joined: sizes.length > 0, certain };
}

const thresholdsOf = (probabilities: readonly number[]): Uint32Array =>
  Uint32Array.from(probabilities, (p) => Math.min(2 ** BITS - 1, Math.max(1, Math.round(p * 2 ** BITS))));
