#!/usr/bin/env node
// Stands in the repository, unlike dist/, so that npm finds it to link before anything is built.
import "../dist/main.js";
