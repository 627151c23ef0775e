import { once } from "node:events";
import { readAuditLogs } from "../adapters/files/audit-log.ts";
import { loadDefaultRbacObjects, loadKubernetesSchemas, loadWorkloadCatalogue } from "../adapters/files/catalog.ts";
import { loadPaths } from "../adapters/files/load-paths.ts";
import { loadDefaultPacks } from "../adapters/files/packs.ts";
import type { KubernetesClient } from "../adapters/kubernetes/client.ts";
import { Ledger } from "../adapters/store/ledger.ts";
import { openSigner } from "../adapters/store/signing-key.ts";
import { readDefaultRbac } from "../analysis/rbac/world.ts";
import { ReportWriter } from "../controllers/report-writer.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import { severities } from "../core/finding.ts";
import type { JsonValue } from "../core/json.ts";
import { isKubernetesObject } from "../core/kubernetes.ts";
import { networkHtml } from "../report/network-html.ts";
import { ServerMetrics, type TroubleSource } from "../server/metrics/metrics.ts";
import { PolicyResultCounts } from "../services/admission/policy-result-counts.ts";
import { ingestEvents } from "../services/audit/ingest.ts";
import { LedgerView } from "../services/audit/ledger-view.ts";
import { UsageWatch } from "../services/audit/usage-watch.ts";
import { type Overview, overviewOf } from "../services/console/finding-view.ts";
import { networkView } from "../services/console/network-view.ts";
import { policyRows } from "../services/console/policy-view.ts";
import { RightsView } from "../services/console/rights-view.ts";
import { ClusterWriter } from "../services/live/cluster-writer.ts";
import { findingRecords } from "../services/live/finding-records.ts";
import { GovernedCluster } from "../services/live/governed-cluster.ts";
import { LiveObjects } from "../services/live/live-objects.ts";
import { LivePolicies } from "../services/live/live-policies.ts";
import { Posture } from "../services/live/posture.ts";
import { PolicyModes } from "../services/rollout/policy-modes.ts";
import { Rollout } from "../services/rollout/rollout.ts";
import { scannedObjects } from "../services/scanned-objects.ts";
import { clusterClient } from "./cluster-client.ts";
import type { CommandContext } from "./command.ts";
import { builtInComponents } from "./components.ts";
import type { IdentityFlags } from "./console-identities.ts";
import { nodeHost } from "./node-host.ts";
import { openStore } from "./open-store.ts";
import { writeDiagnostics } from "./run-audit-text.ts";
import { announceServer } from "./running-server.ts";
import { serveConsole } from "./serve-console.ts";
import { serveWebhook, type WebhookFlags } from "./serve-webhook.ts";

export interface ServeFlags extends WebhookFlags, IdentityFlags {
  readonly policies?: readonly string[];
  readonly files?: readonly string[];
  readonly auditLog?: readonly string[];
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly webhook: boolean;
  readonly listen: string;
}

/** Serves until it is told to stop (SIGINT, SIGTERM); then answers what is under way and writes what waits. */
export async function runServe(flags: ServeFlags, context: CommandContext): Promise<void> {
  const closing: Closing = [];
  try {
    await serve(flags, context, closing);
  } finally {
    // Where it could not start, too: what is open keeps the process alive.
    for (const close of closing.toReversed()) await close();
  }
}

/** What has been opened, in order. */
type Closing = (() => Promise<void>)[];

async function serve(flags: ServeFlags, context: CommandContext, closing: Closing): Promise<void> {
  const { io } = context;
  const stopped = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  const trouble = (error: unknown) => io.err(`castellan: ${error instanceof Error ? error.message : String(error)}\n`);
  const store = await openStore(flags.data, io.env["DATABASE_URL"]);
  closing.push(() => store.close());
  const ledger = new Ledger(store, await openSigner(flags.data, "castellan/ledger"), io.now);
  closing.push(() => ledger.close());

  const schemas = loadKubernetesSchemas();
  const policies = new LivePolicies(schemas.resources());
  policies.onRevision(({ diagnostics }) => writeDiagnostics(diagnostics.filter(isError), context));
  const files = await loadPaths(flags.files ?? []);
  const client = flags.files === undefined ? await clusterClient(flags) : undefined;
  const clusterName = client?.context ?? "files";
  const objectsOfFiles = files.documents.map((d) => d.value).filter(isKubernetesObject);
  const fileResources = schemas.withCustomResources(objectsOfFiles).resources();
  let cluster: GovernedCluster | undefined;
  const resources = () => cluster?.resources ?? fileResources;

  const results = new PolicyResultCounts();
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  policies.onRevision(tell);
  const catalogue = loadWorkloadCatalogue();
  const defaultRbac = readDefaultRbac(loadDefaultRbacObjects());
  const complete = client !== undefined;
  const posture = new Posture({
    policies,
    resources,
    schemas,
    catalogue,
    defaultRbac,
    components: builtInComponents,
    packs: loadDefaultPacks(),
    host: nodeHost(io),
    complete,
    onChange: (change) => {
      tell();
      results.takeFindings(change.opened);
      const records = findingRecords(change, clusterName, io.now());
      if (records.length > 0) ledger.append(records).catch(trouble);
    },
    onTrouble: trouble,
  });
  closing.push(() => posture.stop());
  const given = await loadPaths(flags.policies ?? []);
  writeDiagnostics([...given.diagnostics, ...files.diagnostics], context);
  policies.setSource("files", given.documents);

  const modes = new PolicyModes({
    store,
    ledger,
    cluster: clusterName,
    now: io.now,
    onChange: (changed) => policies.setModes(changed),
  });
  await modes.refresh();
  // Another replica may promote a policy.
  const modesRefresh = setInterval(() => {
    modes.refresh().catch(trouble);
  }, modesMilliseconds);
  closing.push(async () => clearInterval(modesRefresh));
  const rollout = new Rollout({ policies, posture, modes, store, cluster: clusterName, resources, host: nodeHost(io), complete });

  const worldInput = () => ({
    documents: [...posture.objects],
    namespace: "default",
    complete,
    defaults: defaultRbac,
    catalogue,
  });
  const rights = new RightsView(worldInput, resources);
  listeners.add(() => rights.changed());
  const metrics = new ServerMetrics({
    findings: () => posture.findings(),
    objects: () => posture.size,
    policies: () => ({ working: policies.current.policies.length, broken: policies.current.broken.length }),
    ledgerBacklog: () => ledger.backlog,
    policyResults: () => results.counts(),
  });
  ledger.onBatch((batch) => metrics.batch(batch));
  const troubleOf = (part: TroubleSource) => (error: unknown) => {
    metrics.trouble(part);
    trouble(error);
  };

  const usage = new UsageWatch({ store, ledger, now: io.now, onChange: tell, onTrouble: trouble });
  closing.push(() => usage.stop());
  usage.start();
  function* findings() {
    yield* posture.findings();
    yield* usage.findings();
  }

  let ready = false;
  const console = await serveConsole(
    flags,
    {
      cluster: clusterName,
      ledger: new LedgerView(store),
      objects: () => posture.size,
      findings,
      objectOf: (finding) => posture.objectOf(finding),
      policies: () => policyRows(policies.current),
      rights,
      networkPage: () => networkHtml(networkView([...posture.objects], catalogue, complete, `Network of ${clusterName}`)),
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    { rollout, metrics: () => metrics.text(), waitingFor: () => (ready ? [] : ["the first look at everything"]) },
    context,
  );
  closing.push(() => console.close());
  closing.push(await announceServer(flags.data, console));

  if (flags.auditLog !== undefined) await takeAuditLogs(flags.auditLog, clusterName, ledger, context);
  if (client === undefined) {
    posture.change(scannedObjects(files.documents, "default", fileResources).objects);
  } else {
    closing.push(() => client.close());
    cluster = await govern(client);
  }
  await posture.settled();
  ready = true;
  io.err(
    `castellan: governs ${clusterName}: ${posture.size} objects, ${policies.current.policies.length} policies; ledger in ${store.location}\n`,
  );
  io.err(startText(overviewOf(posture.findings()), console.url, flags));
  await stopped;

  async function govern(client: KubernetesClient): Promise<GovernedCluster> {
    const webhook = flags.webhook
      ? await serveWebhook(flags, {
          client,
          ledger,
          policies,
          cluster: () => governed,
          io,
          metrics,
          results,
          trouble: troubleOf("admission"),
        })
      : undefined;
    const governed: GovernedCluster = new GovernedCluster({
      client,
      now: io.now,
      policies,
      schemas,
      webhook: webhook?.options,
      onTrouble: troubleOf("watch"),
    });
    const objects = new LiveObjects(client, posture, troubleOf("watch"));
    await governed.start();
    await objects.follow(governed.resources);
    const reports = new ReportWriter({
      writer: new ClusterWriter(client, () => governed.resources),
      findings: () => posture.findings(),
      tool: { name: "castellan", version: context.version },
      now: io.now,
      onTrouble: troubleOf("reports"),
    });
    await posture.settled();
    await reports.start().catch(trouble);
    listeners.add(() => reports.changed());
    governed.onResources(async () => reports.changed());
    governed.onResources((served) => objects.follow(served));
    closing.push(async () => {
      await Promise.all([governed.stop(), objects.stop(), reports.stop()]);
      // After it has stopped: a change of a policy on its way would register the webhooks again.
      if (flags.webhookService === undefined) await governed.unregister();
      await webhook?.close();
    });
    return governed;
  }
}

const modesMilliseconds = 3000;
/** Log lines that go into one transaction. */
const auditBatch = 1000;

async function takeAuditLogs(paths: readonly string[], cluster: string, ledger: Ledger, context: CommandContext): Promise<void> {
  const pending: JsonValue[] = [];
  const diagnostics = await readAuditLogs(paths, async (event) => {
    if (pending.push(event) >= auditBatch) await ingestEvents(ledger, pending.splice(0), cluster);
  });
  await ingestEvents(ledger, pending, cluster);
  writeDiagnostics(diagnostics, context);
}

/** What somebody who just started the server wants to know. */
function startText({ total, byNamespace }: Overview, url: string, flags: ServeFlags): string {
  const worst = severities.toReversed().filter((severity) => total[severity] > 0);
  const found = worst.length === 0 ? "nothing is wrong" : worst.map((severity) => `${total[severity]} ${severity}`).join(", ");
  const [first] = byNamespace;
  const data = flags.data === ".castellan" ? "" : ` --data ${flags.data}`;
  const lines = [
    `findings: ${found}${first === undefined ? "" : `; worst in ${first.name === "" ? "the cluster itself" : `namespace ${first.name}`}`}`,
    `console:  ${url}${url.includes("?token=") ? " (works once; it logs you in)" : ""}`,
    `try:      castellan audit query --saved secret-reads${data}`,
    `          castellan audit verify${data}`,
    flags.files === undefined
      ? "          castellan rbac paths --cluster --top 5"
      : `          castellan rbac paths -f ${flags.files[0]} --top 5`,
    "Ctrl-C stops.",
  ];
  return `${lines.map((line) => `  ${line}`).join("\n")}\n`;
}

const isError = (diagnostic: Diagnostic) => diagnostic.severity === "error";
