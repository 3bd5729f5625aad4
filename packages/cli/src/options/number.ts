import { InvalidArgumentError } from "commander";

type Parse<T> = (text: string) => T;

/** Parses numbers and words of the command line. Values out of range are refused before anything is read. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It must be a number.");
}

export function share(text: string): number {
  const value = number(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError("It must lie between 0 and 1, e.g. 0.2.");
}

export const positive: Parse<number> = held("a number > 0", (value) => value > 0);
export const notNegative: Parse<number> = held("a number >= 0", (value) => value >= 0);
export const atLeastTwo: Parse<number> = held("a number >= 2", (value) => value >= 2);
/** Above 0 and at most 1. */
export const upToOne: Parse<number> = held("a number > 0 and <= 1", (value) => value > 0 && value <= 1);

/** A positive number that can also be Infinity. */
export const work: Parse<number> = (text) => (text.trim() === "Infinity" ? Infinity : positive(text));

/** A whole number from `low` to `high`. */
export function whole(low: number, high = Number.MAX_SAFE_INTEGER): Parse<number> {
  const most = high === Number.MAX_SAFE_INTEGER ? "" : ` and <= ${high}`;
  return held(`a whole number >= ${low}${most}`, (value) => Number.isInteger(value) && value >= low && value <= high);
}

/** One of a few words. */
export function oneOf<W extends string>(...words: W[]): Parse<W> {
  return (text) => {
    if ((words as string[]).includes(text)) return text as W;
    throw new InvalidArgumentError(`It must be ${words.slice(0, -1).join(", ")} or ${words.at(-1)}.`);
  };
}

/** A duration: 10ms, 2s, 1m, or 0. Returns milliseconds. */
export function milliseconds(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text.trim()) ?? [];
  if (number !== undefined) return Number(number) * { ms: 1, s: 1000, m: 60_000 }[unit as "ms" | "s" | "m"];
  if (text.trim() === "0") return 0;
  throw new InvalidArgumentError("It must be a time with its unit: 10ms, 2s or 1m.");
}

/** A size in bytes: 512, 64K, 16M or 1G, in powers of 1024. */
export function size(text: string): number {
  const [, number, unit] = /^([1-9]\d*)([KMG]?)$/i.exec(text.trim()) ?? [];
  if (number !== undefined) return Number(number) * 1024 ** ["", "K", "M", "G"].indexOf(unit.toUpperCase());
  throw new InvalidArgumentError("It must be a number of bytes: 512, 64K or 16M.");
}

/** A size in bytes, or Infinity. */
export const memory: Parse<number> = (text) => (text.trim() === "Infinity" ? Infinity : size(text));

/** A word, or a whole number of at least 1. */
export const wordOr =
  <W extends string>(word: W, most: number) =>
  (text: string): W | number =>
    text === word ? word : whole(1, most)(text);

function held(wanted: string, fits: (value: number) => boolean): Parse<number> {
  return (text) => {
    const value = number(text);
    if (fits(value)) return value;
    throw new InvalidArgumentError(`It must be ${wanted}.`);
  };
}
