/** What a plain server needs of the Open Inference Protocol for one binary input `input` of FP32 and one binary output: no more, and no checks. */

/** The numbers of a request, in an array of their own. */
export function readRequest(body, jsonLength) {
  const { inputs, id } = JSON.parse(body.utf8Slice(0, jsonLength));
  const [{ shape, parameters }] = inputs;
  const values = new Float32Array(parameters.binary_data_size / 4);
  new Uint8Array(values.buffer).set(body.subarray(jsonLength));
  return { id, shape, values };
}

/** An answer: its bytes, and how many of them are JSON. `values`: Float32Array. */
export function writeAnswer(id, shape, values) {
  const json = `{"model_name":"m","model_version":"1"${id === undefined ? "" : `,"id":${JSON.stringify(id)}`},"outputs":[{"name":"probabilities","datatype":"FP32","shape":[${shape.join(",")}],"parameters":{"binary_data_size":${values.byteLength}}}]}`;
  const bytes = Buffer.allocUnsafe(json.length + values.byteLength);
  bytes.latin1Write(json);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), json.length);
  return { bytes, jsonLength: json.length };
}
