/** More than a hundred damaged checkpoints. */
import { expect, it } from "vitest";
import { run } from "./checkpoints.ts";
import { reportMemory } from "./cost.ts";
import { wanted } from "./wanted.ts";

it("damaged checkpoints are refused, or their runs end normally", async () => {
  const { cases, refused, accepted } = await run(...wanted);
  reportMemory();
  expect(refused + accepted).toBe(cases);
  // A small number of cases can be refused or accepted in any proportion.
  if (cases >= 100) expect(refused).toBeGreaterThan(cases / 2);
});
