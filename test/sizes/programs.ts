/** Small programs whose sizes docs/browser.md states, and what their pages fetch. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { build } from "vite";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Program {
  readonly name: string;
  readonly code: string;
  /** Kernels that a page fetches. Node loads all kernels. */
  readonly kernels: readonly string[];
  /** Limit in thousands of bytes. */
  readonly limit: number;
}

const table = `
const x = Array.from({ length: 200 }, (_, i) => [Math.sin(i), Math.cos(i * 1.3)]);
const y = x.map(([a, b]) => 2 * a - b + 0.5);
const data = Dataset.fromArrays({ x, y });`;

const mean = `const m = model(({ data, param, observe }) => {
  const { y } = data({ y: vector("N") });
  observe(y, normal(param("mu", normal(0, 5)), param("s", halfNormal(2))));
});`;

export const programs: readonly Program[] = [
  {
    name: "`fit(linear(), data)`",
    code: `import { Dataset, fit, linear } from "ergodic";${table}
console.log((await fit(linear(), data)).weights.length);`,
    kernels: ["hessian-relaxed"],
    limit: 130,
  },
  {
    name: "`fit(linear(), data, { epochs })`",
    code: `import { Dataset, fit, linear } from "ergodic";${table}
console.log((await fit(linear(), data, { epochs: 20, workers: 1 })).weights.length);`,
    kernels: ["training-relaxed"],
    limit: 130,
  },
  {
    name: "`fit(linear(), data)` of `ergodic/worker`, page and thread",
    code: `import { Dataset, linear } from "ergodic";
import { worker } from "ergodic/worker";${table}
const { fit, dispose } = worker({ script: globalThis.thread });
console.log((await fit(linear(), data)).weights.length);
dispose();`,
    kernels: ["hessian-relaxed"],
    limit: 290,
  },
  {
    name: '`fit(linear({ loss: "logistic" }), data)`',
    code: `import { Dataset, fit, linear } from "ergodic";${table.replace("y })", "y: y.map((v) => (v > 0 ? 1 : 0)) })")}
console.log((await fit(linear({ loss: "logistic" }), data)).weights.length);`,
    kernels: ["hessian-relaxed", "training-relaxed"],
    limit: 140,
  },
  {
    name: "`fit(network([dense, relu, dense]), data)`",
    code: `import { Dataset, dense, fit, network, relu } from "ergodic";${table}
console.log((await fit(network([dense(4), relu(), dense(1)]), data, { epochs: 1, workers: 1 })).predict(x).length);`,
    kernels: ["training-relaxed", "arrays-relaxed"],
    limit: 210,
  },
  {
    name: "`sample(model(…), data)`",
    code: `import { halfNormal, model, normal, sample, vector } from "ergodic";
${mean}
console.log((await sample(m, { y: [1, 2, 3, 2.5] }, { draws: 200, warmup: 200, workers: 1 })).mean("mu").length);`,
    kernels: ["sampling-simd"],
    limit: 170,
  },
  {
    name: "`infer(factorGraph())`",
    code: `import { factorGraph, infer } from "ergodic";
const g = factorGraph();
g.variable("a");
g.variable("b");
g.table(["a", "b"], [[1, 2], [3, 4]]);
console.log((await infer(g)).marginal("a").p.length);`,
    kernels: ["graphs-simd"],
    limit: 130,
  },
  {
    name: "`minimize(f, x)`",
    code: `import { minimize } from "ergodic";
console.log((await minimize(([a, b]) => (a - 1) ** 2 + b * b, { x0: [0, 0] })).x.length);`,
    kernels: [],
    limit: 100,
  },
  {
    name: "`predictor` of `ergodic/predict`, a linear model",
    code: `import { predictor } from "ergodic/predict";
console.log((await predictor(globalThis.bytes)).predict([[1, 2]]).length);`,
    kernels: [],
    limit: 27.5,
  },
  {
    name: "`predictor` of `ergodic/predict`, a network",
    code: `import { predictor } from "ergodic/predict";
console.log((await predictor(globalThis.bytes)).predict([[1, 2]]).length);`,
    kernels: ["arrays-relaxed"],
    limit: 90,
  },
];

export interface Weighed {
  /** Bytes of all files, each compressed by gzip. */
  readonly bytes: number;
  readonly files: number;
  /** Modules of dist that the program requests at run time, named as in src. */
  readonly requested: readonly string[];
}

const isKernels = (file: string): boolean => /-(?:simd|relaxed)-/.test(file);
/** Only hosts with shared memory open threads, such as Node. */
const isThread = (file: string): boolean => file.includes("pool-thread-");

/**
 * Builds the program with Vite, runs it in Node, and weighs what it loaded: all files but kernels, of which a page fetches
 * only those in `kernels`.
 */
export async function weigh({ name, code, kernels }: Program, folder: string, model?: string): Promise<Weighed> {
  const own = join(folder, name.replace(/\W+/g, "-"));
  mkdirSync(own);
  writeFileSync(join(own, "a.js"), code);
  writeFileSync(join(own, "a.html"), '<script type="module" src="./a.js"></script>');
  writeFileSync(join(own, "package.json"), '{"type":"module"}');
  await build({
    root: own,
    base: "./",
    configFile: false,
    logLevel: "silent",
    worker: { format: "es", rolldownOptions: { output: { chunkFileNames: "[name]-[hash].js" } } },
    build: {
      modulePreload: false,
      target: "es2022",
      outDir: "out",
      rolldownOptions: {
        input: join(own, "a.html"),
        output: { entryFileNames: "entry.js", chunkFileNames: "[name]-[hash].js" },
      },
    },
  });
  const preload = fileURLToPath(new URL("loaded.mjs", import.meta.url));
  const out = join(own, "out/");
  const { stderr, status } = spawnSync(process.execPath, [join(out, "entry.js")], {
    encoding: "utf8",
    env: {
      ...process.env,
      // Threads read NODE_OPTIONS, but not the process's arguments.
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --import ${preload}`,
      ...(model === undefined ? {} : { MODEL: model }),
      ...(code.includes("ergodic/worker") ? { THREAD: bundledThread(join(out, "assets")) } : {}),
    },
  });
  if (status !== 0) throw new Error(`${name} failed: ${stderr.slice(-500)}`);
  const loaded = [...new Set([...stderr.matchAll(/^loaded file:\/\/(\S+)/gm)].map(([, file]) => file))]
    .filter((file) => file.startsWith(out))
    .map((file) => file.slice(out.length));
  const fetched = loaded.filter((file) =>
    isKernels(file) ? kernels.some((kernel) => file.startsWith(`${kernel}-`)) : !isThread(file),
  );
  for (const kernel of kernels)
    if (!fetched.some((file) => file.startsWith(`${kernel}-`))) throw new Error(`${name} does not load ${kernel}`);
  return {
    bytes: fetched.reduce((sum, file) => sum + gzipSync(readFileSync(join(out, file)), { level: 9 }).length, 0),
    files: fetched.length,
    // "newton-4f3c549d-TsNKMd8B.js" is the module newton.ts, and "chunk-…" is a part that modules share.
    requested: fetched
      .filter((file) => /^(?!chunk-)[\w-]+-[0-9a-f]{8}-[\w-]{8}\.js$/.test(file))
      .map((file) => file.slice(0, -21)),
  };
}

/** Returns the bundle of the thread for browsers. Vite also copies the program of Node's thread as it is. */
function bundledThread(assets: string): string {
  const size = (file: string): number => statSync(join(assets, file)).size;
  const [largest] = readdirSync(assets)
    .filter((file) => file.startsWith("serve-"))
    .sort((a, b) => size(b) - size(a));
  return join(assets, largest);
}

export interface Module {
  /** Path below src, without its extension. */
  readonly path: string;
  readonly bytes: number;
}

/** Returns the modules of src that a program with these requested modules loads, the largest first. */
export async function modulesOf({ code }: Program, requested: readonly string[]): Promise<Module[]> {
  const src = join(root, "packages/ergodic/src/");
  const worker = code.includes("ergodic/worker") ? `import "${src}join/worker/serve.ts";\n` : "";
  const file = (entry = "index"): string => (entry === "worker" ? "join/worker/index" : `entries/${entry}`);
  const entry = worker + code.replace(/from "ergodic(?:\/(\w+))?"/g, (_, name) => `from "${src}${file(name)}.ts"`);
  const bundle = await rolldown({
    input: "program",
    treeshake: { moduleSideEffects: (id) => id.endsWith("/serve.ts") },
    logLevel: "silent",
    external: [/^node:/],
    plugins: [
      {
        name: "program",
        resolveId: (id) => (id === "program" ? id : undefined),
        load: (id) => (id === "program" ? entry : undefined),
      },
    ],
  });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  await bundle.close();
  const chunks = output.filter((part) => part.type === "chunk");
  const taken = new Set<(typeof chunks)[number]>();
  const take = (chunk: (typeof chunks)[number] | undefined): void => {
    if (!chunk || taken.has(chunk)) return;
    taken.add(chunk);
    for (const file of chunk.imports) take(chunks.find(({ fileName }) => fileName === file));
  };
  for (const chunk of chunks)
    if (chunk.isEntry || requested.some((name) => chunk.facadeModuleId?.endsWith(`/${name}.ts`))) take(chunk);
  return [...taken]
    .flatMap(({ modules }) => Object.entries(modules))
    .filter(([id, { code }]) => id.startsWith(src) && code)
    .map(([id, { code }]) => ({
      path: id.slice(src.length).replace(/\.[jt]s$/, ""),
      bytes: gzipSync(code as string, { level: 9 }).length,
    }))
    .sort((a, b) => b.bytes - a.bytes);
}
