// Rewrites declarations so that compilers from TypeScript 5.4 on can read them with any settings. tsc writes them for
// its own version and its own libraries.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** @param {string} text */
function forAllCompilers(text) {
  const widened = text
    // Typed arrays have had a type parameter since TypeScript 5.7.
    .replace(/\b(\w+Array)<ArrayBuffer>/g, 'ReturnType<$1Constructor["of"]>')
    .replace(/\b(\w+Array)<ArrayBufferLike>/g, "$1");
  const disposes = /\bDisposable\b|Symbol\.dispose/.test(widened) && !widened.startsWith("/// ");
  return disposes ? `/// <reference lib="esnext.disposable" />\n${widened}` : widened;
}

/** @param {string} folder all declarations below it */
export function rewriteDeclarations(folder) {
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".d.ts"))) {
    const text = readFileSync(join(folder, file), "utf8");
    const made = forAllCompilers(text);
    if (made !== text) writeFileSync(join(folder, file), made);
  }
}
