/**
 * Files damaged by strangers: valid files with bytes changed, cut or moved, or with other numbers in numeric fields.
 * Each case is run through a reader. It may be read or refused with a typed error, but must throw nothing else and cost
 * no more than ./cost.ts allows.
 */
import { ErgodicError } from "../../src/engine/errors/errors.ts";
import { begin } from "./cost.ts";

export interface Random {
  /** A whole number below `limit`. */
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
}

export interface FuzzResult {
  cases: number;
  refused: number;
  accepted: number;
}

export interface Target {
  readonly name: string;
  /** The bytes or text that are mutated. */
  readonly bytes: Uint8Array;
  /** Makes a file from the mutated bytes: packs them and corrects checksums. */
  readonly seal?: (bytes: Uint8Array) => Uint8Array;
  read(bytes: Uint8Array): Promise<unknown>;
}

/**
 * Runs the cases. Case i has the seed `seed + i`, so `cases` 1 with that seed repeats it.
 *
 * @throws Error with the case's seed and target: for an untyped error, an unhandled rejection (which ends a process) or
 * excessive cost
 */
export async function fuzz(
  targets: readonly Target[],
  cases: number,
  seed: number,
  limits?: Parameters<typeof begin>[0],
): Promise<FuzzResult> {
  const result = { cases, refused: 0, accepted: 0 };
  const lost: unknown[] = [];
  const lose = (reason: unknown) => void lost.push(reason);
  process.on("unhandledRejection", lose);
  try {
    for (let i = 0; i < cases; i++) {
      const { target, bytes } = caseOf(targets, seed + i);
      const told = (what: string, cause?: unknown) => new Error(`case ${seed + i} of ${target.name}: ${what}`, { cause });
      const cost = begin(limits);
      const error = await target.read(bytes).then(
        () => undefined,
        (cause: unknown) => ({ cause }),
      );
      const tooMuch = cost();
      if (error !== undefined && !(error.cause instanceof ErgodicError)) throw told("a raw error", error.cause);
      if (tooMuch) throw told(tooMuch);
      await new Promise((resolve) => setImmediate(resolve));
      if (lost.length > 0) throw told("a rejection that nobody handles", lost[0]);
      if (error === undefined) result.accepted++;
      else result.refused++;
    }
  } finally {
    process.off("unhandledRejection", lose);
  }
  return result;
}

/** What `fuzz` reads under this seed. */
export function caseOf(targets: readonly Target[], seed: number): { target: Target; bytes: Uint8Array } {
  const random = randomOf(seed);
  const target = random.pick(targets);
  const damaged = mutated(target.bytes, random);
  return { target, bytes: target.seal && random.below(4) > 0 ? target.seal(damaged) : damaged };
}

/** Random generator whose sequences are independent for consecutive seeds. Source: SplitMix32. */
function randomOf(seed: number): Random {
  let state = scrambled(seed >>> 0);
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    return scrambled(state);
  };
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit);
  return { below, pick: (from) => from[below(from.length)] };
}

function scrambled(given: number): number {
  let z = given;
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
  return (z ^ (z >>> 16)) >>> 0;
}

export function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  let out: Uint8Array = bytes.slice();
  for (let times = random.pick([1, 1, 1, 2, 4]); times > 0 && out.length > 0; times--) out = random.pick(mutations)(out, random);
  return out;
}

type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array;

/** A third of the places lie in the first eighth of a file, with its header, and a third in the last, with its footer. */
const place = (bytes: Uint8Array, random: Random): number => {
  const whole = random.below(bytes.length);
  return random.pick([whole, Math.floor(whole / 8), bytes.length - 1 - Math.floor(whole / 8)]);
};

const block = (bytes: Uint8Array, random: Random): [number, number] => {
  const from = place(bytes, random);
  return [from, Math.min(bytes.length, from + 1 + random.below(random.pick([4, 32, bytes.length])))];
};

const numbers = [
  -1n,
  0n,
  1n,
  127n,
  128n,
  255n,
  32767n,
  65535n,
  2n ** 26n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 62n,
  -(2n ** 31n),
];
const texts = [
  "-1",
  "0",
  "1.5",
  "2147483648",
  "9007199254740993",
  "99999999999999999999",
  "1e999",
  "-1e400",
  "NaN",
  "inf",
  "null",
  "",
  "1e-400",
];
const marks = [
  '"',
  ",",
  "\n",
  "\r",
  "\t",
  ":",
  "|",
  "{",
  "}",
  "[",
  "]",
  "\\",
  "\u0000",
  "\ufeff",
  "é",
  " ",
  "#",
  "'",
  "__proto__",
];

const mutations: readonly Mutation[] = [
  (bytes, random) => {
    for (let k = random.pick([1, 1, 2, 8]); k > 0; k--) bytes[place(bytes, random)] = random.below(256);
    return bytes;
  },
  (bytes, random) => {
    bytes[place(bytes, random)] ^= 1 << random.below(8);
    return bytes;
  },
  (bytes, random) => bytes.slice(0, random.below(bytes.length)),
  (bytes, random) => {
    const [from, to] = block(bytes, random);
    return spliced(bytes, from, to, new Uint8Array(0));
  },
  (bytes, random) => {
    const [from, to] = block(bytes, random);
    const at = place(bytes, random);
    const times = random.pick([1, 1, 2, 50]);
    const copy = bytes.slice(from, Math.min(to, from + 2000));
    return spliced(
      bytes,
      at,
      at,
      Uint8Array.from({ length: copy.length * times }, (_, k) => copy[k % copy.length]),
    );
  },
  (bytes, random) => {
    const [from, to] = block(bytes, random);
    return spliced(
      bytes,
      from,
      to,
      Uint8Array.from({ length: to - from }, () => random.below(256)),
    );
  },
  (bytes, random) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = random.pick([1, 2, 4, 8]);
    const step = random.pick([1, size]);
    const at = Math.floor(place(bytes, random) / step) * step;
    const value = random.pick(numbers);
    const little = random.below(2) === 0;
    for (let k = 0; k < size && at + k < bytes.length; k++) {
      const shift = BigInt(8 * (little ? k : size - 1 - k));
      view.setUint8(at + k, Number((value >> shift) & 255n));
    }
    return bytes;
  },
  // A number as Thrift varints.
  (bytes, random) => {
    const at = place(bytes, random);
    const value = BigInt.asUintN(64, random.pick(numbers));
    const digits = [];
    for (let rest = value; ; rest >>= 7n) {
      digits.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
      if (rest <= 127n) break;
    }
    return spliced(bytes, at, at + random.below(3), Uint8Array.from(digits));
  },
  (bytes, random) => {
    const runs = [...new TextDecoder("latin1").decode(bytes).matchAll(/-?\d+(\.\d+)?/g)];
    if (runs.length === 0) return bytes;
    const { index, 0: run } = random.pick(runs);
    return spliced(bytes, index, index + run.length, new TextEncoder().encode(random.pick(texts)));
  },
  (bytes, random) => {
    const at = place(bytes, random);
    return spliced(bytes, at, at + random.below(2), new TextEncoder().encode(random.pick(marks)));
  },
];

function spliced(bytes: Uint8Array, from: number, to: number, between: Uint8Array): Uint8Array {
  const out = new Uint8Array(from + between.length + Math.max(0, bytes.length - to));
  out.set(bytes.subarray(0, from));
  out.set(between, from);
  out.set(bytes.subarray(to), from + between.length);
  return out;
}
