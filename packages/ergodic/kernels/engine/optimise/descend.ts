/**
 * The inner loop of the gradient family. Each update picks a batch of rows, asks the model for the mean gradient on it,
 * and lets the rule move the parameters. Model and rule are functions in the table, so that one loop serves all
 * combinations.
 *
 * `descend(lane, first, position, count)` makes updates first … first+count−1 of the lane; `position` is the first
 * batch's position in the order. Returns Σ (mean loss × batch rows), where each loss is measured before its update.
 * Blocks: memory/fields.ts. If the batch size does not divide the number of rows, the last batch of an epoch is
 * smaller. The caller ensures that no call passes the end of the order.
 */
import {
  ABSENT, PIECES_FIRST, PIECE_BYTES, PIECE_VALUES, PIECE_INDICES, PIECE_COUNT, PIECE_OFFSET, PIECE_SCALE_F64, RULE_BLOCK, RULE_AT_VALUES,
  RULE_AT_INDICES, RULE_AT_SCALE, RULE_AT_T, RULE_AT_LOSS, RULE_UPDATE, RULE_END, RULE_PASS_COUNT, RULE_POINTER_COUNT, RULE_PASSES, RULE_PASS_BYTES,
  RULE_POINTER_BYTES, LANE_GRADIENT, LANE_MODEL, LANE_PARAMETERS, LANE_PIECES, LANE_RULE, LANE_CONTROL, LANE_ORDER, LANE_BATCH, LANE_FIRST_ROW,
  LANE_ROWS, LANE_DRAWN_FROM, LANE_KEY_LOW, LANE_KEY_HIGH, LANE_DRAWN, LANE_T_FIRST_F64, LANE_T_STEP_F64, LANE_GROUP, LANE_SEARCH, LANE_TOUCH,
  LANE_TOUCHED, LANE_DECAY, LANE_FIXED, LANE_UPDATE_AT, CONTROL_KIND, CONTROL_SAG, CONTROL_ROWS, RULE_AT_REFRESH, RULE_OFFSET, RULE_POINTER_AT,
  RULE_POINTER_FIRST, RULE_POINTER_ELEMENT_BYTES, RULE_PASS_BEGIN, RULE_PASS_RUN, PIECES_COUNT,
} from "../../../src/engine/memory/fields";
import { decayFixed, decayStep, openDecay } from "./decay";
import { groupShrink } from "./group";
import { drawRows } from "../random/random";
import { searchStep } from "./search";

function u(block: usize, at: usize): usize {
  return <usize>load<u32>(block + at);
}

function storePointer(block: usize, at: u32, value: usize): void {
  if (at != ABSENT) store<u32>(block + <usize>at, <u32>value);
}

/**
 * Points the rule's operands at the piece: its values and, shifted by `offset` elements, all arrays with the layout of
 * the parameters.
 */
function aim(rule: usize, block: usize, piece: usize): void {
  store<u32>(block + u(rule, RULE_AT_VALUES), load<u32>(piece + PIECE_VALUES));
  storePointer(block, load<u32>(rule + RULE_AT_INDICES), u(piece, PIECE_INDICES));
  store<f64>(block + u(rule, RULE_AT_SCALE), load<f64>(piece + PIECE_SCALE_F64));
  const offset = u(piece, PIECE_OFFSET);
  // With one output, the offset never changes, so the pointers set by the first update remain valid.
  if (<u32>offset == load<u32>(rule + RULE_OFFSET)) return;
  store<u32>(rule + RULE_OFFSET, <u32>offset);
  let entry = rule + RULE_PASSES + u(rule, RULE_PASS_COUNT) * RULE_PASS_BYTES;
  for (let left = load<i32>(rule + RULE_POINTER_COUNT); left > 0; left--) {
    store<u32>(block + u(entry, RULE_POINTER_AT), <u32>(u(entry, RULE_POINTER_FIRST) + offset * u(entry, RULE_POINTER_ELEMENT_BYTES)));
    entry += RULE_POINTER_BYTES;
  }
}

/** Applies one step of the rule to all pieces of a gradient. */
export function applyRule(rule: usize, pieces: usize, t: f64, loss: f64): void {
  const block = u(rule, RULE_BLOCK);
  const atT = load<u32>(rule + RULE_AT_T), atLoss = load<u32>(rule + RULE_AT_LOSS);
  if (atT != ABSENT) store<f64>(block + <usize>atT, t);
  if (atLoss != ABSENT) store<f64>(block + <usize>atLoss, loss);
  const count = load<i32>(pieces + PIECES_COUNT);
  const first = pieces + PIECES_FIRST;
  if (count == 1) {
    aim(rule, block, first);
    call_indirect<void>(load<u32>(rule + RULE_UPDATE), load<i32>(first + PIECE_COUNT), block);
    return;
  }
  let pass = rule + RULE_PASSES;
  for (let left = load<i32>(rule + RULE_PASS_COUNT); left > 0; left--) {
    const begin = load<u32>(pass + RULE_PASS_BEGIN);
    if (begin != ABSENT) call_indirect<void>(begin, block);
    let piece = first;
    for (let k = 0; k < count; k++) {
      aim(rule, block, piece);
      call_indirect<void>(load<u32>(pass + RULE_PASS_RUN), load<i32>(piece + PIECE_COUNT), block);
      piece += PIECE_BYTES;
    }
    pass += RULE_PASS_BYTES;
  }
  if (load<u32>(rule + RULE_END) != ABSENT) call_indirect<void>(load<u32>(rule + RULE_END), block);
}

/** Draws the rows of `updates` updates from update `first` onwards, each from its own counter. */
function drawBatches(lane: usize, rows: usize, first: f64, updates: u32, batch: u32): void {
  for (let k: u32 = 0; k < updates; k++) {
    drawRows(rows, batch, load<u32>(lane + LANE_FIRST_ROW), load<u32>(lane + LANE_DRAWN_FROM), load<u32>(lane + LANE_KEY_LOW), load<u32>(lane + LANE_KEY_HIGH), first + <f64>k);
    rows += <usize>batch << 2;
  }
}

/**
 * Number of updates whose rows are read ahead. Random rows miss every cache. Misses of several rows can overlap, but
 * misses of a single row cannot.
 */
const AHEAD: u32 = 16;

export function descend(lane: usize, first: f64, position: u32, count: i32): f64 {
  const gradient = load<u32>(lane + LANE_GRADIENT);
  const model = u(lane, LANE_MODEL), parameters = u(lane, LANE_PARAMETERS), pieces = u(lane, LANE_PIECES), rule = u(lane, LANE_RULE);
  const control = u(lane, LANE_CONTROL), order = u(lane, LANE_ORDER), group = u(lane, LANE_GROUP), search = u(lane, LANE_SEARCH);
  const batch = load<u32>(lane + LANE_BATCH), rowCount = load<u32>(lane + LANE_ROWS);
  const tFirst = load<f64>(lane + LANE_T_FIRST_F64), tStep = load<f64>(lane + LANE_T_STEP_F64);
  const drawn = u(lane, LANE_DRAWN);
  const touch = batch == 1 ? load<u32>(lane + LANE_TOUCH) : ABSENT;
  // This update's pieces have changed the table. The table's mean therefore moves by this change times the batch's
  // share of all rows. SAG's pieces are already divided by the number of rows.
  const atRefresh = rule ? load<u32>(rule + RULE_AT_REFRESH) : ABSENT;
  const refresh: usize = atRefresh == ABSENT ? 0 : u(rule, RULE_BLOCK) + <usize>atRefresh;
  const sag = control ? load<u32>(control + CONTROL_KIND) == CONTROL_SAG : false;
  const tableRows = control ? <f64>load<u32>(control + CONTROL_ROWS) : 1;
  const decay = u(lane, LANE_DECAY);
  const fixed = load<i32>(lane + LANE_FIXED);
  const updateAt = u(lane, LANE_UPDATE_AT);
  if (decay) openDecay(decay);
  let lossSum: f64 = 0;
  for (let i = 0; i < count; i++) {
    const local = first + <f64>i;
    const size = <i32>min(batch, rowCount - position);
    if ((i & 15) == 0) {
      // Draws and prefetches the rows of sixteen updates at a time.
      const ahead = min<u32>(AHEAD, <u32>(count - i));
      if (!order) drawBatches(lane, drawn, local, ahead, batch);
      const next = order ? order + (<usize>position << 2) : drawn;
      if (touch != ABSENT) store<u32>(lane + LANE_TOUCHED, call_indirect<u32>(touch, model, next, <i32>min(ahead, rowCount - position)));
    }
    const rows = order ? order + (<usize>position << 2) : drawn + ((<usize>(i & 15) * <usize>batch) << 2);
    position += <u32>size;
    if (updateAt) store<f64>(updateAt, local);
    const loss = call_indirect<f64>(gradient, model, parameters, rows, size, control, pieces);
    lossSum += loss * <f64>size;
    if (decay) decayStep(decay, pieces, tFirst + tStep * local);
    if (fixed) decayFixed(decay, pieces, fixed);
    else if (search) searchStep(search, model, parameters, rows, size, pieces, loss);
    else {
      if (refresh) store<f64>(refresh, sag ? 1 : <f64>size / tableRows);
      applyRule(rule, pieces, tFirst + tStep * local, loss);
    }
    if (group) groupShrink(group);
  }
  return lossSum;
}
