import { convolution, dense, flatten, maxPool, relu } from "ergodic";
/** @param {{ outputs: number, rowShape: readonly number[] }} sizes */
export default ({ outputs, rowShape: [height] }) => [convolution(8), relu(), maxPool(height / 4), flatten(), dense(outputs)];
