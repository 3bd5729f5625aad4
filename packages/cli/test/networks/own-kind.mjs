/** A kind of layer that is not the library's. */
import { mlp } from "ergodic";
import { mul } from "ergodic/compiler";
import { layer } from "ergodic/layers";

const half = layer("half", (x) => mul(x, 0.5));

/** @param {{ outputs: number }} sizes */
export default ({ outputs }) => [half(), mlp([8], { outputs })];
