import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { Recordings } from "../../services/access/recordings.ts";
import { nobody, viewerOf } from "./access-routes.ts";
import { problem } from "./answers.ts";
import { type Api, typed } from "./api.ts";

const statuses: { readonly [code: string]: number } = { RECORDING_UNKNOWN: 404, RECORDING_REMOVED: 410 };
const unknown = { code: "RECORDING_UNKNOWN", message: "there is no such recording, or it is not yours to see" } as const;

const recordingShape = z.object({
  id: z.string(),
  kind: z.enum(["exec", "attach", "portforward"]),
  cluster: z.string(),
  user: z.string(),
  human: z.string(),
  namespace: z.string(),
  pod: z.string(),
  container: z.string().optional(),
  command: z.array(z.string()).readonly(),
  started: z.number(),
  ended: z.number().optional(),
  request: z.string().optional(),
  outcome: z.object({ why: z.string(), bytes: z.number(), exitCode: z.number().optional() }).optional(),
  removed: z.number().optional().describe("when retention removed what was shown"),
});
const recordingId = z.object({ id: z.string().max(100) });

/** What was shown in recorded sessions: for auditors all of them, for others their own. Who looks is in the ledger. */
export function addRecordingRoutes(api: Api, recordings: Pick<Recordings, "list" | "get" | "verify" | "asciicast">): void {
  const app = typed(api);
  app.get(
    "/api/v1/access/recordings",
    {
      config: { role: "anybody" },
      schema: {
        description: "Recorded sessions, newest first.",
        querystring: z.object({
          cluster: z.string().optional(),
          human: z.string().optional(),
          namespace: z.string().optional(),
          before: z.coerce.number().optional().describe("only those that began before"),
          limit: z.coerce.number().int().min(1).max(1000).default(200),
        }),
        response: { 200: z.object({ items: z.array(recordingShape).readonly() }), 403: problem },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(request);
      if (viewer === undefined) return nobody(reply);
      const human = viewer.isAuditor ? request.query.human : viewer.person.human;
      return { items: await recordings.list({ ...request.query, human }) };
    },
  );
  const seen = async (request: Parameters<typeof viewerOf>[0], id: string) => {
    const viewer = viewerOf(request);
    const found = await recordings.get(id);
    return found !== undefined && (viewer?.isAuditor === true || found.human === viewer?.person.human) ? found : undefined;
  };
  app.get(
    "/api/v1/access/recordings/:id",
    {
      config: { role: "anybody" },
      schema: {
        description: "One recorded session, and whether what is kept is what the ledger says was shown.",
        params: recordingId,
        response: {
          200: recordingShape.extend({ verified: z.object({ ok: z.boolean(), problem: z.string().optional() }) }),
          404: problem,
        },
      },
    },
    async (request, reply) => {
      const found = await seen(request, request.params.id);
      if (found === undefined) return reply.status(404).send(unknown);
      const verified = await recordings.verify(found.id);
      return { ...found, verified: verified.ok ? { ok: true } : { ok: false, problem: verified.problem } };
    },
  );
  app.get(
    "/api/v1/access/recordings/:id/cast",
    { config: { role: "anybody" }, schema: { description: "An asciicast, version 2.", params: recordingId } },
    async (request, reply): Promise<FastifyReply> => {
      const viewer = viewerOf(request);
      const found = await seen(request, request.params.id);
      if (viewer === undefined || found === undefined) return reply.status(404).send(unknown);
      const opened = await recordings.asciicast(found.id, viewer.person);
      if (!opened.ok) return reply.status(statuses[opened.code] ?? 503).send({ code: opened.code, message: opened.message });
      return reply
        .type("application/x-asciicast")
        .header("cache-control", "no-store")
        .header("content-disposition", `attachment; filename="${found.id.replace(/[^\w-]/g, "")}.cast"`)
        .send(Readable.from(opened.value));
    },
  );
}
