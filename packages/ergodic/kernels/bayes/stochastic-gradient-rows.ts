/**
 * Gathers the same rows from several tables: destination[k, :] = source[rows[k], :] for k < count, table by table.
 *
 * gatherBatch(block) → 0. block: GATHER (bayes/fields.ts). Tables and destinations are f64 and row-major. The size of a
 * row in bytes is a multiple of 8. Row indices must be smaller than the tables' row counts. This is not checked.
 * Destinations must not overlap anything else. Exact.
 */
import {
  GATHER_ROWS, GATHER_ROW_COUNT, GATHER_TABLE_COUNT, GATHER_TABLES, GATHER_TABLE_BYTES, GATHER_TABLE_SOURCE, GATHER_TABLE_ROW_BYTES,
  GATHER_TABLE_DESTINATION,
} from "../../src/bayes/fields";

export function gatherBatch(block: usize): u32 {
  const rows = <usize>load<u32>(block, GATHER_ROWS), end = rows + (<usize>load<u32>(block, GATHER_ROW_COUNT) << 2);
  const tables = load<u32>(block, GATHER_TABLE_COUNT);
  let table = block + GATHER_TABLES;
  for (let t: u32 = 0; t < tables; t++, table += GATHER_TABLE_BYTES) {
    const source = <usize>load<u32>(table, GATHER_TABLE_SOURCE), bytes = <usize>load<u32>(table, GATHER_TABLE_ROW_BYTES);
    let to = <usize>load<u32>(table, GATHER_TABLE_DESTINATION);
    for (let at = rows; at < end; at += 4) {
      // Use a loop, because a call of memory.copy would take longer than copying a short row.
      let from = source + <usize>load<u32>(at) * bytes;
      const stop = to + bytes, whole = to + (bytes & ~15);
      for (; to < whole; to += 16, from += 16) v128.store(to, v128.load(from));
      if (to < stop) {
        store<u64>(to, load<u64>(from));
        to += 8;
      }
    }
  }
  return 0;
}
