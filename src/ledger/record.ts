import { canonicalJson } from "../core/canonical-json.ts";
import type { Instant } from "../core/host.ts";
import type { JsonObject } from "../core/json.ts";

/** What kinds of events the ledger keeps. */
export const recordKinds = [
  "admission.decision",
  "audit.event",
  "finding.opened",
  "finding.closed",
  "policy.changed",
  "policy.downstream",
  "drift.detected",
  "drift.healed",
  "review.started",
  "review.decided",
  "access.call",
  "access.requested",
  "access.decided",
  "access.granted",
  "access.used",
  "access.ended",
  "access.reviewed",
  "access.locked",
  "access.unlocked",
  "access.stream",
  "server.event",
] as const;
export type RecordKind = (typeof recordKinds)[number];

/** The members of a record that queries filter by; the store keeps each in a column of its own. */
export interface RecordIndex {
  readonly kind: RecordKind;
  /** When it happened, milliseconds since the epoch. */
  readonly at: Instant;
  /** When the ledger took it, milliseconds since the epoch. */
  readonly recorded: Instant;
  readonly cluster: string;
  /** Who did it: a user's name as the cluster knows it. */
  readonly actor?: string | undefined;
  readonly verb?: string | undefined;
  /** API group; empty for the core group. */
  readonly group?: string | undefined;
  /** Plural resource with its subresource: `pods/exec`. */
  readonly resource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  /** What came of it: `allow`, `deny`, `warn`, an HTTP status code. */
  readonly outcome?: string | undefined;
  /** Two records with one key are one event told twice; the second is not kept. */
  readonly key?: string | undefined;
}

/** One event to be kept for ever. */
export interface LedgerRecord extends RecordIndex {
  readonly data: JsonObject;
}

export const indexMembers = [
  "kind",
  "at",
  "recorded",
  "cluster",
  "actor",
  "verb",
  "group",
  "resource",
  "namespace",
  "name",
  "outcome",
  "key",
] as const satisfies readonly (keyof RecordIndex)[];

/** In the order of the canonical text, which then costs no sorting. */
const textMembers = ([...indexMembers, "data"] as const).toSorted();

/** The text that the tree is built over. */
export function recordText(record: LedgerRecord): string {
  const members: { -readonly [key in keyof JsonObject]: JsonObject[key] } = {};
  for (const member of textMembers) members[member] = record[member];
  return canonicalJson(members);
}
