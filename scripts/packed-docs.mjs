/**
 * Makes the documents of a package work where npm unpacks them. npm calls it in the folder of the package: as `prepack`,
 * and with --restore as `postpack` and `postpublish`.
 *
 * `ergodic` contains docs/ and the examples that its pages link to. Links from other packages to docs/ lead to that copy
 * on the web, and links to other packages lead to their pages on npm. Links to files that no package contains become
 * plain text. README.md is rewritten in place, because npm packs no other file under that name. Its original is stored
 * in .packed/ until --restore, or the next call if npm was killed, writes it back.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, posix, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const own = basename(process.cwd());
const manifestOf = (name) => JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8"));
const shipsDocs = own === "ergodic";
const [readme, store, original, rewritten] = ["README.md", ".packed", ".packed/README.md", ".packed/rewritten.md"];
/** Folders that exist only while the package is packed. */
const copies = shipsDocs ? ["docs", "examples"] : [];
const examples = new Set();

/** Undoes an earlier call. @throws Error if README.md was edited since */
function restore() {
  rmSync(`${store}.new`, { recursive: true, force: true });
  if (!existsSync(store)) return;
  const [now, before, written] = [readme, original, rewritten].map((path) => readFileSync(path, "utf8"));
  if (now !== before && now !== written)
    throw new Error(
      `packed-docs: packages/${own}/README.md was edited while its links were those of the packed file; the original is packages/${own}/${original}: merge both, and delete packages/${own}/${store}`,
    );
  replace(readme, before);
  for (const folder of copies) rmSync(folder, { recursive: true, force: true });
  rmSync(store, { recursive: true });
}

/** Writes a file in one step, so that it is never incomplete. */
function replace(path, text) {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/**
 * Target of a link in the packed file, or undefined if no package contains it.
 * @param {string} path target, relative to the root of the repository
 * @param {(path: string) => string} within makes a path in this package relative to the file with the link
 */
function targetOf(path, within) {
  const [top, name, ...rest] = path.split("/");
  if (top === "docs") {
    if (shipsDocs) return within(path);
    const page = statSync(join(root, path)).isDirectory() ? `${path}/README.md` : path;
    return `https://unpkg.com/ergodic@${manifestOf("ergodic").version}/${page}`;
  }
  if (top === "packages" && name !== undefined) {
    if (name === own) return within(rest.join("/") || ".");
    return rest.length === 0 || rest.join("/") === readme ? `https://www.npmjs.com/package/${manifestOf(name).name}` : undefined;
  }
  if (!shipsDocs || top !== "examples" || !path.endsWith(".ts")) return undefined;
  examples.add(path);
  return within(path);
}

/** Rewrites the links of a document. `from`, `to`: its path in the repository and in the package. */
function withLinks(text, from, to) {
  const within = (path) => posix.relative(posix.dirname(to), path) || ".";
  const link = /^```.*?^```$|(!?\[(?<words>[^\]]*)\]\(|(?:src|srcset|href)=")(?<target>[^)"\s#:]+)(?<anchor>#[^)"\s]*)?[)"]/gms;
  return text.replace(link, (...found) => {
    const [whole, , { words, target, anchor = "" }] = [found[0], found[1], found.at(-1)];
    const path = target && posix.join(posix.dirname(from), target).replace(/\/$/, "");
    if (!path || !existsSync(join(root, path))) return whole;
    const moved = targetOf(path, within);
    return moved === undefined ? (words ?? whole) : whole.replace(`${target}${anchor}`, `${moved}${anchor}`);
  });
}

// To publish, npm reads README.md once more between postpack and postpublish, for the page of the package.
const stillRead = process.env.npm_command === "publish" && process.env.npm_lifecycle_event === "postpack";
if (!stillRead) restore();
if (process.argv[2] !== "--restore") {
  const before = readFileSync(readme, "utf8");
  const after = withLinks(before, `packages/${own}/${readme}`, readme);
  mkdirSync(`${store}.new`);
  writeFileSync(join(`${store}.new`, basename(original)), before);
  writeFileSync(join(`${store}.new`, basename(rewritten)), after);
  renameSync(`${store}.new`, store);
  if (shipsDocs) cpSync(join(root, "docs"), "docs", { recursive: true });
  for (const path of shipsDocs ? readdirSync("docs", { recursive: true, encoding: "utf8" }) : []) {
    const page = `docs/${path.replaceAll("\\", "/")}`;
    if (page.endsWith(".md")) writeFileSync(page, withLinks(readFileSync(page, "utf8"), page, page));
  }
  for (const path of examples) cpSync(join(root, path), path, { recursive: true });
  replace(readme, after);
}
