"""Both ways through the published safetensors format with nothing but struct and json (the python package is not in Debian).

  python3 safetensors.py write > fixture.hex   a file made by hand, as test/engine/files/safetensors.test.ts reads it
  python3 safetensors.py read FILE             prints what a reader of the published format finds, as JSON
"""
import json
import struct
import sys

CODES = {"F64": "d", "F32": "f", "I64": "q", "U64": "Q", "I32": "i", "U32": "I", "I16": "h", "U16": "H", "I8": "b", "U8": "B"}


def write():
    header = (
        '{"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},'
        '"h":{"dtype":"BF16","shape":[2],"data_offsets":[16,20]},'
        '"half":{"dtype":"F16","shape":[3],"data_offsets":[20,26]},'
        '"n":{"dtype":"I16","shape":[1,1],"data_offsets":[26,28]},'
        '"empty":{"dtype":"F64","shape":[0,3],"data_offsets":[28,28]},'
        '"scalar":{"dtype":"F64","shape":[],"data_offsets":[28,36]},'
        '"__metadata__":{"made":"by hand \\u00e9"}}'
    ).encode()
    body = struct.pack("<4f", 1, -2.5, 0.1, 3e38) + struct.pack("<HH", 0x3F80, 0xC049)
    body += struct.pack("<3e", 1.5, -65504, 2**-24) + struct.pack("<h", -7) + struct.pack("<d", 0.1)
    print((struct.pack("<Q", len(header)) + header + body).hex())


def read(path):
    data = open(path, "rb").read()
    (length,) = struct.unpack_from("<Q", data)
    text = data[8 : 8 + length]
    assert text[:1] == b"{" and length % 8 == 0
    header = json.loads(text)
    metadata = header.pop("__metadata__", {})
    tensors, at = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        assert begin == at, "no gaps"
        code = CODES[entry["dtype"]]
        assert begin % struct.calcsize(code) == 0, "aligned"
        count = (end - begin) // struct.calcsize(code)
        tensors[name] = {**entry, "values": struct.unpack_from(f"<{count}{code}", data, 8 + length + begin)}
        at = end
    assert 8 + length + at == len(data)
    print(json.dumps({"metadata": metadata, "tensors": tensors}))


write() if sys.argv[1] == "write" else read(sys.argv[2])
