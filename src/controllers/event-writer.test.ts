import { describe, expect, test } from "vitest";
import type { Finding } from "../core/finding.ts";
import type { JsonObject } from "../core/json.ts";
import type { KubernetesObject } from "../core/kubernetes.ts";
import { EventWriter } from "./event-writer.ts";

const finding = (more: Partial<Finding> = {}): Finding => ({
  id: "1",
  check: { policy: "kyverno.io/ClusterPolicy/labels", rule: "team" },
  status: "fail",
  severity: "high",
  resource: { group: "", version: "v1", kind: "Pod", namespace: "nlp", name: "p" },
  message: "no team",
  controls: [],
  ...more,
});

const pod: KubernetesObject = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "nlp", uid: "u-1" } };

/** What was written of these, a millisecond or more apart. */
async function written(
  rounds: readonly (readonly Finding[])[],
  apart = 0,
  objectOf: () => KubernetesObject | undefined = () => pod,
) {
  const events: JsonObject[] = [];
  const troubles: string[] = [];
  let now = Date.UTC(2026, 10, 22);
  const writer = new EventWriter({
    writer: {
      create: async (event) => {
        events.push(event);
        return true;
      },
    },
    objectOf,
    instance: "host",
    now: () => now,
    onTrouble: (error) => troubles.push(String(error)),
  });
  for (const findings of rounds) {
    writer.take(findings);
    await new Promise(setImmediate);
    now += apart;
  }
  await writer.stop();
  return { events, troubles };
}

test("says what is wrong with which object", async () => {
  const { events } = await written([[finding()]]);
  expect(events).toEqual([
    {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: expect.stringMatching(/^castellan-[0-9a-f]{16}$/), namespace: "nlp" },
      type: "Warning",
      reason: "PolicyViolation",
      action: "Judge",
      note: "kyverno.io/ClusterPolicy/labels/team: no team",
      regarding: { apiVersion: "v1", kind: "Pod", name: "p", uid: "u-1", namespace: "nlp" },
      reportingController: "castellan.dev/server",
      reportingInstance: "host",
      eventTime: "2026-11-22T00:00:00.000000Z",
    },
  ]);
});

test("of what has no namespace in the one where kubectl looks", async () => {
  const { events } = await written([
    [finding({ resource: { group: "", version: "v1", kind: "Node", namespace: "", name: "n" } })],
  ]);
  expect(events).toMatchObject([{ metadata: { namespace: "default" }, regarding: { name: "n" } }]);
});

test("not of an object that is gone, nor of what could not be checked", async () => {
  expect((await written([[finding()]], 0, () => undefined)).events).toEqual([]);
  const errors = await written([[finding({ status: "error" }), finding({ status: "skip" })]]);
  expect(errors.events).toEqual([]);
});

describe("a note", () => {
  test.each([
    ["a".repeat(3000), 1024],
    ["\u00e9".repeat(3000), 1023],
    ["\u{1f600}".repeat(3000), 1022],
  ])("is no longer than the API server takes", async (message, atLeast) => {
    const { events } = await written([[finding({ message })]]);
    const bytes = Buffer.byteLength(String(events[0]?.["note"]));
    expect(bytes).toBeLessThanOrEqual(1024);
    expect(bytes).toBeGreaterThanOrEqual(atLeast - 3);
    expect(events[0]?.["note"]).not.toContain("\uFFFD");
  });
});

test("a flood is cut, and it is said how much of it", async () => {
  const flood = Array.from({ length: 300 }, () => finding());
  const { events, troubles } = await written([flood, flood], 10_000);
  // A hundred at once, then five for each of the ten seconds.
  expect(events).toHaveLength(150);
  expect(troubles).toEqual([expect.stringContaining("200 findings got no Event")]);
});
