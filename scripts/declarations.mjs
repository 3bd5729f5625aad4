// Declarations as compilers from TypeScript 5.4 on read them, whatever their settings: what tsc writes is for its own version and the libraries it was given.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** @param {string} text */
function forAllCompilers(text) {
  const widened = text
    // Typed arrays have had a parameter since 5.7.
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
