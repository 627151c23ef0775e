import { expect, test } from "vitest";
import { identified } from "../core/fingerprint.ts";
import { type KubernetesObject, resourceRef } from "../core/kubernetes.ts";
import { redactSecrets } from "./redact-secrets.ts";

const secret: KubernetesObject = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "s", annotations: { "kubectl.kubernetes.io/last-applied-configuration": '{"data":{"k":"aHVudGVyMg=="}}' } },
  data: { k: "aHVudGVyMg==" },
  stringData: { token: "tok-12345", short: "on" },
};

function finding(message: string, object: KubernetesObject = secret) {
  const check = { policy: "p", rule: "r" };
  const fix = { description: message, patch: [{ op: "replace", path: "/data/k", value: "aHVudGVyMg==" }] } as const;
  return identified({
    check,
    resource: resourceRef(object),
    status: "fail",
    severity: "low",
    message,
    evidence: { was: [message] },
    fix,
    controls: [],
  });
}

test.each([
  ["base64 data", "value aHVudGVyMg== is bad", "value <redacted> is bad"],
  ["decoded data", "value hunter2 is bad", "value <redacted> is bad"],
  ["stringData", "tok-12345!", "<redacted>!"],
  ["stringData as base64", `${btoa("tok-12345")}`, "<redacted>"],
  ["short values stand, they are ordinary words", "turn it on", "turn it on"],
])("%s", (_, message, clean) => {
  const redacted = redactSecrets(finding(message), secret);
  expect([redacted.message, redacted.evidence, redacted.fix]).toEqual([clean, { was: [clean] }, { description: clean }]);
  expect(redacted.id).toBe(finding(message).id);
});

test("other kinds are left alone", () => {
  const object: KubernetesObject = { ...secret, kind: "ConfigMap" };
  const original = finding("hunter2", object);
  expect(redactSecrets(original, object)).toBe(original);
});
