import type { Finding } from "../../core/finding.ts";
import { identified } from "../../core/fingerprint.ts";
import type { JsonObject } from "../../core/json.ts";
import { keptReasons } from "./exclusive-kinds.ts";
import type { Drift } from "./find-drift.ts";
import type { LastChange } from "./last-change.ts";

const titles = {
  missing: "A declared object is missing",
  changed: "An object is not as declared",
  undeclared: "An object was not declared",
} as const;

/** Groups whose objects give rights, open the network, or are what checks the rest. */
const guarding = /^rbac\.|networking\.|^cilium\.io$|^admissionregistration\.|kyverno\.io$|gatekeeper\.sh$|^castellan\.dev$/;

/**
 * A drift as a finding.
 * @param desired what was declared, as a command would name it
 */
export function driftFinding(drift: Drift, by: LastChange | undefined, desired: readonly string[]): Finding {
  const { type, resource } = drift;
  const who = by === undefined ? "" : `; last ${by.verb} by ${by.actor} at ${new Date(by.at).toISOString()}`;
  const kept = drift.type === "undeclared" && drift.kept !== undefined ? keptReasons[drift.kept] : undefined;
  const heals = `castellan drift ${desired.join(" ")} --heal shows how it is put back`;
  return identified({
    check: { policy: "drift/declared", rule: type, title: titles[type], category: "Drift" },
    status: "fail",
    severity: guarding.test(resource.group) ? "high" : "medium",
    resource,
    message: `${titles[type]}${who}`,
    evidence: { ...driftEvidence(drift), ...(by === undefined ? {} : { actor: by.actor, verb: by.verb }) },
    fix: { description: kept === undefined ? `${heals}.` : `Declare it, or delete it: ${heals}, but ${kept}.` },
    controls: [],
  });
}

/** Which fields differ; of Secrets without their values. */
export function driftEvidence(drift: Drift): JsonObject {
  if (drift.type !== "changed") return {};
  const { group, kind } = drift.resource;
  const isSecret = group === "" && kind === "Secret";
  return { patch: drift.patch.map((step) => (isSecret ? { op: step.op, path: step.path } : { ...step })) };
}
