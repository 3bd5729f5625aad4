/**
 * `npm run mutants -- [--count 100] [--seed 1] [--files REGEXP] [--tests 30] [--list]`: plants bugs, one at a time, and
 * reports those that no test catches, with file and line.
 *
 * Bugs are drawn at random: first a file, with a chance in proportion to its length within its folder and equal chances
 * for all folders, then one of its mutations. For each bug, the tests that reach the file are run, nearest first: those
 * of the same name, then those with few imports in between and many folders in common, at most `--tests` files. A bug
 * counts as caught if a test fails or does not end in time. Tests that also fail without a bug would prove nothing, so
 * the first time that the tests of a file fail, they are run again without the bug, and must pass. The source file is
 * restored afterwards; the work tree must be clean at the start, so that `git checkout .` restores it even after a
 * crash. The exit status is 0, whatever survives, and 1 if tests fail without a bug.
 *
 * Tests that run the built command do not see the bugs, because nothing is rebuilt.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mutationsOf } from "./mutations.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Wall-clock limit for the tests of one bug, which can be an endless loop. Thirty test files take up to two minutes. */
const LONGEST_MS = 360_000;
/** Entries import everything, so a path through them says nothing about what a test is about. Counts once per path. */
const FAR = 8;
const isEntry = (file) => /\/entries\/|\/src\/index\.ts$/.test(file);

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    files: { type: "string", default: "" },
    tests: { type: "string", default: "30" },
    list: { type: "boolean", default: false },
  },
});

/** A generator of numbers in [0, 1) (mulberry32). */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const filesIn = (folder, pattern) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((file) => pattern.test(file) && !/(^|\/)(dist|node_modules)\//.test(file))
    .map((file) => join(folder, file));
const packages = readdirSync(join(root, "packages"));
const sources = packages.flatMap((name) =>
  existsSync(join(root, "packages", name, "src")) ? filesIn(`packages/${name}/src`, /\.ts$/) : [],
);
const tests = [
  ...packages.flatMap((name) =>
    existsSync(join(root, "packages", name, "test")) ? filesIn(`packages/${name}/test`, /\.ts$/) : [],
  ),
  ...filesIn("test", /\.ts$/),
];

/** Source file of each public entry, by import name. */
const entries = new Map(
  packages.flatMap((name) => {
    const manifest = join(root, "packages", name, "package.json");
    if (!existsSync(manifest)) return [];
    const { name: published, exports = {} } = JSON.parse(readFileSync(manifest, "utf8"));
    return Object.entries(exports).flatMap(([path, entry]) =>
      entry["@ergodic/source"] ? [[join(published, path), join("packages", name, entry["@ergodic/source"])]] : [],
    );
  }),
);

function importsOf(file) {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].flatMap(([, to]) =>
    to.startsWith(".") ? [relative(root, resolve(root, dirname(file), to))] : entries.has(to) ? [entries.get(to)] : [],
  );
}

/** Files that import each file. */
const importers = new Map();
for (const file of [...sources, ...tests])
  for (const to of importsOf(file)) importers.set(to, [...(importers.get(to) ?? []), file]);

/** Test files that reach `file`, nearest first. */
function testsOf(file) {
  const distance = new Map([[file, 0]]);
  const open = [file];
  for (const next of open) {
    for (const importer of importers.get(next) ?? []) {
      const far = isEntry(importer) && !isEntry(next) ? FAR : 1;
      if (distance.has(importer) && distance.get(importer) <= distance.get(next) + far) continue;
      distance.set(importer, distance.get(next) + far);
      open.push(importer);
    }
  }
  const name = file.replace(/.*\//, "").replace(/\.ts$/, "");
  // The tree of the tests mirrors that of the sources, so a test is nearer the more folders the two paths share.
  const folders = dirname(file).replace("/src", "/test").split("/");
  const shared = (path) => {
    const own = dirname(path).split("/");
    const differing = folders.findIndex((folder, i) => own[i] !== folder);
    return differing < 0 ? folders.length : differing;
  };
  const rank = (path, imports) => (path.includes(`/${name}.`) ? -Infinity : imports - shared(path));
  return [...distance]
    .filter(([path]) => path.endsWith(".test.ts") && !path.endsWith(".slow.test.ts"))
    .map(([path, imports]) => [path, rank(path, imports)])
    .sort(([a, x], [b, y]) => (x === y ? a.localeCompare(b) : x - y))
    .slice(0, Number(values.tests))
    .map(([path]) => path);
}

function runTests(paths) {
  return new Promise((done) => {
    const child = spawn(process.execPath, ["node_modules/vitest/vitest.mjs", "run", "--bail=1", "--reporter=dot", ...paths], {
      cwd: root,
      stdio: "ignore",
      detached: true,
    });
    const timer = setTimeout(() => process.kill(-child.pid, "SIGKILL"), LONGEST_MS);
    child.on("close", (code) => {
      clearTimeout(timer);
      done(code);
    });
  });
}

/** Draws the bugs. */
function drawn(count) {
  const next = random(Number(values.seed));
  const pattern = new RegExp(values.files);
  const folders = new Map();
  for (const file of sources.filter((one) => pattern.test(one))) {
    const folder = file
      .split("/")
      .slice(0, file.startsWith("packages/ergodic/") ? 5 : 3)
      .join("/");
    folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  const made = [];
  for (let tries = 0; made.length < count && tries < 50 * count; tries++) {
    const files = [...folders.values()][Math.floor(next() * folders.size)];
    const lengths = files.map((file) => readFileSync(join(root, file), "utf8").length);
    let at = next() * lengths.reduce((a, b) => a + b, 0);
    const file = files[lengths.findIndex((length) => (at -= length) < 0)];
    const text = readFileSync(join(root, file), "utf8");
    const mutations = mutationsOf(file, text);
    if (mutations.length === 0) continue;
    made.push({ file, before: text, ...mutations[Math.floor(next() * mutations.length)] });
  }
  return made;
}

const shown = ({ file, line, kind, before, start, end, text }) =>
  `${file}:${line}  ${kind}: ${before.slice(start, end).slice(0, 60).replace(/\s+/g, " ")} -> ${text.slice(0, 60).replace(/\s+/g, " ")}`;

const bugs = drawn(Number(values.count));
if (values.list) {
  for (const bug of bugs) console.log(shown(bug));
} else {
  if (execFileSync("git", ["status", "--porcelain", "packages"], { cwd: root, encoding: "utf8" }) !== "") {
    console.error("mutants: packages/ has uncommitted changes; commit them first, so that nothing of yours can be lost");
    process.exit(2);
  }
  let planted;
  const restore = () => planted && writeFileSync(join(root, planted.file), planted.before);
  process.on("SIGINT", () => {
    restore();
    process.exit(130);
  });
  const survivors = [];
  const sound = new Set();
  for (const [i, bug] of bugs.entries()) {
    const paths = testsOf(bug.file);
    planted = bug;
    writeFileSync(join(root, bug.file), bug.before.slice(0, bug.start) + bug.text + bug.before.slice(bug.end));
    let code;
    try {
      code = paths.length === 0 ? 0 : await runTests(paths);
    } finally {
      restore();
      planted = undefined;
    }
    if (code === 0) survivors.push(bug);
    else if (!sound.has(bug.file) && (await runTests(paths)) !== 0) {
      console.error(`mutants: the tests of ${bug.file} also fail without a bug; run npm run build, or mend: ${paths.join(" ")}`);
      process.exit(1);
    } else sound.add(bug.file);
    console.log(`${i + 1}/${bugs.length} ${code === 0 ? "SURVIVED" : "caught"} (${paths.length} test files)  ${shown(bug)}`);
  }
  console.log(`\n${bugs.length - survivors.length} of ${bugs.length} caught; survivors:`);
  for (const bug of survivors) console.log(shown(bug));
}
