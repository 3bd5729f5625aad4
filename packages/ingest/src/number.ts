/**
 * Decimal numbers straight from ASCII bytes, correctly rounded.
 *
 * Grammar: [+-] digits [. digits] [(e|E) [+-] digits], and inf, infinity in any case. Up to 15 digits and a power of ten within
 * 10^±22 the result is one exact integer times or over one exact power, hence correctly rounded (Clinger 1990, the fast path);
 * other numbers go to the platform's parser. Returns NaN for what is not a number; ±Infinity for infinities and overflow.
 */
const powers = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
const point = 46;

/** `decimal`: the code of the decimal mark, 46 "." or 44 ",". */
export function parseNumber(bytes: Uint8Array, start: number, end: number, decimal = point): number {
  let i = start;
  const sign = bytes[i];
  if (sign === 45 || sign === 43) i++;
  let mantissa = 0;
  let digits = 0; // significant ones
  let seen = 0;
  let scale = 0;
  let byte = 0;
  for (; i < end; i++, seen++) {
    byte = bytes[i] - 48;
    if (byte < 0 || byte > 9) break;
    mantissa = mantissa * 10 + byte;
    if (mantissa !== 0) digits++;
  }
  if (i < end && bytes[i] === decimal) {
    for (i++; i < end; i++, seen++, scale--) {
      byte = bytes[i] - 48;
      if (byte < 0 || byte > 9) break;
      mantissa = mantissa * 10 + byte;
      if (mantissa !== 0) digits++;
    }
  }
  if (seen === 0) return parseInfinity(bytes, start, end);
  if (i < end) {
    if ((bytes[i] | 32) !== 101) return NaN;
    i++;
    const negative = bytes[i] === 45;
    if (negative || bytes[i] === 43) i++;
    let exponent = 0;
    const first = i;
    for (; i < end; i++) {
      byte = bytes[i] - 48;
      if (byte < 0 || byte > 9) return NaN;
      if (exponent < 100000) exponent = exponent * 10 + byte;
    }
    if (i === first) return NaN;
    scale += negative ? -exponent : exponent;
  }
  if (digits <= 15 && scale >= -22 && scale <= 22) {
    const value = scale < 0 ? mantissa / powers[-scale] : mantissa * powers[scale];
    return sign === 45 ? -value : value;
  }
  let text = "";
  for (let j = start; j < end; j++) text += bytes[j] === decimal ? "." : String.fromCharCode(bytes[j]);
  return Number(text);
}

function parseInfinity(bytes: Uint8Array, start: number, end: number): number {
  if (end - start > 9) return NaN;
  const match = /^([+-]?)inf(inity)?$/i.exec(String.fromCharCode(...bytes.subarray(start, end)));
  return match === null ? NaN : match[1] === "-" ? -Infinity : Infinity;
}

/** Is this text a number, with this decimal mark? */
export function isNumberText(text: string, decimal: "." | ","): boolean {
  const shape = decimal === "." ? /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i : /^[+-]?(\d+,?\d*|,\d+)(e[+-]?\d+)?$/i;
  return shape.test(text);
}

/** Is this text a whole number, all digits, that a float64 would round? */
export function isRounded(text: string): boolean {
  return /^[+-]?\d{16,}$/.test(text) && BigInt(text.replace(/^\+/, "")) !== BigInt(Number(text));
}

/** The value of a whole text, with this decimal mark; NaN = not a number. */
export function textNumber(text: string, decimal: "." | ","): number {
  if (!isNumberText(text, decimal)) return NaN;
  return Number(decimal === "," ? text.replace(",", ".") : text);
}
