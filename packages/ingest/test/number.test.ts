/** Numbers parsed from bytes, compared with the platform's correctly rounded parser. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { power } from "../../ergodic/test/power.ts";
import { isNumberText, isRounded, parseNumber, textNumber } from "../src/number.ts";

const parsed = (text: string, mark = ".") => {
  // Adds bytes on both sides, because the parser must stay within its range.
  const bytes = new TextEncoder().encode(`9${text}9e5`);
  return parseNumber(bytes, 1, bytes.length - 3, mark.charCodeAt(0));
};

test("rounds decimals like Number(), bit for bit", () => {
  const digits = fc.string({ unit: fc.constantFrom(..."0123456789"), minLength: 1, maxLength: 25 });
  const exponent = fc.option(fc.tuple(fc.constantFrom("e", "E", "e-", "E+"), fc.integer({ min: 0, max: 330 })), {
    nil: ["", ""] as const,
  });
  const number = fc.tuple(fc.constantFrom("", "-", "+"), digits, fc.option(digits, { nil: undefined }), exponent);
  fc.assert(
    fc.property(number, ([sign, whole, fraction, [e, power]]) => {
      const text = `${sign}${whole}${fraction === undefined ? "" : `.${fraction}`}${e}${power}`;
      expect(parsed(text)).toBe(Number(text));
      expect(parsed(text.replace(".", ","), ",")).toBe(Number(text));
      expect(isNumberText(text, ".")).toBe(true);
    }),
    { numRuns: 5000 },
  );
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (value) => {
      expect(parsed(String(value))).toBe(value === 0 ? 0 : value);
    }),
    { numRuns: 5000 },
  );
});

test("rounds 16 to 19 digits correctly at and next to the midpoint of two doubles", () => {
  const digits = fc.bigInt({ min: 10n ** 15n, max: 10n ** 19n - 1n });
  const written = (mantissa: bigint, scale: number) => {
    const text = String(mantissa).padStart(scale + 1, "0");
    return scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`;
  };
  fc.assert(
    fc.property(digits, fc.nat({ max: 24 }), (mantissa, scale) => {
      const text = written(mantissa, scale);
      expect(parsed(text), text).toBe(Number(text));
      expect(parsed(`-${mantissa}e-${scale}`)).toBe(Number(`-${mantissa}e-${scale}`));
    }),
    { numRuns: power(6000, 20_000) },
  );
  // Half of an odd number of 54 bits is the midpoint of two doubles. Halving again adds one digit.
  const odd = fc.bigInt({ min: 2n ** 52n, max: 2n ** 53n - 1n }).map((k) => 2n * k + 1n);
  fc.assert(
    fc.property(odd, fc.integer({ min: 0, max: 3 }), fc.constantFrom(-1n, 0n, 1n), (middle, halvings, off) => {
      const text = written(middle * 5n ** BigInt(halvings) + off, halvings);
      expect(parsed(text), text).toBe(Number(text));
    }),
    { numRuns: power(6000, 20_000) },
  );
});

test("parses edge cases", () => {
  const edges: [string, number][] = [
    ["-0", -0],
    [".5", 0.5],
    ["5.", 5],
    ["1e23", 1e23],
    ["9007199254740993", 9007199254740992],
    ["0.000000000000000000000000001", 1e-27],
    ["00000000000000000000007", 7],
    ["2.4703282292062327e-324", 0],
    ["2.4703282292062328e-324", 5e-324],
    ["1.7976931348623159e308", Infinity],
    ["inf", Infinity],
    ["-Infinity", -Infinity],
  ];
  for (const [text, value] of edges) expect(parsed(text), text).toBe(value);
});

test("returns NaN for anything that is not a number", () => {
  for (const text of [
    "",
    "-",
    "+",
    ".",
    "e5",
    "1e",
    "1e+",
    "1.2.3",
    "1,5",
    "0x10",
    "1_000",
    " 1",
    "1 ",
    "--1",
    "nan",
    "NaN",
    "infinite",
    "٣",
  ]) {
    expect(parsed(text), text).toBe(NaN);
    expect(isNumberText(text, "."), text).toBe(false);
  }
});

test.each<[string, "." | ",", number]>([
  ["1,5", ",", 1.5],
  ["1.5", ".", 1.5],
  ["1.5", ",", Number.NaN],
  ["1,5", ".", Number.NaN],
  ["-,5e1", ",", -5],
  ["+3.", ".", 3],
  ["+3,", ",", 3],
  ["1,5,2", ",", Number.NaN],
  [".", ".", Number.NaN],
  [",", ",", Number.NaN],
  ["", ".", Number.NaN],
  ["1e", ".", Number.NaN],
  ["0x10", ".", Number.NaN],
])("parses the text %j with the mark %j as %d", (text, decimal, value) => {
  expect(textNumber(text, decimal)).toBe(value);
  expect(isNumberText(text, decimal)).toBe(!Number.isNaN(value));
});

test("detects whole numbers that a float64 would round, of either sign", () => {
  for (const digits of ["9007199254740993", "12345678901234567", "18446744073709551615"])
    expect(
      ["", "+", "-"].map((sign) => isRounded(sign + digits)),
      digits,
    ).toEqual([true, true, true]);
  for (const text of ["9007199254740992", "-9007199254740992", "+10000000000000000000000", "1", "9007199254740993.0", "x"])
    expect(isRounded(text), text).toBe(false);
});
