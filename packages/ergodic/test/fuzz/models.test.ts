/** A thousand damaged model files. */
import { expect, it } from "vitest";
import { reportMemory } from "./cost.ts";
import { run } from "./models.ts";
import { wanted } from "./wanted.ts";

it("damaged model files are refused or predict numbers", async () => {
  const { cases, refused, accepted } = await run(...wanted);
  reportMemory();
  expect(refused + accepted).toBe(cases);
  // Of a handful anything may be.
  if (cases >= 100) expect(refused).toBeGreaterThan(cases / 2);
});
