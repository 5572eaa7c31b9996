#!/usr/bin/env python3
"""A corpus as one file, an input a line in hexadecimal digits, and as the directory of files that libFuzzer wants.

usage: corpus.py unpack FILE DIRECTORY
       corpus.py pack DIRECTORY FILE
"""
import hashlib
import os
import sys


def unpack(file, directory):
    with open(file, encoding="ascii") as lines:
        for line in lines:
            data = bytes.fromhex(line)
            with open(os.path.join(directory, hashlib.sha1(data).hexdigest()), "wb") as out:
                out.write(data)


def pack(directory, file):
    inputs = []
    for name in os.listdir(directory):
        with open(os.path.join(directory, name), "rb") as data:
            inputs.append(data.read())
    with open(file, "w", encoding="ascii") as out:
        out.writelines(data.hex() + "\n" for data in sorted(inputs, key=lambda data: (len(data), data)) if data)


if len(sys.argv) != 4 or sys.argv[1] not in ("pack", "unpack"):
    sys.exit(__doc__)
{"pack": pack, "unpack": unpack}[sys.argv[1]](sys.argv[2], sys.argv[3])
