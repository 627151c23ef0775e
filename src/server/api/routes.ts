import { z } from "zod";
import { severities } from "../../core/finding.ts";
import type { LedgerView } from "../../services/audit/ledger-view.ts";
import { isSavedQueryName, savedQueries, savedQueryNames } from "../../services/audit/saved-queries.ts";
import type { ClusterView } from "../../services/console/cluster-view.ts";
import { escalationPage, escalationTargets } from "../../services/console/escalation-view.ts";
import { findingGroupings, findingGroups } from "../../services/console/finding-groups.ts";
import { type ClusterFindings, findingDetail, findingPage, overviewOf } from "../../services/console/finding-view.ts";
import type { TrendPoint } from "../../services/console/trend.ts";
import * as answers from "./answers.ts";
import { type Api, typed } from "./api.ts";

/** What the routes show; each answers from memory or from the store. */
export interface ConsoleData {
  readonly ledger: LedgerView;
  /** Those that are governed, in the order in which they were named. */
  readonly clusters: () => readonly ClusterView[];
  /** Findings by cluster, of clusters that only the audit log tells of, too. */
  readonly findings: () => readonly ClusterFindings[];
  /** The last days, of one cluster or of all together. */
  readonly trend: (days: number, cluster: string | undefined) => Promise<readonly TrendPoint[]>;
  /** Calls back after each change of findings or policies; the answer ends it. */
  readonly onChange: (listener: () => void) => () => void;
}

/** A parameter that may be given several times. */
const many = <T extends z.ZodType<string>>(item: T) =>
  z.preprocess((value) => (typeof value === "string" ? [value] : value), z.array(item).optional());

/** One cluster by name; undefined: all. */
const clusterQuery = z.object({ cluster: z.string().optional() });

export function addRoutes(api: Api, data: ConsoleData): void {
  const app = typed(api);
  const clustersOf = (cluster: string | undefined) => data.clusters().filter(({ name }) => isMeant(cluster, name));
  const findingsOf = (wanted: string | undefined) => data.findings().filter(({ cluster }) => isMeant(wanted, cluster));
  app.get(
    "/api/v1/overview",
    {
      schema: {
        querystring: clusterQuery,
        description: "Failures by severity, cluster, namespace and policy.",
        response: { 200: answers.overview },
      },
    },
    async ({ query: { cluster } }) => ({
      clusters: data.clusters().map(({ name }) => name),
      unreached: clustersOf(cluster).flatMap((one) => {
        const unreached = one.unreached();
        return unreached === undefined ? [] : [{ cluster: one.name, ...unreached, known: one.isKnown() }];
      }),
      admissionElsewhere: clustersOf(cluster).flatMap((one) => {
        const held = one.webhooksHeld();
        return held === undefined ? [] : [{ cluster: one.name, ...held }];
      }),
      objects: sum(clustersOf(cluster).map((one) => one.objects())),
      broken: clustersOf(cluster).flatMap((one) => one.brokenPolicies().map((policy) => ({ cluster: one.name, policy }))),
      policies: new Set(clustersOf(cluster).flatMap((one) => one.policies().map(({ name }) => name))).size,
      records: await data.ledger.size(),
      ...overviewOf(findingsOf(cluster)),
    }),
  );
  app.get(
    "/api/v1/trend",
    {
      schema: {
        querystring: clusterQuery.extend({ days: z.coerce.number().int().min(1).max(400).default(30) }),
        description: "How much was wrong, over time.",
        response: { 200: answers.trend },
      },
    },
    async ({ query: { cluster, days } }) => ({ points: await data.trend(days, cluster) }),
  );
  const findingFilter = clusterQuery.extend({
    status: many(z.enum(["fail", "warn", "error"])),
    severity: many(z.enum(severities)),
    namespace: many(z.string()),
    team: many(z.string()),
    policy: many(z.string()),
    text: z.string().optional(),
  });
  const findingQuery = findingFilter.extend({
    offset: z.coerce.number().int().min(0).default(0),
    limit: z.coerce.number().int().min(1).max(1000).default(100),
  });
  app.get(
    "/api/v1/findings",
    { schema: { querystring: findingQuery, description: "Findings, worst first.", response: { 200: answers.findings } } },
    async (request) => findingPage(findingsOf(request.query.cluster), request.query),
  );
  app.get(
    "/api/v1/findings/groups",
    {
      schema: {
        querystring: findingFilter.extend({ by: z.enum(findingGroupings) }),
        description: "Findings counted by what they have in common, the worst first.",
        response: { 200: answers.findingGroups },
      },
    },
    async ({ query: { cluster, by, ...filter } }) => ({ items: findingGroups(findingsOf(cluster), filter, by) }),
  );
  app.get(
    "/api/v1/findings/:id",
    {
      schema: {
        params: z.object({ id: z.string() }),
        querystring: clusterQuery,
        description: "A finding with all that explains it.",
        response: { 200: answers.findingDetail, 404: answers.problem },
      },
    },
    async (request, reply) => {
      for (const of of findingsOf(request.query.cluster)) {
        for (const finding of of.findings) {
          if (finding.id !== request.params.id) continue;
          const view = data.clusters().find(({ name }) => name === of.cluster);
          return findingDetail(of, finding, view?.objectOf(finding));
        }
      }
      return reply.status(404).send({ code: "NOT_FOUND", message: "there is no such finding; it may be resolved" });
    },
  );
  app.get(
    "/api/v1/policies",
    { schema: { querystring: clusterQuery, description: "Policies in force.", response: { 200: answers.policies } } },
    async (request) => ({
      items: clustersOf(request.query.cluster).flatMap((one) => one.policies()),
    }),
  );
  const question = clusterQuery.extend({
    verb: z.string().min(1),
    resource: z.string().min(1),
    namespace: z.string().optional(),
  });
  app.get(
    "/api/v1/rbac/who-can",
    {
      schema: {
        querystring: question,
        description: "Everybody who may, and by which binding.",
        response: { 200: answers.holders },
      },
    },
    async (request) => {
      const asked = clustersOf(request.query.cluster);
      const answers = asked.filter((one) => one.isKnown()).map(({ name, rights }) => ({ name, ...rights.whoCan(request.query) }));
      const unknown = asked.filter((one) => !one.isKnown());
      return {
        holders: answers.flatMap(({ name, holders }) => holders.map((holder) => ({ cluster: name, ...holder }))),
        unresolved: [
          ...unknown.map(({ name }) => `the cluster ${name} is not reached: who can there is not known`),
          ...answers.flatMap(({ unresolved }) => unresolved),
        ],
      };
    },
  );
  app.get(
    "/api/v1/rbac/paths",
    {
      schema: {
        querystring: clusterQuery.extend({
          to: z.enum(escalationTargets).default("cluster-admin"),
          from: z.string().optional(),
          offset: z.coerce.number().int().min(0).default(0),
          limit: z.coerce.number().int().min(1).max(1000).default(20),
        }),
        description: "Who could become more than they are, step by step; `from` are words of the subject's name.",
        response: { 200: answers.escalationPaths },
      },
    },
    async ({ query: { cluster, ...question } }) =>
      escalationPage(
        clustersOf(cluster).map((one) => ({
          cluster: one.name,
          reports: one.isKnown() ? one.rights.escalations() : undefined,
        })),
        question,
      ),
  );
  app.get(
    "/api/v1/network.html",
    {
      schema: { querystring: clusterQuery, description: "Who may talk to whom in a cluster, drawn; of several one is named." },
    },
    async (request, reply) => {
      const [view, ...others] = clustersOf(request.query.cluster);
      if (view === undefined) return reply.status(404).send({ code: "NOT_FOUND", message: "there is no such cluster" });
      if (others.length > 0) {
        const names = [view, ...others].map(({ name }) => name).join(", ");
        return reply.status(400).send({ code: "CLUSTER_NEEDED", message: `which cluster is meant: ${names}?` });
      }
      if (!view.isKnown()) return reply.status(503).send(notReached(view.name));
      return reply
        .type("text/html")
        .header("x-frame-options", "SAMEORIGIN")
        .header("content-security-policy", "frame-ancestors 'self'")
        .send(view.networkPage());
    },
  );
  app.get(
    "/api/v1/flows",
    {
      schema: {
        querystring: clusterQuery,
        description: "What the network was seen to do lately, beside what policies say.",
        response: { 200: answers.flows },
      },
    },
    async (request) => ({
      items: clustersOf(request.query.cluster)
        .filter((one) => one.isKnown())
        .map((one) => ({ cluster: one.name, ...one.flows() })),
    }),
  );
  auditRoutes(api, data.ledger);
  eventRoute(api, data);
}

const notReached = (name: string) => ({ code: "CLUSTER_UNREACHED", message: `the cluster ${name} has not been reached yet` });
const isMeant = (wanted: string | undefined, cluster: string): boolean => wanted === undefined || wanted === cluster;
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

function auditRoutes(api: Api, ledger: LedgerView): void {
  const app = typed(api);
  const query = z.object({
    saved: z.string().optional(),
    cluster: many(z.string()),
    kind: many(z.string()),
    actor: many(z.string()),
    verb: many(z.string()),
    resource: many(z.string()),
    namespace: many(z.string()),
    outcome: many(z.string()),
    since: z.coerce.number().optional(),
    until: z.coerce.number().optional(),
    before: z.coerce.number().int().optional(),
    limit: z.coerce.number().int().min(1).max(1000).default(100),
  });
  app.get(
    "/api/v1/audit/records",
    {
      config: { role: "auditor" },
      schema: { querystring: query, description: "Records, newest first.", response: { 200: answers.records } },
    },
    async ({ query: q }) => {
      const saved = q.saved !== undefined && isSavedQueryName(q.saved) ? savedQueries[q.saved].filter : {};
      const own = {
        clusters: q.cluster,
        kinds: q.kind,
        actors: q.actor,
        verbs: q.verb,
        resources: q.resource,
        namespaces: q.namespace,
        outcomes: q.outcome,
        since: q.since,
        until: q.until,
      };
      const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
      return { items: await ledger.query({ ...saved, ...given }, { limit: q.limit, before: q.before }) };
    },
  );
  app.get(
    "/api/v1/audit/questions",
    { schema: { description: "Questions that auditors ask.", response: { 200: answers.questions } } },
    async () => ({
      items: savedQueryNames.map((name) => ({ name, question: savedQueries[name].question })),
    }),
  );
  app.get(
    "/api/v1/audit/records/:seq",
    {
      config: { role: "auditor" },
      schema: {
        params: z.object({ seq: z.coerce.number().int().min(0) }),
        description: "A record with all that is needed to check it without this server.",
        response: { 200: answers.evidence, 404: answers.problem },
      },
    },
    async (request, reply) => {
      const evidence = await ledger.evidence(request.params.seq);
      return evidence ?? reply.status(404).send({ code: "NOT_FOUND", message: "there is no such record" });
    },
  );
}

const heartbeatMilliseconds = 15_000;

/** Server-sent events: `change` whenever something that pages show is different. */
function eventRoute(api: Api, data: ConsoleData): void {
  // It says nothing but that something is different.
  api.get("/api/v1/events", { config: { role: "anybody" }, schema: { hide: true } }, (request, reply) => {
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", "x-content-type-options": "nosniff" });
    raw.write("event: change\ndata: {}\n\n");
    let due: NodeJS.Timeout | undefined;
    const end = data.onChange(() => {
      // A thousand changes of one moment are one for who looks.
      due ??= setTimeout(() => {
        due = undefined;
        raw.write("event: change\ndata: {}\n\n");
      }, 250);
    });
    const heartbeat = setInterval(() => raw.write(": alive\n\n"), heartbeatMilliseconds);
    request.raw.on("close", () => {
      clearInterval(heartbeat);
      clearTimeout(due);
      end();
    });
  });
}
