/** A plain function, which no file can hold. */
import { dense, flatten } from "ergodic";

/** @type {import("ergodic/layers").LayerFunction} */
export default (x, scope) => scope.apply(dense(10), scope.apply(flatten(), x, "flat"), "out");
