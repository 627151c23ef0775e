import type { Finding } from "../../../core/finding.ts";
import { identified } from "../../../core/fingerprint.ts";
import type { Instant } from "../../../core/host.ts";

/** A call as the API server's audit log tells it. */
export interface AuditedCall {
  /** Chosen by the client where it likes. */
  readonly auditId: string;
  /** When the API server received it, as its log writes it: the same in all events of one request. */
  readonly received: string;
  readonly at: Instant;
  readonly cluster: string;
  /** Who was authenticated. */
  readonly caller: string;
  /** As whom they acted; undefined: as themselves. */
  readonly impersonated: string | undefined;
  readonly verb: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly sources: readonly string[];
  readonly userAgent: string;
}

/** The gateway's record may come behind the audit event by so much. */
const graceMilliseconds = 120_000;
/** Audit IDs are remembered so long: the log's batches may be late. */
const rememberedMilliseconds = 3_600_000;

/**
 * Finds calls that went around the gateway by comparing what the API server logged with what the gateway recorded: people who call the
 * API server themselves, and calls by the gateway's account that no gateway made.
 */
export class BypassFinder {
  readonly #gatewayUser: (cluster: string) => string | undefined;
  /** By cluster and audit ID; `received` is the request that was found under it. */
  readonly #forwarded = new Map<string, { readonly at: Instant; readonly received: string | undefined }>();
  #open: AuditedCall[] = [];

  /** The user name of the gateway's own account in a cluster; undefined where there is no gateway to it. */
  constructor(gatewayUser: (cluster: string) => string | undefined) {
    this.#gatewayUser = gatewayUser;
  }

  /** A call that a gateway recorded. */
  forwarded(cluster: string, auditId: string, at: Instant): void {
    const key = `${cluster}/${auditId}`;
    this.#forwarded.set(key, { at, received: this.#forwarded.get(key)?.received });
  }

  audited(call: AuditedCall): void {
    const own = this.#gatewayUser(call.cluster);
    if (own === undefined) return;
    const byGateway = call.caller === own;
    // What the account does as itself is the server's own work: roles it reads, questions it asks.
    if (byGateway ? call.impersonated !== undefined : !isProgram(call.caller)) this.#open.push(call);
  }

  /** What is certain by now. */
  settle(now: Instant): readonly { readonly call: AuditedCall; readonly finding: Finding }[] {
    for (const [key, { at }] of this.#forwarded) if (at < now - rememberedMilliseconds) this.#forwarded.delete(key);
    const late = this.#open.filter((call) => call.at <= now - graceMilliseconds);
    this.#open = this.#open.filter((call) => call.at > now - graceMilliseconds);
    const found: { call: AuditedCall; finding: Finding }[] = [];
    for (const call of late) {
      const byGateway = call.caller === this.#gatewayUser(call.cluster);
      if (byGateway && this.#isForwarded(call)) continue;
      found.push({ call, finding: byGateway ? stolen(call) : direct(call) });
    }
    return found;
  }

  /** An audit ID stands for one request: whoever was answered with it could send it again with the gateway's credential. */
  #isForwarded({ cluster, auditId, received }: AuditedCall): boolean {
    const key = `${cluster}/${auditId}`;
    const known = this.#forwarded.get(key);
    if (known === undefined) return false;
    if (known.received === undefined) this.#forwarded.set(key, { ...known, received });
    return known.received === undefined || known.received === received;
  }
}

/** Kubernetes' own parts and the workloads; they have no way through the gateway. */
const isProgram = (user: string): boolean => user.startsWith("system:") || user === "";

const changing = new Set(["create", "update", "patch", "delete", "deletecollection"]);

function stolen(call: AuditedCall): Finding {
  return bypass(
    call,
    "gateway-account",
    "critical",
    `The gateway's account acted as ${call.impersonated} without the gateway: its credential is used elsewhere`,
    "Replace the credential of the gateway's account now, and look who had it.",
  );
}

function direct(call: AuditedCall): Finding {
  const changes = changing.has(call.verb);
  return bypass(
    call,
    changes ? "direct-change" : "direct-read",
    changes ? "high" : "medium",
    `${call.caller} called the API server around the gateway: ${call.verb} ${call.resource}`,
    "Take the person's own credential for the cluster away, or close the way to the API server that does not lead through the gateway.",
  );
}

function bypass(call: AuditedCall, rule: string, severity: Finding["severity"], message: string, fix: string): Finding {
  const { auditId, at, verb, resource, namespace, name, sources, userAgent } = call;
  return identified({
    check: { policy: "access/bypass", rule, title: "The gateway was bypassed", category: "Access" },
    status: "fail",
    severity,
    resource: { group: "rbac.authorization.k8s.io", version: "v1", kind: "User", namespace: "", name: call.caller },
    message,
    evidence: {
      auditID: auditId,
      time: new Date(at).toISOString(),
      verb,
      resource,
      namespace,
      name,
      sources: [...sources],
      userAgent,
    },
    fix: { description: fix },
    controls: [],
  });
}
