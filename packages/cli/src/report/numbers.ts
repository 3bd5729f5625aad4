/** Formats numbers for readers. */

export const grouped = (value: number): string => Math.round(value).toLocaleString("en");

/** Formats a count: "1 column", "1,234 columns". */
export const counted = (count: number, one: string, many = `${one}s`): string => `${grouped(count)} ${count === 1 ? one : many}`;

/** Formats a number briefly: 1234567 → "1.23 M". */
export function short(value: number): string {
  for (const [size, unit] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (value >= 0.9995 * size) return `${significant(value / size, 3)} ${unit}`;
  }
  return significant(value, 3);
}

/** Formats a number with at most `digits` significant digits, without trailing zeros. */
export function significant(value: number, digits = 4): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : String(value);
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e9)) return value.toExponential(digits - 1);
  if (Math.abs(value) >= 10 ** digits) return String(Math.round(value));
  return String(Number(value.toPrecision(digits)));
}

/** Formats a loss or a metric with four decimals, or more digits if it is small. */
export function decimal(value: number): string {
  if (!Number.isFinite(value)) return significant(value);
  if (value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e7)) return value.toFixed(Math.abs(value) >= 1000 ? 1 : 4);
  return value.toExponential(2);
}

/** Formats a bound by its magnitude: 3.1e-7. */
export function small(value: unknown): string {
  if (typeof value !== "number" || Number.isNaN(value)) return "–";
  return value === 0 ? "0" : value.toExponential(1);
}

export const percent = (value: number): string => `${(100 * value).toFixed(1).replace(/^-(?=0\.0$)/, "")} %`;

/** Formats a duration: 0.0213 → "0.021 s", 75 → "1:15". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 1) return `${seconds.toFixed(3)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return clock(seconds);
}

/** Formats seconds as a clock: 75 → "1:15". */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  const rest = (n: number): string => String(n % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${rest(whole)}` : `${Math.floor(minutes / 60)}:${rest(minutes)}:${rest(whole)}`;
}

export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  return `${short(count)}B`;
}

/** Returns JSON in which NaN and infinities become null, because JSON cannot represent them. */
export function json(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "number" && !Number.isFinite(part) ? null : part));
}
