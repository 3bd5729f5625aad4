import type { Conditionals } from "../../../engine/contract/index.ts";
import { CapabilityError } from "../../../engine/errors/errors.ts";
import type { Allocation, EngineMemory } from "../../../engine/memory/memory.ts";
import { log } from "../../../engine/numbers/log.ts";
import { atOnce } from "../../../engine/threads/steps.ts";
import * as F from "../../fields.ts";
import { CONSTANT, COUNTED, LayoutWriter, PAIR, TABLE, type TermSources, UNARY } from "./layout-writer.ts";
import { factorPieces, PIECE } from "./pieces.ts";

/** Largest number of states, so that a state fits in a byte. */
const MOST_STATES = 256;
/** A variable is certain if all other states have at most this probability, regardless of its neighbours. */
const CERTAIN = 1e-3;

/**
 * A graph laid out for sampling. Each drawn variable has a record (graphs/fields.ts) that contains everything on which
 * its conditional distribution depends. Records are in visiting order. A variable's own terms include the factors in
 * which it is the only unobserved variable. A factor of two variables refers to the other position and to terms shared
 * by all identical factors. For a function of many literals, a count of satisfied literals is maintained. Positions
 * follow the visiting order; observed variables come last.
 */
export class Layout {
  /** Number of drawn variables. The drawn variables have the positions below this number. */
  readonly drawn: number;
  /** Position of each variable. */
  readonly positions: Uint32Array;
  /** Variable at each position. */
  readonly variables: Uint32Array;
  /** First slot of each drawn position, followed by the total number of slots. */
  readonly slots: Uint32Array;
  /** For each position, 1 if its variable has neighbours, else 0. */
  readonly joined: Uint8Array;
  /** For each position, 1 if its state is certain regardless of all other states, else 0. */
  readonly certain: Uint8Array;
  /** Number of counted factors. */
  counted = 0;
  /** Sources of the terms, if requested by `learn`. */
  sources: TermSources | undefined;
  readonly cardinalities: Uint32Array;
  readonly observed: Int32Array;
  private readonly columns: Conditionals;
  private readonly memory: EngineMemory;
  private readonly held: Allocation[] = [];
  private readonly learn: boolean;
  private readonly forms: Uint8Array;
  /** 1 for each position with a factor that contains a zero. */
  readonly hard: Uint8Array;
  /** Addresses, once everything is written. */
  private places = { begins: 0, records: 0, counted: 0 };

  /** Creates and fills a layout synchronously. */
  static of(...given: ConstructorParameters<typeof Layout>): Layout {
    const layout = new Layout(...given);
    atOnce(layout.filling());
    return layout;
  }

  /**
   * Creates an empty layout, which `filling` fills. `order`: unobserved variables in visiting order. `learn`: whether
   * terms will be recomputed for other weights.
   */
  constructor(columns: Conditionals, order: Uint32Array, memory: EngineMemory, { learn = false }: { learn?: boolean } = {}) {
    const { cardinalities, observed } = columns;
    this.columns = columns;
    this.memory = memory;
    this.learn = learn;
    this.cardinalities = cardinalities;
    this.observed = observed;
    this.drawn = order.length;
    this.variables = new Uint32Array(cardinalities.length);
    this.variables.set(order);
    let next = order.length;
    for (let v = 0; v < observed.length; v++) {
      if (cardinalities[v] > MOST_STATES)
        throw new CapabilityError(
          "graphGibbs",
          `${columns.name(v)} has ${cardinalities[v]} states, but at most ${MOST_STATES} can be sampled; use fewer states, or another algorithm`,
          "GRAPH_STATES",
        );
      if (observed[v] >= 0) this.variables[next++] = v;
    }
    this.positions = new Uint32Array(cardinalities.length);
    this.variables.forEach((variable, position) => {
      this.positions[variable] = position;
    });
    this.joined = new Uint8Array(this.drawn);
    this.certain = new Uint8Array(this.drawn);
    this.hard = new Uint8Array(cardinalities.length);
    this.forms = new Uint8Array(columns.ends.length);
    this.slots = new Uint32Array(this.drawn + 1);
  }

  /** Writes the layout, yielding every few milliseconds. `dispose` frees its memory even if it is incomplete. */
  *filling(): Generator<void> {
    const { columns, memory, forms, drawn } = this;
    yield* this.findForms();
    for (let p = 0; p < drawn; p++) this.slots[p + 1] = this.slots[p] + this.terms(p);
    for (const form of forms) if (form === COUNTED) this.counted++;
    const { pairs, edges, begins } = yield* this.sizes();
    const { pointer } = this.allocate(4 * (drawn + 1));
    memory.u32(pointer, drawn + 1).set(begins);
    const records = this.allocate(begins[drawn]).pointer;
    const counted = this.allocate(Math.max(1, this.counted) * F.COUNTED_BYTES).pointer;
    this.places = { begins: pointer, records, counted };
    const writer = new LayoutWriter(columns, this, memory, forms, begins, pairs, edges);
    yield* writer.writing();
    if (this.learn) this.sources = yield* writer.gatherSources();
    yield* this.markCertain(begins);
  }

  /** Addresses for chains. */
  get pointers(): { readonly begins: number; readonly records: number; readonly counted: number } {
    return this.places;
  }

  /** Number of bytes in records, shared terms and related data. */
  get byteLength(): number {
    return this.held.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Allocates memory that belongs to the layout. */
  allocate(bytes: number): Allocation {
    const piece = this.memory.allocate(bytes, "a graph laid out for sampling");
    this.held.push(piece);
    return piece;
  }

  /**
   * Returns each factor's index among the counted factors. An index of −1 means that the factor is not counted, and −2
   * that the factor is constant or part of a variable's own terms.
   */
  countedNumbers(): Int32Array {
    const numbers = new Int32Array(this.forms.length);
    let next = 0;
    for (let factor = 0; factor < numbers.length; factor++) {
      const form = this.forms[factor];
      numbers[factor] = form === COUNTED ? next++ : form < PAIR ? -2 : -1;
    }
    return numbers;
  }

  /** Returns the number of own terms at a position. A Boolean without zeros has only one: its log odds. */
  terms(position: number): number {
    const count = this.cardinalities[this.variables[position]];
    return count === 2 && !this.hard[position] ? 1 : count;
  }

  /** Counts the satisfied body literals of each counted factor. `states` is indexed by position. */
  countInto(counts: Int32Array, states: Uint8Array): void {
    const { ends, variables, literals } = this.columns;
    let number = 0;
    for (let factor = 0, from = 0; factor < ends.length; from = ends[factor++]) {
      if (this.forms[factor] !== COUNTED) continue;
      let count = 0;
      for (let edge = from; edge < ends[factor] - 1; edge++)
        if (states[this.positions[variables[edge]]] === literals[edge]) count++;
      counts[number++] = count;
    }
  }

  dispose(): void {
    for (const piece of this.held) piece.dispose();
  }

  private *findForms(): Generator<void> {
    const { forms } = this;
    const { ends, variables, shapes, counting, shapeBegins, shapeValues, observed } = this.columns;
    const hardShapes = Uint8Array.from(counting, (_, shape) =>
      shapeValues.subarray(shapeBegins[shape], shapeBegins[shape + 1]).includes(-Infinity) ? 1 : 0,
    );
    let edge = 0;
    for (const [first, end] of factorPieces(ends)) {
      if (first > 0) yield;
      for (let factor = first; factor < end; factor++) {
        const from = edge;
        let free = 0;
        for (; edge < ends[factor]; edge++) if (observed[variables[edge]] < 0) free++;
        const shape = shapes[factor];
        const form = free === 0 ? CONSTANT : free === 1 ? UNARY : counting[shape] ? COUNTED : edge - from === 2 ? PAIR : TABLE;
        forms[factor] = form;
        for (let e = from; e < edge; e++) {
          const position = this.positions[variables[e]];
          if (position >= this.drawn) continue;
          if (form > UNARY) this.joined[position] = 1;
          if (hardShapes[shape]) this.hard[position] = 1;
        }
      }
    }
  }

  /**
   * Returns three numbers for each position: its number of pairs, its number of other edges, and the start of its
   * record.
   */
  private *sizes(): Generator<void, { pairs: Uint32Array; edges: Uint32Array; begins: Uint32Array }> {
    const { ends, variables } = this.columns;
    const pairs = new Uint32Array(this.drawn);
    const edges = new Uint32Array(this.drawn);
    const bytes = new Float64Array(this.drawn);
    let edge = 0;
    for (const [first, end] of factorPieces(ends)) {
      if (first > 0) yield;
      for (let factor = first; factor < end; factor++) {
        const form = this.forms[factor];
        const arity = ends[factor] - edge;
        for (; edge < ends[factor]; edge++) {
          const position = this.positions[variables[edge]];
          if (position >= this.drawn || form < PAIR) continue;
          if (form === PAIR) pairs[position]++;
          else edges[position]++;
          bytes[position] +=
            form === PAIR ? F.PAIR_BYTES : form === COUNTED ? F.EDGE_BYTES : F.TABLE_EDGE_OTHERS + (arity - 1) * F.OTHER_BYTES;
        }
      }
    }
    const begins = new Float64Array(this.drawn + 1);
    for (let p = 0; p < this.drawn; p++) begins[p + 1] = begins[p] + F.RECORD_BYTES + 8 * this.terms(p) + bytes[p];
    if (begins[this.drawn] >= 2 ** 32)
      throw new CapabilityError(
        "graphGibbs",
        `the graph takes ${(begins[this.drawn] / 2 ** 30).toFixed(1)} GiB laid out for sampling, but one memory has 4; split it into parts that are not connected`,
        "GRAPH_MEMORY",
      );
    return { pairs, edges, begins: Uint32Array.from(begins) };
  }

  /** Marks the variables that have a certain state. The test uses the smallest and largest effect of each edge. */
  private *markCertain(begins: Uint32Array): Generator<void> {
    const { drawn } = this;
    const least = log(1 / CERTAIN);
    for (let first = 0; first < drawn; first += PIECE) {
      if (first > 0) yield;
      this.markCertainIn(first, Math.min(drawn, first + PIECE), begins, least);
    }
  }

  private markCertainIn(from: number, to: number, begins: Uint32Array, least: number): void {
    const { memory, places, drawn } = this;
    const whole = memory.u32(places.records, begins[drawn] / 4);
    const floats = memory.f64(places.records, begins[drawn] / 8);
    for (let p = from; p < to; p++) {
      const at = begins[p] / 4;
      const own = floats[(begins[p] + F.RECORD_BYTES) / 8];
      if (this.terms(p) !== 1 || !(Math.abs(own) > least)) continue;
      let [low, high] = [own, own];
      const take = (differences: readonly number[]): void => {
        low += Math.min(...differences);
        high += Math.max(...differences);
      };
      let edge = at + F.RECORD_BYTES / 4 + 2;
      for (let k = 0; k < whole[at + F.RECORD_PAIRS / 4]; k++, edge += F.PAIR_BYTES / 4) {
        const count = this.cardinalities[this.variables[whole[edge + F.PAIR_POSITION / 4]]];
        take([...memory.f64(whole[edge + F.PAIR_TERMS / 4], count)]);
      }
      for (let k = 0; k < whole[at + F.RECORD_EDGES / 4]; k++) {
        const kind = whole[edge + F.EDGE_KIND / 4];
        if (kind < F.COUNTED_EDGE) {
          // Table edges are not examined, so their effect is treated as unbounded.
          [low, high] = [-Infinity, Infinity];
          break;
        }
        const factor = memory.u32(places.counted + whole[edge + F.EDGE_TERMS / 4] * F.COUNTED_BYTES, F.COUNTED_BYTES / 4);
        const row = factor[F.COUNTED_ROW / 4];
        const values = memory.f64(factor[F.COUNTED_TERMS / 4], row / 4);
        const body = row / 8;
        const head = (kind & F.HEAD_EDGE) !== 0;
        const sign = (kind & 0x3fffffff) === 1 ? 1 : -1;
        const differences: number[] = [];
        for (let c = 0; head && c < body; c++) differences.push(sign * (values[body + c] - values[c]));
        for (let c = 0; !head && c < 2 * body - 1; c++) if (c !== body - 1) differences.push(sign * (values[c + 1] - values[c]));
        take(differences);
        edge += F.EDGE_BYTES / 4;
      }
      if (Math.max(low, -high) > least) this.certain[p] = 1;
    }
  }
}
