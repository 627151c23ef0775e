import { loadKubernetesSchemas } from "../../src/adapters/files/catalog.ts";
import { loadPaths } from "../../src/adapters/files/load-paths.ts";
import { Ledger } from "../../src/adapters/store/ledger.ts";
import { openSigner } from "../../src/adapters/store/signing-key.ts";
import { openSqlite } from "../../src/adapters/store/sqlite.ts";
import { ServerMetrics } from "../../src/server/metrics/metrics.ts";
import { answerReview } from "../../src/server/webhook/reviews.ts";
import { listenForReviews } from "../../src/server/webhook/webhook.ts";
import { Admission } from "../../src/services/admission/admit.ts";
import { PolicyResultCounts } from "../../src/services/admission/policy-result-counts.ts";
import { LivePolicies } from "../../src/services/live/live-policies.ts";
import { ServingCertificates } from "../../src/services/live/serving-certificates.ts";

// The webhook as `castellan serve` runs it, without a cluster: `admission-server.ts DIRECTORY POLICY...`.
const [directory = "", ...paths] = process.argv.slice(2);
const resources = loadKubernetesSchemas().resources();
const policies = new LivePolicies(resources);
policies.setSource("files", (await loadPaths(paths)).documents);
const store = await openSqlite(directory);
const ledger = new Ledger(store, await openSigner(directory, "bench/ledger"), Date.now);
const { server } = await new ServingCertificates(directory, { dns: ["localhost"], ips: ["127.0.0.1"] }).current(Date.now());
const unknown = { ok: false, message: "there is no cluster" } as const;
const facts = { known: () => unknown, fetch: async () => unknown };
const results = new PolicyResultCounts();
const metrics = new ServerMetrics({
  clusters: () => [],
  ledgerBacklog: () => ledger.backlog,
  policyResults: () => results.counts(),
});
ledger.onBatch((batch) => metrics.batch(batch));
const admission = new Admission({
  cluster: "bench",
  facts,
  resources: () => resources,
  host: { now: Date.now, random: Math.random },
  ledger,
  results,
});
const webhook = await listenForReviews({
  host: "127.0.0.1",
  port: 0,
  identity: server,
  callers: { open: (path) => path, onRefused: () => {} },
  onError: (error) => console.error(error),
  batches: { isAuthorized: () => true, handlers: new Map() },
  handle: metrics.measuring((path, review, until) =>
    answerReview(path, review, until, {
      admission,
      policies: () => policies.current.admission,
      namespaceLabels: () => ({}),
      now: Date.now,
    }),
  ),
});
// Starting and warming up are no part of what a review costs: each signal begins a new measurement, and tells of the one before.
let since: NodeJS.CpuUsage | undefined;
process.on("SIGUSR2", () => {
  if (since !== undefined) process.stdout.write(`${JSON.stringify(process.cpuUsage(since))}\n`);
  since = process.cpuUsage();
});
async function stop(): Promise<void> {
  await webhook.close();
  await ledger.close();
  await store.close();
}

process.on("SIGTERM", () => void stop());
process.stdout.write(`${webhook.port} ${policies.current.policies.filter(({ admission: judges }) => judges).length}\n`);
