#!/usr/bin/python3
"""Holds monitoring/logs/ against doc/log.schema.json and lines of a site.

shipping.py TOP FILE... prints a line for each mistake: YAML that is none, a
field that no line has, a label of too many values, a time that is not read,
LogQL with an unknown label or key.
"""
import configparser
import json
import re
import sys
from datetime import datetime
from pathlib import Path

import yaml

TOP = Path(sys.argv[1])
FOLDER = TOP / "monitoring" / "logs"
FEW = {"job", "lvl", "prog"}    # what may be a label
wrong = []


def keys_of_schema():
    schema = json.loads((TOP / "doc" / "log.schema.json").read_text())
    keys = set(schema["properties"])
    for rule in schema["allOf"]:
        keys |= set(rule["then"].get("properties", {}))
    return keys | {"msg"}, set(schema["properties"]["ev"]["enum"])


KEYS, EVENTS = keys_of_schema()


def lines():
    for path in sys.argv[2:]:
        for line in Path(path).read_bytes().split(b"\n")[:-1]:
            yield line.decode(), json.loads(line)


def check(truth, text):
    if not truth:
        wrong.append(text)


def check_promtail():
    """Its stages, in their order, done to each line."""
    conf = yaml.safe_load((FOLDER / "promtail.yaml").read_text())
    scrape, = conf["scrape_configs"]
    labels = scrape["static_configs"][0]["labels"]
    stages = [next(iter(stage.items()))
              for stage in scrape["pipeline_stages"]]
    check([name for name, _ in stages] ==
          ["json", "match", "timestamp", "labels", "structured_metadata"],
          "promtail: other stages than this test knows")
    stage = dict(stages)
    extracted = stage["json"]["expressions"]
    check(set(extracted.values()) <= KEYS, "promtail: an unknown field")
    check(set(stage["labels"]) <= FEW & set(extracted),
          "promtail: a label of many values, or that is not read")
    check(set(stage["structured_metadata"]) <= set(extracted),
          "promtail: metadata that is not read")
    keep = re.fullmatch(r'\{job="seoga"\} !~ "(.*)"',
                        stage["match"]["selector"])
    check(keep and stage["match"]["action"] == "drop", "promtail: match")
    pattern = re.compile(json.loads(f'"{keep[1]}"'))
    for text, line in lines():
        check(pattern.search(text), f"promtail drops {text}")
        found = {name: line.get(key) for name, key in extracted.items()}
        check(None not in found.values(), f"promtail: {found}")
        # RFC3339Nano: any number of digits behind the point.
        datetime.fromisoformat(found["ts"].replace("Z", "+00:00"))
    check(not pattern.search("half a line"), "promtail keeps anything")
    return set(labels) - {"__path__"} | set(stage["labels"])


def sections(name):
    """Fluent Bit's classic form: [SECTION], then indented keys."""
    found = []
    for text in (FOLDER / name).read_text().splitlines():
        if not text.strip() or text.startswith("#"):
            continue
        if re.fullmatch(r"\[[A-Z]+\]", text):
            found.append((text[1:-1], {}))
        else:
            entry = re.fullmatch(r"    (\w+) +(\S.*)", text)
            check(entry and found, f"{name}: {text!r}")
            found[-1][1][entry[1]] = entry[2]
    return found


def check_fluent_bit():
    main = dict(sections("fluent-bit.conf"))
    (kind, parser), = sections("fluent-bit-parsers.conf")
    check(kind == "PARSER" and parser["Format"] == "json"
          and parser["Name"] == main["INPUT"]["Parser"], "fluent-bit: parser")
    check(main["SERVICE"]["Parsers_File"] == "fluent-bit-parsers.conf",
          "fluent-bit: its parsers are elsewhere")
    labels = re.findall(r"\$(\w+)", main["OUTPUT"]["Label_Keys"])
    check(set(labels) <= FEW, "fluent-bit: a label of many values")
    key, regex = main["FILTER"]["Regex"].split(None, 1)
    # %L is a fraction of any length there, %f of up to six digits here.
    time_format = parser["Time_Format"].replace("%L", "%f")
    for text, line in lines():
        check(re.search(regex, line[key]), f"fluent-bit drops {text}")
        datetime.strptime(line[parser["Time_Key"]], time_format)


def check_logql(name, query, labels):
    """A selector, stages, a range: which labels and keys they name."""
    selectors = re.findall(r"\{([^}]*)\}", query)
    check(selectors, f"{name}: no selector")
    for selector in selectors:
        for matcher in selector.split(","):
            found = re.fullmatch(r'\s*(\w+)(?:=|!=|=~|!~)"[^"]*"\s*', matcher)
            check(found and found[1] in labels, f"{name}: {matcher}")
    check(query.count("| json") == len(selectors)
          == len(re.findall(r"\[\d+[smh]\]", query)),
          f"{name}: a selector without json or range")
    check(query.count("(") == query.count(")"), f"{name}: brackets")
    for event in re.findall(r'\bev="([^"]*)"', query):
        check(event in EVENTS, f"{name}: no event {event}")
    for stage in re.findall(r"\|\s*([^|\[]+)", query):
        key = re.match(r'(?:unwrap\s+)?(\w+)', stage)[1]
        check(key == "json" or key in KEYS, f"{name}: no key {key}")
    for group in re.findall(r"\bby \(([^)]*)\)", query):
        for key in group.split(","):
            check(key.strip() in KEYS | labels, f"{name}: by {key}")


def check_rules(labels):
    rules = yaml.safe_load((FOLDER / "loki-rules.yaml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            check(re.fullmatch(r"[a-z0-9_:]+", rule["record"]),
                  f"{rule['record']} is no name")
            check_logql(rule["record"], rule["expr"], labels)


def check_unit():
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read(FOLDER / "seoga-journal.service")
    check(unit["Service"]["ExecStart"].endswith("seoga logs --follow"),
          "journal: another command")


check_rules(check_promtail())
check_fluent_bit()
check_unit()
print("\n".join(wrong[:20]))
