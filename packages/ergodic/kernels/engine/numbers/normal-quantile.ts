/**
 * The standard normal quantile with the same bits as src/engine/numbers/normal-quantile.ts (Wichura 1988, AS 241,
 * PPND16; relative error about 1e-15). Scalar; u = 0 and u = 1 give −∞ and ∞.
 */
import { log } from "./log";

export function normalQuantile(u: f64): f64 {
  const q = u - 0.5;
  if (abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * centreNumerator(r)) / centreDenominator(r);
  }
  const tail = q < 0 ? u : 1 - u;
  if (tail <= 0) return q < 0 ? -Infinity : Infinity;
  const r = sqrt<f64>(-log(tail));
  const z = r <= 5 ? nearNumerator(r - 1.6) / nearDenominator(r - 1.6) : farNumerator(r - 5) / farDenominator(r - 5);
  return q < 0 ? -z : z;
}

function centreNumerator(r: f64): f64 {
  let p: f64 = 2509.0809287301227;
  p = p * r + 33430.57558358813;
  p = p * r + 67265.7709270087;
  p = p * r + 45921.95393154987;
  p = p * r + 13731.69376550946;
  p = p * r + 1971.5909503065513;
  p = p * r + 133.14166789178438;
  return p * r + 3.3871328727963665;
}

function centreDenominator(r: f64): f64 {
  let p: f64 = 5226.495278852854;
  p = p * r + 28729.085735721943;
  p = p * r + 39307.89580009271;
  p = p * r + 21213.794301586597;
  p = p * r + 5394.196021424751;
  p = p * r + 687.1870074920579;
  p = p * r + 42.31333070160091;
  return p * r + 1;
}

function nearNumerator(r: f64): f64 {
  let p: f64 = 0.0007745450142783414;
  p = p * r + 0.022723844989269184;
  p = p * r + 0.2417807251774506;
  p = p * r + 1.2704582524523684;
  p = p * r + 3.6478483247632045;
  p = p * r + 5.769497221460691;
  p = p * r + 4.630337846156546;
  return p * r + 1.4234371107496835;
}

function nearDenominator(r: f64): f64 {
  let p: f64 = 1.0507500716444169e-9;
  p = p * r + 0.0005475938084995345;
  p = p * r + 0.015198666563616457;
  p = p * r + 0.14810397642748008;
  p = p * r + 0.6897673349851;
  p = p * r + 1.6763848301838038;
  p = p * r + 2.053191626637759;
  return p * r + 1;
}

function farNumerator(r: f64): f64 {
  let p: f64 = 2.0103343992922881e-7;
  p = p * r + 0.000027115555687434876;
  p = p * r + 0.0012426609473880784;
  p = p * r + 0.026532189526576124;
  p = p * r + 0.29656057182850487;
  p = p * r + 1.7848265399172913;
  p = p * r + 5.463784911164114;
  return p * r + 6.657904643501103;
}

function farDenominator(r: f64): f64 {
  let p: f64 = 2.0442631033899397e-15;
  p = p * r + 1.421511758316446e-7;
  p = p * r + 0.000018463183175100548;
  p = p * r + 0.0007868691311456133;
  p = p * r + 0.014875361290850615;
  p = p * r + 0.1369298809227358;
  p = p * r + 0.599832206555888;
  return p * r + 1;
}
