#!/usr/bin/python3
"""A collector of spans for tests: takes OTLP/HTTP in JSON, as strict as
opentelemetry-proto 1.3 and its mapping to JSON are.

otlp-collector.py FOLDER writes FOLDER/port, then for each request a line to
FOLDER/requests: {"at", "status", "spans": [...], "mistakes": [...],
"headers": {...}, "resource": {...}}.  FOLDER/mode says how it answers: "ok",
a status, "429 SECONDS", "partial N", "garbage", "slow SECONDS", "drop".
"""
import gzip
import json
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[1])

UINT64 = r"[0-9]{1,20}"
HEX16 = r"(?!0{16})[0-9a-f]{16}"
HEX32 = r"(?!0{32})[0-9a-f]{32}"

# Message: {field: what it is}; "!" is required here, [X] a list of X.
MESSAGES = {
    "ExportTraceServiceRequest": {"resourceSpans": ["ResourceSpans"]},
    "ResourceSpans": {"resource": "Resource", "scopeSpans": ["ScopeSpans"],
                      "schemaUrl": str},
    "Resource": {"attributes": ["KeyValue"], "droppedAttributesCount": int},
    "ScopeSpans": {"scope": "Scope", "spans": ["Span"], "schemaUrl": str},
    "Scope": {"name": str, "version": str, "attributes": ["KeyValue"],
              "droppedAttributesCount": int},
    "Span": {"traceId": HEX32, "spanId": HEX16, "traceState": str,
             "parentSpanId": HEX16, "flags": int, "name": str, "kind": int,
             "startTimeUnixNano": UINT64, "endTimeUnixNano": UINT64,
             "attributes": ["KeyValue"], "droppedAttributesCount": int,
             "events": ["Event"], "droppedEventsCount": int,
             "links": ["Link"], "droppedLinksCount": int,
             "status": "Status"},
    "Event": {"timeUnixNano": UINT64, "name": str,
              "attributes": ["KeyValue"], "droppedAttributesCount": int},
    "Link": {"traceId": HEX32, "spanId": HEX16, "traceState": str,
             "attributes": ["KeyValue"], "droppedAttributesCount": int,
             "flags": int},
    "Status": {"message": str, "code": int},
    "KeyValue": {"key": str, "value": "AnyValue"},
    "AnyValue": {"stringValue": str, "boolValue": bool,
                 "intValue": r"-?[0-9]{1,19}", "doubleValue": float,
                 "arrayValue": "ArrayValue", "kvlistValue": "KeyValueList",
                 "bytesValue": str},
    "ArrayValue": {"values": ["AnyValue"]},
    "KeyValueList": {"values": ["KeyValue"]},
}
REQUIRED = {
    "ExportTraceServiceRequest": ["resourceSpans"],
    "ResourceSpans": ["resource", "scopeSpans"],
    "ScopeSpans": ["scope", "spans"], "Scope": ["name"],
    "Span": ["traceId", "spanId", "name", "kind", "startTimeUnixNano",
             "endTimeUnixNano"],
    "KeyValue": ["key", "value"],
}


def wrong_value(kind, value, where):
    if isinstance(kind, list):
        if not isinstance(value, list):
            return [f"{where} is no list"]
        return [text for i, one in enumerate(value)
                for text in wrong_value(kind[0], one, f"{where}[{i}]")]
    if kind in MESSAGES:
        return wrong_message(kind, value, where)
    if isinstance(kind, str):
        if not isinstance(value, str) or not re.fullmatch(kind, value):
            return [f"{where} is {value!r}"]
        return []
    if kind is int and isinstance(value, bool):
        return [f"{where} is {value!r}"]
    if kind is float and isinstance(value, int):
        return []
    return [] if isinstance(value, kind) else [f"{where} is {value!r}"]


def wrong_message(name, value, where):
    if not isinstance(value, dict):
        return [f"{where} is no {name}"]
    wrong = [f"{where} has no {field}" for field in REQUIRED.get(name, [])
             if field not in value]
    for field, one in value.items():
        kind = MESSAGES[name].get(field)
        if kind is None:
            wrong.append(f"{where}.{field} is not in {name}")
        else:
            wrong += wrong_value(kind, one, f"{where}.{field}")
    if name == "AnyValue" and len(value) != 1:
        wrong.append(f"{where} has {len(value)} values")
    if name == "Span" and not wrong:
        wrong += wrong_span(value, where)
    return wrong


def wrong_span(span, where):
    wrong = []
    if not 0 <= span["kind"] <= 5:
        wrong.append(f"{where}.kind is {span['kind']}")
    if not 0 <= span.get("status", {}).get("code", 0) <= 2:
        wrong.append(f"{where}.status is {span['status']}")
    if int(span["endTimeUnixNano"]) < int(span["startTimeUnixNano"]):
        wrong.append(f"{where} ends before it begins")
    if not span["name"]:
        wrong.append(f"{where} has no name")
    keys = [one["key"] for one in span.get("attributes", [])]
    if len(set(keys)) != len(keys) or "" in keys:
        wrong.append(f"{where} has an attribute twice, or without a name")
    return wrong


def values_of(attributes):
    return {one["key"]: next(iter(one["value"].values()))
            for one in attributes}


class Collector(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        mode = (FOLDER / "mode").read_text().split()
        note = {"at": time.time(), "mistakes": self.wrong_head(),
                "size": len(body), "spans": [], "resource": {},
                "headers": {k.lower(): v for k, v in self.headers.items()}}
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        try:
            self.take(json.loads(body), note)
        except ValueError as error:
            note["mistakes"].append(f"no JSON: {error}")
        if mode[0] == "slow":
            time.sleep(float(mode[1]))
        status = int(mode[0]) if mode[0].isdigit() else 200
        note["status"] = status if mode[0] != "drop" else 0
        with open(FOLDER / "requests", "a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")
        self.answer(status, mode)

    def wrong_head(self):
        wrong = []
        if self.path != "/v1/traces":
            wrong.append(f"the path is {self.path}")
        if self.headers.get("Content-Type") != "application/json":
            wrong.append("the type is "
                         f"{self.headers.get('Content-Type')!r}")
        return wrong

    def take(self, request, note):
        wrong = wrong_message("ExportTraceServiceRequest", request, "request")
        note["mistakes"] += wrong
        if wrong:
            return
        for resource in request["resourceSpans"]:
            note["resource"] = values_of(resource["resource"]["attributes"])
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    note["spans"].append({**span, "attributes": values_of(
                        span.get("attributes", []))})

    def answer(self, status, mode):
        if mode[0] == "drop":
            self.close_connection = True
            return
        body = b"{}"
        if mode[0] == "partial":
            body = json.dumps({"partialSuccess": {
                "rejectedSpans": mode[1],
                "errorMessage": "too many"}}).encode()
        elif mode[0] == "garbage":
            body = b"\0<html>{{{" * 20000
        try:
            self.send_response(status)
            if status in (429, 503) and len(mode) > 1:
                self.send_header("Retry-After", mode[1])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


server = HTTPServer(("127.0.0.1", 0), Collector)
(FOLDER / "port.new").write_text(str(server.server_address[1]))
(FOLDER / "port.new").rename(FOLDER / "port")
server.serve_forever()
