/**
 * npm run template -- NAME FOLDER: copies a web template of examples/ into a new folder, with the library as a packed
 * file next to it, so that `npm install` works there although the library is not on npm.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const names = readdirSync(join(root, "examples")).filter((name) => name.startsWith("web-"));

function refuse(problem) {
  console.error(`template: ${problem}\nusage: npm run template -- NAME FOLDER, where NAME is ${names.join(" or ")}`);
  process.exit(2);
}

const [name, given, ...more] = process.argv.slice(2);
if (!names.includes(name)) refuse(name === undefined ? "no template is named" : `there is no template "${name}"`);
if (given === undefined || more.length > 0) refuse("give one folder");
const folder = resolve(given);
if (existsSync(folder) && readdirSync(folder).length > 0) refuse(`${folder} is not empty`);

const from = join(root, "examples", name);
const isSource = (path) => !["node_modules", "dist"].includes(path.slice(from.length + 1));
mkdirSync(folder, { recursive: true });
cpSync(from, folder, { recursive: true, filter: isSource });
const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder, "./packages/ergodic"];
const [{ filename }] = JSON.parse(
  execFileSync("npm", pack, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }),
);
const settings = join(folder, "package.json");
const written = JSON.parse(readFileSync(settings, "utf8"));
written.dependencies.ergodic = `file:${filename}`;
writeFileSync(settings, `${JSON.stringify(written, null, 2)}\n`);
console.log(`${folder} is ready:\n  cd ${given}\n  npm install\n  npm run dev`);
