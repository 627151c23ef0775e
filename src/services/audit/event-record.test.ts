import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../core/json.ts";
import { eventRecord, eventsOf } from "./event-record.ts";

const event = (more: JsonObject = {}): JsonObject => ({
  kind: "Event",
  apiVersion: "audit.k8s.io/v1",
  auditID: "a1",
  stage: "ResponseComplete",
  verb: "create",
  user: { username: "gateway", groups: [] },
  objectRef: { resource: "pods", subresource: "exec", namespace: "nlp", name: "p", apiVersion: "v1" },
  responseStatus: { code: 101 },
  stageTimestamp: "2026-11-20T10:00:00.010000Z",
  ...more,
});

test("an event's members become the record's", () => {
  expect(eventRecord(event({ impersonatedUser: { username: "ada" } }), "prod")).toMatchObject({
    ok: true,
    record: {
      kind: "audit.event",
      at: Date.UTC(2026, 10, 20, 10, 0, 0, 10),
      cluster: "prod",
      actor: "ada",
      verb: "create",
      group: "",
      resource: "pods/exec",
      namespace: "nlp",
      name: "p",
      outcome: "101",
      key: expect.stringMatching(/^prod\/event\/[\w-]{43}$/),
    },
  });
});

test.each([
  { what: "no object", value: "text", reason: "JSON object" },
  { what: "no auditID", value: event({ auditID: undefined }), reason: "auditID" },
  { what: "no time", value: event({ stageTimestamp: "yesterday" }), reason: "stageTimestamp" },
])("refused: $what", ({ value, reason }) => {
  expect(eventRecord(value, "prod")).toEqual({ ok: false, reason: expect.stringContaining(reason) });
});

test("a list is its events", () => {
  expect(eventsOf({ kind: "EventList", items: [1, 2] })).toEqual([1, 2]);
  expect(eventsOf(event())).toHaveLength(1);
});

describe("no secret is kept", () => {
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s" },
    data: { password: "aHVudGVyMg==" },
    stringData: { token: "hunter2" },
  };
  const annotated = { metadata: { annotations: { "kubectl.kubernetes.io/last-applied-configuration": "hunter2", team: "nlp" } } };
  const cases: readonly { what: string; more: JsonObject; kept: string }[] = [
    { what: "a Secret", more: { objectRef: { resource: "secrets" }, requestObject: secret }, kept: "password" },
    {
      what: "a patch of a Secret",
      more: { objectRef: { resource: "secrets" }, requestObject: [{ op: "add", path: "/data/a", value: "hunter2" }] },
      kept: "<redacted>",
    },
    {
      what: "a list with a Secret",
      more: { objectRef: { resource: "lists" }, responseObject: { kind: "List", items: [secret] } },
      kept: "password",
    },
    {
      what: "an issued token",
      more: {
        objectRef: { resource: "serviceaccounts", subresource: "token" },
        responseObject: { kind: "TokenRequest", status: { token: "hunter2" } },
      },
      kept: "TokenRequest",
    },
    { what: "the last applied configuration", more: { requestObject: { kind: "ConfigMap", ...annotated } }, kept: "team" },
  ];
  test.each(cases)("$what", ({ more, kept }) => {
    const reading = eventRecord(event(more), "prod");
    const text = JSON.stringify(reading);
    expect(text).toContain(kept);
    expect(text).not.toContain("hunter2");
    expect(text).not.toContain("aHVudGVyMg");
  });
});
