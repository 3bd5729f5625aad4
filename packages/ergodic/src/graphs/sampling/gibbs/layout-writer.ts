import type { Conditionals } from "../../../engine/contract/index.ts";
import { DataError } from "../../../engine/errors/errors.ts";
import type { Allocation, EngineMemory } from "../../../engine/memory/memory.ts";
import * as F from "../../fields.ts";
import { factorPieces, PIECE } from "./pieces.ts";

/** Storage forms of a factor. */
export const CONSTANT = 0;
export const UNARY = 1;
export const PAIR = 2;
export const TABLE = 3;
export const COUNTED = 4;

/**
 * Sources of the terms, from which they can be recomputed for other weights. Each term is base × weight, or a sum of
 * such products. The weight after the last one is 1.
 */
export interface TermSources {
  /** Terms shared by edges. The fields are the address of the first term, and a base and a weight per term. */
  readonly shared: number;
  readonly bases: Float64Array;
  readonly weights: Uint32Array;
  /**
   * Own terms of variables. The fields are an address and an end index of products per slot, and a base and a weight
   * per product.
   */
  readonly addresses: Uint32Array;
  readonly ends: Uint32Array;
  readonly ownBases: Float64Array;
  readonly ownWeights: Uint32Array;
}

/** Parts of the layout that a writer needs. */
interface Places {
  readonly drawn: number;
  readonly positions: Uint32Array;
  readonly slots: Uint32Array;
  readonly counted: number;
  readonly pointers: { readonly records: number; readonly counted: number };
  terms(position: number): number;
  allocate(bytes: number): Allocation;
}

/** Writes a layout's memory. */
export class LayoutWriter {
  private readonly columns: Conditionals;
  private readonly layout: Places;
  private readonly memory: EngineMemory;
  private readonly forms: Uint8Array;
  private readonly begins: Uint32Array;
  private readonly pairs: Uint32Array;
  private readonly edges: Uint32Array;
  /**
   * Terms to which edges refer, each stored as base × weight. The writer also stores the positions of existing terms,
   * by weight and shape.
   */
  private bases = new Float64Array(1024);
  private baseWeights = new Uint32Array(1024);
  private used = 0;
  private shared = 0;
  private readonly known: Known;

  constructor(
    columns: Conditionals,
    layout: Places,
    memory: EngineMemory,
    forms: Uint8Array,
    begins: Uint32Array,
    pairs: Uint32Array,
    edges: Uint32Array,
  ) {
    this.columns = columns;
    this.layout = layout;
    this.memory = memory;
    this.forms = forms;
    this.begins = begins;
    this.pairs = pairs;
    this.edges = edges;
    this.known = knownOf(6 * columns.counting.length * (columns.weightValues.length + 1));
  }

  /**
   * Writes the whole layout, yielding every few milliseconds. Views of memory become invalid at a yield, because other
   * code can allocate memory then.
   */
  *writing(): Generator<void> {
    const { layout, memory } = this;
    const own = new Float64Array(layout.slots[layout.drawn]);
    yield* this.ownTerms((slot, base, weight) => {
      own[slot] += this.term(base, weight);
    });
    // The address of the terms is known only when all terms exist. Until then, edges store offsets from the first term.
    const offsets = yield* this.offsets();
    const shared = layout.allocate(Math.max(8, 8 * this.used)).pointer;
    this.shared = shared;
    const terms = memory.f64(shared, this.used);
    for (let i = 0; i < this.used; i++) terms[i] = this.term(this.bases[i], this.baseWeights[i]);
    const next = { pair: new Uint32Array(layout.drawn), edge: new Uint32Array(layout.drawn) };
    for (let p = 0; p < layout.drawn; p += PIECE) {
      if (p > 0) yield;
      this.writeRecords(p, Math.min(layout.drawn, p + PIECE), own, next);
    }
    let number = 0;
    for (const [from, to] of factorPieces(this.columns.ends)) {
      if (from > 0) yield;
      number = this.writeFactors(from, to, number, offsets, next);
    }
  }

  private writeRecords(from: number, to: number, own: Float64Array, next: Next): void {
    const { layout, begins } = this;
    const { whole, floats } = this.views();
    for (let p = from; p < to; p++) {
      const at = begins[p] / 4;
      const count = layout.terms(p);
      whole[at + F.RECORD_STATES / 4] = count === 1 ? 0 : count;
      whole[at + F.RECORD_SLOT / 4] = layout.slots[p];
      whole[at + F.RECORD_PAIRS / 4] = this.pairs[p];
      whole[at + F.RECORD_EDGES / 4] = this.edges[p];
      const first = (begins[p] + F.RECORD_BYTES) / 8 - layout.slots[p];
      for (let slot = layout.slots[p]; slot < layout.slots[p + 1]; slot++) floats[first + slot] = own[slot];
      next.pair[p] = at + F.RECORD_BYTES / 4 + 2 * count;
      next.edge[p] = next.pair[p] + (F.PAIR_BYTES / 4) * this.pairs[p];
    }
  }

  /** `number`: number of counted factors before these. @returns the number of counted factors including these */
  private writeFactors(first: number, end: number, number: number, offsets: Float64Array, next: Next): number {
    const { layout, forms, shared } = this;
    const { ends, variables, literals } = this.columns;
    const { whole, blocks } = this.views();
    let counted = number;
    for (let factor = first, from = first === 0 ? 0 : ends[first - 1]; factor < end; from = ends[factor++]) {
      const form = forms[factor];
      const to = ends[factor];
      if (form === PAIR) {
        for (let side = 0; side < 2; side++) {
          const p = layout.positions[variables[from + side]];
          if (p >= layout.drawn) continue;
          const at = next.pair[p];
          next.pair[p] = at + F.PAIR_BYTES / 4;
          whole[at + F.PAIR_POSITION / 4] = layout.positions[variables[from + 1 - side]];
          whole[at + F.PAIR_TERMS / 4] = shared + offsets[2 * factor + side];
        }
      } else if (form === TABLE) this.writeTable(from, to, shared + offsets[2 * factor], whole, next.edge);
      else if (form === COUNTED) {
        const block = counted * (F.COUNTED_BYTES / 4);
        blocks[block + F.COUNTED_TERMS / 4] = shared + offsets[2 * factor];
        blocks[block + F.COUNTED_ROW / 4] = 8 * (to - from);
        blocks[block + F.COUNTED_HEAD / 4] = layout.positions[variables[to - 1]];
        blocks[block + F.COUNTED_STATE / 4] = literals[to - 1];
        this.writeCounted(counted++, from, to, whole, next.edge);
      }
    }
    return counted;
  }

  private views(): { whole: Uint32Array; floats: Float64Array; blocks: Uint32Array } {
    const { memory, layout, begins } = this;
    const { records, counted } = layout.pointers;
    const bytes = begins[layout.drawn];
    return {
      whole: memory.u32(records, bytes / 4),
      floats: memory.f64(records, bytes / 8),
      blocks: memory.u32(counted, layout.counted * (F.COUNTED_BYTES / 4)),
    };
  }

  private writeTable(from: number, to: number, terms: number, whole: Uint32Array, next: Uint32Array): void {
    const { layout } = this;
    const { variables, cardinalities } = this.columns;
    for (let edge = from; edge < to; edge++) {
      const p = layout.positions[variables[edge]];
      if (p >= layout.drawn) continue;
      const at = next[p];
      whole[at + F.EDGE_KIND / 4] = to - from - 1;
      whole[at + F.EDGE_TERMS / 4] = terms;
      let place = at + F.TABLE_EDGE_OTHERS / 4;
      let stride = 8;
      for (let other = to - 1; other >= from; other--) {
        const variable = variables[other];
        if (other === edge) whole[at + F.TABLE_EDGE_STRIDE / 4] = stride;
        else {
          whole[place + F.OTHER_POSITION / 4] = layout.positions[variable];
          whole[place + F.OTHER_STRIDE / 4] = stride;
          place += F.OTHER_BYTES / 4;
        }
        stride *= cardinalities[variable];
      }
      next[p] = place;
    }
  }

  private writeCounted(number: number, from: number, to: number, whole: Uint32Array, next: Uint32Array): void {
    const { layout } = this;
    const { variables, literals } = this.columns;
    for (let edge = from; edge < to; edge++) {
      const p = layout.positions[variables[edge]];
      if (p >= layout.drawn) continue;
      const at = next[p];
      next[p] = at + F.EDGE_BYTES / 4;
      whole[at + F.EDGE_KIND / 4] = F.COUNTED_EDGE + (edge === to - 1 ? F.HEAD_EDGE : 0) + literals[edge];
      whole[at + F.EDGE_TERMS / 4] = number;
    }
  }

  /** Returns the sources of all terms. */
  *gatherSources(): Generator<void, TermSources> {
    const { layout, used } = this;
    const slots = layout.slots[layout.drawn];
    const ends = new Uint32Array(slots);
    yield* this.ownTerms((slot) => {
      ends[slot]++;
    });
    for (let slot = 1; slot < slots; slot++) ends[slot] += ends[slot - 1];
    const next = Uint32Array.from(ends, (_, slot) => (slot === 0 ? 0 : ends[slot - 1]));
    const ownBases = new Float64Array(slots === 0 ? 0 : ends[slots - 1]);
    const ownWeights = new Uint32Array(ownBases.length);
    yield* this.ownTerms((slot, base, weight) => {
      ownBases[next[slot]] = base;
      ownWeights[next[slot]++] = weight;
    });
    const addresses = new Uint32Array(slots);
    for (let p = 0; p < layout.drawn; p++)
      for (let slot = layout.slots[p]; slot < layout.slots[p + 1]; slot++)
        addresses[slot] = layout.pointers.records + this.begins[p] + F.RECORD_BYTES + 8 * (slot - layout.slots[p]);
    const [bases, weights] = [this.bases.slice(0, used), this.baseWeights.slice(0, used)];
    return { shared: this.shared, bases, weights, addresses, ends, ownBases, ownWeights };
  }

  /** Returns the weight index of a factor. Factors without a weight use the index after the last weight. */
  private weight(factor: number): number {
    const weight = this.columns.weights[factor];
    return weight < 0 ? this.columns.weightValues.length : weight;
  }

  private feature(factor: number): number {
    return this.columns.features?.[factor] ?? 1;
  }

  /** Returns base × weight. The result is finite, or −∞ for a factor without a weight. */
  private term(base: number, weight: number): number {
    const { weightValues } = this.columns;
    const value = weight === weightValues.length ? 1 : weightValues[weight];
    const term = base === 0 ? 0 : base * value;
    if (Number.isFinite(term) || (term === -Infinity && base === -Infinity)) return term;
    throw new DataError(
      "factor graph",
      `a factor is exp(weight · feature · value) with weight ${value} (number ${weight}) and feature · value ${base}, which overflows; make the weight or the feature smaller`,
      "GRAPH_OVERFLOW",
    );
  }

  /**
   * Calls `add` for all factors that depend on a single drawn variable, with their contribution (base × weight) to each
   * slot.
   */
  private *ownTerms(add: AddTerm): Generator<void> {
    for (const [from, to] of factorPieces(this.columns.ends)) {
      if (from > 0) yield;
      this.ownTermsOf(from, to, add);
    }
  }

  private ownTermsOf(first: number, end: number, add: AddTerm): void {
    const { layout, forms } = this;
    const { ends, variables, observed, shapes, counting, shapeBegins, shapeValues, literals, cardinalities } = this.columns;
    for (let factor = first, from = first === 0 ? 0 : ends[first - 1]; factor < end; from = ends[factor++]) {
      if (forms[factor] !== UNARY) continue;
      const to = ends[factor];
      let mine = from;
      while (observed[variables[mine]] >= 0) mine++;
      const variable = variables[mine];
      const p = layout.positions[variable];
      const begin = shapeBegins[shapes[factor]];
      const feature = this.feature(factor);
      const weight = this.weight(factor);
      const slot = layout.slots[p];
      const odds = layout.terms(p) === 1;
      // Fast path: most factors have a single variable.
      if (to - from === 1 && !counting[shapes[factor]]) {
        if (odds) add(slot, times(feature, shapeValues[begin + 1]) - times(feature, shapeValues[begin]), weight);
        else for (let s = 0; s < cardinalities[variable]; s++) add(slot + s, times(feature, shapeValues[begin + s]), weight);
        continue;
      }
      const value = (state: number): number => {
        const at = (edge: number): number => (edge === mine ? state : observed[variables[edge]]);
        let index = 0;
        if (counting[shapes[factor]]) {
          for (let edge = from; edge < to - 1; edge++) if (at(edge) === literals[edge]) index++;
          if (at(to - 1) === literals[to - 1]) index += to - from;
        } else for (let edge = from; edge < to; edge++) index = index * cardinalities[variables[edge]] + at(edge);
        return times(feature, shapeValues[begin + index]);
      };
      if (odds) add(slot, value(1) - value(0), weight);
      else for (let s = 0; s < cardinalities[variable]; s++) add(slot + s, value(s), weight);
    }
  }

  /** Returns two term offsets per factor, for its first and second variable. Wider factors use only the first. */
  private *offsets(): Generator<void, Float64Array> {
    const { ends } = this.columns;
    const offsets = new Float64Array(2 * ends.length);
    for (const [from, to] of factorPieces(ends)) {
      if (from > 0) yield;
      this.offsetsOf(from, to, offsets);
    }
    return offsets;
  }

  private offsetsOf(first: number, end: number, offsets: Float64Array): void {
    const { layout, forms } = this;
    const { ends, variables, cardinalities, shapes, weightValues, shapeBegins, shapeValues } = this.columns;
    const weightCount = weightValues.length + 1;
    for (let factor = first, from = first === 0 ? 0 : ends[first - 1]; factor < end; from = ends[factor++]) {
      const form = forms[factor];
      if (form < PAIR) continue;
      const shape = shapes[factor];
      const feature = this.feature(factor);
      const weight = this.weight(factor);
      const sides = form === PAIR ? 2 : 1;
      for (let side = 0; side < sides; side++) {
        const variable = variables[from + side];
        const p = layout.positions[variable];
        if (form === PAIR && p >= layout.drawn) continue;
        const odds = form === PAIR && layout.terms(p) === 1;
        const key = feature !== 1 ? -1 : ((shape * weightCount + weight) * 3 + (form === PAIR ? side : 2)) * 2 + (odds ? 1 : 0);
        const known = key < 0 ? undefined : this.known.get(key);
        if (known) {
          offsets[2 * factor + side] = known - 1;
          continue;
        }
        const offset = 8 * this.used;
        offsets[2 * factor + side] = offset;
        if (key >= 0) this.known.set(key, offset + 1);
        const value = (index: number): number => times(feature, shapeValues[shapeBegins[shape] + index]);
        if (form !== PAIR) {
          const size = shapeBegins[shape + 1] - shapeBegins[shape];
          for (let i = 0; i < size; i++) this.push(value(i), weight);
          continue;
        }
        const [mine, others] = [cardinalities[variable], cardinalities[variables[from + 1 - side]]];
        const at = (own: number, other: number): number => (side === 0 ? own * others + other : other * mine + own);
        for (let other = 0; other < others; other++) {
          if (odds) this.push(value(at(1, other)) - value(at(0, other)), weight);
          else for (let s = 0; s < mine; s++) this.push(value(at(s, other)), weight);
        }
      }
    }
  }

  private push(base: number, weight: number): void {
    if (this.used === this.bases.length) {
      const [bases, weights] = [new Float64Array(2 * this.used), new Uint32Array(2 * this.used)];
      bases.set(this.bases);
      weights.set(this.baseWeights);
      [this.bases, this.baseWeights] = [bases, weights];
    }
    this.bases[this.used] = base;
    this.baseWeights[this.used++] = weight;
  }
}

/** For each position, two words: where to write the position's next pair, and where to write its next other edge. */
interface Next {
  readonly pair: Uint32Array;
  readonly edge: Uint32Array;
}

type AddTerm = (slot: number, base: number, weight: number) => void;

/** For each term index, the position of the term plus 1 if it is already written. */
interface Known {
  get(key: number): number | undefined;
  set(key: number, value: number): unknown;
}

/** Largest number of entries of the array. The array is ten times as fast as a map. */
const MOST_KNOWN = 2 ** 22;

function knownOf(count: number): Known {
  if (count > MOST_KNOWN) return new Map<number, number>();
  const values = new Float64Array(count);
  return {
    get: (key) => values[key],
    set: (key, value) => {
      values[key] = value;
    },
  };
}

/** Keeps −∞ regardless of the feature. */
const times = (feature: number, value: number): number => (value === -Infinity ? value : feature * value);
