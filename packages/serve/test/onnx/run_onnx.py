"""Answers lines of JSON: {"model": path, "columns": path of float32 numbers, "width", "offset": path or none} with the outputs of Debian's onnxruntime,
each as a file."""
import json
import sys

import numpy
import onnxruntime

try:
    import onnx
except ImportError:
    onnx = None

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 3


def answer(request):
    checked = onnx is not None
    if checked:
        onnx.checker.check_model(request["model"], full_check=True)
    session = onnxruntime.InferenceSession(request["model"], options, providers=["CPUExecutionProvider"])
    columns = numpy.fromfile(request["columns"], dtype=numpy.float32).reshape(-1, request["width"])
    feeds = {"columns": columns}
    if request.get("offset"):
        feeds["offset"] = numpy.fromfile(request["offset"], dtype=numpy.float32).reshape(-1, 1)
    outputs = {}
    for port, values in zip(session.get_outputs(), session.run(None, feeds)):
        path = request["columns"] + "." + port.name
        values.astype(numpy.float64).tofile(path)
        outputs[port.name] = {"type": port.type, "shape": list(values.shape), "path": path}
    inputs = [{"name": given.name, "type": given.type, "shape": given.shape} for given in session.get_inputs()]
    return {
        "outputs": outputs,
        "input": inputs[0],
        "inputs": inputs,
        "metadata": session.get_modelmeta().custom_metadata_map,
        "operations": [node.op_type for node in onnx.load(request["model"]).graph.node] if checked else [],
        "checked": checked,
    }


print(json.dumps({"version": onnxruntime.__version__, "onnx": onnx.__version__ if onnx else None}), flush=True)
for line in sys.stdin:
    try:
        print(json.dumps(answer(json.loads(line))), flush=True)
    except Exception as error:  # every one is an answer
        print(json.dumps({"error": str(error)}), flush=True)
