/** Links of Markdown files whose target does not exist: the file, or the heading that an anchor names. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** Relative targets of a document's links and pictures, outside of blocks of code. */
export function targetsOf(text: string): string[] {
  const prose = text.replaceAll(/^```.*?^```$/gms, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"\s]+)"/g)]
    .map(([, link, attribute]) => link ?? attribute ?? "")
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** Anchors of a document, as GitHub makes them from headings. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of text.replaceAll(/^```.*?^```$/gms, "").matchAll(/^#+ (.*)$/gm)) {
    const words = heading!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = words.replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(/\s/g, "-");
    let anchor = slug;
    for (let k = 1; anchors.has(anchor); k++) anchor = `${slug}-${k}`;
    anchors.add(anchor);
  }
  return anchors;
}

export function deadLinks(folder: string, path: string): string[] {
  const file = join(folder, path);
  return targetsOf(readFileSync(file, "utf8"))
    .filter((target) => {
      const [to, anchor] = target.split("#") as [string, string?];
      const page = to === "" ? file : resolve(dirname(file), decodeURI(to));
      if (!existsSync(page)) return true;
      if (anchor === undefined || !(statSync(page).isDirectory() || page.endsWith(".md"))) return false;
      const text = statSync(page).isDirectory() ? join(page, "README.md") : page;
      return !existsSync(text) || !anchorsOf(readFileSync(text, "utf8")).has(anchor);
    })
    .map((target) => `${path}: ${target}`);
}
