import { expect, test } from "vitest";
import { findingId, identified } from "./fingerprint.ts";

const check = { policy: "pod-security/restricted", rule: "runAsNonRoot" };
const resource = { group: "apps", version: "v1", kind: "Deployment", namespace: "nlp", name: "web" };
const path = ["spec", "template", "spec", "containers", 0];
const id = findingId(check, resource, path);

test("an id never changes: baselines on disk hold it", () => {
  expect(id).toBe("d8bc2e955abe0a88d4285c71");
});

test.each([
  ["title of the check", findingId({ ...check, title: "Run as non-root" }, resource, path)],
  ["API version", findingId(check, { ...resource, version: "v1beta1" }, path)],
  ["message", identified({ check, resource, path, status: "fail", severity: "low", message: "m", controls: [] }).id],
])("%s does not change it", (_, other) => expect(other).toBe(id));

test.each([
  ["policy", findingId({ ...check, policy: "pod-security/baseline" }, resource, path)],
  ["rule", findingId({ ...check, rule: "runAsUser" }, resource, path)],
  ["group", findingId(check, { ...resource, group: "extensions" }, path)],
  ["kind", findingId(check, { ...resource, kind: "StatefulSet" }, path)],
  ["namespace", findingId(check, { ...resource, namespace: "cv" }, path)],
  ["name", findingId(check, { ...resource, name: "web2" }, path)],
  ["path", findingId(check, resource, [...path.slice(0, -1), 1])],
  ["a boundary between parts", findingId(check, { ...resource, namespace: "nlpweb", name: "" }, path)],
])("%s changes it", (_, other) => expect(other).not.toBe(id));
