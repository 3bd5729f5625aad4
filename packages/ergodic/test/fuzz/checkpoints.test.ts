/** Hundreds of damaged checkpoints. */
import { expect, it } from "vitest";
import { run } from "./checkpoints.ts";
import { reportMemory } from "./cost.ts";
import { wanted } from "./wanted.ts";

it("damaged checkpoints are refused, or their runs end normally", async () => {
  const { cases, refused, accepted } = await run(...wanted);
  reportMemory();
  expect(refused + accepted).toBe(cases);
  // Of a handful anything may be.
  if (cases >= 100) expect(refused).toBeGreaterThan(cases / 2);
});
