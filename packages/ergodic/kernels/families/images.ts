// Kernels of the family "images": convolutions, patches, pooling and circulant products.
export { convolutionF32, convolutionF64, convolutionInputF32, convolutionInputF64, convolutionWeightF32, convolutionWeightF64 } from "../engine/images/convolution";
export { depthwiseF32, depthwiseF64, depthwiseInputF32, depthwiseInputF64 } from "../engine/images/depthwise";
export { depthwiseWeightF32, depthwiseWeightF64 } from "../engine/images/depthwise-weight";
export { patchesF32, patchesF64, patchesInputF32, patchesInputF64 } from "../engine/images/patches";
export { averagePoolF32, averagePoolF64, averagePoolInputF32, averagePoolInputF64, maxPoolF32, maxPoolF64, maxPoolInputF32, maxPoolInputF64 } from "../engine/images/pooling";
export { circulantF32, circulantF64, circulantInputF32, circulantInputF64, circulantWeightF32, circulantWeightF64 } from "../engine/images/circulant";
