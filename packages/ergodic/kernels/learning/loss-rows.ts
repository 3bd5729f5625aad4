/**
 * A joint loss over rows. The program computes the loss of one row from the row's outputs, which are not contiguous in
 * memory (z: f64[outputs][rows]).
 *
 * For each row: gathers the outputs into the program's operand, sets y and the weight, calls the program and scatters
 * its results. Returns Σ of the program's result. JOINT block: memory/fields.ts. Operands with the address 0 are
 * skipped.
 */
import {
  JOINT_UPDATE, JOINT_BLOCK, JOINT_AT_Y, JOINT_AT_WEIGHT, JOINT_AT_RESULT, JOINT_IN, JOINT_OUT_A, JOINT_OUT_B, JOINT_Z, JOINT_A, JOINT_B,
  JOINT_Y, JOINT_WEIGHTS, JOINT_ROWS, JOINT_OUTPUTS,
} from "../../src/engine/memory/fields";

function u(block: usize, at: usize): usize {
  return <usize>load<u32>(block + at);
}

function scatter(from: usize, to: usize, strideBytes: usize, outputs: u32): void {
  for (let k: u32 = 0; k < outputs; k++) {
    store<f64>(to, load<f64>(from));
    from += 8;
    to += strideBytes;
  }
}

export function lossRows(joint: usize): f64 {
  const rows = load<u32>(joint + JOINT_ROWS), outputs = load<u32>(joint + JOINT_OUTPUTS);
  const strideBytes = <usize>rows << 3;
  const block = u(joint, JOINT_BLOCK);
  let total: f64 = 0;
  for (let i: u32 = 0; i < rows; i++) {
    const at = <usize>i << 3;
    let from = u(joint, JOINT_Z) + at, to = u(joint, JOINT_IN);
    for (let k: u32 = 0; k < outputs; k++) {
      store<f64>(to, load<f64>(from));
      from += strideBytes;
      to += 8;
    }
    store<f64>(block + u(joint, JOINT_AT_Y), load<f64>(u(joint, JOINT_Y) + at));
    store<f64>(block + u(joint, JOINT_AT_WEIGHT), load<f64>(u(joint, JOINT_WEIGHTS) + at));
    call_indirect<void>(load<u32>(joint + JOINT_UPDATE), outputs, block);
    total += load<f64>(block + u(joint, JOINT_AT_RESULT));
    if (u(joint, JOINT_A)) scatter(u(joint, JOINT_OUT_A), u(joint, JOINT_A) + at, strideBytes, outputs);
    if (u(joint, JOINT_B)) scatter(u(joint, JOINT_OUT_B), u(joint, JOINT_B) + at, strideBytes, outputs);
  }
  return total;
}

export function lossRowsInto(joint: usize, total: usize): void {
  store<f64>(total, lossRows(joint));
}
