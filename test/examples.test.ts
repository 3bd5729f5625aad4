/** The runnable examples that need more than the library: what each is there to show, checked. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { main as digitsNetwork } from "../examples/digits-network.ts";

test("digits-network: better than a linear model's 98.3 %, and the file says what was trained", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ergodic-examples-"));
  const lines: string[] = [];
  try {
    const accuracy = await digitsNetwork((line) => void lines.push(line), join(folder, "digits.safetensors"));
    expect(accuracy).toBeGreaterThan(0.985);
    expect(lines.at(-3)).toMatch(/^15 epochs in [\d.]+ s, mean loss of the last 0\.0\d+$/);
    expect(lines.at(-2)).toBe(`${(100 * accuracy).toFixed(1)} % of 359 held-out digits right`);
    expect(lines.at(-1)).toMatch(/^the first of them is a \d, says the file$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
