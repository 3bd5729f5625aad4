import { defineConfig } from "vitest/config";

const everywhere = ["packages/*/test/**", "test/**"];
const named = (kind: string): string[] => everywhere.map((folder) => `${folder}/*${kind}.test.ts`);

/**
 * Test files by name. `X.test.ts` in a package ("pure") leaves the process as it found it, so all of these files share
 * two processes and import the library once. `X.process.test.ts` starts processes or browsers, loads native libraries,
 * mocks modules, or needs an engine that no other test has used; each file has a process of its own. `X.slow.test.ts`
 * runs only in `npm run test:slow`. `test/X.test.ts` ("documents") runs pages, packages, examples and benchmarks.
 */
export default defineConfig({
  resolve: { conditions: ["@ergodic/source"] },
  ssr: { resolve: { conditions: ["@ergodic/source"] } },
  test: {
    pool: "forks",
    maxWorkers: 2,
    // Tests that never end fail by this limit. It is long, so that no other test fails on a busy machine.
    testTimeout: 1_200_000,
    hookTimeout: 1_200_000,
    expect: { poll: { timeout: 600_000 } },
    restoreMocks: true,
    unstubGlobals: true,
    unstubEnvs: true,
    projects: [
      {
        extends: true,
        test: {
          name: "pure",
          isolate: false,
          include: ["packages/*/test/**/*.test.ts"],
          exclude: ["process", "slow"].flatMap(named),
        },
      },
      { extends: true, test: { name: "process", include: named(".process") } },
      { extends: true, test: { name: "documents", include: ["test/**/*.test.ts"], exclude: named(".slow") } },
      ...(process.env.ERGODIC_SLOW === "1" ? [{ extends: true as const, test: { name: "slow", include: named(".slow") } }] : []),
    ],
  },
});
