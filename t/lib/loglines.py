#!/usr/bin/python3
"""Holds lines of logs against doc/log.schema.json.

loglines.py SCHEMA FILE... prints a line "FILE:LINE: what is wrong" for each
line that is not as described, then how many lines there were of each event.
"""
import json
import sys
from collections import Counter

import jsonschema


def read(path):
    """Lines end in a newline and in nothing else: no other splits them."""
    with open(path, "rb") as file:
        for number, line in enumerate(file.read().split(b"\n")[:-1], 1):
            yield number, line


def no_twice(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("a key stands there twice")
    return dict(pairs)


def mistakes(validator, line):
    try:
        value = json.loads(line.decode("utf-8"), object_pairs_hook=no_twice)
    except (UnicodeDecodeError, ValueError) as error:
        return [f"no JSON: {error}"], None
    return [f"{'/'.join(map(str, e.absolute_path)) or 'line'}: {e.message}"
            for e in validator.iter_errors(value)], value


def main(schema_file, *files):
    with open(schema_file, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    events = Counter()
    for path in files:
        for number, line in read(path):
            wrong, value = mistakes(validator, line)
            for text in wrong:
                print(f"{path}:{number}: {text}: {line[:300]!r}")
            if isinstance(value, dict):
                events[value.get("ev")] += 1
    for event, count in sorted(events.items(), key=str):
        print(f"{event} {count}")


main(*sys.argv[1:])
