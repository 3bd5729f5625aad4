/** Settings for `npm run test:bundlers` only. `npm test` runs files named *.test.ts. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { root: import.meta.dirname, include: ["*.live.ts"], testTimeout: 1_200_000, hookTimeout: 120_000 },
});
