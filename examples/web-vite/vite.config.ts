import { defineConfig } from "vite";

// With these headers memory can be shared, and one run can use several threads. All works without them, too.
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

export default defineConfig({ server: { headers }, preview: { headers } });
