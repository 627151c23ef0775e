import fc from "fast-check";
import { expect, test } from "vitest";
import type { JsonObject } from "./json.ts";
import { applyStrategicMerge } from "./strategic-merge.ts";
import { isTidyObject } from "./strategic-merge-tidy.ts";

const name = fc.constantFrom("a", "b", "", 1, null);
const optional = (values: fc.Arbitrary<unknown>) => fc.option(values, { nil: undefined });
const without = (o: Record<string, unknown>) => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined));
const port = fc
  .record({ containerPort: optional(fc.constantFrom(80, 81, "80", null)), protocol: optional(fc.constantFrom("TCP", "UDP", "")) })
  .map(without);
const env = fc.record({ name: optional(name), value: optional(fc.constantFrom("x", null)) }).map(without);
const list = (item: fc.Arbitrary<unknown>) => optional(fc.oneof(fc.array(item, { maxLength: 3 }), fc.constantFrom(null, {})));
const container = fc
  .record({
    name: optional(name),
    ports: list(port),
    env: list(env),
    args: list(fc.constantFrom("x", "x")),
    resources: optional(fc.constantFrom({}, null)),
  })
  .map(without);
const pod = fc
  .record({
    apiVersion: fc.constant("v1"),
    kind: fc.constantFrom("Pod", "Thing"),
    metadata: fc
      .record({ finalizers: list(fc.constantFrom("f", "g", "f", null)), labels: optional(fc.constantFrom({}, { a: "b" })) })
      .map(without),
    spec: fc
      .record({
        containers: list(fc.oneof({ weight: 5, arbitrary: container }, { weight: 1, arbitrary: fc.constantFrom(null, {}, "x") })),
      })
      .map(without),
  })
  .map((o) => o as JsonObject);

/** Order counts: JSON text, not deep equality. */
const text = (value: unknown) => JSON.stringify(value);

test("an object that is said to be tidy comes out of an empty patch as it went in", () => {
  fc.assert(
    fc.property(pod, (object) => {
      fc.pre(isTidyObject(object));
      const merged = applyStrategicMerge(object, {});
      expect(text(merged)).toBe(text({ ok: true, value: object }));
    }),
    { numRuns: 2000 },
  );
});

test.each<[string, boolean, JsonObject]>([
  [
    "a usual pod",
    true,
    { apiVersion: "v1", kind: "Pod", spec: { containers: [{ name: "a", ports: [{ containerPort: 80 }] }, { name: "b" }] } },
  ],
  ["containers of one name", false, { apiVersion: "v1", kind: "Pod", spec: { containers: [{ name: "a" }, { name: "a" }] } }],
  ["a container without a name", false, { apiVersion: "v1", kind: "Pod", spec: { containers: [{ image: "a" }] } }],
  [
    "one of two ports with a protocol",
    false,
    {
      apiVersion: "v1",
      kind: "Pod",
      spec: { containers: [{ name: "a", ports: [{ containerPort: 80, protocol: "TCP" }, { containerPort: 81 }] }] },
    },
  ],
  [
    "an object inside a member whose type is known",
    true,
    {
      apiVersion: "apps/v1",
      kind: "ControllerRevision",
      data: { apiVersion: "v1", kind: "Pod", spec: { containers: [{ name: "a" }, { name: "a" }] } },
    },
  ],
  [
    "an object inside one of a kind that nobody knows",
    false,
    {
      apiVersion: "x.io/v1",
      kind: "Thing",
      data: { apiVersion: "v1", kind: "Pod", spec: { containers: [{ name: "a" }, { name: "a" }] } },
    },
  ],
  ["lists of a kind that nobody knows", true, { apiVersion: "x.io/v1", kind: "Thing", spec: { containers: [{}, {}] } }],
])("%s: %s", (_, tidy, object) => expect(isTidyObject(object)).toBe(tidy));
