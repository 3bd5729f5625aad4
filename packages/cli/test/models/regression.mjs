/** What files of tests import, which are nowhere near a package. */
export { normal, regression } from "ergodic";
