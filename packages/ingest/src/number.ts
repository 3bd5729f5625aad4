/**
 * Parses decimal numbers directly from ASCII bytes, correctly rounded.
 *
 * Grammar: [+-] digits [. digits] [(e|E) [+-] digits], and inf, infinity in any case. If there are at most 15 digits
 * and the power of ten is within 10^±22, both the integer and the power are exact. Their product or quotient is
 * therefore correctly rounded (Clinger 1990, the fast path). If there are at most 19 digits, the integer is the exact
 * sum of two doubles, and its quotient by the power is nearly exact. This quotient is rounded, unless it is too close
 * to the midpoint between two doubles (`quotient`). All other numbers are passed to the platform's parser. Returns NaN
 * for text that is not a number, and ±Infinity for infinities and overflow.
 */
const powers = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const point = 46;
/** Number of decimal digits that a double can always hold exactly. */
const exactDigits = 15;
/** Number of leading digits, which together fit in a 32-bit integer. */
const firstDigits = 9;
/** Number of further digits. The rest is therefore multiplied by at most 10^4. */
const moreDigits = 4;

/** Parses a number. `decimal`: the code of the decimal mark, 46 "." or 44 ",". */
export function parseNumber(bytes: Uint8Array, start: number, end: number, decimal = point): number {
  let i = start;
  const sign = bytes[i];
  if (sign === 45 || sign === 43) i++;
  // 32-bit integers: the first nine significant digits, the next six, and the next four.
  let first = 0;
  let second = 0;
  let third = 0;
  let digits = 0; // significant ones
  let seen = 0;
  let mark = -1;
  let scale = 0;
  let byte = 0;
  for (; i < end; i++) {
    byte = bytes[i] - 48;
    if (byte >>> 0 > 9) {
      if (bytes[i] !== decimal || mark >= 0) break;
      mark = i;
      continue;
    }
    seen++;
    if (digits < firstDigits) {
      first = (first * 10 + byte) | 0;
      if (first !== 0) digits++;
    } else {
      if (digits < exactDigits) second = (second * 10 + byte) | 0;
      else third = (third * 10 + byte) | 0;
      digits++;
    }
  }
  if (mark >= 0) scale = mark + 1 - i;
  if (seen === 0) return parseInfinity(bytes, start, end);
  if (i < end) {
    if ((bytes[i] | 32) !== 101) return NaN;
    i++;
    const negative = bytes[i] === 45;
    if (negative || bytes[i] === 43) i++;
    let exponent = 0;
    const from = i;
    for (; i < end; i++) {
      byte = bytes[i] - 48;
      if (byte < 0 || byte > 9) return NaN;
      if (exponent < 100000) exponent = exponent * 10 + byte;
    }
    if (i === from) return NaN;
    scale += negative ? -exponent : exponent;
  }
  let value = NaN;
  if (digits <= exactDigits) {
    const mantissa = digits <= firstDigits ? first : first * powers[digits - firstDigits] + second;
    if (scale >= -22 && scale <= 22) value = scale < 0 ? mantissa / powers[-scale] : mantissa * powers[scale];
  } else if (digits <= exactDigits + moreDigits && scale >= -22 && scale <= 0) {
    const mantissa = first * powers[exactDigits - firstDigits] + second;
    value = quotient(mantissa, powers[digits - exactDigits], third, powers[-scale]);
  }
  if (Number.isNaN(value)) return Number(textOf(bytes, start, end, decimal));
  return sign === 45 ? -value : value;
}

/** Constant of Veltkamp's splitting into halves. */
const split = 2 ** 27 + 1;
const low26 = 2 ** 26;
/**
 * Upper bound on the error of the second part of a quotient. The actual error is much smaller, about 2^-103 relative to
 * the first part.
 */
const doubt = 2 ** -98;

/**
 * Returns (m·10^k + rest) / power, correctly rounded. Returns NaN if the quotient is too close to the midpoint between
 * two doubles.
 *
 * m < 10^15, k ≤ 4, rest < 10^k, power ≤ 10^22. With m = a + b, b < 2^26, both a·10^k and b·10^k + rest are exact, so
 * the numerator is exactly `high + low`. Dekker's product (1971) gives the exact remainder of the first quotient, and
 * the remainder gives the second quotient. There is no underflow or overflow, because the quotient lies between 10^-7
 * and 10^19.
 */
function quotient(m: number, tens: number, rest: number, power: number): number {
  const b = m % low26;
  const large = (m - b) * tens;
  const small = b * tens + rest;
  const high = large + small;
  if (power === 1) return high;
  const low = small - (high - large);
  const first = high / power;
  const product = first * power;
  let t = split * first;
  const firstHigh = t - (t - first);
  const firstLow = first - firstHigh;
  t = split * power;
  const powerHigh = t - (t - power);
  const powerLow = power - powerHigh;
  const error = firstLow * powerLow - (product - firstHigh * powerHigh - firstLow * powerHigh - firstHigh * powerLow);
  const second = (high - product - error + low) / power;
  const below = first + (second - first * doubt);
  return below === first + (second + first * doubt) ? below : NaN;
}

function textOf(bytes: Uint8Array, start: number, end: number, decimal: number): string {
  let text = "";
  for (let j = start; j < end; j++) text += bytes[j] === decimal ? "." : String.fromCharCode(bytes[j]);
  return text;
}

function parseInfinity(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > 9) return NaN;
  const match = /^([+-]?)inf(inity)?$/i.exec(String.fromCharCode(...bytes.subarray(start, end)));
  return match === null ? NaN : match[1] === "-" ? -Infinity : Infinity;
}

/** Whether this text is a number that uses this decimal mark. */
export function isNumberText(text: string, decimal: "." | ","): boolean {
  const shape = decimal === "." ? /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i : /^[+-]?(\d+,?\d*|,\d+)(e[+-]?\d+)?$/i;
  return shape.test(text);
}

/** Whether this text is a whole number (digits only) that a float64 would round. */
export function isRounded(text: string): boolean {
  return /^[+-]?\d{16,}$/.test(text) && BigInt(text.replace(/^\+/, "")) !== BigInt(Number(text));
}

/** Returns the value of a text with this decimal mark, or NaN if the text is not a number. */
export function textNumber(text: string, decimal: "." | ","): number {
  if (!isNumberText(text, decimal)) return NaN;
  return Number(decimal === "," ? text.replace(",", ".") : text);
}

/**
 * Whether a number read from these bytes was rounded. Only few numbers are large enough for this check to be necessary.
 */
export function wasRounded(value: number, bytes: Uint8Array, start: number, end: number): boolean {
  return Math.abs(value) > Number.MAX_SAFE_INTEGER && isRounded(textOf(bytes, start, end, point));
}

/** Advice for a rounded number in sparse rows, which have no types. */
export const roundedAdvice =
  "is beyond 2^53, where numbers are rounded; make it a separate category, leave it out, or append .0 to accept the rounding";
