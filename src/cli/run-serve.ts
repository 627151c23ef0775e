import { once } from "node:events";
import { loadDefaultRbacObjects, loadKubernetesSchemas, loadWorkloadCatalogue } from "../adapters/files/catalog.ts";
import { FollowedFile } from "../adapters/files/follow-lines.ts";
import { loadDefaultPacks } from "../adapters/files/packs.ts";
import { ApiError } from "../adapters/kubernetes/client.ts";
import { OutsideCalls } from "../adapters/outside-calls.ts";
import { readDefaultRbac } from "../analysis/rbac/world.ts";
import { type Finding, severities } from "../core/finding.ts";
import { count } from "../report/text.ts";
import { ServerMetrics, type TroubleSource } from "../server/metrics/metrics.ts";
import { BadBatch } from "../server/webhook/batches.ts";
import { BypassWatch } from "../services/access/bypass/bypass-watch.ts";
import { sealGrant } from "../services/access/guardrail-grant.ts";
import { sealedDigest } from "../services/access/sealed-digest.ts";
import { AccessReviews } from "../services/access-review-campaigns.ts";
import { PolicyResultCounts } from "../services/admission/policy-result-counts.ts";
import { ingestLogs } from "../services/audit/ingest.ts";
import { LedgerView } from "../services/audit/ledger-view.ts";
import { UsageWatch } from "../services/audit/usage-watch.ts";
import { type ClusterFindings, type Overview, overviewOf } from "../services/console/finding-view.ts";
import { Trend } from "../services/console/trend.ts";
import { PolicyFiles } from "../services/live/policy-files.ts";
import { ScheduledReviews } from "../services/scheduled-reviews.ts";
import { teamOfResource } from "../services/team.ts";
import type { CommandContext } from "./command.ts";
import type { IdentityFlags } from "./console-identities.ts";
import { flowLogs } from "./flow-logs.ts";
import { openLedger, openStore } from "./open-store.ts";
import { writeDiagnostics } from "./run-audit-text.ts";
import { announceServer } from "./running-server.ts";
import { type AccessFlags, serveAccess } from "./serve-access.ts";
import { addAccessApi } from "./serve-access-api.ts";
import { ServedCluster } from "./serve-cluster.ts";
import { serveConsole } from "./serve-console.ts";
import { type DesiredFlags, watchDesired } from "./serve-desired.ts";
import { type ServingGateway, serveGateway } from "./serve-gateway.ts";
import type { ServingIdentity } from "./serve-identity.ts";
import { FollowedNotifications } from "./serve-notifications.ts";
import { servedRegistrations, startRenewals } from "./serve-registered.ts";
import { type RetentionFlags, startRetention } from "./serve-retention.ts";
import { factsOf, type RegistryFlags, registriesOf, roleBindingsOf, type SourceFlags, sourcesOf } from "./serve-sources.ts";
import { serveWebhook, type WebhookFlags } from "./serve-webhook.ts";
import { type LogFormat, serverLog } from "./server-log.ts";

export interface ServeFlags
  extends SourceFlags,
    RegistryFlags,
    WebhookFlags,
    IdentityFlags,
    AccessFlags,
    DesiredFlags,
    RetentionFlags {
  readonly grantRolebindings?: boolean;
  readonly allowCalls?: readonly URL[];
  readonly events?: boolean;
  readonly reviewEvery?: number;
  readonly policies?: readonly string[];
  readonly auditLog?: readonly string[];
  readonly flows?: readonly string[];
  readonly clusters?: string;
  readonly ledgerKey?: string;
  readonly logFormat: LogFormat;
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
  const log = serverLog(flags.logFormat, io);
  const trouble = (error: unknown) => log.trouble(error);
  const store = await openStore(flags.data, io.env["DATABASE_URL"], { answerMilliseconds: databaseMilliseconds });
  closing.push(() => store.close());
  const ledger = await openLedger(store, flags.data, io.now, flags.ledgerKey);
  closing.push(() => ledger.close());

  const clusters: ServedCluster[] = [];
  const results = new PolicyResultCounts();
  const outside = new OutsideCalls(flags.allowCalls ?? []);
  closing.push(() => outside.close());
  const registries = await registriesOf(flags, io.now);
  closing.push(() => registries.close());
  const metrics = new ServerMetrics({
    clusters: () => clusters,
    ledgerBacklog: () => ledger.backlog,
    policyResults: () => results.counts(),
  });
  ledger.onBatch((batch) => metrics.batch(batch));
  const troubleOf = (part: TroubleSource) => (error: unknown) => {
    metrics.trouble(part);
    log.trouble(error, { part });
  };
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };

  const namedCluster = (wanted: string | undefined) =>
    clusters.find(({ name }) => (wanted === undefined ? clusters.length === 1 : name === wanted));
  const flows = (wanted: string, lines: readonly string[]) => {
    const cluster = namedCluster(wanted);
    if (cluster === undefined) throw new BadBatch(`no cluster ${wanted} is governed here`);
    cluster.takeFlows(lines);
  };
  const schemas = loadKubernetesSchemas();
  const webhook =
    flags.webhook && flags.files === undefined
      ? await serveWebhook(flags, { store, ledger, io, metrics, results, flows, trouble: troubleOf("admission") })
      : undefined;
  const shared = store.engine === "postgres";
  const registered = flags.files === undefined ? await servedRegistrations(flags) : [];
  const sources = await sourcesOf(flags, context, schemas, webhook, shared, registered);
  for (const source of sources) if (source.type === "live") closing.push(() => source.client.close());
  if (webhook !== undefined) closing.push(() => webhook.close());
  const names = sources.map(({ name }) => name);
  const logs = flowLogs(flags.flows ?? [], names);
  closing.push(startRenewals(registered, { flags, io, say: (text) => log.say(text), trouble }));
  const policyFiles = new PolicyFiles(flags.policies ?? [], {
    ledger,
    clusters: names,
    now: io.now,
    onChange: (documents) => {
      for (const cluster of clusters) cluster.setPolicies(documents);
    },
    onDiagnostics: (diagnostics) => writeDiagnostics(diagnostics, context),
    onTrouble: trouble,
  });
  closing.push(() => policyFiles.stop());
  let identity: ServingIdentity | undefined;
  let followed: FollowedNotifications | undefined;
  const access = await serveAccess(flags, {
    store,
    ledger,
    io,
    cluster: sources[0]?.name ?? "",
    facts: factsOf(clusters),
    groupsMaxAge: () => identity?.groupsMaxAge,
    roleBindings: flags.grantRolebindings === true ? roleBindingsOf(sources, clusters, trouble) : undefined,
    onDocuments: (documents) => {
      for (const cluster of clusters) cluster.setAccess(documents);
      followed?.take(documents);
      tell();
    },
    onDiagnostics: (diagnostics) => writeDiagnostics(diagnostics, context),
    trouble,
  });
  closing.push(() => access.stop());
  access.desk.onChange(tell);
  let publicUrl: string | undefined;
  const consoleUrl = () => followed?.settings?.consoleUrl ?? publicUrl;
  const parts = {
    context,
    access,
    consoleUrl,
    store,
    ledger,
    schemas,
    catalogue: loadWorkloadCatalogue(),
    defaultRbac: readDefaultRbac(loadDefaultRbacObjects()),
    packs: loadDefaultPacks(),
    policies: await policyFiles.start(),
    results,
    outside,
    registries,
    writesEvents: flags.events === true,
    tell,
    troubleOf,
    say: (text: string) => log.say(text),
  };
  clusters.push(...sources.map((source) => new ServedCluster(source, parts)));
  closing.push(async () => {
    await Promise.all(clusters.map((cluster) => cluster.stop()));
  });

  const knownCluster = (wanted: string | undefined) => {
    const cluster = namedCluster(wanted);
    return cluster?.isKnown() === true ? cluster : undefined;
  };
  const objectsOf = (wanted: string) => knownCluster(wanted)?.documents.map(({ value }) => value);
  const reviews = new AccessReviews({ store, ledger, objectsOf, now: io.now });
  const usage = new UsageWatch({ store, ledger, now: io.now, onChange: tell, onTrouble: trouble });
  closing.push(() => usage.stop());
  usage.start();
  let gateway: ServingGateway | undefined;
  const gatewayUser = (cluster: string) => gateway?.userIn(cluster);
  const bypass = new BypassWatch({ store, ledger, gatewayUser, now: io.now, onChange: tell, onTrouble: trouble });
  closing.push(() => bypass.stop());
  const desired = watchDesired(flags, sources, { store, ledger, io, tell, trouble });
  closing.push(() => desired.stop());
  const findings = () => findingsOf(clusters, [usage.findings(), bypass.findings(), desired.findings()]);
  const answers = (name: string) => clusters.find((cluster) => cluster.name === name)?.unreached() === undefined;
  const counted = () => findings().filter(({ cluster }) => answers(cluster));
  const trend = new Trend({ store, findings: counted, now: io.now, onTrouble: trouble });
  closing.push(() => trend.stop());

  const told = new FollowedNotifications(access.documents, io, trouble);
  followed = told;
  let ready = false;
  const console = await serveConsole(
    flags,
    {
      ledger: new LedgerView(store),
      clusters: () => clusters,
      findings,
      trend: (days, cluster) => trend.points(days, cluster),
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    {
      identity: {
        store,
        data: flags.data,
        directory: (key) => access.live.directory.humanOfKey(key),
        isLocked: (human) => access.desk.isLocked(human),
        connection: () => gateway && { ...gateway, gateway: gateway.address, certificateAuthority: gateway.authority },
      },
      addRoutes: (api, { current }) => {
        const parts = {
          access,
          told,
          store,
          ledger,
          clusters,
          reviews,
          current,
          lookAtCall: () => gateway?.lookAtCall,
          io,
          trouble,
        };
        closing.push(addAccessApi(api, parts));
      },
      rollout: (wanted) => knownCluster(wanted)?.rollout,
      log,
      metrics: () => metrics.text(),
      waitingFor: () => (ready ? [] : ["the first look at everything"]),
      unreached: () => clusters.filter((cluster) => cluster.unreached() !== undefined).map(({ name }) => name),
    },
    context,
  );
  publicUrl = console.publicUrl;
  identity = console.identity;
  closing.push(() => console.close());
  closing.push(await announceServer(flags.data, console));

  const [first] = sources;
  if (flags.auditLog !== undefined && first !== undefined) {
    const { refused, reason, diagnostics } = await ingestLogs(ledger, flags.auditLog, first.name);
    if (refused > 0) trouble(new Error(`${refused} values of the audit log are no events: ${reason}`));
    writeDiagnostics(diagnostics, context);
  }
  await startAll(clusters);
  await desired.start();
  gateway = await serveGateway(flags, {
    clusters: sources.flatMap((source) => {
      const cluster = namedCluster(source.name);
      if (source.type === "files" || cluster === undefined) return [];
      const namespaceLabels = (name: string) => cluster.namespaceLabels(name);
      const { name, client, access: way } = source;
      return [{ name, client, access: way, guardrails: access.live.guardrails, namespaceLabels }];
    }),
    authenticator: (host) => console.identity.authenticator(host),
    desk: access.desk,
    rules: () => access.live.rules,
    ledger,
    openTap: access.openTap,
    digestOf: (object) => sealedDigest(access.grantKey, object),
    sealGrant: (request, action, person, guardrails) => sealGrant(access.grantKey, request, action, person, guardrails, io.now()),
    consoleUrl,
    io,
    trouble,
  });
  if (gateway !== undefined) {
    closing.push(gateway.close);
    bypass.start();
  }
  for (const { cluster, path } of logs) {
    const onLines = (lines: readonly string[]) => namedCluster(cluster)?.takeFlows(lines);
    const followed = new FollowedFile(path, { onLines, onTrouble: trouble });
    closing.push(() => followed.stop());
    await followed.start();
  }
  ready = true;
  closing.push(startRetention(flags, { store, ledger, io, metrics, say: (text) => log.say(text), trouble: troubleOf("ledger") }));
  await trend.start();
  if (flags.reviewEvery !== undefined) {
    const every = flags.reviewEvery * dayMilliseconds;
    const scheduled = new ScheduledReviews({ reviews, clusters: names, every, now: io.now, onTrouble: trouble });
    closing.push(() => scheduled.stop());
    await scheduled.start();
  }
  for (const cluster of clusters) {
    if (!cluster.isKnown()) continue;
    const { working } = cluster.policyCounts();
    const objects = count(cluster.objects(), "object");
    const policies = count(working, "policy", "policies");
    log.say(`castellan: governs ${cluster.name}: ${objects}, ${policies}; ledger in ${store.location}`);
  }
  log.say(startText(overviewOf(findings()), console.url, gateway?.address, flags));
  await stopped;
}

/** A cluster that is not reached is tried again and holds up no other; where none is, that is the end. */
async function startAll(clusters: readonly ServedCluster[]): Promise<void> {
  const started = await Promise.allSettled(clusters.map((cluster) => cluster.start()));
  const failures = started.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  const worst = failures.find((failure) => !(failure instanceof ApiError));
  if (worst !== undefined || failures.length === clusters.length) throw worst ?? failures[0];
}

/** What the clusters' objects show, and what their audit logs show; a log may tell of a cluster that is not governed here. */
function findingsOf(
  clusters: readonly ServedCluster[],
  told: readonly ReadonlyMap<string, readonly Finding[]>[],
): readonly ClusterFindings[] {
  // Of what nobody has looked at it is not said that nothing is wrong there.
  const known = clusters.filter((cluster) => cluster.isKnown());
  const names = new Set([...known.map(({ name }) => name), ...told.flatMap((by) => [...by.keys()])]);
  return [...names].map((name) => {
    const governed = known.find((cluster) => cluster.name === name);
    return {
      cluster: name,
      findings: {
        *[Symbol.iterator]() {
          yield* governed?.findings() ?? [];
          for (const by of told) yield* by.get(name) ?? [];
        },
      },
      teamOf: (resource) => teamOfResource(resource, (namespace) => governed?.namespaceLabels(namespace)),
    };
  });
}

const dayMilliseconds = 86_400_000;
/** People and API servers wait: a database that is slower than this is one that does not answer. */
const databaseMilliseconds = 10_000;

/** What somebody who just started the server wants to know. */
function startText({ total, byNamespace }: Overview, url: string, gateway: string | undefined, flags: ServeFlags): string {
  const worst = severities.toReversed().filter((severity) => total[severity] > 0);
  const found = worst.length === 0 ? "nothing is wrong" : worst.map((severity) => `${total[severity]} ${severity}`).join(", ");
  const [first] = byNamespace;
  const data = flags.data === ".castellan" ? "" : ` --data ${flags.data}`;
  const lines = [
    `findings: ${found}${first === undefined ? "" : `; worst in ${first.name === "" ? "the cluster itself" : `namespace ${first.name}`}`}`,
    `console:  ${url}${url.includes("?token=") ? " (works once; it logs you in)" : ""}`,
    ...(gateway === undefined ? [] : [`gateway:  ${gateway} (castellan login, then castellan kubeconfig)`]),
    `try:      castellan audit query --saved secret-reads${data}`,
    `          castellan audit verify${data}`,
    flags.files === undefined
      ? "          castellan rbac paths --cluster --top 5"
      : `          castellan rbac paths ${flags.files[0]} --top 5`,
    "Ctrl-C stops.",
  ];
  return lines.map((line) => `  ${line}`).join("\n");
}
