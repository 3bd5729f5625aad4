/** A kind of layer that is not the library's. */
import { layer, mlp } from "ergodic";
import { mul } from "ergodic/compiler";

const half = layer("half", (x) => mul(x, 0.5));

/** @param {{ outputs: number }} sizes */
export default ({ outputs }) => [half(), mlp([8], { outputs })];
