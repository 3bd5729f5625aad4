/**
 * predict-cnn-…: probabilities from a small MobileNetV2 (width 0.35, 2.3 million multiply-adds) on images of 28 × 28,
 * against onnxruntime.
 */
import { mobileNetV2 } from "ergodic/layers";
import { predictions } from "../predictions.mjs";

const settings = {
  measures: "a small MobileNetV2 on 28 × 28",
  rowShape: [28, 28, 1],
  layers: (classes) => [mobileNetV2({ outputs: classes, form: "small", width: 0.35 })],
};

export default predictions("cnn", settings, [1, 1]);
