import { log } from "./log.ts";

/**
 * The standard normal quantile: z with Φ(z) = u for u in (0, 1), with a relative error of about 1e-15.
 *
 * Rational approximations in three regions, with operations that give the same bits everywhere, including the
 * WebAssembly version (kernels/engine/random/random.ts). u = 0 and 1 give −∞ and ∞. Source: Wichura 1988, Applied
 * Statistics 37, algorithm AS 241, PPND16.
 */
export function normalQuantile(u: number): number {
  const q = u - 0.5;
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q;
    return (q * centreNumerator(r)) / centreDenominator(r);
  }
  const tail = q < 0 ? u : 1 - u;
  if (tail <= 0) return q < 0 ? -Infinity : Infinity;
  const r = Math.sqrt(-log(tail));
  const z = r <= 5 ? nearNumerator(r - 1.6) / nearDenominator(r - 1.6) : farNumerator(r - 5) / farDenominator(r - 5);
  return q < 0 ? -z : z;
}

function centreNumerator(r: number): number {
  let p = 2509.0809287301227;
  p = p * r + 33430.57558358813;
  p = p * r + 67265.7709270087;
  p = p * r + 45921.95393154987;
  p = p * r + 13731.69376550946;
  p = p * r + 1971.5909503065513;
  p = p * r + 133.14166789178438;
  return p * r + 3.3871328727963665;
}

function centreDenominator(r: number): number {
  let p = 5226.495278852854;
  p = p * r + 28729.085735721943;
  p = p * r + 39307.89580009271;
  p = p * r + 21213.794301586597;
  p = p * r + 5394.196021424751;
  p = p * r + 687.1870074920579;
  p = p * r + 42.31333070160091;
  return p * r + 1;
}

function nearNumerator(r: number): number {
  let p = 0.0007745450142783414;
  p = p * r + 0.022723844989269184;
  p = p * r + 0.2417807251774506;
  p = p * r + 1.2704582524523684;
  p = p * r + 3.6478483247632045;
  p = p * r + 5.769497221460691;
  p = p * r + 4.630337846156546;
  return p * r + 1.4234371107496835;
}

function nearDenominator(r: number): number {
  let p = 1.0507500716444169e-9;
  p = p * r + 0.0005475938084995345;
  p = p * r + 0.015198666563616457;
  p = p * r + 0.14810397642748008;
  p = p * r + 0.6897673349851;
  p = p * r + 1.6763848301838038;
  p = p * r + 2.053191626637759;
  return p * r + 1;
}

function farNumerator(r: number): number {
  let p = 2.0103343992922881e-7;
  p = p * r + 0.000027115555687434876;
  p = p * r + 0.0012426609473880784;
  p = p * r + 0.026532189526576124;
  p = p * r + 0.29656057182850487;
  p = p * r + 1.7848265399172913;
  p = p * r + 5.463784911164114;
  return p * r + 6.657904643501103;
}

function farDenominator(r: number): number {
  let p = 2.0442631033899397e-15;
  p = p * r + 1.421511758316446e-7;
  p = p * r + 0.000018463183175100548;
  p = p * r + 0.0007868691311456133;
  p = p * r + 0.014875361290850615;
  p = p * r + 0.1369298809227358;
  p = p * r + 0.599832206555888;
  return p * r + 1;
}
