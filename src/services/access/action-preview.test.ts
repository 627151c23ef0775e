import { describe, expect, test } from "vitest";
import { action } from "../../access/machine/people.testing.ts";
import type { RequestedAction } from "../../access/requested-action.ts";
import type { JsonObject } from "../../core/json.ts";
import { actionPreview } from "./action-preview.ts";

const deployment: JsonObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", managedFields: [{ manager: "kubectl" }] },
  spec: { replicas: 2, paused: false },
};
const bare: JsonObject = { ...deployment, metadata: { name: "web" } };

function call(more: Partial<RequestedAction>, contentType: string, contentEncoding = ""): RequestedAction {
  const base = action({ apiGroup: "apps", resource: "deployments", verb: "patch", name: "web", ...more });
  return { ...base, http: { ...base.http, contentType, contentEncoding } };
}

const scaleTo = (replicas: number): JsonObject => ({ ...bare, spec: { replicas, paused: false } });

describe("what an approver sees of a call", () => {
  test.each<[string, RequestedAction, JsonObject | undefined, string, object]>([
    [
      "kubectl scale",
      call({ subresource: "scale" }, "application/merge-patch+json"),
      deployment,
      '{"spec":{"replicas":9}}',
      { before: bare, after: scaleTo(9), sent: { spec: { replicas: 9 } } },
    ],
    [
      "a merge patch",
      call({}, "application/merge-patch+json"),
      deployment,
      '{"spec":{"paused":null,"replicas":3}}',
      { before: bare, after: { ...bare, spec: { replicas: 3 } }, sent: { spec: { paused: null, replicas: 3 } } },
    ],
    [
      "a JSON patch",
      call({}, "application/json-patch+json"),
      deployment,
      '[{"op":"replace","path":"/spec/replicas","value":5}]',
      { before: bare, after: scaleTo(5), sent: [{ op: "replace", path: "/spec/replicas", value: 5 }] },
    ],
    [
      "a JSON patch that does not apply",
      call({}, "application/json-patch+json"),
      deployment,
      '[{"op":"remove","path":"/nowhere"}]',
      { before: bare, sent: [{ op: "remove", path: "/nowhere" }] },
    ],
    [
      "a strategic patch, as kubectl apply sends it",
      call({}, "application/strategic-merge-patch+json"),
      deployment,
      '{"spec":{"replicas":9}}',
      { before: bare, after: scaleTo(9), sent: { spec: { replicas: 9 } } },
    ],
    [
      "a strategic patch of a kind whose schema nobody knows",
      call({}, "application/strategic-merge-patch+json"),
      { ...bare, apiVersion: "example.com/v1" },
      '{"spec":{"replicas":9}}',
      { before: { ...bare, apiVersion: "example.com/v1" }, sent: { spec: { replicas: 9 } } },
    ],
    [
      "a strategic patch that the server refuses",
      call({}, "application/strategic-merge-patch+json"),
      deployment,
      '{"spec":{"$patch":"no such word"}}',
      { before: bare, sent: { spec: { $patch: "no such word" } } },
    ],
    [
      "an apply onto what exists, which the server merges",
      call({}, "application/apply-patch+yaml"),
      deployment,
      "spec: {replicas: 5}",
      { before: bare, sent: { spec: { replicas: 5 } } },
    ],
    [
      "an apply of what does not exist",
      call({}, "application/apply-patch+yaml"),
      undefined,
      "kind: Deployment\nspec: {replicas: 5}",
      { after: { kind: "Deployment", spec: { replicas: 5 } }, sent: { kind: "Deployment", spec: { replicas: 5 } } },
    ],
    [
      "a replacement",
      call({ verb: "update" }, "application/json"),
      deployment,
      JSON.stringify(scaleTo(1)),
      { before: bare, after: scaleTo(1), sent: scaleTo(1) },
    ],
    [
      "a deletion",
      call({ verb: "delete" }, "application/json"),
      deployment,
      '{"propagationPolicy":"Background"}',
      { before: bare, sent: { propagationPolicy: "Background" } },
    ],
    [
      "protobuf",
      call({ verb: "update" }, "application/vnd.kubernetes.protobuf"),
      deployment,
      "k8s\u0000",
      { before: bare, unread: true },
    ],
    [
      "a compressed body",
      call({}, "application/merge-patch+json", "gzip"),
      deployment,
      '{"spec":{"replicas":9}}',
      { before: bare, unread: true },
    ],
    ["a body that is no JSON", call({}, "application/merge-patch+json"), deployment, "{", { before: bare, unread: true }],
    ["two documents", call({}, "application/apply-patch+yaml"), undefined, "a: 1\n---\nb: 2", { unread: true }],
    [
      "what readers understand in different ways",
      call({}, "application/merge-patch+json"),
      deployment,
      '{"spec":{"replicas":1},"spec":{"paused":true}}',
      { before: bare, unread: true },
    ],
  ])("%s", (_, asked, before, body, expected) => {
    expect(actionPreview(asked, before, Buffer.from(body))).toEqual(expected);
  });

  test.each<[string, string, string]>([
    ["a merge patch", "application/merge-patch+json", '{"data":{"password":"Y2FuYXJ5"},"stringData":{"other":"canary"}}'],
    ["a JSON patch", "application/json-patch+json", '[{"op":"add","path":"/data/password","value":"canary"}]'],
    [
      "a strategic patch",
      "application/strategic-merge-patch+json",
      '{"data":{"password":"canary"},"metadata":{"annotations":{"x":"canary"}}}',
    ],
    [
      "what kubectl apply sends",
      "application/strategic-merge-patch+json",
      '{"data":{"password":"canary"},"metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"canary"}}}',
    ],
    [
      "a strategic patch that replaces",
      "application/strategic-merge-patch+json",
      '{"$patch":"replace","metadata":{"name":"s"},"data":{"password":"canary"}}',
    ],
    ["a merge patch that changes the kind", "application/merge-patch+json", '{"kind":"Thing","data":{"password":null}}'],
    [
      "a JSON patch that copies",
      "application/json-patch+json",
      '[{"op":"copy","from":"/data/password","path":"/metadata/labels"}]',
    ],
    ["an apply", "application/apply-patch+yaml", "kind: Secret\napiVersion: v1\nstringData: {password: canary}"],
  ])("of a Secret no value: %s", (_, contentType, body) => {
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: { password: "Y2FuYXJ5LWJlZm9yZQ==" } };
    const seen = JSON.stringify(
      actionPreview(call({ apiGroup: "", resource: "secrets" }, contentType), secret, Buffer.from(body)),
    );
    expect(seen).not.toMatch(/canary|Y2FuYXJ5/);
    expect(seen).toContain("password");
  });

  test("a Secret's strategic patch is merged by its keys; one that speaks to the merge is shown as it was sent", () => {
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: { one: "Mg==" } };
    const asked = call({ apiGroup: "", resource: "secrets" }, "application/strategic-merge-patch+json");
    const afterOf = (patch: object) => actionPreview(asked, secret, Buffer.from(JSON.stringify(patch))).after;
    expect(afterOf({ data: { two: "Mw==", one: null } })).toMatchObject({ kind: "Secret", data: { two: "<redacted>" } });
    expect(afterOf({ data: { two: "Mw==", one: null } })?.["data"]).not.toHaveProperty("one");
    expect(afterOf({ data: { $patch: "replace", two: "Mw==" } })).toBeUndefined();
    expect(afterOf({ $patch: "replace", data: { two: "Mw==" } })).toBeUndefined();
  });

  test("that kubectl's copy of what was applied changes is a line, and not the copy", () => {
    const name = "kubectl.kubernetes.io/last-applied-configuration";
    const copied = (text: string): JsonObject => ({ ...bare, metadata: { name: "web", annotations: { [name]: text } } });
    const patch = { metadata: { annotations: { [name]: "the other" } } };
    const asked = call({}, "application/strategic-merge-patch+json");
    const { before, after } = actionPreview(asked, copied("the one"), Buffer.from(JSON.stringify(patch)));
    const [one, other] = [before, after].map((object) => JSON.stringify(object?.["metadata"]));
    expect(one).toMatch(/<copy [0-9a-f]{12} of what was applied>/);
    expect(one).not.toEqual(other);
    expect(`${one}${other}`).not.toContain("the o");
  });
});
