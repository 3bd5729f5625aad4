// Runs before the tests: installs what some of them need beyond `npm install`, where possible, and otherwise reports
// what will be skipped. It installs Chromium, Firefox, WebKit and Python's onnxruntime from Debian; the supported Node
// versions, Bun and workerd (npm packages that contain the binary); onnxruntime-node without its install script; and
// React. With CI=true, anything missing is an error on Linux, where all of it is available. With --compilers, the
// compilers of test/types.slow.test.ts are installed on every system.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { browsers, compilers, hasBrowser, hasHost, hasLibrary, hosts, libraries, missing } from "./needs.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const ci = process.env.CI === "true";
const mayInstall = process.platform === "linux" && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");

const absent = [
  ...browsers.filter((browser) => !hasBrowser(browser)).map(({ from }) => from),
  ...libraries.filter((library) => !hasLibrary(library)).flatMap(({ from }) => from),
];
if (ci && mayInstall && absent.length > 0) {
  for (const args of [
    ["update", "-q"],
    ["install", "-y", "-q", "--no-install-recommends", ...absent],
  ]) {
    const { status } = spawnSync("apt-get", args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
    if (status !== 0) break;
  }
}

const all = ci && process.platform === "linux" && process.arch === "x64" ? hosts : [];
for (const host of process.argv.includes("--compilers") ? new Set([...all, ...compilers]) : all) {
  if (hasHost(root, host)) continue;
  const folder = `node_modules/.cache-node/${host.folder}`;
  const flags = ["--no-save", "--no-package-lock", "--ignore-scripts", "--legacy-peer-deps"];
  spawnSync("npm", ["install", ...flags, "--prefix", folder, ...host.from], {
    stdio: ["ignore", "ignore", "inherit"],
    cwd: root,
  });
}

const left = missing({ root });
for (const line of left) console.error(`tests: ${line}`);
if (ci && process.platform === "linux" && left.length > 0) {
  console.error("tests: where CI is true nothing may be skipped for want of these; install them, or unset CI");
  process.exit(1);
}

// Browser and command-line tests run the built files.
execFileSync(process.execPath, ["scripts/build.mjs"], { stdio: "inherit", cwd: root });
