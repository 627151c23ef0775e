import type { Kysely } from "kysely";
import type { Ledger } from "../adapters/store/ledger.ts";
import { queryLedger } from "../adapters/store/ledger-reading.ts";
import type { LedgerRecordRow, Tables } from "../adapters/store/tables.ts";
import type { Instant } from "../core/host.ts";
import { asString, type JsonObject, type JsonValue, member } from "../core/json.ts";
import { annotationsOf, groupOf, type KubernetesObject, labelsOf, nameOf, namespaceOf } from "../core/kubernetes.ts";
import { teamOfLabels } from "./team.ts";

export type ReviewDecision = "keep" | "revoke";

/** One binding of a review, with what was known when the review began and what was decided since. */
export interface ReviewedBinding {
  /** `RoleBinding/namespace/name` or `ClusterRoleBinding/name`. */
  readonly binding: string;
  readonly role: string;
  readonly subjects: readonly string[];
  /** Who is asked: the annotation `castellan.dev/owner`, else the team of the namespace. */
  readonly owner: string | undefined;
  /** When the API server last allowed a request by this binding, as the ledger has it. */
  readonly lastUse: Instant | undefined;
  readonly decision?: { readonly what: ReviewDecision; readonly by: string; readonly at: Instant; readonly reason: string };
}

const rbac = "rbac.authorization.k8s.io";
const pageSize = 1000;

/** The bindings that people made, those of the API server itself left out. */
export function bindingsToReview(
  objects: readonly KubernetesObject[],
  lastUses: ReadonlyMap<string, Instant>,
): readonly ReviewedBinding[] {
  const teams = new Map(objects.filter((o) => o.kind === "Namespace").map((o) => [nameOf(o), teamOfLabels(labelsOf(o))]));
  return objects
    .filter((o) => groupOf(o) === rbac && (o.kind === "RoleBinding" || o.kind === "ClusterRoleBinding"))
    .filter((o) => labelsOf(o)["kubernetes.io/bootstrapping"] === undefined)
    .map((object) => {
      const binding = [object.kind, namespaceOf(object), nameOf(object)].filter((part) => part !== "").join("/");
      const role = object["roleRef"];
      const subjects = object["subjects"];
      return {
        binding,
        role: `${asString(member(role, "kind"))}/${asString(member(role, "name"))}`,
        subjects: Array.isArray(subjects) ? subjects.map(subjectText) : [],
        owner: annotationsOf(object)["castellan.dev/owner"] ?? teams.get(namespaceOf(object)),
        lastUse: lastUses.get(binding),
      };
    })
    .sort((a, b) => (a.lastUse ?? 0) - (b.lastUse ?? 0) || (a.binding < b.binding ? -1 : 1));
}

function subjectText(subject: JsonValue): string {
  const [kind, namespace, name] = ["kind", "namespace", "name"].map((key) => asString(member(subject, key)) ?? "");
  return [kind, namespace, name].filter((part) => part !== "").join("/");
}

/** The API server says in each event which binding allowed the request: `RBAC: allowed by RoleBinding "name/namespace" of`. */
const allowedBy = /RBAC: allowed by (ClusterRoleBinding|RoleBinding) \\"([^"\\]+)\\"/;

/** When each binding last allowed a request, by the ledger's audit events since a time. */
export async function lastUses(db: Kysely<Tables>, cluster: string, since: Instant): Promise<ReadonlyMap<string, Instant>> {
  const uses = new Map<string, Instant>();
  for (let from = 0; ; ) {
    const rows = await queryLedger(db, { kinds: ["audit.event"], clusters: [cluster], since }, { limit: pageSize, from });
    for (const { body, at } of rows) {
      const [, kind, text = ""] = allowedBy.exec(body) ?? [];
      if (kind === undefined) continue;
      const [name, namespace] = text.split("/");
      const binding = kind === "RoleBinding" ? `${kind}/${namespace}/${name}` : `${kind}/${text}`;
      uses.set(binding, Math.max(at, uses.get(binding) ?? 0));
    }
    const last = rows.at(-1);
    if (last === undefined) return uses;
    from = last.seq + 1;
  }
}

export interface ReviewId {
  readonly cluster: string;
  readonly name: string;
}

/** Begins a review: each binding is a record. Answers how many were not in this review before. */
export async function startReview(
  ledger: Ledger,
  { cluster, name }: ReviewId,
  bindings: readonly ReviewedBinding[],
  by: string,
  at: Instant,
): Promise<number> {
  const receipts = await ledger.append(
    bindings.map(({ binding, role, subjects, owner, lastUse }) => {
      const data: JsonObject = { role, subjects, owner, lastUse };
      return {
        ...recordOf("review.started", { cluster, name }, binding, by, at),
        data,
        key: `${cluster}/review/${name}/${binding}`,
      };
    }),
  );
  return receipts.filter((receipt) => receipt !== undefined).length;
}

/** Records what an owner decided; the newest decision counts, and the older ones stay. */
export async function decideReview(
  ledger: Ledger,
  review: ReviewId,
  binding: string,
  decision: NonNullable<ReviewedBinding["decision"]>,
): Promise<void> {
  const { what, by, at, reason } = decision;
  await ledger.append([{ ...recordOf("review.decided", review, binding, by, at), outcome: what, data: { reason } }]);
}

/** A review is the resource that its records are about; the binding is their name. */
function recordOf(
  kind: "review.started" | "review.decided",
  { cluster, name }: ReviewId,
  binding: string,
  by: string,
  at: Instant,
) {
  return { kind, at, cluster, actor: by, group: "castellan.dev", resource: `reviews/${name}`, name: binding } as const;
}

/** The bindings of a review with the newest decision of each; empty where no such review began. */
export async function reviewState(db: Kysely<Tables>, { cluster, name }: ReviewId): Promise<readonly ReviewedBinding[]> {
  const state = new Map<string, ReviewedBinding>();
  const filter = { kinds: ["review.started", "review.decided"], clusters: [cluster], resources: [`reviews/${name}`] };
  for (let from = 0; ; ) {
    const rows = await queryLedger(db, filter, { limit: pageSize, from });
    for (const row of rows) take(row, state);
    const last = rows.at(-1);
    if (last === undefined) return [...state.values()];
    from = last.seq + 1;
  }
}

function take(row: LedgerRecordRow, state: Map<string, ReviewedBinding>): void {
  const binding = row.name ?? "";
  const body: JsonValue = JSON.parse(row.body);
  const data = member(body, "data");
  const known = state.get(binding);
  if (row.kind === "review.started") {
    const subjects = member(data, "subjects");
    const lastUse = member(data, "lastUse");
    state.set(binding, {
      binding,
      role: asString(member(data, "role")) ?? "",
      subjects: Array.isArray(subjects) ? subjects.filter((subject) => typeof subject === "string") : [],
      owner: asString(member(data, "owner")),
      lastUse: typeof lastUse === "number" ? lastUse : undefined,
    });
  } else if (known !== undefined && (row.outcome === "keep" || row.outcome === "revoke")) {
    const reason = asString(member(data, "reason")) ?? "";
    state.set(binding, { ...known, decision: { what: row.outcome, by: row.actor ?? "", at: row.at, reason } });
  }
}
