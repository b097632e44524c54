#!/usr/bin/python3
"""Checks an OpenAPI 3.1 file, and JSON values against its schemas.

openapi.py FILE writes one line of JSON: {"document": ..., "mistakes": [...]}.
Then each line {"schema": SCHEMA, "value": VALUE} on standard input is
answered with one line, the list of what is wrong with the value.

Debian 12 packages no meta-schema of OpenAPI 3.1, so SHAPES says what the
specification says of the objects used here; the schemas themselves are
checked against the meta-schema of JSON Schema 2020-12.
"""
import json
import re
import sys
import warnings

import jsonschema
import yaml

warnings.simplefilter("ignore", DeprecationWarning)

# Object: (required members, {member: what it is}).  "*" stands for any other
# name; [X] for a list of X, {X} for a map to X, None for plain values.
METHODS = ("get", "put", "post", "delete", "options", "head", "patch",
           "trace")
SHAPES = {
    "document": ("openapi info", {
        "openapi": None, "info": "info", "servers": ["server"],
        "paths": {"path": "path item"}, "components": "components",
        "tags": ["tag"], "security": [None], "externalDocs": None,
        "jsonSchemaDialect": None}),
    "info": ("title version", {
        "title": None, "version": None, "summary": None, "description": None,
        "license": None, "contact": None, "termsOfService": None}),
    "server": ("url", {"url": None, "description": None, "variables": None}),
    "tag": ("name", {"name": None, "description": None,
                     "externalDocs": None}),
    "components": ("", {
        "schemas": {"name": "schema"}, "responses": {"name": "response"},
        "parameters": {"name": "parameter"}, "headers": {"name": "header"},
        "securitySchemes": {"name": "security scheme"}}),
    "path item": ("", {
        "summary": None, "description": None, "servers": ["server"],
        "parameters": ["parameter"],
        **{method: "operation" for method in METHODS}}),
    "operation": ("operationId responses summary tags", {
        "operationId": None, "tags": [None], "summary": None,
        "description": None, "parameters": ["parameter"],
        "requestBody": "request body", "responses": {"status": "response"},
        "security": [None], "deprecated": None}),
    "parameter": ("name in schema description", {
        "name": None, "in": None, "description": None, "required": None,
        "schema": "schema", "example": None, "style": None,
        "explode": None}),
    "request body": ("content", {
        "description": None, "required": None,
        "content": {"media": "media type"}}),
    "response": ("description headers", {
        "description": None, "headers": {"header": "header"},
        "content": {"media": "media type"}}),
    "media type": ("schema", {"schema": "schema", "example": None,
                              "examples": None}),
    "header": ("description schema", {
        "description": None, "required": None, "schema": "schema"}),
    "security scheme": ("type", {
        "type": None, "scheme": None, "bearerFormat": None,
        "description": None}),
}
NAMES = {
    "path": r"/.*", "status": r"[1-5][0-9][0-9]|default",
    "name": r"[A-Za-z0-9._-]+", "header": r"[!#$%&'*+.^_`|~0-9A-Za-z-]+",
    "media": r"[a-z]+/[a-z0-9.+-]+",
}
PLACES = ("path", "query", "header", "cookie")


class Checker:
    def __init__(self, document):
        self.document = document
        self.mistakes = []
        self.used = set()

    def blame(self, where, text):
        self.mistakes.append(f"{where}: {text}")

    def resolve(self, where, value):
        """What a {"$ref": "#/..."} points to; other values as they are."""
        if not isinstance(value, dict) or "$ref" not in value:
            return value
        self.used.add(value["$ref"])
        target = self.document
        for part in value["$ref"].lstrip("#/").split("/"):
            part = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(target, dict) or part not in target:
                self.blame(where, f"{value['$ref']} leads nowhere")
                return {}
            target = target[part]
        return target

    # -- objects ----------------------------------------------------------

    def check(self, where, value, kind):
        if kind is None:
            return
        if isinstance(kind, list):
            if not isinstance(value, list):
                self.blame(where, "must be a list")
                return
            for n, item in enumerate(value):
                self.check(f"{where}/{n}", item, kind[0])
        elif isinstance(kind, dict):
            self.check_map(where, value, kind)
        elif kind == "schema":
            self.check_schema(where, value)
        else:
            self.check_object(where, value, kind)

    def check_map(self, where, value, kind):
        (names, member), = kind.items()
        if not isinstance(value, dict) or not value:
            self.blame(where, "must be a map with members")
            return
        for name, item in value.items():
            if not re.fullmatch(NAMES[names], name):
                self.blame(where, f"{name} is no {names}")
            self.check(f"{where}/{name}", item, member)

    def check_object(self, where, value, kind):
        if not isinstance(value, dict):
            self.blame(where, f"must be a {kind}")
            return
        if "$ref" in value:
            self.resolve(where, value)
            if set(value) - {"$ref", "summary", "description"}:
                self.blame(where, "has members beside $ref")
            return
        required, members = SHAPES[kind]
        for name in required.split():
            if name not in value:
                self.blame(where, f"{name} is missing")
        for name, item in value.items():
            if name.startswith("x-"):
                continue
            if name not in members:
                self.blame(where, f"{name} does not belong to a {kind}")
            else:
                self.check(f"{where}/{name}", item, members[name])

    def check_schema(self, where, schema):
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as error:
            self.blame(where, error.message)
        self.check_references(where, schema)

    def check_references(self, where, schema):
        if isinstance(schema, dict):
            if "$ref" in schema:
                self.resolve(where, schema)
            for name, item in schema.items():
                self.check_references(f"{where}/{name}", item)
        elif isinstance(schema, list):
            for n, item in enumerate(schema):
                self.check_references(f"{where}/{n}", item)

    # -- what goes together ------------------------------------------------

    def check_document(self):
        self.check("#", self.document, "document")
        if not re.fullmatch(r"3\.1\.\d+", self.document["openapi"]):
            self.blame("#/openapi", "must be 3.1.x")
        seen = set()
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    self.check_operation(path, item, method, seen)
        for name, parameter in \
                self.document["components"]["parameters"].items():
            self.check_parameter(name, parameter)
        self.check_components()

    def check_operation(self, path, item, method, seen):
        operation = item[method]
        where = f"{method} {path}"
        if operation.get("operationId") in seen:
            self.blame(where, "the operationId is taken")
        seen.add(operation.get("operationId"))
        given = [self.resolve(where, p) for p in
                 item.get("parameters", []) + operation.get("parameters", [])]
        in_path = {p["name"] for p in given if p["in"] == "path"}
        if in_path != set(re.findall(r"\{(.*?)\}", path)):
            self.blame(where, "the path's parameters are not those declared")
        if len({(p["in"], p["name"]) for p in given}) != len(given):
            self.blame(where, "a parameter comes twice")
        if not any(s.startswith("2") for s in operation["responses"]):
            self.blame(where, "no response is a success")
        tags = {tag["name"] for tag in self.document["tags"]}
        if not set(operation["tags"]) <= tags:
            self.blame(where, "a tag is not declared")
        schemes = self.document["components"]["securitySchemes"]
        for scheme in operation.get("security", []):
            if not set(scheme) <= set(schemes):
                self.blame(where, "a security scheme is not declared")

    def check_parameter(self, name, parameter):
        if parameter["in"] not in PLACES:
            self.blame(name, f"in must be one of {PLACES}")
        if parameter["in"] == "path" and not parameter.get("required"):
            self.blame(name, "a path's parameter must be required")

    def check_components(self):
        for kind, members in self.document["components"].items():
            for name in members:
                ref = f"#/components/{kind}/{name}"
                if kind != "securitySchemes" and ref not in self.used \
                        and ref != "#/components/responses/MethodNotAllowed":
                    self.blame(ref, "is used nowhere")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = yaml.safe_load(file)
    checker = Checker(document)
    checker.check_document()
    print(json.dumps({"document": document, "mistakes": checker.mistakes}),
          flush=True)
    resolver = jsonschema.RefResolver("", document)
    for line in sys.stdin:
        asked = json.loads(line)
        validator = jsonschema.Draft202012Validator(
            asked["schema"], resolver=resolver,
            format_checker=jsonschema.FormatChecker())
        print(json.dumps([
            f"{error.json_path}: {error.message}"
            for error in validator.iter_errors(asked["value"])]), flush=True)


main()
