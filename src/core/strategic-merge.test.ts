import fc from "fast-check";
import { expect, test } from "vitest";
import { type JsonObject, valueAt } from "./json.ts";
import { applyStrategicMerge } from "./strategic-merge.ts";

const pod = (spec: JsonObject, metadata: JsonObject = { name: "p" }): JsonObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata,
  spec,
});
const custom = (spec: JsonObject): JsonObject => ({ apiVersion: "example.com/v1", kind: "Thing", spec });

// Every row was also run through kustomize's kyaml 0.21.1.
test.each<[string, JsonObject, JsonObject, JsonObject | string]>([
  [
    "containers merge by name, those of the patch first",
    pod({ containers: [{ name: "a", image: "1" }, { name: "b" }] }),
    { spec: { containers: [{ name: "c" }, { name: "a", image: "2" }] } },
    pod({ containers: [{ name: "c" }, { name: "a", image: "2" }, { name: "b" }] }),
  ],
  [
    "a list without a merge key is replaced",
    pod({ containers: [{ name: "a", args: ["x", "y"] }], tolerations: [{ key: "x" }] }),
    { spec: { containers: [{ name: "a", args: ["z"] }], tolerations: [{ key: "y" }] } },
    pod({ containers: [{ name: "a", args: ["z"] }], tolerations: [{ key: "y" }] }),
  ],
  [
    "lists of a custom resource are replaced",
    custom({ containers: [{ name: "a" }] }),
    { spec: { containers: [{ name: "b" }] } },
    custom({ containers: [{ name: "b" }] }),
  ],
  [
    "but not those of an object inside it that says its kind",
    custom({ template: pod({ containers: [{ name: "a" }] }) }),
    { spec: { template: { spec: { containers: [{ name: "b" }] } } } },
    custom({ template: pod({ containers: [{ name: "b" }, { name: "a" }] }) }),
  ],
  ["null removes", pod({ hostNetwork: true, nodeName: "n" }), { spec: { hostNetwork: null } }, pod({ nodeName: "n" })],
  ["null adds nothing", pod({}), { spec: { a: null, b: { c: null, d: 1 } } }, pod({ b: { d: 1 } })],
  [
    "a null of the object stays",
    pod({ securityContext: null }),
    { metadata: { name: "q" } },
    pod({ securityContext: null }, { name: "q" }),
  ],
  [
    "lists of scalars are united",
    pod({}, { finalizers: ["a", "b"] }),
    { metadata: { finalizers: ["c", "b"] } },
    pod({}, { finalizers: ["c", "b", "a"] }),
  ],
  [
    "ports are told apart by number and protocol",
    pod({
      containers: [
        {
          name: "a",
          ports: [
            { containerPort: 80, protocol: "TCP" },
            { containerPort: 80, protocol: "UDP" },
          ],
        },
      ],
    }),
    { spec: { containers: [{ name: "a", ports: [{ containerPort: 80, protocol: "UDP", name: "dns" }] }] } },
    pod({
      containers: [
        {
          name: "a",
          ports: [
            { containerPort: 80, protocol: "TCP" },
            { containerPort: 80, protocol: "UDP", name: "dns" },
          ],
        },
      ],
    }),
  ],
  [
    "a text that is replaced by a number stays a text",
    pod({}, { labels: { a: "x" } }),
    { metadata: { labels: { a: 5, b: 5 } } },
    pod({}, { labels: { a: "5", b: 5 } }),
  ],
  [
    "$patch: delete takes an item out",
    pod({ containers: [{ name: "a" }, { name: "b" }] }),
    { spec: { containers: [{ name: "a", $patch: "delete" }] } },
    pod({ containers: [{ name: "b" }] }),
  ],
  ["$patch: delete takes a member out", pod({ affinity: { a: 1 } }), { spec: { affinity: { $patch: "delete" } } }, pod({})],
  [
    "$patch: replace replaces a member",
    pod({ affinity: { a: 1 } }),
    { spec: { affinity: { $patch: "replace", b: 2 } } },
    pod({ affinity: { b: 2 } }),
  ],
  [
    "$patch: replace in a list replaces the list",
    pod({ containers: [{ name: "a" }] }),
    { spec: { containers: [{ name: "b" }, { $patch: "replace" }] } },
    pod({ containers: [{ name: "b" }] }),
  ],
  [
    "$patch: replace in an item of a merged list has no effect",
    pod({ containers: [{ name: "a", image: "x" }] }),
    { spec: { containers: [{ name: "a", tty: true, $patch: "replace" }] } },
    pod({ containers: [{ name: "a", image: "x" }] }),
  ],
  [
    "$patch: merge is the default",
    pod({ affinity: { a: 1 } }),
    { spec: { affinity: { $patch: "merge", b: 2 } } },
    pod({ affinity: { a: 1, b: 2 } }),
  ],
  [
    "an unknown directive fails",
    pod({ affinity: { a: 1 } }),
    { spec: { affinity: { $patch: "erase" } } },
    "unknown patch strategy 'erase'",
  ],
  ["the whole object cannot go", pod({}), { $patch: "delete" }, "filter cannot create or delete objects"],
  [
    "shapes have to fit",
    pod({ containers: [{ name: "a" }] }),
    { spec: { containers: { name: "b" } } },
    "wrong node kind: expected SequenceNode but got MappingNode",
  ],
  [
    "directives of kubectl that kyaml does not know stay",
    pod({ volumes: [] }),
    { spec: { $retainKeys: ["x"] } },
    pod({ volumes: [], $retainKeys: ["x"] }),
  ],
  [
    "doubles in merged lists of the object go, even where the patch names something else",
    pod({ imagePullSecrets: [{ name: "a" }, { name: "a" }] }),
    {},
    pod({ imagePullSecrets: [{ name: "a" }] }),
  ],
])("%s", (_, object, patch, expected) => {
  const before = structuredClone([object, patch]);
  const patched = applyStrategicMerge(object, patch);
  if (typeof expected === "string") expect(patched.ok ? "patched" : patched.message).toContain(expected);
  else expect(patched).toEqual({ ok: true, value: expected });
  expect([object, patch]).toEqual(before);
});

test("long lists merge; those whose items cannot be told apart are refused when they are too long", () => {
  const named = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => ({ name: `c${from + i}` }));
  const merged = applyStrategicMerge(pod({ containers: named(0, 20_000) }), { spec: { containers: named(10_000, 30_000) } });
  expect(merged.ok && valueAt(merged.value, ["spec", "containers"])).toHaveLength(30_000);
  const nameless = [{ image: "x" }, ...named(0, 6000)];
  const refused = applyStrategicMerge(pod({ containers: nameless }), { spec: { containers: named(0, 1) } });
  expect(refused.ok ? "merged" : refused.message).toContain("too long to merge");
});

test("a patch applied twice changes nothing more", () => {
  const names = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { maxLength: 4 });
  const containers = names.chain((list) =>
    fc.tuple(
      ...list.map((name) =>
        fc.record({ name: fc.constant(name), image: fc.constantFrom("x", "y"), tty: fc.boolean() }, { requiredKeys: ["name"] }),
      ),
    ),
  );
  fc.assert(
    fc.property(containers, containers, (ours, theirs) => {
      const patch = { spec: { containers: theirs } };
      const once = applyStrategicMerge(pod({ containers: ours }), patch);
      expect(once.ok && applyStrategicMerge(once.value as JsonObject, patch)).toEqual(once);
    }),
  );
});
