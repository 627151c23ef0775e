import fc from "fast-check";
import { expect, test } from "vitest";
import { MadeObjects } from "./made-objects.ts";

const object = (name: string, trigger?: string, source?: string) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: {
    name,
    namespace: "n",
    labels:
      trigger === undefined
        ? {}
        : {
            "generate.kyverno.io/policy-name": "p",
            "generate.kyverno.io/rule-name": "r",
            "generate.kyverno.io/trigger-uid": trigger,
            ...(source === undefined ? {} : { "generate.kyverno.io/source-uid": source }),
          },
  },
});

test("whatever happens, each is found by its trigger and source of the moment, and by no other", () => {
  const name = fc.constantFrom("a", "b", "c");
  const uid = fc.option(fc.constantFrom("1", "2", "3"), { nil: undefined });
  const step = fc.record({ name, trigger: uid, source: uid, isDeleted: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const made = new MadeObjects();
      const now = new Map<string, ReturnType<typeof object>>();
      for (const { name: called, trigger, source, isDeleted } of steps) {
        const changed = object(called, trigger, source);
        if (isDeleted) made.delete(changed);
        else made.set(changed);
        if (isDeleted || trigger === undefined) now.delete(called);
        else now.set(called, changed);
      }
      const names = (list: ReturnType<MadeObjects["all"]>) => list.map((one) => String(one.object.metadata?.["name"])).sort();
      expect(names(made.all())).toEqual([...now.keys()].sort());
      for (const of of ["1", "2", "3"]) {
        const expected = [...now.values()].filter(({ metadata: { labels } }) =>
          Object.entries(labels).some(([key, value]) => key.endsWith("-uid") && value === of),
        );
        expect(names(made.of(of))).toEqual(expected.map(({ metadata }) => metadata.name).sort());
      }
    }),
  );
});
