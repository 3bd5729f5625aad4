/** More than a hundred damaged model files, or a thousand in test:slow. */
import { expect, it } from "vitest";
import { reportMemory } from "./cost.ts";
import { run } from "./models.ts";
import { wanted } from "./wanted.ts";

it("damaged model files are refused or predict numbers", async () => {
  const { cases, refused, accepted } = await run(...wanted);
  reportMemory();
  expect(refused + accepted).toBe(cases);
  // A small number of cases can be refused or accepted in any proportion.
  if (cases >= 100) expect(refused).toBeGreaterThan(cases / 2);
});
