import { defineConfig } from "vitest/config";

const everywhere = ["packages/*/test/**", "test/**"];
/** Folders whose tests share two processes. All other tests share two more. */
const houses = {
  engine: ["engine", "predict"],
  bayes: ["bayes"],
  graphs: ["graphs"],
  learning: ["learning", "search", "golden"],
};
const foldersOf = (house: readonly string[]): string[] => house.map((folder) => `packages/ergodic/test/${folder}/**/*.test.ts`);
const named = (kind: string): string[] => everywhere.map((folder) => `${folder}/*${kind}.test.ts`);

/** A project whose files share two processes, which saves them an import of the library each. */
const shared = (name: string, include: string[], exclude: string[]) => ({
  extends: true as const,
  test: { name, isolate: false, include, exclude: [...exclude, ...["process", "slow"].flatMap((kind) => named(`.${kind}`))] },
});

/**
 * Test files by name. `X.test.ts` in a package leaves the process as it found it, and shares it with the other files of
 * its house. (More files in one process would be slower, because its memory grows.) `X.process.test.ts` has a process of
 * its own: it loads native libraries, mocks modules, or needs an engine that no other test has used. `X.slow.test.ts`
 * (browsers, other hosts, 1000 simulations) runs only in `npm run test:slow`. `test/X.test.ts` ("documents") runs
 * pages, packages, examples and benchmarks.
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
      ...Object.entries(houses).map(([name, folders]) => shared(name, foldersOf(folders), [])),
      shared("others", ["packages/*/test/**/*.test.ts"], Object.values(houses).flatMap(foldersOf)),
      { extends: true, test: { name: "process", include: named(".process") } },
      { extends: true, test: { name: "documents", include: ["test/**/*.test.ts"], exclude: named(".slow") } },
      ...(process.env.ERGODIC_SLOW === "1" ? [{ extends: true as const, test: { name: "slow", include: named(".slow") } }] : []),
    ],
  },
});
