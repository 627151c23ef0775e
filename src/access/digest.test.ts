import { describe, expect, test } from "vitest";
import { actionDigest, objectDigest } from "./digest.ts";
import { action, person } from "./machine/people.testing.ts";
import type { RequestedAction } from "./requested-action.ts";

const ada = person("ada");
const rule = { name: "r", version: "1" };
const { http } = action();

describe("actionDigest", () => {
  const approved = actionDigest(action(), ada, rule);

  test("is that of the same call, whenever it comes and whoever's groups changed", () => {
    expect(approved).toMatch(/^[0-9a-f]{64}$/);
    expect(actionDigest(action({ at: 99, namespaceLabels: { a: "b" } }), { ...ada, groups: ["x"] }, rule)).toBe(approved);
  });

  test.each<[string, Partial<RequestedAction>]>([
    ["T36 body", { http: { ...http, bodyDigest: "1".repeat(64) } }],
    ["T36 content type", { http: { ...http, contentType: "application/yaml" } }],
    ["T36 content encoding", { http: { ...http, contentEncoding: "gzip" } }],
    ["T36 query option", { http: { ...http, target: `${http.target}?dryRun=All` } }],
    ["T36 spelling of the target", { http: { ...http, target: "/api/v1/namespaces/ml/pods/%70" } }],
    ["T36 method", { http: { ...http, method: "PUT" } }],
    ["T37 object that was made anew", { pinned: { uid: "u2", digest: "d1" } }],
    ["T37 object that changed", { pinned: { uid: "u1", digest: "d2" } }],
    ["T37 object that went", { pinned: undefined }],
    ["T38 cluster", { cluster: "staging" }],
  ])("another %s is another action", (_, more) => {
    expect(actionDigest(action(more), ada, rule)).not.toBe(approved);
  });

  test.each([
    [{ ...ada, issuer: "https://other" }, rule],
    [{ ...ada, user: "root" }, rule],
    [{ ...ada, subject: "eve" }, rule],
    [ada, { name: "r", version: "2" }],
    [ada, { name: "s", version: "1" }],
  ])("of another person or rule it is another: %j", (by, under) => {
    expect(actionDigest(action(), by, under)).not.toBe(approved);
  });
});

describe("objectDigest", () => {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", uid: "u", resourceVersion: "1", managedFields: [{}], labels: { a: "b" } },
    spec: { x: 1n },
    status: { phase: "Pending" },
  };
  const { metadata } = pod;

  test("is not moved by what the server counts or observes", () => {
    const moved = { ...pod, metadata: { ...metadata, resourceVersion: "2", managedFields: [] }, status: { phase: "Running" } };
    expect(objectDigest(moved)).toBe(objectDigest(pod));
    const { spec, ...rest } = pod;
    expect(objectDigest({ spec: { x: 1 }, ...rest })).toBe(objectDigest(pod));
    expect(spec.x).toBe(1n);
  });

  test.each([
    ["spec", { ...pod, spec: { x: 2 } }],
    ["labels", { ...pod, metadata: { ...metadata, labels: { a: "c" } } }],
    ["annotations", { ...pod, metadata: { ...metadata, annotations: {} } }],
  ])("is moved by what people write: %s", (_, other) => expect(objectDigest(other)).not.toBe(objectDigest(pod)));
});
