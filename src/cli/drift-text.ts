import type { CheckoutState } from "../adapters/files/git-checkout.ts";
import type { JsonPatchOperation } from "../core/finding.ts";
import { toDotted } from "../core/json.ts";
import { formatRef, type ResourceRef } from "../core/kubernetes.ts";
import { count, visible } from "../report/text.ts";
import { keptReasons } from "../services/drift/exclusive-kinds.ts";
import type { Drift, DriftResult } from "../services/drift/find-drift.ts";
import type { HealStep, Refusal } from "../services/drift/heal.ts";
import type { LastChange } from "../services/drift/last-change.ts";

/** A drift, and the last change of the object that the ledger knows. */
export interface ToldDrift {
  readonly drift: Drift;
  readonly by: LastChange | undefined;
}

/** For programs; of Secrets only which fields differ. */
export function driftData({ drift, by }: ToldDrift): object {
  const { type, resource } = drift;
  const patch = drift.type !== "changed" ? [] : drift.patch.map((step) => (isSecret(resource) ? withoutValue(step) : step));
  return {
    type,
    ...resource,
    patch,
    ...(by === undefined ? {} : { by: { ...by, at: new Date(by.at).toISOString() } }),
    ...(drift.type === "undeclared" && drift.kept !== undefined ? { kept: keptReasons[drift.kept] } : {}),
  };
}

const isSecret = ({ group, kind }: ResourceRef) => group === "" && kind === "Secret";
const withoutValue = ({ op, path }: { readonly op: string; readonly path: string }) => ({ op, path });

const words = { missing: "is missing", changed: "is not as declared", undeclared: "was not declared" } as const;

export function driftText(
  { compared, exempt, problems }: DriftResult,
  checkouts: readonly CheckoutState[],
  told: readonly ToldDrift[],
): string {
  const lines = checkouts.map(
    ({ checkout, commit, isDirty }) => `${checkout} is at ${commit}${isDirty ? ", with changes that are not committed" : ""}`,
  );
  for (const { drift, by } of told) {
    const last = by === undefined ? "" : `; last ${by.verb} by ${by.actor} at ${new Date(by.at).toISOString()}`;
    lines.push(`${refText(drift.resource)} ${words[drift.type]}${visible(last)}`);
    if (drift.type === "changed") lines.push(...drift.patch.map((step) => stepText(drift.resource, step)));
  }
  for (const { resource, message } of problems) lines.push(`${refText(resource)} could not be compared: ${visible(message)}`);
  lines.push(`${compared} declared objects compared: ${count(told.length, "difference")}`);
  const owned = exempt.filter(({ why }) => why === "owned").length;
  if (owned > 0) lines.push(`${count(owned, "undeclared object")} with an owner left out: -o json lists them`);
  return lines.map((line) => `${line}\n`).join("");
}

const refText = (resource: ResourceRef) => visible(formatRef(resource));

function stepText(resource: ResourceRef, step: JsonPatchOperation): string {
  const value = "value" in step && !isSecret(resource) ? `: ${JSON.stringify(step.value)}` : "";
  return visible(`  ${step.op} ${pathText(step.path)}${value}`);
}

function pathText(pointer: string): string {
  const steps = pointer.split("/").slice(1);
  return toDotted(steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step.replaceAll("~1", "/").replaceAll("~0", "~"))));
}

const actions = {
  create: ["created", "would create"],
  change: ["changed", "would change"],
  recreate: ["deleted and made anew", "would delete and make anew"],
  delete: ["deleted", "would delete"],
} as const;

export const healedText = ({ action, drift }: HealStep): string => `${actions[action][0]} ${refText(drift.resource)}\n`;
export const wouldHealText = ({ action, drift }: HealStep): string => `${actions[action][1]} ${refText(drift.resource)}\n`;
export const refusedText = ({ step, message }: Refusal): string =>
  `${refText(step.drift.resource)} cannot be healed: ${visible(message)}\n`;

/** What stays though nobody declared it, and why. */
export function keptText(drifts: readonly Drift[], steps: readonly HealStep[]): string {
  const healed = new Set(steps.map(({ drift }) => drift));
  const lines = drifts.flatMap((drift) => {
    if (drift.type !== "undeclared" || healed.has(drift)) return [];
    return `left ${refText(drift.resource)}${drift.kept === undefined ? "" : `: ${keptReasons[drift.kept]}`}\n`;
  });
  return lines.join("");
}
