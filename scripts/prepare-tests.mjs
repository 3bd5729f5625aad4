// Before the tests: installs from Debian what some of them need beyond npm (Chromium), where that is possible, and says what will be skipped
// where it is not.
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

// Browser and command-line tests run what is built.
execFileSync(process.execPath, ["scripts/build.mjs"], { stdio: "inherit" });
