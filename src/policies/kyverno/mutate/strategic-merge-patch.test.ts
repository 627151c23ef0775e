import { expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { compileStrategicMergePatch } from "./strategic-merge-patch.ts";

const pod = (spec: JsonObject, metadata: JsonObject = { name: "p" }): JsonObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata,
  spec,
});
const containers = (...list: readonly JsonValue[]): JsonObject => pod({ containers: list });

// Every row was also run through Kyverno 1.19.1.
test.each<[string, JsonObject, JsonObject, JsonObject | string]>([
  ["+() adds what is missing", pod({ a: 1 }), { spec: { "+(a)": 2, "+(b)": 3 } }, pod({ a: 1, b: 3 })],
  ["+() adds whole objects", pod({}), { metadata: { "+(labels)": { a: "b" } } }, pod({}, { name: "p", labels: { a: "b" } })],
  ["a condition that holds lets the patch through", pod({ a: "x" }), { spec: { "(a)": "x", b: 1 } }, pod({ a: "x", b: 1 })],
  [
    "a condition that fails stops it",
    pod({ a: "y" }),
    { metadata: { "+(labels)": { l: "1" } }, spec: { "(a)": "x", b: 1 } },
    pod({ a: "y" }),
  ],
  ["a condition on a missing key fails", pod({}), { spec: { "(a)": "*", b: 1 } }, pod({})],
  ["conditions compare scalars as texts", pod({ a: true }), { spec: { "(a)": "true", b: 1 } }, pod({ a: true, b: 1 })],
  ["conditions know operators", pod({ a: 5 }), { spec: { "(a)": ">3 & <7", b: 1 } }, pod({ a: 5, b: 1 })],
  [
    "conditions may be objects",
    pod({ a: { b: "x", c: 1 } }),
    { spec: { "(a)": { b: "x" }, d: 1 } },
    pod({ a: { b: "x", c: 1 }, d: 1 }),
  ],
  [
    "a list item with a condition stands for every item that meets it",
    containers({ name: "a", image: "x:latest" }, { name: "b", image: "y:1" }, { name: "c", image: "z:latest" }),
    { spec: { containers: [{ "(image)": "*:latest", imagePullPolicy: "Always" }] } },
    containers(
      { name: "a", image: "x:latest", imagePullPolicy: "Always" },
      { name: "c", image: "z:latest", imagePullPolicy: "Always" },
      { name: "b", image: "y:1" },
    ),
  ],
  [
    "a list item whose condition nothing meets goes",
    containers({ name: "a", image: "x" }),
    { spec: { containers: [{ "(image)": "y", tty: true }] } },
    containers({ name: "a", image: "x" }),
  ],
  [
    "items without a name cannot be patched",
    pod({ tolerations: [{ key: "a" }] }),
    { spec: { tolerations: [{ "(key)": "a", effect: "x" }] } },
    pod({ tolerations: [{ key: "a" }] }),
  ],
  [
    "what the first item decides about +() holds for the others",
    containers({ name: "a", tty: true }, { name: "b" }),
    { spec: { containers: [{ "(name)": "*", "+(tty)": false, stdin: true }] } },
    containers({ name: "a", tty: true, stdin: true }, { name: "b", stdin: true }),
  ],
  [
    "a global condition that no item meets stops the patch",
    containers({ name: "a", image: "x" }),
    { metadata: { labels: { l: "1" } }, spec: { containers: [{ "<(image)": "y" }] } },
    containers({ name: "a", image: "x" }),
  ],
  [
    "one item that meets it is enough",
    containers({ name: "a", image: "x" }, { name: "b", image: "y" }),
    { spec: { containers: [{ "<(image)": "y" }], imagePullSecrets: [{ name: "s" }] } },
    pod({
      containers: [
        { name: "a", image: "x" },
        { name: "b", image: "y" },
      ],
      imagePullSecrets: [{ name: "s" }],
    }),
  ],
  ["empty objects of the patch add nothing", pod({}), { spec: { a: {}, b: { c: {} } } }, pod({})],
  ["other anchors are plain keys", pod({ a: 1 }), { spec: { "=(a)": 2 } }, pod({ a: 1, "=(a)": 2 })],
  [
    "conditions for a list meet a scalar",
    pod({ a: "text" }),
    { spec: { a: [{ "(b)": 1 }] } },
    "failed to preProcess rule: wrong node kind: expected SequenceNode but got ScalarNode",
  ],
])("%s", (_, object, patch, expected) => {
  const patched = compileStrategicMergePatch(patch)(object);
  if (typeof expected === "string") expect(patched.ok ? "patched" : patched.message).toContain(expected);
  else expect(patched).toEqual({ ok: true, value: expected });
});
