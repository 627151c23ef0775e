import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { type Finding, ruleStatuses, severities } from "../../core/finding.ts";
import type { PolicyResultCount } from "../../services/admission/policy-result-counts.ts";
import type { CallRefusal } from "../webhook/callers.ts";
import type { ReviewHandler } from "../webhook/webhook.ts";

/** One cluster under review. */
export interface MeasuredCluster {
  readonly name: string;
  readonly findings: () => Iterable<Finding>;
  readonly objects: () => number;
  readonly policyCounts: () => { readonly working: number; readonly broken: number };
  /** Undefined where its API server answers. */
  readonly unreached: () => unknown;
  readonly isKnown: () => boolean;
  /** Milliseconds since 1970 at which the token that we have there ends; undefined: not known, or a kubeconfig's. */
  readonly tokenEnds: () => number | undefined;
  /** Of whom its webhooks are, where that is another server. */
  readonly webhooksHeld: () => unknown;
}

/** What is read when Prometheus asks. */
export interface Measured {
  readonly clusters: () => Iterable<MeasuredCluster>;
  readonly ledgerBacklog: () => number;
  readonly policyResults: () => Iterable<PolicyResultCount>;
}

/** Parts of the server that can be in trouble. */
export type TroubleSource = "admission" | "ledger" | "watch" | "reports" | "other";

const latencyBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Our metrics in Prometheus' text format; one for each server. */
export class ServerMetrics {
  readonly #registry = new Registry();
  readonly #reviews = new Counter({
    name: "castellan_admission_reviews_total",
    help: "Admission reviews that were answered, by stage and what the answer was; error: failurePolicy decided.",
    labelNames: ["stage", "outcome"],
    registers: [this.#registry],
  });
  readonly #reviewSeconds = new Histogram({
    name: "castellan_admission_review_duration_seconds",
    help: "From the review's arrival to its answer, its record being durable.",
    labelNames: ["stage"],
    buckets: latencyBuckets,
    registers: [this.#registry],
  });
  readonly #records = new Counter({
    name: "castellan_ledger_records_total",
    help: "Records written to the ledger, or lost with their batch: then their senders were told.",
    labelNames: ["written"],
    registers: [this.#registry],
  });
  readonly #pruned = new Counter({
    name: "castellan_ledger_pruned_records_total",
    help: "Records that this server removed as they were older than they are kept (--retain).",
    registers: [this.#registry],
  });
  readonly #commitSeconds = new Histogram({
    name: "castellan_ledger_commit_duration_seconds",
    help: "One group commit of the ledger.",
    buckets: latencyBuckets,
    registers: [this.#registry],
  });
  readonly #troubles = new Counter({
    name: "castellan_troubles_total",
    help: "Times something could not be done, by part: watch is an informer that the API server does not answer.",
    labelNames: ["part"],
    registers: [this.#registry],
  });

  readonly #refused = new Counter({
    name: "castellan_webhook_refused_total",
    help: "Calls of the webhook that no API server made: without the key of a registered path, or without a trusted certificate.",
    labelNames: ["reason"],
    registers: [this.#registry],
  });

  readonly #policyResults: Measured["policyResults"];

  constructor(measured: Measured) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    // A counter that begins at its first event never rises in the eyes of increase().
    for (const written of ["true", "false"]) this.#records.inc({ written }, 0);
    for (const part of ["admission", "ledger", "watch", "reports", "other"]) this.#troubles.inc({ part }, 0);
    for (const reason of ["key", "certificate", "connections"]) this.#refused.inc({ reason }, 0);
    for (const stage of ["mutate", "validate"])
      for (const outcome of ["allow", "deny", "error"]) this.#reviews.inc({ stage, outcome }, 0);
    new Gauge({
      name: "castellan_ledger_waiting_records",
      help: "Records that wait for the disk.",
      registers,
      collect() {
        this.set(measured.ledgerBacklog());
      },
    });
    new Gauge({
      name: "castellan_cluster_reached",
      help: "1 where the cluster's API server answers, else 0: its other values are then those of before, or absent.",
      labelNames: ["cluster"],
      registers,
      collect() {
        for (const { name, unreached } of measured.clusters()) this.set({ cluster: name }, unreached() === undefined ? 1 : 0);
      },
    });
    new Gauge({
      name: "castellan_cluster_token_expiry_timestamp_seconds",
      help: "When the token of a registered cluster ends; one of our own account is renewed at half of its time.",
      labelNames: ["cluster"],
      registers,
      collect() {
        for (const { name, tokenEnds } of measured.clusters()) {
          const ends = tokenEnds();
          if (ends !== undefined) this.set({ cluster: name }, ends / 1000);
        }
      },
    });
    new Gauge({
      name: "castellan_admission_elsewhere",
      help: "1 where another server holds the cluster's webhooks: nothing is judged here at admission.",
      labelNames: ["cluster"],
      registers,
      collect() {
        for (const { name, webhooksHeld } of measured.clusters())
          this.set({ cluster: name }, webhooksHeld() === undefined ? 0 : 1);
      },
    });
    new Gauge({
      name: "castellan_objects",
      help: "Objects that are kept under review.",
      labelNames: ["cluster"],
      registers,
      collect() {
        for (const { name, objects, isKnown } of measured.clusters()) if (isKnown()) this.set({ cluster: name }, objects());
      },
    });
    new Gauge({
      name: "castellan_policies",
      help: "Policies in force, and those whose newest text does not compile.",
      labelNames: ["cluster", "state"],
      registers,
      collect() {
        for (const { name, policyCounts } of measured.clusters()) {
          const { working, broken } = policyCounts();
          this.set({ cluster: name, state: "working" }, working);
          this.set({ cluster: name, state: "broken" }, broken);
        }
      },
    });
    new Gauge({
      name: "castellan_findings",
      help: "What is wrong now, by severity and status.",
      labelNames: ["cluster", "severity", "status"],
      registers,
      collect() {
        for (const { name: cluster, findings, isKnown } of measured.clusters()) {
          if (!isKnown()) continue;
          // Counted first: finding the metric of some labels costs far more than adding one.
          const counts = new Map(severities.map((severity) => [severity, new Map<string, number>()]));
          for (const { severity, status } of findings()) {
            const ofSeverity = counts.get(severity);
            ofSeverity?.set(status, (ofSeverity.get(status) ?? 0) + 1);
          }
          for (const [severity, ofSeverity] of counts)
            for (const status of ruleStatuses)
              if (status !== "pass" && status !== "skip") this.set({ cluster, severity, status }, ofSeverity.get(status) ?? 0);
        }
      },
    });
    this.#policyResults = measured.policyResults;
  }

  /** The text that `/metrics` answers, in parts; rejects before there is any. */
  async text(): Promise<Iterable<string>> {
    const own = `${await this.#registry.metrics()}\n`;
    const results = this.#policyResults();
    return (function* () {
      yield own;
      yield* policyResultsText(results);
    })();
  }

  trouble(part: TroubleSource): void {
    this.#troubles.inc({ part });
  }

  /** A call of the webhook was not answered. */
  refused(reason: CallRefusal): void {
    this.#refused.inc({ reason });
  }

  /** Retention removed records. */
  pruned(records: number): void {
    this.#pruned.inc(records);
  }

  /** One group commit. */
  batch({
    records,
    milliseconds,
    written,
  }: {
    readonly records: number;
    readonly milliseconds: number;
    readonly written: boolean;
  }): void {
    this.#records.inc({ written: String(written) }, records);
    this.#commitSeconds.observe(milliseconds / 1000);
    if (!written) this.trouble("ledger");
  }

  /** A handler whose answers are counted and timed. */
  measuring(handle: ReviewHandler): ReviewHandler {
    return async (path, review, until) => {
      const stage = path.startsWith("/mutate/") ? "mutate" : "validate";
      const start = performance.now();
      try {
        const answer = await handle(path, review, until);
        if (answer === undefined) return undefined;
        this.#reviews.inc({ stage, outcome: isAllowed(answer) ? "allow" : "deny" });
        return answer;
      } catch (error) {
        this.#reviews.inc({ stage, outcome: "error" });
        throw error;
      } finally {
        this.#reviewSeconds.observe({ stage }, (performance.now() - start) / 1000);
      }
    };
  }
}

/** Lines of a part. As one text the megabytes of a large cluster would cost the server hundreds of them. */
const partLines = 100;

/** Written by ourselves: a cluster has tens of thousands of these, and their labels are texts already. */
function* policyResultsText(counts: Iterable<PolicyResultCount>): Iterable<string> {
  const name = "kyverno_policy_results_total";
  yield `# HELP ${name} What rules said, as Kyverno counts it; result is rule_result under the name that many alerts use.\n`;
  yield `# TYPE ${name} counter\n`;
  let lines: string[] = [];
  for (const { labels, count } of counts) {
    lines.push(`${name}{${labels}} ${count}\n`);
    if (lines.length < partLines) continue;
    yield lines.join("");
    lines = [];
  }
  yield lines.join("");
}

function isAllowed(answer: { readonly [key: string]: unknown }): boolean {
  const response = answer["response"];
  return typeof response === "object" && response !== null && "allowed" in response && response.allowed === true;
}
