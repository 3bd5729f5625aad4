/**
 * Products with a block-circulant matrix, W[i k + a, j k + b] = w[i, j, (a − b) mod k], and their derivatives (Ding et
 * al. 2017, "CirCNN").
 *
 * circulant: y = x Wᵀ. circulantInput: dx = dy W. circulantWeight: dw[i, j, c] = Σ over rows and b of dy[r, i k + (b +
 * c) mod k] x[r, j k + b].
 *
 * x, dx: [rows, q k]; y, dy: [rows, p k]; w, dw: [p, q, k]; all of type T (f32 or f64), row-major. rows, p, q can be 0;
 * k >= 1. Results are overwritten; nothing may alias. `scratch`: circulantScratchBytes(rows, p, q, k, bytes per
 * element) of memory/circulant.ts, 16-byte aligned; it also holds the twiddle factors. Other pointers need only the
 * alignment of T.
 *
 * If k is a power of two from CIRCULANT_SHORTEST to CIRCULANT_LONGEST, products are computed in the frequency domain.
 * Rows (for w: blocks) are held in lanes, so that a transform needs no shuffles. w and each block of a row are
 * transformed once per call. Each output block is transformed back once. Error bounds, in Euclidean norms: let s be the
 * sum of ‖w_ij‖‖x_j‖ over j, of ‖w_ij‖‖dy_i‖ over i, or of ‖dy_i‖‖x_j‖ over rows, and n the number of its terms. Then
 * ‖error of a block‖ <= (7 log2(k) + n + 2) ε √k s. A row's bits depend only on that row and w. A NaN or ±Inf in x
 * fills the corresponding row of y with NaN (and likewise for dx and dw).
 *
 * For other k, the blocks are expanded and multiplied by gemm.ts. ‖error of a block‖ <= (k n + 2) ε √k s, for dw (n + k
 * + 2) ε √k s.
 */
import { CIRCULANT_BAND_BYTES, CIRCULANT_BAND_VECTORS, CIRCULANT_LONGEST, CIRCULANT_SHORTEST, CIRCULANT_SLOT_GAP_BYTES } from "../../../src/engine/memory/circulant";
import { denseForward, denseInput, denseWeight } from "./circulant-dense";
import { loadLanes, storeLanes } from "./circulant-lanes";
import { multiply, multiplyRows } from "./circulant-products";
import { fillTable, forward, inverse } from "./circulant-transform";

function transforms(k: i32): bool {
  return (k & (k - 1)) == 0 && k >= CIRCULANT_SHORTEST && k <= CIRCULANT_LONGEST;
}

/** Number of row vectors in a band. */
function bandVectors<T>(rows: i32, p: i32, q: i32, k: i32): i32 {
  const lanes = 16 / <i32>sizeof<T>();
  const fitting = CIRCULANT_BAND_BYTES / 16 / k / max(p + q, 1);
  return min(min(max(fitting, 1), CIRCULANT_BAND_VECTORS), (rows + lanes - 1) / lanes);
}

/** Distance between the slots of a band, in bytes. */
function bandSlot(vectors: i32, blocks: i32): usize {
  return (<usize>(vectors * blocks) << 5) + CIRCULANT_SLOT_GAP_BYTES;
}

/** Size of one plane of the weights' spectra, in bytes. */
function planeBytes<T>(p: i32, q: i32): usize {
  return (<usize>p * <usize>q * sizeof<T>() + 15) & ~15;
}

// Layout of scratch: twiddle factors (k/2 elements), zeros and spare (k elements each), k vectors, spectra of the
// weights, input bands, output bands.

function zerosOf<T>(k: i32, scratch: usize): usize {
  return scratch + ((<usize>(k >> 1) * sizeof<T>() + 15) & ~15);
}

function spareOf<T>(k: i32, scratch: usize): usize {
  return zerosOf<T>(k, scratch) + <usize>k * sizeof<T>();
}

function workOf<T>(k: i32, scratch: usize): usize {
  return spareOf<T>(k, scratch) + <usize>k * sizeof<T>();
}

function weightsOf<T>(k: i32, scratch: usize): usize {
  return workOf<T>(k, scratch) + (<usize>k << 4);
}

function open<T>(k: i32, scratch: usize): void {
  fillTable<T>(k, scratch, workOf<T>(k, scratch));
  memory.fill(zerosOf<T>(k, scratch), 0, <usize>k * sizeof<T>());
}

function weightSpectra<T>(blocks: i32, k: i32, w: usize, plane: usize, scratch: usize): void {
  const lanes = 16 / <i32>sizeof<T>();
  const side = <usize>k * sizeof<T>();
  const work = workOf<T>(k, scratch);
  let to = weightsOf<T>(k, scratch);
  for (let left = blocks; left > 0; left -= lanes) {
    loadLanes<T>(w, side, left, k, zerosOf<T>(k, scratch), work);
    forward<T>(k, work, scratch, to, 2 * plane, plane);
    w += <usize>lanes * side;
    to += 16;
  }
}

function weightsBack<T>(blocks: i32, k: i32, w: usize, plane: usize, scratch: usize): void {
  const lanes = 16 / <i32>sizeof<T>();
  const side = <usize>k * sizeof<T>();
  const work = workOf<T>(k, scratch);
  let from = weightsOf<T>(k, scratch);
  for (let left = blocks; left > 0; left -= lanes) {
    inverse<T>(k, from, 2 * plane, plane, work, scratch);
    storeLanes<T>(w, side, left, k, spareOf<T>(k, scratch), work, <T>1 / <T>k);
    w += <usize>lanes * side;
    from += 16;
  }
}

/** Transforms `rows` rows of `blocks` blocks into a band. */
function bandSpectra<T>(rows: i32, vectors: i32, blocks: i32, k: i32, x: usize, band: usize, scratch: usize): void {
  const lanes = 16 / <i32>sizeof<T>();
  const side = <usize>k * sizeof<T>(), pitch = <usize>blocks * side;
  const work = workOf<T>(k, scratch);
  const slot = bandSlot(vectors, blocks);
  for (; rows > 0; rows -= lanes) {
    for (let j = 0; j < blocks; j++) {
      loadLanes<T>(x + <usize>j * side, pitch, rows, k, zerosOf<T>(k, scratch), work);
      forward<T>(k, work, scratch, band, slot, 16);
      band += 32;
    }
    x += <usize>lanes * pitch;
  }
}

function bandBack<T>(rows: i32, vectors: i32, blocks: i32, k: i32, y: usize, band: usize, scratch: usize): void {
  const lanes = 16 / <i32>sizeof<T>();
  const side = <usize>k * sizeof<T>(), pitch = <usize>blocks * side;
  const work = workOf<T>(k, scratch);
  const slot = bandSlot(vectors, blocks);
  for (; rows > 0; rows -= lanes) {
    for (let i = 0; i < blocks; i++) {
      inverse<T>(k, band, slot, 16, work, scratch);
      storeLanes<T>(y + <usize>i * side, pitch, rows, k, spareOf<T>(k, scratch), work, <T>1 / <T>k);
      band += 32;
    }
    y += <usize>lanes * pitch;
  }
}

/** Computes `outs` blocks per row from `ins` blocks per row. */
function spectralProduct<T>(rows: i32, p: i32, q: i32, k: i32, input: bool, x: usize, w: usize, y: usize, scratch: usize): void {
  const lanes = 16 / <i32>sizeof<T>();
  const outs = input ? q : p, ins = input ? p : q;
  const outStep = input ? sizeof<T>() : <usize>q * sizeof<T>(), inStep = input ? <usize>q * sizeof<T>() : sizeof<T>();
  const vectors = bandVectors<T>(rows, p, q, k), plane = planeBytes<T>(p, q);
  const weights = weightsOf<T>(k, scratch);
  const from = weights + <usize>k * plane, to = from + <usize>(k >> 1) * bandSlot(vectors, ins);
  open<T>(k, scratch);
  weightSpectra<T>(p * q, k, w, plane, scratch);
  for (; rows > 0; rows -= vectors * lanes) {
    const height = min(rows, vectors * lanes);
    bandSpectra<T>(height, vectors, ins, k, x, from, scratch);
    const used = (height + lanes - 1) / lanes;
    multiply<T>(k, used, outs, ins, weights, plane, outStep, inStep, input, from, bandSlot(vectors, ins), to, bandSlot(vectors, outs));
    bandBack<T>(height, vectors, outs, k, y, to, scratch);
    x += <usize>(vectors * lanes) * <usize>(ins * k) * sizeof<T>();
    y += <usize>(vectors * lanes) * <usize>(outs * k) * sizeof<T>();
  }
}

function spectralWeight<T>(rows: i32, p: i32, q: i32, k: i32, x: usize, dy: usize, dw: usize, scratch: usize): void {
  const lanes = 16 / <i32>sizeof<T>();
  const vectors = bandVectors<T>(rows, p, q, k), plane = planeBytes<T>(p, q);
  const weights = weightsOf<T>(k, scratch);
  const ofX = weights + <usize>k * plane, ofY = ofX + <usize>(k >> 1) * bandSlot(vectors, q);
  open<T>(k, scratch);
  memory.fill(weights, 0, <usize>k * plane);
  for (; rows > 0; rows -= vectors * lanes) {
    const height = min(rows, vectors * lanes);
    bandSpectra<T>(height, vectors, q, k, x, ofX, scratch);
    bandSpectra<T>(height, vectors, p, k, dy, ofY, scratch);
    const used = (height + lanes - 1) / lanes;
    multiplyRows<T>(k, used, p, q, ofY, bandSlot(vectors, p), ofX, bandSlot(vectors, q), weights, plane);
    x += <usize>(vectors * lanes) * <usize>(q * k) * sizeof<T>();
    dy += <usize>(vectors * lanes) * <usize>(p * k) * sizeof<T>();
  }
  weightsBack<T>(p * q, k, dw, plane, scratch);
}

export function circulantF32(rows: i32, p: i32, q: i32, k: i32, x: usize, w: usize, y: usize, scratch: usize): void {
  if (transforms(k)) spectralProduct<f32>(rows, p, q, k, false, x, w, y, scratch);
  else denseForward<f32>(rows, p, q, k, x, w, y, scratch);
}

export function circulantF64(rows: i32, p: i32, q: i32, k: i32, x: usize, w: usize, y: usize, scratch: usize): void {
  if (transforms(k)) spectralProduct<f64>(rows, p, q, k, false, x, w, y, scratch);
  else denseForward<f64>(rows, p, q, k, x, w, y, scratch);
}

export function circulantInputF32(rows: i32, p: i32, q: i32, k: i32, dy: usize, w: usize, dx: usize, scratch: usize): void {
  if (transforms(k)) spectralProduct<f32>(rows, p, q, k, true, dy, w, dx, scratch);
  else denseInput<f32>(rows, p, q, k, dy, w, dx, scratch);
}

export function circulantInputF64(rows: i32, p: i32, q: i32, k: i32, dy: usize, w: usize, dx: usize, scratch: usize): void {
  if (transforms(k)) spectralProduct<f64>(rows, p, q, k, true, dy, w, dx, scratch);
  else denseInput<f64>(rows, p, q, k, dy, w, dx, scratch);
}

export function circulantWeightF32(rows: i32, p: i32, q: i32, k: i32, x: usize, dy: usize, dw: usize, scratch: usize): void {
  if (transforms(k)) spectralWeight<f32>(rows, p, q, k, x, dy, dw, scratch);
  else denseWeight<f32>(rows, p, q, k, x, dy, dw, scratch);
}

export function circulantWeightF64(rows: i32, p: i32, q: i32, k: i32, x: usize, dy: usize, dw: usize, scratch: usize): void {
  if (transforms(k)) spectralWeight<f64>(rows, p, q, k, x, dy, dw, scratch);
  else denseWeight<f64>(rows, p, q, k, x, dy, dw, scratch);
}
