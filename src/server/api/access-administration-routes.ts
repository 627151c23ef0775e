import { z } from "zod";
import type { ChatLinks } from "../../services/access/chat-links.ts";
import type { AccessDesk } from "../../services/access/desk.ts";
import type { PersonLock } from "../../services/access/lock-list.ts";
import type { Notifications } from "../../services/access/notifications.ts";
import { nobody, viewerOf } from "./access-routes.ts";
import { problem } from "./answers.ts";
import { type Api, typed } from "./api.ts";

export interface AccessAdministration {
  readonly desk: AccessDesk;
  /** The human that is meant, by their id, `issuer#subject` or user name; undefined: nobody is known so. */
  readonly humanNamed: (name: string) => Promise<string | undefined>;
  /** Those in force, newest first. */
  readonly locks: () => Promise<readonly PersonLock[]>;
  readonly notifications?: Notifications | undefined;
  readonly chatLinks?: ChatLinks | undefined;
}

/** Locks of people, messages that could not be sent, links of chat users. */
export function addAccessAdministrationRoutes(api: Api, parts: AccessAdministration): void {
  const { notifications, chatLinks } = parts;
  lockRoutes(api, parts);
  letterRoutes(api, notifications);
  if (chatLinks !== undefined) chatLinkRoutes(api, chatLinks);
}

function lockRoutes(api: Api, { desk, locks, humanNamed }: AccessAdministration): void {
  const app = typed(api);
  const human = z.string().min(1).max(500);
  const lock = z.object({
    human: z.string(),
    by: z.string(),
    why: z.string(),
    at: z.number(),
    until: z.number().optional(),
  });
  app.get(
    "/api/v1/access/locks",
    {
      config: { role: "auditor" },
      schema: { description: "Who is locked, newest first.", response: { 200: z.object({ items: z.array(lock).readonly() }) } },
    },
    async () => ({ items: await locks() }),
  );
  app.post(
    "/api/v1/access/locks",
    {
      config: { role: "admin" },
      schema: {
        description: "Ends all access of somebody at once, through any grant, on every replica: open streams are cut.",
        body: z.strictObject({ human, why: z.string().trim().min(1).max(2000), until: z.number().optional() }),
        response: { 204: z.null(), 403: problem, 404: problem },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(request);
      if (viewer === undefined) return nobody(reply);
      const { why, until } = request.body;
      const named = await humanNamed(request.body.human);
      // A lock that holds for nobody would look like one that holds.
      if (named === undefined) return reply.status(404).send(unknownPerson(request.body.human));
      await desk.lock(named, viewer.person, why, until);
      return reply.status(204).send(null);
    },
  );
  app.delete(
    "/api/v1/access/locks/:human",
    {
      config: { role: "admin" },
      schema: {
        description: "Lets somebody in again.",
        params: z.object({ human }),
        response: { 204: z.null(), 403: problem },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(request);
      if (viewer === undefined) return nobody(reply);
      const { human: name } = request.params;
      await desk.unlock((await humanNamed(name)) ?? name, viewer.person);
      return reply.status(204).send(null);
    },
  );
}

const unknownPerson = (name: string) => ({
  code: "ACCESS_NOT_FOUND",
  message: `nobody is known as ${name}: name their id in the directory, or issuer#subject as requests and records show it`,
});

/** Where nobody is told there are none. */
function letterRoutes(api: Api, notifications: Notifications | undefined): void {
  const app = typed(api);
  const states = ["pending", "sent", "dead"] as const;
  const letter = z.object({
    id: z.string(),
    request: z.string(),
    event: z.string(),
    target: z.string(),
    headline: z.string(),
    state: z.enum(states),
    attempts: z.number(),
    created: z.number(),
    due: z.number(),
    sent: z.number().optional(),
    problem: z.string().optional(),
  });
  app.get(
    "/api/v1/access/notifications",
    {
      config: { role: "auditor" },
      schema: {
        description: "Messages about requests, newest first; `dead`: given up after all attempts.",
        querystring: z.object({
          state: z.enum(states).optional(),
          request: z.string().optional(),
          limit: z.coerce.number().int().min(1).max(1000).default(100),
        }),
        response: { 200: z.object({ items: z.array(letter).readonly() }) },
      },
    },
    async (request) => ({ items: (await notifications?.letters(request.query)) ?? [] }),
  );
  app.post(
    "/api/v1/access/notifications/:id/retry",
    {
      config: { role: "admin" },
      schema: {
        description: "Tries a dead letter anew.",
        params: z.object({ id: z.string().max(100) }),
        response: { 204: z.null(), 404: problem },
      },
    },
    async (request, reply) => {
      if (await notifications?.sendAgain(request.params.id)) return reply.status(204).send(null);
      return reply.status(404).send({ code: "NOT_FOUND", message: "there is no dead letter of this id" });
    },
  );
}

function chatLinkRoutes(api: Api, chatLinks: ChatLinks): void {
  const app = typed(api);
  const code = z.string().min(1).max(100);
  const pending = z.object({ chat: z.string(), team: z.string(), user: z.string(), name: z.string() });
  const gone = { code: "CHAT_CODE_UNKNOWN", message: "this link is too old or was used: say /castellan link again" };
  app.get(
    "/api/v1/access/chat-links",
    {
      config: { role: "anybody" },
      schema: {
        description: "Which chat user a link is for; nothing is linked yet.",
        querystring: z.object({ code }),
        response: { 200: pending, 404: problem },
      },
    },
    async (request, reply) => (await chatLinks.pending(request.query.code)) ?? reply.status(404).send(gone),
  );
  app.post(
    "/api/v1/access/chat-links",
    {
      config: { role: "anybody" },
      schema: {
        description: "From now on this chat user decides in your name. The code works once.",
        body: z.strictObject({ code }),
        response: { 200: pending, 403: problem, 404: problem },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(request);
      if (viewer === undefined) return nobody(reply);
      return (await chatLinks.confirm(request.body.code, viewer.person)) ?? reply.status(404).send(gone);
    },
  );
  app.delete(
    "/api/v1/access/chat-links",
    {
      config: { role: "anybody" },
      schema: {
        description: "No chat user decides in your name any more.",
        response: { 200: z.object({ ended: z.number() }), 403: problem },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(request);
      if (viewer === undefined) return nobody(reply);
      return { ended: await chatLinks.unlink(viewer.person) };
    },
  );
}
