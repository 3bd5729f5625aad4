import { readFileSync } from "node:fs";
import { css, html } from "../../page/document.ts";
import type { Routes } from "../context.ts";
import { textAnswer } from "./schemas.ts";

/**
 * Allows only content from this server. Inline scripts are forbidden, and no other page can show this page in a frame.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Path, content and type of each file. */
const files: readonly (readonly [path: string, text: string, type: string])[] = [
  ["/", html, "text/html"],
  ["/page.js", readFileSync(new URL("../../page/page.js", import.meta.url), "utf8"), "text/javascript"],
  ["/page.css", css, "text/css"],
];

/**
 * A page for trying out models. It shows a model's columns as a form, the answer, and response times. The page contains
 * no data from the models and needs no token.
 */
export const addPage: Routes = (app) => {
  for (const [path, text, type] of files) {
    app.get(
      path,
      { config: { open: true }, schema: { summary: "A page to try the models", response: textAnswer } },
      (_, reply) => {
        reply
          .header("content-type", `${type}; charset=utf-8`)
          .header("content-security-policy", POLICY)
          .header("x-content-type-options", "nosniff");
        reply.header("referrer-policy", "no-referrer").send(text);
      },
    );
  }
};
