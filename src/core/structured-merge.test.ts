import { describe, expect, test } from "vitest";
import type { JsonObject } from "./json.ts";
import type { KubernetesObject } from "./kubernetes.ts";
import { kubernetesSchemas, type Schema } from "./schema.ts";
import { structuredMerge } from "./structured-merge.ts";

const text: Schema = { type: "string" };
const definition: Schema = {
  type: "object",
  properties: {
    apiVersion: text,
    kind: text,
    metadata: { type: "object", properties: { labels: { type: "object", additionalProperties: text } } },
    ports: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["port", "protocol"],
      items: {
        type: "object",
        properties: { port: { type: "integer" }, protocol: { type: "string", default: "TCP" }, name: text },
      },
    },
    names: { type: "array", "x-kubernetes-list-type": "set", items: text },
    args: { type: "array", items: text },
    selector: { type: "object", "x-kubernetes-map-type": "atomic", additionalProperties: text },
  },
};
const schemas = kubernetesSchemas({
  kubernetesVersion: "1.36",
  kinds: { "v1/Thing": "Thing" },
  resources: [],
  definitions: { Thing: definition },
  lifecycle: {},
});

const thing = (parts: JsonObject): KubernetesObject => ({ apiVersion: "v1", kind: "Thing", ...parts });

function merged(live: JsonObject, patch: JsonObject): JsonObject | string {
  const result = structuredMerge(thing(live), patch, schemas);
  if (!result.ok) return result.message;
  const { apiVersion: _a, kind: _k, ...rest } = result.value;
  return rest;
}

describe("a configuration is merged by the schema of the kind", () => {
  test.each<[string, JsonObject, JsonObject, JsonObject]>([
    [
      "maps by member",
      { metadata: { labels: { a: "1" } } },
      { metadata: { labels: { b: "2" } } },
      { metadata: { labels: { a: "1", b: "2" } } },
    ],
    [
      "list items by their keys",
      { ports: [{ port: 1, name: "a" }] },
      { ports: [{ port: 1, name: "b" }] },
      { ports: [{ port: 1, name: "b" }] },
    ],
    [
      "keys with defaults",
      { ports: [{ port: 1, name: "a" }] },
      { ports: [{ port: 1, protocol: "TCP" }] },
      { ports: [{ port: 1, name: "a", protocol: "TCP" }] },
    ],
    [
      "other items are added behind those that are there",
      { ports: [{ port: 1 }] },
      { ports: [{ port: 2 }] },
      { ports: [{ port: 1 }, { port: 2 }] },
    ],
    [
      "in the order of the configuration",
      { ports: [{ port: 1 }, { port: 9 }] },
      { ports: [{ port: 2 }, { port: 1 }] },
      { ports: [{ port: 2 }, { port: 1 }, { port: 9 }] },
    ],
    ["sets hold each value once", { names: ["a", "b"] }, { names: ["b", "c"] }, { names: ["a", "b", "c"] }],
    [
      "items that share their keys keep their order",
      { names: ["x", "a", "y", "b"] },
      { names: ["b", "a"] },
      { names: ["x", "y", "b", "a"] },
    ],
  ])("%s", (_, live, patch, expected) => expect(merged(live, patch)).toEqual(expected));

  test.each<[string, JsonObject, string]>([
    ["a list as a whole", { args: ["a"] }, "invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .args"],
    [
      "a map as a whole",
      { selector: { a: "b" } },
      "invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .selector",
    ],
    [
      "a field that is not there",
      { nmes: [] },
      "failed to convert patch object to typed object: .nmes: field not declared in schema",
    ],
  ])("%s is refused", (_, patch, message) => expect(merged({}, patch)).toBe(message));

  test("server-side apply replaces what is a whole", () => {
    const result = structuredMerge(thing({ args: ["a"] }), { args: ["b"] }, schemas, { allowAtomic: true });
    expect(result).toEqual({ ok: true, value: thing({ args: ["b"] }) });
  });

  test("of a kind that nobody described, maps merge", () => {
    const live = { apiVersion: "x.io/v1", kind: "Other", spec: { a: { b: 1 } } };
    expect(structuredMerge(live, { spec: { a: { c: 2 } } }, schemas)).toEqual({
      ok: true,
      value: { ...live, spec: { a: { b: 1, c: 2 } } },
    });
  });
});

describe("a configuration that is none of the kind is refused", () => {
  const problem = (at: string, text: string) => `failed to convert patch object to typed object: ${at}: ${text}`;

  test.each<[string, JsonObject, string]>([
    ["a list for a map", { metadata: [] }, problem(".metadata", "expected map, got &{[]}")],
    ["null for a map", { metadata: null }, problem(".metadata", "expected map, got &{NULL_VALUE}")],
    ["a map for a list", { ports: { port: 1 } }, problem(".ports", "expected list, got &{map[port:1]}")],
    [
      "a text for a number",
      { ports: [{ port: "1" }] },
      problem('.ports[port="1",protocol="TCP"].port', "expected numeric (int or float), got string"),
    ],
    ["a number for a text", { args: [5] }, problem(".args[0]", "expected string, got &value.valueUnstructured{Value:5}")],
    [
      "a field that is not there",
      { ports: [{ port: 1, nome: "x" }] },
      problem('.ports[port=1,protocol="TCP"].nome', "field not declared in schema"),
    ],
    [
      "the same item twice",
      { ports: [{ port: 1 }, { port: 1, protocol: "TCP" }] },
      problem(".ports", 'duplicate entries for key [port=1,protocol="TCP"]'),
    ],
    ["the same text twice", { names: ["a", "a"] }, problem(".names", 'duplicate entries for key [="a"]')],
    [
      "several at once",
      { metadata: 1, args: "x" },
      "failed to convert patch object to typed object: errors:\n  .metadata: expected map, got &{1}\n  .args: expected list, got &{x}",
    ],
  ])("%s", (_, patch, message) => {
    expect(merged({}, patch)).toBe(message);
  });
});
