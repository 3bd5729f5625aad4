/**
 * graphValue(chain, count): multiplies all factors at the chain's states and writes ln of the product to VALUE, up to a
 * constant of the layout. The sum covers the positions in order, followed by the `count` counted factors. −∞ if a
 * factor is 0. chain: a GRAPH block (graphs/fields.ts).
 *
 * A factor of several variables is read from the record of its last variable. For a pairwise factor φ, a Boolean with
 * finite terms stores only ln φ(1, y) − ln φ(0, y). ln φ(0, y) is then read from the record of the other variable,
 * whose state is y.
 */
import {
  GRAPH_BEGINS, GRAPH_RECORDS, GRAPH_STATES, GRAPH_COUNTS, GRAPH_COUNTED, GRAPH_DRAWN, GRAPH_VALUE_F64, RECORD_STATES, RECORD_PAIRS, RECORD_EDGES,
  RECORD_BYTES, PAIR_POSITION, PAIR_TERMS, PAIR_BYTES, EDGE_KIND, EDGE_TERMS, EDGE_BYTES, TABLE_EDGE_STRIDE, BLOCK_EDGE, COUNTED_EDGE,
  TABLE_EDGE_OTHERS, OTHER_BYTES, COUNTED_TERMS, COUNTED_ROW, COUNTED_HEAD, COUNTED_STATE, COUNTED_BYTES, OTHER_POSITION, OTHER_STRIDE,
} from "../../src/graphs/fields";

export function graphValue(chain: usize, count: u32): void {
  const states = <usize>load<u32>(chain, GRAPH_STATES);
  const records = <usize>load<u32>(chain, GRAPH_RECORDS);
  const begins = <usize>load<u32>(chain, GRAPH_BEGINS);
  const drawn = load<u32>(chain, GRAPH_DRAWN);
  let sum: f64 = 0;
  let at = records;
  for (let position: u32 = 0; position < drawn; position++) {
    const number = <usize>load<u32>(at, RECORD_STATES);
    const state = <usize>load<u8>(states + <usize>position);
    const pairs = load<u32>(at, RECORD_PAIRS), edges = load<u32>(at, RECORD_EDGES);
    at += RECORD_BYTES;
    // A Boolean with one term has the term 0 for state 0.
    const counts = number > 0 || state == 1;
    const mine = number > 0 ? state << 3 : 0;
    const row = max<usize>(number, 1) << 3;
    if (counts) sum += load<f64>(at + mine);
    at += row;
    for (let k: u32 = 0; k < pairs; k++, at += PAIR_BYTES) {
      const other = load<u32>(at, PAIR_POSITION);
      const earlier = other < position;
      const soft = load<u32>(records + <usize>load<u32>(begins + (<usize>other << 2)), RECORD_STATES) == 0;
      if (!counts || (!earlier && !soft)) continue;
      const theirs = earlier ? <usize>load<u8>(states + <usize>other) : 0;
      sum += load<f64>(<usize>load<u32>(at, PAIR_TERMS) + theirs * row + mine);
    }
    for (let e: u32 = 0; e < edges; e++) {
      const kind = load<u32>(at, EDGE_KIND) & ~BLOCK_EDGE;
      if (kind & COUNTED_EDGE) {
        at += EDGE_BYTES;
        continue;
      }
      let entry = <usize>load<u32>(at, EDGE_TERMS) + state * <usize>load<u32>(at, TABLE_EDGE_STRIDE);
      let last = true;
      at += TABLE_EDGE_OTHERS;
      for (let k: u32 = 0; k < kind; k++, at += OTHER_BYTES) {
        const other = load<u32>(at, OTHER_POSITION);
        entry += <usize>load<u8>(states + <usize>other) * <usize>load<u32>(at, OTHER_STRIDE);
        if (other > position && other < drawn) last = false;
      }
      if (last) sum += load<f64>(entry);
    }
  }
  const counts = <usize>load<u32>(chain, GRAPH_COUNTS);
  let factor = <usize>load<u32>(chain, GRAPH_COUNTED);
  for (let k: u32 = 0; k < count; k++, factor += COUNTED_BYTES) {
    const head = <u32>load<u8>(states + <usize>load<u32>(factor, COUNTED_HEAD)) == load<u32>(factor, COUNTED_STATE);
    const terms = <usize>load<u32>(factor, COUNTED_TERMS) + (head ? <usize>load<u32>(factor, COUNTED_ROW) : 0);
    sum += load<f64>(terms + (<usize>load<i32>(counts + (<usize>k << 2)) << 3));
  }
  store<f64>(chain, sum, GRAPH_VALUE_F64);
}
