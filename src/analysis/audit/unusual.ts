import type { CheckRef, Finding, Severity } from "../../core/finding.ts";
import { identified } from "../../core/fingerprint.ts";
import type { Instant } from "../../core/host.ts";
import type { JsonObject } from "../../core/json.ts";
import type { ResourceRef } from "../../core/kubernetes.ts";
import { AuditIds } from "./audit-ids.ts";
import { hourOf, SubjectHabits, secretWindow } from "./subject-habits.ts";
import { type ApiUse, actionOf, isRead, isRefused, isSecretRead, isSensitive, programOf } from "./use.ts";

export interface UnusualOptions {
  /** For so long each subject is watched before anything it does can be unusual, milliseconds. */
  readonly learn: number;
  /** Fewer secrets read within ten minutes are never a bulk read. */
  readonly bulkSecrets: number;
}

export interface UnusualUse {
  readonly at: Instant;
  readonly cluster: string;
  readonly finding: Finding;
}

/** Who was seen on fewer requests has no habits that could be broken. */
const enoughUses = 20;

/**
 * Finds use of the Kubernetes API that its subject has not shown before: a verb (on resources that lead to more rights
 * with the resource), an hour, a program, many secrets at once. Give it the records in the order of their time. What was
 * found once becomes usual, so that each change is told once. A subject that is new in a cluster that is known for
 * longer than the learning time is judged by how many secrets it reads, and by nothing else. A request under the audit ID of another needs no learning.
 */
export class UnusualUseFinder {
  readonly #options: UnusualOptions;
  readonly #subjects = new Map<string, SubjectHabits>();
  readonly #clusters = new Map<string, Instant>();
  readonly #auditIds = new AuditIds();

  constructor(options: UnusualOptions) {
    this.#options = options;
  }

  /** How many subjects are known, and how many of them are still learned. */
  subjects(now: Instant): { readonly known: number; readonly learning: number } {
    const learning = [...this.#subjects.values()].filter((habits) => now < habits.first + this.#options.learn);
    return { known: this.#subjects.size, learning: learning.length };
  }

  take(use: ApiUse): readonly UnusualUse[] {
    const found = [this.#reusedAuditId(use), ...this.#unlearned(use)];
    return found.flatMap((finding) => (finding === undefined ? [] : [{ at: use.at, cluster: use.cluster, finding }]));
  }

  #reusedAuditId(use: ApiUse): Finding | undefined {
    const earlier = this.#auditIds.take(use);
    if (earlier === undefined) return undefined;
    const message = `${use.actor} sent a request under the audit ID of another request, as if to hide behind it`;
    return finding(use, "audit-id", "reused", "medium", message, { auditID: use.auditId, earlierRecord: earlier });
  }

  #unlearned(use: ApiUse): readonly (Finding | undefined)[] {
    const key = `${use.cluster}/${use.actor}`;
    const habits = this.#subjects.get(key) ?? new SubjectHabits(use.at);
    this.#subjects.set(key, habits);
    const clusterSince = this.#clusters.get(use.cluster) ?? use.at;
    this.#clusters.set(use.cluster, clusterSince);
    const { learn } = this.#options;
    if (use.at < clusterSince + learn) {
      habits.learn(use);
      return [];
    }
    const found: (Finding | undefined)[] = [];
    if (isSecretRead(use)) found.push(this.#bulkRead(use, habits));
    if (use.at < habits.first + learn || habits.uses < enoughUses) {
      const { usualSecrets, everywhere } = habits;
      habits.learn(use);
      // What a new subject reads in bulk was just told; it is no habit.
      Object.assign(habits, { usualSecrets, everywhere });
    } else found.push(newAction(use, habits), oddHour(use, habits), newProgram(use, habits));
    return found;
  }

  #bulkRead(use: ApiUse, habits: SubjectHabits): Finding | undefined {
    const secrets = habits.secretsWith(use);
    const everywhere = use.name === "" && use.namespace === "" && !isRefused(use);
    const limit = Math.max(this.#options.bulkSecrets, 3 * habits.usualSecrets);
    if (everywhere && !habits.everywhere) {
      habits.everywhere = true;
      return finding(use, "secret-reads", "everywhere", "high", `${use.actor} read the secrets of all namespaces at once`, {});
    }
    if (secrets.size < limit) return undefined;
    const before = habits.usualSecrets;
    habits.usualSecrets = secrets.size;
    const message = `${use.actor} read ${secrets.size} secrets within ${secretWindow / 60_000} minutes; ${before} were the most before`;
    return finding(use, "secret-reads", "bulk", "high", message, {
      secrets: [...secrets.keys()].slice(0, 50),
      mostBefore: before,
    });
  }
}

function newAction(use: ApiUse, habits: SubjectHabits): Finding | undefined {
  const action = actionOf(use);
  if (habits.actions.has(action)) return undefined;
  const usual = [...habits.actions].sort();
  habits.actions.add(action);
  const severity = isSensitive(use) ? (isRead(use) ? "medium" : "high") : isRead(use) ? "low" : "medium";
  const tried = isRefused(use) ? "tried to" : "did";
  const message = `${use.actor} ${tried} ${action} for the first time in ${ageOf(use, habits)}`;
  return finding(use, "new-verb", action, severity, message, { usual });
}

function oddHour(use: ApiUse, habits: SubjectHabits): Finding | undefined {
  const usual = habits.isUsualHour(use.at);
  const hours = habits.usualHours();
  habits.learnHour(use.at);
  if (usual) return undefined;
  const hour = `${String(hourOf(use.at)).padStart(2, "0")}:00`;
  const message = `${use.actor} worked at ${hour} UTC, an hour not seen of it in ${ageOf(use, habits)}`;
  return finding(use, "odd-hours", hour, isRead(use) ? "low" : "medium", message, { usualHours: hours });
}

function newProgram(use: ApiUse, habits: SubjectHabits): Finding | undefined {
  const program = programOf(use.userAgent);
  if (program === "" || habits.programs.has(program)) return undefined;
  const usual = [...habits.programs].sort();
  habits.programs.add(program);
  const message = `${use.actor} used ${program} for the first time in ${ageOf(use, habits)}`;
  const evidence = { usual, userAgent: use.userAgent };
  return finding(use, "new-user-agent", program, isRead(use) ? "low" : "medium", message, evidence);
}

const ageOf = (use: ApiUse, habits: SubjectHabits) => `${Math.floor((use.at - habits.first) / 86_400_000)} days`;

const titles = {
  "new-verb": "First use of a verb",
  "odd-hours": "Use at an unusual hour",
  "secret-reads": "Bulk read of secrets",
  "new-user-agent": "First use of a program",
  "audit-id": "Reuse of an audit ID",
} as const;

function finding(
  use: ApiUse,
  check: keyof typeof titles,
  rule: string,
  severity: Severity,
  message: string,
  evidence: JsonObject,
): Finding {
  const ref: CheckRef = { policy: `usage/${check}`, rule, title: titles[check], category: "Unusual use" };
  const request: JsonObject = {
    record: use.seq,
    time: new Date(use.at).toISOString(),
    verb: use.verb,
    resource: [use.resource, use.group].filter((part) => part !== "").join("."),
    namespace: use.namespace,
    name: use.name,
    outcome: use.outcome,
  };
  return identified({
    check: ref,
    status: "warn",
    severity,
    resource: subjectRef(use.actor),
    message,
    evidence: { ...request, ...evidence },
    controls: [],
  });
}

/** A user name as the subject that RBAC binds. */
function subjectRef(actor: string): ResourceRef {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(actor) ?? [];
  if (namespace !== undefined && name !== undefined) return { group: "", version: "v1", kind: "ServiceAccount", namespace, name };
  return { group: "rbac.authorization.k8s.io", version: "v1", kind: "User", namespace: "", name: actor };
}
