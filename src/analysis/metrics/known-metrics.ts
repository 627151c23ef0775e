/** A metric's own labels; a list names every value that a label can have. */
export interface KnownMetric {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: { readonly [label: string]: readonly string[] | "any" };
}

const results = ["pass", "fail", "warn", "error", "skip"];
const operations = ["create", "update", "delete", "connect"];
const booleans = ["true", "false"];
const modes = ["enforce", "audit"];

const ofPolicy = {
  policy_name: "any",
  policy_namespace: "any",
  policy_type: ["cluster", "namespaced"],
  policy_validation_mode: modes,
  policy_background_mode: booleans,
} as const;

const ofResource = { resource_kind: "any", resource_namespace: "any", resource_request_operation: operations } as const;

const ofRule = {
  ...ofPolicy,
  ...ofResource,
  rule_name: "any",
  rule_result: results,
  rule_type: ["validate", "mutate", "generate", "imageVerify", "-"],
  rule_execution_cause: ["admission_request", "background_scan"],
  dry_run: booleans,
} as const;

const ofCelPolicy = {
  policy_name: "any",
  policy_namespace: "any",
  policy_validation_mode: modes,
  policy_background_mode: booleans,
  ...ofResource,
  execution_cause: ["admission_request", "background_scan"],
  result: results,
} as const;

const ofReview = { ...ofResource, request_allowed: booleans } as const;
const ofDeletion = {
  policy_type: "any",
  policy_namespace: "any",
  policy_name: "any",
  resource_kind: "any",
  resource: "any",
} as const;
const ofHttp = { http_method: "any", http_url: "any" } as const;

const severities = ["info", "low", "medium", "high", "critical"];

/** Exporters of which every metric is known (Kyverno 1.19), by the prefix of their metrics. */
export const exporters: readonly { readonly name: string; readonly prefix: string; readonly metrics: readonly KnownMetric[] }[] =
  [
    {
      name: "Kyverno",
      prefix: "kyverno_",
      metrics: [
        { name: "kyverno_policy_results_total", type: "counter", labels: ofRule },
        { name: "kyverno_policy_execution_duration_seconds", type: "histogram", labels: ofRule },
        {
          name: "kyverno_policy_rule_info_total",
          type: "gauge",
          labels: { ...ofPolicy, rule_name: "any", rule_type: ofRule.rule_type, status_ready: booleans },
        },
        {
          name: "kyverno_policy_changes_total",
          type: "counter",
          labels: { ...ofPolicy, policy_change_type: ["created", "updated", "deleted"] },
        },
        ...["validating", "mutating", "generating", "image_validating"].flatMap((kind): KnownMetric[] => [
          { name: `kyverno_${kind}_policy_results_total`, type: "counter", labels: ofCelPolicy },
          { name: `kyverno_${kind}_policy_execution_duration_seconds`, type: "histogram", labels: ofCelPolicy },
        ]),
        { name: "kyverno_admission_requests_total", type: "counter", labels: ofReview },
        { name: "kyverno_admission_review_duration_seconds", type: "histogram", labels: ofReview },
        { name: "kyverno_http_requests_total", type: "counter", labels: ofHttp },
        { name: "kyverno_http_requests_duration_seconds", type: "histogram", labels: ofHttp },
        {
          name: "kyverno_client_queries_total",
          type: "counter",
          labels: { operation: "any", client_type: "any", resource_kind: "any", resource_namespace: "any" },
        },
        { name: "kyverno_controller_reconcile_total", type: "counter", labels: { controller_name: "any" } },
        { name: "kyverno_controller_requeue_total", type: "counter", labels: { controller_name: "any", num_requeues: "any" } },
        { name: "kyverno_controller_drop_total", type: "counter", labels: { controller_name: "any" } },
        ...["cleanup", "deleting", "ttl"].flatMap((kind): KnownMetric[] => [
          {
            name: `kyverno_${kind}_controller_deletedobjects_total`,
            type: "counter",
            labels: {
              ...ofDeletion,
              resource_namespace: "any",
              resource_group: "any",
              resource_version: "any",
              deletion_propagation: "any",
            },
          },
          {
            name: `kyverno_${kind}_controller_errors_total`,
            type: "counter",
            labels: {
              ...ofDeletion,
              resource_namespace: "any",
              resource_group: "any",
              resource_version: "any",
              deletion_propagation: "any",
            },
          },
        ]),
        {
          name: "kyverno_ttl_controller_info",
          type: "gauge",
          labels: { resource_group: "any", resource_version: "any", resource_resource: "any" },
        },
        { name: "kyverno_breaker_total", type: "counter", labels: { circuit_name: "any" } },
        { name: "kyverno_breaker_drops_total", type: "counter", labels: { circuit_name: "any" } },
        { name: "kyverno_events_dropped_total", type: "counter", labels: {} },
        { name: "kyverno_updaterequest_total", type: "gauge", labels: { status: "any", type: "any" } },
        {
          name: "kyverno_deprecated_api_requests_total",
          type: "counter",
          labels: { group: "any", version: "any", kind: "any", field: "any" },
        },
        { name: "kyverno_info", type: "gauge", labels: { version: "any" } },
      ],
    },
    {
      name: "Castellan",
      prefix: "castellan_",
      metrics: [
        {
          name: "castellan_admission_reviews_total",
          type: "counter",
          labels: { stage: ["mutate", "validate"], outcome: ["allow", "deny", "error"] },
        },
        { name: "castellan_admission_review_duration_seconds", type: "histogram", labels: { stage: ["mutate", "validate"] } },
        { name: "castellan_webhook_refused_total", type: "counter", labels: { reason: ["key", "certificate", "connections"] } },
        { name: "castellan_ledger_records_total", type: "counter", labels: { written: booleans } },
        { name: "castellan_ledger_pruned_records_total", type: "counter", labels: {} },
        { name: "castellan_ledger_commit_duration_seconds", type: "histogram", labels: {} },
        { name: "castellan_ledger_waiting_records", type: "gauge", labels: {} },
        {
          name: "castellan_troubles_total",
          type: "counter",
          labels: { part: ["admission", "ledger", "watch", "reports", "other"] },
        },
        { name: "castellan_admission_elsewhere", type: "gauge", labels: { cluster: "any" } },
        { name: "castellan_cluster_reached", type: "gauge", labels: { cluster: "any" } },
        { name: "castellan_cluster_token_expiry_timestamp_seconds", type: "gauge", labels: { cluster: "any" } },
        { name: "castellan_objects", type: "gauge", labels: { cluster: "any" } },
        { name: "castellan_policies", type: "gauge", labels: { cluster: "any", state: ["working", "broken"] } },
        {
          name: "castellan_findings",
          type: "gauge",
          labels: { cluster: "any", severity: severities, status: ["fail", "warn", "error"] },
        },
      ],
    },
  ];

/** Labels that scraping adds, whatever the exporter. */
export const scrapeLabels = new Set(
  "job instance namespace pod container service endpoint cluster node prometheus env environment region zone team tenant app".split(
    " ",
  ),
);
