import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { describeAsk } from "../../access/describe-ask.ts";
import type { Person } from "../../access/person.ts";
import type { AccessRequest, Approval } from "../../access/request.ts";
import type { Instant } from "../../core/host.ts";
import { diffJson } from "../../core/json-diff.ts";
import type { ChatLinks } from "../../services/access/chat-links.ts";
import type { AccessDesk, NewRequest, Outcome, RequestFilter } from "../../services/access/desk.ts";
import { isOwn, maySee, type RequestView, type Viewer, viewOf } from "../../services/access/request-view.ts";
import type { AccessRisk } from "../../services/access/risk.ts";
import { similarDecisions } from "../../services/access/similar.ts";
import { detailShape, newRequestShape, requestShape } from "./access-shapes.ts";
import { problem } from "./answers.ts";
import { type Api, typed } from "./api.ts";
import { type LookAtCall, plannedAction } from "./new-action.ts";
import { requestUser } from "./request-user.ts";
import { mayAct } from "./roles.ts";

export interface AccessApi {
  readonly desk: AccessDesk;
  /** Names of the governed clusters. */
  readonly clusters: () => readonly string[];
  readonly lookAtCall: LookAtCall;
  /** What a request's rights would lead to; undefined: not known. */
  readonly risk: (request: AccessRequest) => AccessRisk | undefined;
  /** Chat users linked to people; undefined: there is no chat. */
  readonly chatLinks?: ChatLinks | undefined;
  readonly now: () => Instant;
}

const statuses: { readonly [code: string]: keyof typeof refusals } = {
  ACCESS_BAD_REQUEST: 400,
  ACCESS_REASON_REQUIRED: 400,
  ACCESS_NO_RULE: 403,
  ACCESS_REJECTED: 403,
  ACCESS_LOCKED: 403,
  ACCESS_SIGN_IN_AGAIN: 403,
  ACCESS_SELF_APPROVAL: 403,
  ACCESS_PROGRAM: 403,
  ACCESS_NOT_APPROVER: 403,
  ACCESS_NOT_REQUESTER: 403,
  ACCESS_NOT_FOUND: 404,
  ACCESS_TOO_MANY: 429,
  ACCESS_UNAVAILABLE: 503,
};
const refusals = { 400: problem, 403: problem, 404: problem, 409: problem, 429: problem, 503: problem } as const;
const requestId = z.object({ id: z.string().max(100) });
const wait = z.object({ seconds: z.coerce.number().min(0).max(60).default(30) });
/** So many past requests are looked at for what is alike. */
const pastRequests = 500;

/** Whom the answer of a request is for. Undefined: the login proves no person, and the reply is sent. */
export function viewerOf(request: FastifyRequest): Viewer | undefined {
  const user = requestUser(request);
  if (user.person === undefined) return undefined;
  return { person: user.person, isAuditor: mayAct(user, "auditor"), isAdministrator: mayAct(user, "admin") };
}

export function nobody(reply: FastifyReply) {
  const message = "this login proves no person: log in by the identity provider, or with castellan login";
  return reply.status(403).send({ code: "ACCESS_NO_PERSON", message });
}

const notFound = { ok: false, code: "ACCESS_NOT_FOUND", message: "there is no such request, or it is not yours to see" } as const;

/** Requests for access: asking, deciding, ending. Nothing but POST acts. */
export function addAccessRoutes(api: Api, parts: AccessApi): void {
  listRoutes(api, parts);
  const { desk } = parts;
  const comment = z.object({ comment: z.string().trim().max(2000).default("") });
  const post = (name: string, description: string) => ({
    path: `/api/v1/access/requests/:id/${name}`,
    config: { role: "anybody" } as const,
    schema: { description, params: requestId, response: { 200: requestShape, ...refusals } },
  });
  const app = typed(api);
  const answer = async (request: FastifyRequest, reply: FastifyReply, id: string, act: Act) => {
    const viewer = viewerOf(request);
    if (viewer === undefined) return nobody(reply);
    await renew(parts, viewer.person);
    const known = await seen(parts, id, viewer);
    const done = known === undefined ? notFound : await act(viewer, known);
    if (done.ok) return viewOf(withReviewers(done.value, desk), viewer, await decidable(parts, viewer.person));
    return reply.status(statuses[done.code] ?? 409).send({ code: done.code, message: done.message });
  };

  for (const verdict of ["approve", "deny"] as const) {
    const { path, config, schema } = post(verdict, `Decides: ${verdict}.`);
    app.post(path, { config, schema: { ...schema, body: comment } }, (request, reply) =>
      answer(request, reply, request.params.id, ({ person }, { id }) =>
        desk.decide(id, person, verdict, request.body.comment, channelOf(request)),
      ),
    );
  }
  const cancel = post("cancel", "Takes an own request back before it is decided.");
  app.post(cancel.path, cancel, (request, reply) =>
    answer(request, reply, request.params.id, ({ person }, { id }) => desk.cancel(id, person)),
  );
  const revoke = post("revoke", "Ends a request or a grant: by its requester, its approvers or reviewers, an administrator.");
  const why = z.object({ why: z.string().trim().max(2000).default("") });
  app.post(revoke.path, { ...revoke, schema: { ...revoke.schema, body: why } }, (request, reply) =>
    answer(request, reply, request.params.id, async (viewer, known) => {
      if (known.mayRevoke) return desk.revoke(known.id, viewer.person, request.body.why);
      const isOver = known.phase !== "pending" && known.phase !== "granted";
      if (isOver) return { ok: false, code: "ACCESS_ENDED", message: `the request is ${known.phase} already` };
      const message = "only the requester, its approvers or reviewers and administrators may revoke";
      return { ok: false, code: "ACCESS_NOT_APPROVER", message };
    }),
  );
  const review = post("review", "Says that what was done with break-glass access was looked at, by one of its reviewers.");
  const words = z.object({ comment: z.string().trim().min(1).max(2000) });
  app.post(review.path, { ...review, schema: { ...review.schema, body: words } }, (request, reply) =>
    answer(request, reply, request.params.id, ({ person }, { id }) => desk.review(id, person, request.body.comment)),
  );

  app.post(
    "/api/v1/access/requests",
    {
      config: { role: "anybody" },
      schema: {
        description: "Asks for access. A rule may approve it at once; break-glass access is told to others at once.",
        body: newRequestShape,
        response: { 201: requestShape, ...refusals },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(request);
      if (viewer === undefined) return nobody(reply);
      await renew(parts, viewer.person);
      const { reason, rule, breakGlass } = request.body;
      const asked = await askOf(request.body, viewer.person, parts);
      const opened = asked.ok ? await desk.open({ requester: viewer.person, ...asked.value, reason, rule, breakGlass }) : asked;
      if (opened.ok) return reply.status(201).send(viewOf(opened.value, viewer, new Set()));
      return reply.status(statuses[opened.code] ?? 409).send({ code: opened.code, message: opened.message });
    },
  );
}

type Act = (viewer: Viewer, request: RequestView) => Promise<Outcome<AccessRequest>>;

function listRoutes(api: Api, parts: AccessApi): void {
  const { desk, now } = parts;
  const app = typed(api);
  const flag = z.enum(["true", "false"]).optional();
  const query = z.object({
    mine: flag,
    decidable: flag.describe("what you may decide now"),
    phase: z.enum(["pending", "granted", "denied", "cancelled", "lapsed", "ended"]).optional(),
    breakGlass: flag,
    reviewable: flag.describe("break-glass that you may look at now, as its rule's approvals name you"),
    cluster: z.string().optional(),
    limit: z.coerce.number().int().min(1).max(1000).default(100),
  });
  app.get(
    "/api/v1/access/requests",
    {
      config: { role: "anybody" },
      schema: {
        description: "Requests that you may see, newest first: own ones, those to decide or to review, and for auditors all.",
        querystring: query,
        response: { 200: z.object({ items: z.array(requestShape).readonly() }), 403: problem },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(request);
      if (viewer === undefined) return nobody(reply);
      await renew(parts, viewer.person);
      const { mine, decidable: toDecide, phase, breakGlass, reviewable, cluster, limit } = request.query;
      const toReview = reviewable === "true";
      const filter: RequestFilter = {
        ...(mine === "true" ? { requester: viewer.person } : {}),
        ...(toDecide === "true" ? { decidableBy: viewer.person } : {}),
        ...(phase === undefined ? {} : { phases: [phase] }),
        ...(toReview ? { breakGlass: "unreviewed" } : breakGlass === "true" ? { breakGlass: "all" } : {}),
        cluster,
        // What is not to be seen is left out afterwards.
        limit: !toReview && (mine === "true" || toDecide === "true" || viewer.isAuditor) ? limit : 1000,
      };
      const [found, mayDecide] = await Promise.all([desk.list(filter), decidable(parts, viewer.person)]);
      const items = found
        .filter((one) => breakGlass === undefined || one.breakGlass === (breakGlass === "true"))
        .map((one) => withReviewers(one, desk))
        .filter((one) => mayDecide.has(one.id) || maySee(one, viewer))
        .map((one) => viewOf(one, viewer, mayDecide))
        .filter(({ mayReview }) => !toReview || mayReview);
      return { items: items.slice(0, limit) };
    },
  );
  app.get(
    "/api/v1/access/requests/:id",
    {
      config: { role: "anybody" },
      schema: {
        description: "One request with the exact action, what it changes, what was decided before, and what it could lead to.",
        params: requestId,
        response: { 200: detailShape, 403: problem, 404: problem },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(request);
      if (viewer === undefined) return nobody(reply);
      const found = await seen(parts, request.params.id, viewer);
      if (found === undefined) return reply.status(404).send({ code: notFound.code, message: notFound.message });
      return detail(parts, found, viewer);
    },
  );
  app.get(
    "/api/v1/access/requests/:id/wait",
    {
      config: { role: "anybody" },
      schema: {
        description: "Answers once the request is no longer pending, or as it is after so many seconds.",
        params: requestId,
        querystring: wait,
        response: { 200: requestShape, 403: problem, 404: problem },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(request);
      if (viewer === undefined) return nobody(reply);
      const known = await seen(parts, request.params.id, viewer);
      if (known === undefined) return reply.status(404).send({ code: notFound.code, message: notFound.message });
      const gone = new AbortController();
      // Of the response, which ends: the connection may carry many waits.
      reply.raw.once("close", () => gone.abort());
      const milliseconds = request.query.seconds * 1000;
      // A clock that is set back does not make anybody wait longer.
      const over = AbortSignal.any([gone.signal, AbortSignal.timeout(milliseconds)]);
      const settled = await desk.settled(known.id, now() + milliseconds, over);
      return viewOf(withReviewers(settled ?? known, desk), viewer, await decidable(parts, viewer.person));
    },
  );
}

/** A request as this person sees it, undefined where they may not. */
async function seen(parts: AccessApi, id: string, viewer: Viewer): Promise<RequestView | undefined> {
  const found = await parts.desk.get(id);
  if (found === undefined) return undefined;
  const request = withReviewers(found, parts.desk);
  const mayDecide = await decidable(parts, viewer.person);
  return mayDecide.has(id) || maySee(request, viewer) ? viewOf(request, viewer, mayDecide) : undefined;
}

/** With those who would review it by now: who is on call changes. */
const withReviewers = (request: AccessRequest, desk: AccessDesk): AccessRequest =>
  request.breakGlass ? { ...request, reviewers: desk.reviewersOf(request) } : request;

async function detail(parts: AccessApi, request: RequestView, viewer: Viewer) {
  const { ask } = request;
  const preview = ask.type === "action" ? ask.preview : undefined;
  // Reasons and names of others are for those who decide.
  const mayCompare = viewer.isAuditor || !isOwn(request, viewer.person);
  const past = mayCompare ? await parts.desk.list({ cluster: request.cluster, limit: pastRequests }) : [];
  return {
    ...request,
    what: describeAsk(ask, request.rule.name),
    changes: preview?.before === undefined || preview.after === undefined ? [] : diffJson(preview.before, preview.after),
    similar: similarDecisions(
      request,
      past.filter((one) => maySee(one, viewer)),
    ),
    risk: parts.risk(request),
  };
}

async function decidable({ desk }: AccessApi, person: Person): Promise<ReadonlySet<string>> {
  return new Set((await desk.list({ decidableBy: person, limit: 1000 })).map(({ id }) => id));
}

/** A failure to renew a chat's link is a matter of the chat. */
async function renew({ chatLinks }: AccessApi, person: Person): Promise<void> {
  await chatLinks?.renew(person).catch(() => undefined);
}

/** Our own command line says so; browsers have a session. */
function channelOf(request: FastifyRequest): Approval["channel"] {
  if (request.headers.authorization === undefined) return "console";
  return request.headers["user-agent"]?.startsWith("castellan/") === true ? "cli" : "api";
}

/** What is asked, with all that the gateway would know of a call. */
async function askOf(
  wanted: z.infer<typeof newRequestShape>,
  person: Person,
  { clusters, lookAtCall, now }: AccessApi,
): Promise<Outcome<Pick<NewRequest, "ask" | "guardrails" | "cluster" | "unread">>> {
  const known = clusters();
  const [only, ...others] = known;
  const cluster = wanted.cluster ?? (others.length === 0 ? only : undefined);
  if (cluster === undefined || !known.includes(cluster)) {
    return { ok: false, code: "ACCESS_BAD_REQUEST", message: `name one of the clusters: ${known.join(", ")}` };
  }
  const { ask } = wanted;
  if (ask.type !== "action") return { ok: true, value: { ask, guardrails: [], cluster } };
  const { method, target, contentType, contentEncoding } = ask;
  const call = { cluster, method, target, contentType, contentEncoding, body: Buffer.from(ask.body, "base64") };
  const action = plannedAction(call, now());
  if (!action.ok) return action;
  const looked = await lookAtCall(action.value, call, person);
  if (!looked.ok) return looked;
  const { preview, guardrails, unread, ...more } = looked.value;
  // The desk binds the digest to the version of the rule that offers it.
  return {
    ok: true,
    value: { ask: { type: "action", action: { ...action.value, ...more }, digest: "", preview }, guardrails, cluster, unread },
  };
}
