import { expect, test } from "vitest";
import type { KubernetesObject } from "../../core/kubernetes.ts";
import { cleanupPropagation, expiryOf } from "./cleanup-label.ts";

const created = "2026-03-01T12:00:00Z";

function labelled(ttl: string | undefined, annotations: { [key: string]: string } = {}): KubernetesObject {
  const labels: { [key: string]: string } = ttl === undefined ? {} : { "cleanup.kyverno.io/ttl": ttl };
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "p", creationTimestamp: created, labels, annotations } };
}

test.each([
  ["90s", "2026-03-01T12:01:30.000Z"],
  ["1h30m", "2026-03-01T13:30:00.000Z"],
  ["1.5h", "2026-03-01T13:30:00.000Z"],
  ["2d", "2026-03-03T12:00:00.000Z"],
  ["1w", "2026-03-08T12:00:00.000Z"],
  ["2026-12-24", "2026-12-24T00:00:00.000Z"],
  ["2026-12-24T180000Z", "2026-12-24T18:00:00.000Z"],
])("%s", (ttl, at) => {
  expect(new Date(expiryOf(labelled(ttl)) ?? 0).toISOString()).toBe(at);
});

test.each([[undefined], [""], ["soon"], ["-5m"], ["5"], ["5y"], ["2026-13-01"], ["2026-02-30"], ["2026-12-24T18:00:00Z"]])(
  "%s says nothing",
  (ttl) => {
    expect(expiryOf(labelled(ttl))).toBeUndefined();
  },
);

test("without a time of creation no span has an end", () => {
  expect(expiryOf({ ...labelled("5m"), metadata: { labels: { "cleanup.kyverno.io/ttl": "5m" } } })).toBeUndefined();
});

test.each([
  ["Orphan", "Orphan"],
  ["Foreground", "Foreground"],
  ["orphan", undefined],
])("propagation %s", (written, read) => {
  expect(cleanupPropagation(labelled("1s", { "cleanup.kyverno.io/propagation-policy": written }))).toBe(read);
});
