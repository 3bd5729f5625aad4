// @ts-nocheck: a program of JavaScript, as users write it.
import { main } from "./app.js";

globalThis.outcome = main(globalThis.given);
