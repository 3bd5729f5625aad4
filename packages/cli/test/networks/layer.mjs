/** One layer. */
import { mlp } from "ergodic";

export default mlp([16], { outputs: 10 });
