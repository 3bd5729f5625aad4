#!/usr/bin/env node
// Stands in the repository, unlike dist/, so that npm finds it to link before anything is built.
import module from "node:module";

// Node >= 22 keeps what it compiled in the system's temporary folder: from the second time on the command begins a third sooner.
module.enableCompileCache?.();
await import("../dist/main.js");
