/** predict-mlp-…: probabilities from 784-256-10 with relu, against onnxruntime. */
import { dense, relu } from "ergodic";
import { predictions } from "../predictions.mjs";

const settings = {
  measures: "784-256-10",
  rowShape: [784],
  layers: (classes) => [dense(256), relu(), dense(classes)],
};

export default predictions("mlp", settings, [2, 1]);
