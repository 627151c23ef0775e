import { z } from "zod";
import type { Finding } from "../../core/finding.ts";
import { severities } from "../../core/finding.ts";
import type { JsonObject } from "../../core/json.ts";
import type { LedgerView } from "../../services/audit/ledger-view.ts";
import { isSavedQueryName, savedQueries, savedQueryNames } from "../../services/audit/saved-queries.ts";
import { findingDetail, findingPage, overviewOf } from "../../services/console/finding-view.ts";
import type { PolicyRow } from "../../services/console/policy-view.ts";
import type { RightsView } from "../../services/console/rights-view.ts";
import { type Api, typed } from "./api.ts";

/** What the routes show; each answers from memory or from the store. */
export interface ConsoleData {
  readonly cluster: string;
  readonly ledger: LedgerView;
  readonly objects: () => number;
  readonly findings: () => Iterable<Finding>;
  readonly objectOf: (finding: Finding) => JsonObject | undefined;
  readonly policies: () => readonly PolicyRow[];
  readonly rights: RightsView;
  /** A self-contained HTML document. */
  readonly networkPage: () => string;
  /** Calls back after each change of findings or policies; the answer ends it. */
  readonly onChange: (listener: () => void) => () => void;
}

/** A parameter that may be given several times. */
const many = <T extends z.ZodType<string>>(item: T) =>
  z.preprocess((value) => (typeof value === "string" ? [value] : value), z.array(item).optional());

export function addRoutes(api: Api, data: ConsoleData): void {
  const app = typed(api);
  app.get("/api/v1/overview", { schema: { description: "Failures by severity, namespace and policy." } }, async () => ({
    cluster: data.cluster,
    objects: data.objects(),
    policies: data.policies().length,
    records: await data.ledger.size(),
    ...overviewOf(data.findings()),
  }));
  const findingQuery = z.object({
    severity: many(z.enum(severities)),
    namespace: many(z.string()),
    policy: many(z.string()),
    text: z.string().optional(),
    offset: z.coerce.number().int().min(0).default(0),
    limit: z.coerce.number().int().min(1).max(1000).default(100),
  });
  app.get("/api/v1/findings", { schema: { querystring: findingQuery, description: "Findings, worst first." } }, async (request) =>
    findingPage(data.findings(), request.query),
  );
  app.get("/api/v1/findings/:id", { schema: { params: z.object({ id: z.string() }) } }, async (request, reply) => {
    for (const finding of data.findings())
      if (finding.id === request.params.id) return findingDetail(finding, data.objectOf(finding));
    return reply.status(404).send({ code: "NOT_FOUND", message: "there is no such finding; it may be resolved" });
  });
  app.get("/api/v1/policies", { schema: { description: "Policies in force." } }, async () => ({ items: data.policies() }));
  const question = z.object({ verb: z.string().min(1), resource: z.string().min(1), namespace: z.string().optional() });
  app.get(
    "/api/v1/rbac/who-can",
    { schema: { querystring: question, description: "Everybody who may, and by which binding." } },
    async (request) => data.rights.whoCan(request.query),
  );
  app.get("/api/v1/network.html", { schema: { description: "Who may talk to whom, drawn." } }, async (_request, reply) =>
    reply.type("text/html").header("x-frame-options", "SAMEORIGIN").send(data.networkPage()),
  );
  auditRoutes(api, data.ledger);
  eventRoute(api, data);
}

function auditRoutes(api: Api, ledger: LedgerView): void {
  const app = typed(api);
  const query = z.object({
    saved: z.string().optional(),
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
    { config: { role: "auditor" }, schema: { querystring: query, description: "Records, newest first." } },
    async ({ query: q }) => {
      const saved = q.saved !== undefined && isSavedQueryName(q.saved) ? savedQueries[q.saved].filter : {};
      const own = {
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
  app.get("/api/v1/audit/questions", async () => ({
    items: savedQueryNames.map((name) => ({ name, question: savedQueries[name].question })),
  }));
  app.get(
    "/api/v1/audit/records/:seq",
    { config: { role: "auditor" }, schema: { params: z.object({ seq: z.coerce.number().int().min(0) }) } },
    async (request, reply) => {
      const evidence = await ledger.evidence(request.params.seq);
      return evidence ?? reply.status(404).send({ code: "NOT_FOUND", message: "there is no such record" });
    },
  );
}

const heartbeatMilliseconds = 15_000;

/** Server-sent events: `change` whenever something that pages show is different. */
function eventRoute(api: Api, data: ConsoleData): void {
  api.get("/api/v1/events", { schema: { hide: true } }, (request, reply) => {
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
