/**
 * The part of the Open Inference Protocol that a plain server needs for one binary FP32 input `input` and one binary
 * output, without checks.
 */

/** Returns the numbers of a request, in a separate array. */
export function readRequest(body, jsonLength) {
  const { inputs, id } = JSON.parse(body.utf8Slice(0, jsonLength));
  const [{ shape, parameters }] = inputs;
  const values = new Float32Array(parameters.binary_data_size / 4);
  new Uint8Array(values.buffer).set(body.subarray(jsonLength));
  return { id, shape, values };
}

/** Returns an answer: its bytes, and how many of them are JSON. `values`: Float32Array. */
export function writeAnswer(id, shape, values) {
  const json = `{"model_name":"m","model_version":"1"${id === undefined ? "" : `,"id":${JSON.stringify(id)}`},"outputs":[{"name":"probabilities","datatype":"FP32","shape":[${shape.join(",")}],"parameters":{"binary_data_size":${values.byteLength}}}]}`;
  const bytes = Buffer.allocUnsafe(json.length + values.byteLength);
  bytes.latin1Write(json);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), json.length);
  return { bytes, jsonLength: json.length };
}
