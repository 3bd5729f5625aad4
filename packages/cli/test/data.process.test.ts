/** The shipped data match their description, and their script reproduces them if scikit-learn is installed. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { digits } from "./places.ts";

const text = readFileSync(digits, "utf8");

it("digits.csv has 1797 rows of 64 pixels from 0 to 16 and a label, and its licence", () => {
  const [header, ...rows] = text
    .trimEnd()
    .split("\n")
    .map((line) => line.split(","));
  expect(header).toEqual([...Array.from({ length: 64 }, (_, k) => `pixel_${Math.floor(k / 8)}_${k % 8}`), "label"]);
  expect(rows).toHaveLength(1797);
  for (const row of rows) {
    const numbers = row.map(Number);
    expect(numbers).toHaveLength(65);
    expect(numbers.slice(0, 64).every((pixel) => Number.isInteger(pixel) && pixel >= 0 && pixel <= 16)).toBe(true);
    expect(numbers[64] >= 0 && numbers[64] <= 9).toBe(true);
  }
  // As in scikit-learn's own tests: 178 zeros, 182 ones, 177 twos …
  const counts = Array.from({ length: 10 }, (_, k) => rows.filter((row) => row[64] === String(k)).length);
  expect(counts).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
  expect(readFileSync(new URL("../data/README.md", import.meta.url), "utf8")).toMatch(/CC BY 4\.0/);
});

const scikitLearn = spawnSync("/usr/bin/python3", ["-c", "import sklearn"]).status === 0;
if (!scikitLearn)
  console.warn("make-digits.py is not checked: /usr/bin/python3 has no scikit-learn (apt-get install python3-sklearn)");

it.skipIf(!scikitLearn)("make-digits.py writes the same bytes again (skipped without python3-sklearn)", () => {
  const script = readFileSync(new URL("../data/make-digits.py", import.meta.url), "utf8");
  const printing = script.replace(/with open\(Path\(__file__\).*?as file:/, "import sys\nfor file in [sys.stdout]:");
  const { status, stdout, stderr } = spawnSync("/usr/bin/python3", ["-"], {
    input: printing,
    encoding: "utf8",
    maxBuffer: 1 << 24,
  });
  expect(status, stderr).toBe(0);
  const digest = (content: string) => createHash("sha256").update(content).digest("hex");
  expect(digest(stdout)).toBe(digest(text));
});
