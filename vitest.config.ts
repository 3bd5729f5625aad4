import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["@ergodic/source"] },
  ssr: { resolve: { conditions: ["@ergodic/source"] } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    // So long that a loaded machine fails no test that would pass; what never ends fails all the same.
    testTimeout: 1_200_000,
    hookTimeout: 1_200_000,
  },
});
