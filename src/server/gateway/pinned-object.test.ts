import { expect, test } from "vitest";
import { action, person } from "../../access/machine/people.testing.ts";
import { readObject } from "./pinned-object.ts";

test.each([
  [{ resource: "secrets?x=", name: "a" }, "/api/v1/namespaces/ml/secrets%3Fx%3D/a"],
  [{ resource: "pods", name: "a?b#c" }, "/api/v1/namespaces/ml/pods/a%3Fb%23c"],
  [{ resource: "pods", name: "web", verb: "create", subresource: "exec" }, "/api/v1/namespaces/ml/pods/web"],
])("the gateway's own read is of nothing but the object: %o", async (named, wanted) => {
  const read: string[] = [];
  const found = await readObject(
    { action: action({ namespace: "ml", verb: "delete", ...named }), person: person("ada") },
    {
      rights: { covers: () => ({ covered: false, reason: "" }), onChange: () => () => {} },
      upstream: {
        cluster: "c",
        send: ({ target }, sink) => {
          read.push(target);
          queueMicrotask(() => {
            sink.head(404, [], { resume: () => {} });
            sink.end();
          });
          return { abort: () => {} };
        },
        open: () => ({ abort: () => {} }),
        upgrade: () => Promise.reject(new Error("not here")),
        probe: async () => {},
        close: async () => {},
      },
    },
  );
  expect(read).toEqual([wanted]);
  expect(found).toEqual({ ok: true, object: undefined });
});
