import type { Conditionals } from "../../../engine/contract/index.ts";
import type { EngineMemory } from "../../../engine/memory/memory.ts";
import { atOnce, Pauses } from "../../../engine/threads/steps.ts";
import * as F from "../../fields.ts";
import { addRecord } from "../../record.ts";
import type { Blocks } from "./blocking.ts";
import type { Layout } from "./layout.ts";
import { PIECE } from "./pieces.ts";

/** Allocation size in bytes. */
const CHUNK = 1 << 16;

/**
 * Data that the kernel needs to draw blocks (kernels/graphs/graph-blocks.ts). This data supplements the records of a
 * layout with the same order. In a block of several variables, each variable has a BUCKET, which takes 56 bytes in a
 * tree of Booleans. Identical terms are shared. Identical maps from tables to terms and messages are also shared. The
 * records mark each edge that has a factor already contained in the block's tables. If a block shares no factor with
 * others, its variables are no longer `joined`.
 */
export class BlockLayout {
  /** First position of each block, followed by the end of the last block. */
  readonly firsts: Uint32Array;
  /** Block of each position, and the byte offsets of the position's table and message within TABLES. */
  readonly blockOf: Uint32Array;
  readonly tables: Uint32Array;
  readonly messages: Uint32Array;
  /** Largest number of bytes for the tables of a block. */
  tableBytes = 0;
  /** Address of the BLOCKs. */
  pointer = 0;
  readonly blocks: Blocks;
  private readonly columns: Conditionals;
  private readonly layout: Layout;
  private readonly memory: EngineMemory;
  /** Index of each factor among the counted factors (`numbers`), and the inverse mapping (`counted`). */
  private readonly numbers: Int32Array;
  private readonly counted: Uint32Array;
  /**
   * Factors that have several variables in one block. Each factor is listed at the first of its positions in the block.
   */
  private readonly inner: (number[] | undefined)[];
  /** Addresses of maps and terms, keyed by their contents. */
  private readonly known = new Map<string, number>();
  private next = 0;
  private room = 0;
  private readonly pauses = new Pauses();

  /** Creates and fills the layout synchronously. */
  static of(...given: ConstructorParameters<typeof BlockLayout>): BlockLayout {
    const layout = new BlockLayout(...given);
    atOnce(layout.filling());
    return layout;
  }

  /** Creates an empty layout, which `filling` fills. Allocations belong to the layout of the records. */
  constructor(columns: Conditionals, layout: Layout, blocks: Blocks, memory: EngineMemory) {
    this.columns = columns;
    this.layout = layout;
    this.blocks = blocks;
    this.memory = memory;
    this.numbers = layout.countedNumbers();
    this.counted = new Uint32Array(layout.counted);
    for (let factor = 0; factor < this.numbers.length; factor++)
      if (this.numbers[factor] >= 0) this.counted[this.numbers[factor]] = factor;
    const count = blocks.ends.length;
    this.firsts = new Uint32Array(count + 1);
    this.firsts.set(blocks.ends, 1);
    this.blockOf = new Uint32Array(layout.drawn);
    for (let block = 0; block < count; block++) this.blockOf.fill(block, this.firsts[block], this.firsts[block + 1]);
    this.tables = new Uint32Array(layout.drawn);
    this.messages = new Uint32Array(layout.drawn);
    this.inner = new Array<number[] | undefined>(layout.drawn);
  }

  /** Fills the layout, yielding every few milliseconds. */
  *filling(): Generator<void> {
    const count = this.blocks.ends.length;
    yield* this.place();
    yield* this.findInner();
    const headers = new Uint32Array((F.BLOCK_BYTES / 4) * count);
    for (let block = 0; block < count; block++) {
      const [first, end] = [this.firsts[block], this.firsts[block + 1]];
      const header = (F.BLOCK_BYTES / 4) * block;
      headers[header + F.BLOCK_FIRST / 4] = first;
      headers[header + F.BLOCK_SIZE / 4] = end - first;
      if (end - first > 1) headers[header + F.BLOCK_BUCKETS / 4] = yield* this.write(first, end);
    }
    this.pointer = this.put(headers);
    yield* this.mark();
  }

  /** Returns the first block that starts at or after a position. */
  blockFrom(position: number): number {
    if (position >= this.layout.drawn) return this.firsts.length - 1;
    const block = this.blockOf[position];
    return this.firsts[block] === position ? block : block + 1;
  }

  private separators(position: number): Uint32Array {
    const { begins, separators } = this.blocks;
    return separators.subarray(begins[position], begins[position + 1]);
  }

  private cardinality(position: number): number {
    return this.layout.cardinalities[this.layout.variables[position]];
  }

  /** Returns the number of joint states of a position's separator. */
  private states(position: number): number {
    return this.separators(position).reduce((product, other) => product * this.cardinality(other), 1);
  }

  private *place(): Generator<void> {
    for (let block = 0; block + 1 < this.firsts.length; block++) {
      let bytes = 0;
      for (let p = this.firsts[block]; p < this.firsts[block + 1]; p++) {
        if (this.pauses.due()) yield;
        const states = this.states(p);
        this.tables[p] = bytes;
        bytes += 8 * states * this.cardinality(p);
        this.messages[p] = bytes;
        bytes += 8 * states;
      }
      this.tableBytes = Math.max(this.tableBytes, bytes);
    }
  }

  /**
   * Assigns factors to their first variable in a block. This pass also finds the blocks that share factors with other
   * blocks.
   */
  private *findInner(): Generator<void> {
    const { layout, blockOf, inner, pauses } = this;
    const { ends, variables } = this.columns;
    const crossed = new Uint8Array(this.firsts.length);
    for (let factor = 0, from = 0; factor < ends.length; from = ends[factor++]) {
      if (pauses.due(ends[factor] - from)) yield;
      const drawn: number[] = [];
      for (let edge = from; edge < ends[factor]; edge++) {
        const position = layout.positions[variables[edge]];
        if (position < layout.drawn) drawn.push(position);
      }
      if (drawn.length < 2) continue;
      drawn.sort((a, b) => a - b);
      // The positions of a block are consecutive.
      for (let i = 0; i < drawn.length; i++) {
        const block = blockOf[drawn[i]];
        if (block !== blockOf[drawn[0]] || block !== blockOf[drawn.at(-1)!]) crossed[block] = 1;
        if ((i === 0 || blockOf[drawn[i - 1]] !== block) && i + 1 < drawn.length && blockOf[drawn[i + 1]] === block) {
          const list = inner[drawn[i]];
          if (list) list.push(factor);
          else inner[drawn[i]] = [factor];
        }
      }
    }
    for (let p = 0; p < layout.drawn; p++) if (!crossed[blockOf[p]]) layout.joined[p] = 0;
  }

  /** Writes the buckets of a block. */
  private *write(first: number, end: number): Generator<void, number> {
    const children: number[][] = Array.from({ length: end - first }, () => []);
    const words: number[] = [];
    let before = 0;
    for (let p = first; p < end; p++) {
      if (this.pauses.due()) yield;
      const begin = addRecord(words, F.BUCKET_BYTES);
      const separators = this.separators(p);
      // There is one axis per variable, and the last axis varies fastest.
      const axes = [...separators, p];
      const strides = this.strides(axes);
      const factors = this.inner[p] ?? [];
      const inbox = children[p - first];
      words[begin + F.BUCKET_TABLE / 4] = this.tables[p];
      words[begin + F.BUCKET_MESSAGE / 4] = this.messages[p];
      words[begin + F.BUCKET_STATES / 4] = this.states(p);
      words[begin + F.BUCKET_SEPARATORS / 4] = separators.length;
      words[begin + F.BUCKET_TERMS / 4] = factors.length;
      words[begin + F.BUCKET_MESSAGES / 4] = inbox.length;
      words[begin + F.BUCKET_BEFORE / 4] = before;
      separators.forEach((other, k) => {
        const at = addRecord(words, F.SEPARATOR_BYTES);
        words[at + F.SEPARATOR_POSITION / 4] = other;
        words[at + F.SEPARATOR_STRIDE / 4] = 8 * strides[k];
      });
      for (const factor of factors) this.pushTerm(words, factor, axes);
      words[begin + F.BUCKET_LENGTH / 4] = 4 * (words.length - begin);
      for (const child of inbox) {
        const own = this.separators(child);
        const distances = new Map(this.strides(own).map((stride, k) => [own[k], this.multiples(own[k], 8 * stride)]));
        const at = addRecord(words, F.INBOX_BYTES);
        words[at + F.INBOX_MESSAGE / 4] = this.messages[child];
        words[at + F.INBOX_MAP / 4] = this.map(axes, distances);
        words[at + F.INBOX_LENGTH / 4] = 8 * this.states(child);
      }
      before = 4 * (words.length - begin);
      // The parent of a position is the separator variable that is eliminated next.
      if (separators.length > 0) children[Math.min(...separators) - first].push(p);
    }
    return this.put(words);
  }

  private strides(positions: ArrayLike<number>): number[] {
    const strides: number[] = new Array(positions.length);
    let stride = 1;
    for (let k = positions.length - 1; k >= 0; k--) {
      strides[k] = stride;
      stride *= this.cardinality(positions[k]);
    }
    return strides;
  }

  private multiples(position: number, distance: number): number[] {
    return Array.from({ length: this.cardinality(position) }, (_, state) => state * distance);
  }

  private pushTerm(words: number[], factor: number, axes: readonly number[]): void {
    const { layout, columns, numbers } = this;
    const { ends, variables, literals, cardinalities } = columns;
    const from = factor === 0 ? 0 : ends[factor - 1];
    const to = ends[factor];
    const number = numbers[factor];
    const distances = new Map<number, number[]>();
    const others: number[] = [];
    let outside = false;
    let stride = 8;
    for (let edge = to - 1; edge >= from; edge--) {
      const position = layout.positions[variables[edge]];
      const within = axes.includes(position);
      if (number < 0) {
        if (within) distances.set(position, this.multiples(position, stride));
        else {
          const at = addRecord(others, F.OTHER_BYTES);
          others[at + F.OTHER_POSITION / 4] = position;
          others[at + F.OTHER_STRIDE / 4] = stride;
        }
        stride *= cardinalities[variables[edge]];
        continue;
      }
      const head = edge === to - 1;
      if (!within) outside ||= head;
      else {
        const change = head ? 8 * (to - from) : 8;
        distances.set(
          position,
          this.multiples(position, 0).map((_, state) => (state === literals[edge] ? change : 0)),
        );
        if (!head) {
          const at = addRecord(others, F.LITERAL_BYTES);
          others[at + F.LITERAL_POSITION / 4] = position;
          others[at + F.LITERAL_STATE / 4] = literals[edge];
        }
      }
    }
    const [kind, bytes] = number < 0 ? [0, F.OTHER_BYTES] : [F.COUNTED_EDGE + (outside ? F.HEAD_EDGE : 0), F.LITERAL_BYTES];
    const term = addRecord(words, F.TERM_BYTES);
    words[term + F.TERM_FROM / 4] = number < 0 ? this.terms(factor) : number;
    words[term + F.TERM_MAP / 4] = this.map(axes, distances);
    words[term + F.TERM_KIND / 4] = kind + others.length / (bytes / 4);
    words.push(...others);
  }

  /**
   * Returns a map from the entries of a table over these axes to offsets. The offset of an entry is the sum of the
   * distances of the entry's states.
   */
  private map(axes: readonly number[], distances: ReadonlyMap<number, readonly number[]>): number {
    const by = axes.map((position) => distances.get(position) ?? this.multiples(position, 0));
    const key = JSON.stringify(by);
    let map = this.known.get(key);
    if (map === undefined) {
      let entries = [0];
      for (const own of by) entries = entries.flatMap((entry) => own.map((distance) => entry + distance));
      map = this.put(entries);
      this.known.set(key, map);
    }
    return map;
  }

  /** Returns a factor's terms, indexed by the states of its variables. The last variable varies fastest. */
  private terms(factor: number): number {
    const { shapes, weights, weightValues, features, shapeBegins, shapeValues } = this.columns;
    const shape = shapes[factor];
    const weight = weights[factor] < 0 ? 1 : weightValues[weights[factor]];
    const feature = features?.[factor] ?? 1;
    const key = `${shape} ${weight} ${feature}`;
    let terms = this.known.get(key);
    if (terms === undefined) {
      const values = shapeValues
        .subarray(shapeBegins[shape], shapeBegins[shape + 1])
        .map((value) => (value === -Infinity || value === 0 ? value : weight * (feature * value)));
      terms = this.reserve(8 * values.length);
      this.memory.f64(terms, values.length).set(values);
      this.known.set(key, terms);
    }
    return terms;
  }

  /** Marks edges whose factor is in the block's tables. */
  private *mark(): Generator<void> {
    const { drawn } = this.layout;
    for (let p = 0; p < drawn; p += PIECE) {
      if (p > 0) yield;
      this.markIn(p, Math.min(drawn, p + PIECE));
    }
  }

  private markIn(from: number, to: number): void {
    const { layout, memory, blockOf } = this;
    const { ends, variables } = this.columns;
    const begins = memory.u32(layout.pointers.begins, layout.drawn + 1);
    const records = memory.u32(layout.pointers.records, begins[layout.drawn] / 4);
    for (let p = from; p < to; p++) {
      const block = blockOf[p];
      if (this.firsts[block + 1] - this.firsts[block] === 1) continue;
      const within = (other: number): boolean => other !== p && other < layout.drawn && blockOf[other] === block;
      const at = begins[p] / 4;
      let edge = at + F.RECORD_BYTES / 4 + 2 * layout.terms(p) + (F.PAIR_BYTES / 4) * records[at + F.RECORD_PAIRS / 4];
      for (let k = records[at + F.RECORD_EDGES / 4]; k > 0; k--) {
        const kind = records[edge + F.EDGE_KIND / 4];
        let found = false;
        let next = edge + F.EDGE_BYTES / 4;
        if (kind >= F.COUNTED_EDGE) {
          const factor = this.counted[records[edge + F.EDGE_TERMS / 4]];
          for (let e = factor === 0 ? 0 : ends[factor - 1]; e < ends[factor]; e++)
            found ||= within(layout.positions[variables[e]]);
        } else {
          const first = edge + F.TABLE_EDGE_OTHERS / 4;
          next = first + (F.OTHER_BYTES / 4) * kind;
          for (let other = first; other < next; other += F.OTHER_BYTES / 4)
            found ||= within(records[other + F.OTHER_POSITION / 4]);
        }
        if (found) records[edge + F.EDGE_KIND / 4] = kind + F.BLOCK_EDGE;
        edge = next;
      }
    }
  }

  private put(words: ArrayLike<number>): number {
    const pointer = this.reserve(4 * words.length);
    this.memory.u32(pointer, words.length).set(words);
    return pointer;
  }

  private reserve(bytes: number): number {
    const size = Math.ceil(bytes / 8) * 8;
    if (size > this.room) {
      this.room = Math.max(CHUNK, size);
      this.next = this.layout.allocate(this.room).pointer;
    }
    this.room -= size;
    this.next += size;
    return this.next - size;
  }
}
