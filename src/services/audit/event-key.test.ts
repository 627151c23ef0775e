import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../core/json.ts";
import { eventKey } from "./event-key.ts";

const event: JsonObject = {
  kind: "Event",
  apiVersion: "audit.k8s.io/v1",
  level: "Metadata",
  auditID: "same",
  stage: "ResponseComplete",
  requestURI: "/version",
  verb: "get",
  user: { username: "ada", groups: ["system:authenticated"] },
  sourceIPs: ["10.0.0.1"],
  userAgent: "kubectl/v1.36.3",
  responseStatus: { metadata: {}, code: 200 },
  requestReceivedTimestamp: "2026-11-20T10:00:00.000000Z",
  stageTimestamp: "2026-11-20T10:00:00.010000Z",
  annotations: { "authorization.k8s.io/decision": "allow" },
};
const key = (more: JsonObject = {}) => eventKey({ ...event, ...more }, "prod");

describe("another event has another key", () => {
  test.each<JsonObject>([
    { auditID: "other" },
    { stage: "ResponseStarted" },
    { verb: "list" },
    { requestURI: "/api/v1/secrets" },
    { user: { username: "mallory", groups: ["system:authenticated"] } },
    { user: { username: "ada", groups: ["system:masters"] } },
    { impersonatedUser: { username: "root" } },
    { objectRef: { resource: "secrets", namespace: "nlp", name: "s" } },
    { sourceIPs: ["10.0.0.2"] },
    { userAgent: "curl/8.5" },
    { responseStatus: { metadata: {}, code: 403 } },
    { requestReceivedTimestamp: "2026-11-20T10:00:00.000001Z" },
    { stageTimestamp: "2026-11-20T10:00:00.010001Z" },
  ])("%j", (more) => {
    expect(key(more)).not.toBe(key());
  });

  test("of another cluster", () => {
    expect(eventKey(event, "dev")).not.toBe(key());
  });

  test("whose members are shifted into one another", () => {
    expect(key({ userAgent: "a", verb: "bc" })).not.toBe(key({ userAgent: "ab", verb: "c" }));
  });
});

describe("an event that is told again has the same key", () => {
  const cases: readonly { readonly how: string; readonly again: JsonObject }[] = [
    { how: "in another order", again: Object.fromEntries(Object.entries(event).reverse()) },
    { how: "with its user in another order", again: { ...event, user: { groups: ["system:authenticated"], username: "ada" } } },
    {
      how: "cut by the API server for this backend",
      again: { ...event, requestObject: undefined, annotations: { "audit.k8s.io/truncated": "true" } },
    },
    { how: "with what a forwarder of logs adds", again: { ...event, stream: "stdout", time: "2026-11-20T10:01:00Z" } },
  ];
  test.each(cases)("$how", ({ again }) => {
    expect(eventKey(again, "prod")).toBe(eventKey({ ...event, requestObject: { kind: "Pod" } }, "prod"));
  });
});

test("no auditID makes a key that the database cannot index, or one of another kind", () => {
  for (const auditID of ["x".repeat(100_000), "call/1/answered", "usage/1/1"]) {
    expect(key({ auditID })).toMatch(/^prod\/event\/[\w-]{43}$/);
  }
});
