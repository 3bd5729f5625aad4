/** Quotations from a file in errors are short and on one line. */
import { expect, test } from "vitest";
import { fault, fileFault, listed, show } from "../src/fault.ts";

test("quotes texts, cuts them at 40 characters and shows control characters", () => {
  expect(show("x".repeat(40))).toBe(`"${"x".repeat(40)}"`);
  expect(show("x".repeat(41))).toBe(`"${"x".repeat(37)}…"`);
  expect(show('a"b')).toBe(`'a"b'`);
  expect(show("a\tb\u0000\n")).toBe('"a\\tb\\u0000\\n"');
});

test("lists the first eight of many names and their number", () => {
  const names = (count: number) => Array.from({ length: count }, (_, i) => String(i));
  expect(listed(names(8))).toBe('"0", "1", "2", "3", "4", "5", "6", "7"');
  expect(listed(names(9))).toBe('"0", "1", "2", "3", "4", "5", "6", "7", … (9 in all)');
});

test("reports file, line, column and code, and preserves the cause", () => {
  expect(fault("a.csv", 3, 2, "it is wrong", "DATA_TYPE").message).toBe("a.csv:3:2: it is wrong [DATA_TYPE]");
  const cause = new Error("why");
  expect(fileFault("a.csv", "it is wrong", "DATA_FORMAT", cause)).toMatchObject({
    message: "a.csv: it is wrong [DATA_FORMAT]",
    cause,
  });
  expect(Object.hasOwn(fileFault("a.csv", "it is wrong", "DATA_FORMAT"), "cause")).toBe(false);
});
