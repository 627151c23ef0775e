import { formatGoFloat32 } from "../../../core/go-format.ts";
import { isArray, type JsonObject, type JsonValue, jsonEquals, member } from "../../../core/json.ts";
import { parseSemver, type SemanticVersion } from "../../../core/semver.ts";
import { parseSemverRange } from "../../../core/semver-range.ts";
import { readYaml } from "../../../core/yaml/read-yaml.ts";
import { isNumber } from "../compile.ts";
import { JmesPathError } from "../errors.ts";
import { define, type Functions } from "./call.ts";

function lookup(where: JsonObject | readonly JsonValue[], key: string | number): JsonValue {
  if (!isArray(where)) {
    if (typeof key === "string") return member(where, key) ?? null;
    throw new JmesPathError("JMESPath function 'lookup': argument #2 is not of type String");
  }
  if (typeof key !== "number") throw new JmesPathError("JMESPath function 'lookup': argument #2 is not of type Number");
  if (Number.isSafeInteger(key)) return key < 0 ? null : (where[key] ?? null);
  throw new JmesPathError(`JMESPath function 'lookup': argument #2: expected an integer number but got: ${key}`);
}

function items(source: JsonObject | readonly JsonValue[], key: string, value: string): JsonValue {
  const pair = (k: JsonValue, v: JsonValue): JsonObject =>
    Object.fromEntries([
      [key, k],
      [value, v],
    ]);
  if (isArray(source)) return source.map((item, i) => pair(i, item));
  return Object.keys(source)
    .sort()
    .map((name) => pair(name, source[name] ?? null));
}

function objectFromLists(keys: readonly JsonValue[], values: readonly JsonValue[]): JsonValue {
  const entries = keys.map((key, i) => {
    if (typeof key !== "string" && typeof key !== "boolean" && !isNumber(key)) {
      throw new JmesPathError("JMESPath function 'object_from_lists': argument #1 is not of type StringArray");
    }
    return [isNumber(key) ? formatGoFloat32(Number(key)) : String(key), values[i] ?? null] as const;
  });
  return Object.fromEntries(entries);
}

/** What Kyverno compares where the version cannot be parsed. */
const noVersion: SemanticVersion = { major: "0", minor: "0", patch: "0", prerelease: [], build: [] };

function semverCompare(version: string, range: string): boolean {
  const accepts = parseSemverRange(range);
  if (accepts.ok) return accepts.value(parseSemver(version) ?? noVersion);
  throw new JmesPathError(accepts.message);
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new JmesPathError(error instanceof Error ? error.message : String(error));
  }
}

/** The first document, read as Kubernetes reads YAML; nothing at all is null. */
function parseYaml(text: string): JsonValue {
  const read = readYaml(text);
  if (!read.ok) throw new JmesPathError(read.diagnostics[0]?.message ?? "invalid YAML");
  return read.value;
}

export const structureFunctions: Functions = {
  label_match: define(["object", "object"], ([wanted, labels]) =>
    Object.keys(wanted).every((key) => Object.hasOwn(labels, key) && jsonEquals(labels[key], wanted[key])),
  ),
  lookup: define(
    [
      ["object", "array"],
      ["string", "number"],
    ],
    ([where, key]) => lookup(where, key),
  ),
  items: define([["object", "array"], "string", "string"], ([source, key, value]) => items(source, key, value)),
  object_from_lists: define(["array", "array"], ([keys, values]) => objectFromLists(keys, values)),
  semver_compare: define(["string", "string"], ([version, range]) => semverCompare(version, range)),
  parse_json: define(["string"], ([text]) => parseJson(text)),
  parse_yaml: define(["string"], ([text]) => parseYaml(text)),
};
