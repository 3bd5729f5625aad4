/**
 * Recipes to build a program with each bundler and default settings, with remedies where the defaults do not suffice.
 * `npm run test:bundlers` tries all of them, and compares the rows of the table in docs/browser.md with its results.
 */
import { page } from "./bundlers.ts";

/** Remedy if the defaults do not suffice. */
interface Help {
  /** Arguments added to the command. */
  readonly args?: string;
  /** Files written into the project, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Files copied after the build, from the project into the built output. */
  readonly copies?: Readonly<Record<string, string>>;
  /** Options of `worker` that the page passes, as code. */
  readonly given?: string;
}

type Answer = "yes" | "as remarked" | "no";

export interface Row {
  readonly bundler: string;
  /** Whether the program builds, without and with `ergodic/worker`. */
  readonly builds: Answer;
  /** Whether it trains, samples and predicts. */
  readonly runs: Answer;
  /** Whether this also works through `ergodic/worker`, including a user's function. */
  readonly worker: Answer;
  readonly remark: string;
}

export interface Recipe extends Row {
  /** npm packages. */
  readonly packages: readonly string[];
  /** The project's other files, by path. `entry`: "./plain.js". */
  readonly files?: (entry: string) => Readonly<Record<string, string>>;
  readonly command: (entry: string) => string;
  /**
   * Place of the built page. Default: a page with the script `page`. Not needed by a bundler with its own development
   * server.
   */
  readonly out?: string;
  readonly page?: string;
  /** Whether the command serves on the given port until it is ended. */
  readonly serves?: (port: number) => string;
  readonly help?: Help;
}

const yes = { builds: "yes", runs: "yes", worker: "yes", remark: "" } as const;
const html = (entry: string): Record<string, string> => ({ "index.html": page(entry) });
const nextFiles = (entry: string): Record<string, string> => ({
  "app/layout.js": "export default ({ children }) => <html><body>{children}</body></html>;",
  "app/page.js": `"use client";
import { useEffect } from "react";
export default function Page() {
  useEffect(() => void import(".${entry}"), []);
  return <p>Ergodic</p>;
}`,
  "next.config.js": 'export default { output: "export" };',
});
const next = { packages: ["next@16", "react@19", "react-dom@19"], files: nextFiles, out: "out" };

const dev = (major: number, row: Row, help: Help): Recipe => ({
  ...row,
  packages: [`vite@${major}`],
  files: html,
  command: () => "vite",
  serves: (port) => `--host 127.0.0.1 --strictPort --port ${port}`,
  help,
});
/** The programs of threads are built as serve.js and predict.js, and a user's module is copied. */
const served: Help = {
  copies: { "objective.js": "objective.js" },
  given: '{ script: "serve.js", predictScript: "predict.js" }',
};
const unprepared = { "vite.config.js": 'export default { optimizeDeps: { exclude: ["ergodic"] } };' };

export const recipes: readonly Recipe[] = [
  {
    bundler: "webpack 5",
    ...yes,
    packages: ["webpack@5", "webpack-cli"],
    command: (entry) => `webpack build --mode production --entry ${entry} --output-path out`,
    page: "main.js",
  },
  {
    bundler: "Rspack 2",
    ...yes,
    packages: ["@rspack/core@2", "@rspack/cli@2"],
    command: (entry) => `rspack build --mode production --entry ${entry} --output-path out`,
    page: "main.js",
  },
  { bundler: "Vite 8", ...yes, packages: ["vite@8"], files: html, command: () => "vite build", out: "dist" },
  dev(8, { bundler: "Vite 8, server", ...yes }, {}),
  {
    bundler: "Vite 7",
    ...yes,
    builds: "as remarked",
    worker: "as remarked",
    remark: 'with `worker: { format: "es" }`',
    packages: ["vite@7"],
    files: html,
    command: () => "vite build",
    out: "dist",
    help: { files: { "vite.config.js": 'export default { worker: { format: "es" } };' } },
  },
  dev(
    7,
    {
      bundler: "Vite 7, server",
      ...yes,
      worker: "as remarked",
      remark: 'with `optimizeDeps: { exclude: ["ergodic"] }`',
    },
    { files: unprepared },
  ),
  { bundler: "Next 16 (Turbopack)", ...yes, ...next, command: () => "next build" },
  { bundler: "Next 16, `--webpack`", ...yes, ...next, command: () => "next build --webpack" },
  {
    bundler: "Rollup 4",
    ...yes,
    worker: "as remarked",
    remark: "with the plugin node-resolve, and an `--input` for each thread; see below",
    packages: ["rollup@4", "@rollup/plugin-node-resolve"],
    command: (entry) => `rollup --input app=${entry} --format es --dir out --plugin node-resolve`,
    page: "app.js",
    help: { args: "--input serve=ergodic/worker/serve --input predict=ergodic/predict/serve", ...served },
  },
  {
    bundler: "esbuild",
    ...yes,
    worker: "as remarked",
    remark: "with an entry for each thread; see below",
    packages: ["esbuild"],
    command: (entry) => `esbuild app=${entry} --bundle --splitting --format=esm --outdir=out`,
    page: "app.js",
    help: { args: "serve=ergodic/worker/serve predict=ergodic/predict/serve", ...served },
  },
  {
    bundler: "Parcel 2",
    builds: "as remarked",
    runs: "as remarked",
    worker: "as remarked",
    remark: "with `packageExports`; for `ergodic/worker` with a copy of the package; see below",
    packages: ["parcel@2"],
    files: html,
    command: () => "parcel build index.html --dist-dir dist --no-cache --no-autoinstall",
    out: "dist",
    help: {
      files: { "package.json": '{ "@parcel/resolver-default": { "packageExports": true } }' },
      copies: { "node_modules/ergodic/dist": "ergodic", "objective.js": "objective.js" },
      given:
        '{ script: "/ergodic/join/worker/serve.js", predictScript: "/ergodic/predict/serve.js", module: new URL("/objective.js", location.href) }',
    },
  },
];

/** Expected results of a recipe. */
export const rowOf = ({ bundler, builds, runs, worker, remark }: Row): Row => ({ bundler, builds, runs, worker, remark });

/** The rows as a Markdown table. */
export function table(rows: readonly Row[]): string {
  const cells = [
    ["bundler", "builds", "runs", "`ergodic/worker`", "remark"],
    ...rows.map(({ bundler, builds, runs, worker, remark }) => [bundler, builds, runs, worker, remark]),
  ];
  const widths = cells[0].map((_, j) => Math.max(...cells.map((row) => row[j].length)));
  const line = (row: readonly string[]): string => `| ${row.map((cell, j) => cell.padEnd(widths[j])).join(" | ")} |`;
  const [head, ...body] = cells.map(line);
  return [head, line(widths.map((width) => "-".repeat(width))), ...body].join("\n");
}
