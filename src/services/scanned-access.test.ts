import { describe, expect, test } from "vitest";
import { bound, worldOf } from "../analysis/rbac/world.testing.ts";
import { apiResources } from "../core/api-resources.ts";
import type { JsonObject } from "../core/json.ts";
import { accessReviews } from "./scanned-access.ts";
import { scannedFacts } from "./scanned-facts.ts";

const roles = bound("reader", [{ verbs: "get", on: "/pods" }], ["ServiceAccount=shop/runner"], "shop");

function review(complete: boolean, attributes: JsonObject, yaml: string | undefined = roles) {
  const access = yaml === "" ? undefined : () => worldOf(yaml, { complete }).index;
  const facts = scannedFacts({ objects: [], resources: apiResources([]), complete, access });
  const spec = { user: "system:serviceaccount:shop:runner", groups: ["system:serviceaccounts"], ...attributes };
  return facts.get({ kind: "api-call", method: "POST", path: accessReviews, body: { spec } });
}

const pods = (verb: string) => ({
  resourceAttributes: { verb, resource: "pods", namespace: "shop", group: "", name: "", subresource: "" },
});

describe("who may do what, by the roles of a scan", () => {
  test.each([false, true])("is certain where a binding allows it (complete: %s)", (complete) => {
    expect(review(complete, pods("get"))).toMatchObject({ ok: true, value: { status: { allowed: true } } });
  });

  test("is certain where no binding allows it only if these are all", () => {
    expect(review(true, pods("delete"))).toMatchObject({ ok: true, value: { status: { allowed: false } } });
    expect(review(false, pods("delete"))).toMatchObject({
      ok: false,
      message:
        "no role among the scanned objects lets system:serviceaccount:shop:runner delete pods; others may exist in the cluster",
    });
  });

  test("is asked of paths, too", () => {
    expect(review(true, { nonResourceAttributes: { verb: "get", path: "/metrics" } })).toMatchObject({
      value: { status: { allowed: false } },
    });
  });

  test("is not known without roles", () => {
    expect(review(true, pods("get"), "")).toMatchObject({
      ok: false,
      message: "who may do what is not known: no roles were scanned",
    });
  });
});
