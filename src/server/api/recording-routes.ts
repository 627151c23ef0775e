import { Readable } from "node:stream";
import { z } from "zod";
import type { Recordings } from "../../services/access/recordings.ts";
import { nobody, viewerOf } from "./access-routes.ts";
import { problem } from "./answers.ts";
import { type Api, typed } from "./api.ts";

const outcome = z.object({
  why: z.string(),
  digest: z.string(),
  chunks: z.number(),
  bytes: z.number(),
  milliseconds: z.number().optional(),
  exitCode: z.number().optional(),
  ports: z.record(z.string(), z.number()).optional(),
  carried: z.object({ in: z.number(), out: z.number() }).optional(),
  unrecorded: z.object({ at: z.number(), why: z.string() }).optional(),
  interrupted: z.literal(true).optional(),
});
const recording = z.object({
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
  outcome: outcome.optional(),
  removed: z.number().optional(),
});
const id = z.object({ id: z.string().max(100) });

/** Recorded sessions, for auditors; that somebody looks into one is a record of the ledger itself. */
export function addRecordingRoutes(api: Api, recordings: Recordings): void {
  const app = typed(api);
  const config = { role: "auditor" } as const;
  const unknown = { code: "RECORDING_UNKNOWN", message: "there is no such recording" };
  app.get(
    "/api/v1/access/recordings",
    {
      config,
      schema: {
        description: "Recorded sessions, newest first, without what was shown in them.",
        querystring: z.object({
          cluster: z.string().optional(),
          namespace: z.string().optional(),
          human: z.string().optional(),
          limit: z.coerce.number().int().min(1).max(1000).default(100),
        }),
        response: { 200: z.object({ items: z.array(recording).readonly() }) },
      },
    },
    async ({ query }) => {
      const given = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
      return { items: await recordings.list(given) };
    },
  );
  app.get(
    "/api/v1/access/recordings/:id",
    {
      config,
      schema: {
        description: "One session, and whether what is kept is what the ledger says was shown.",
        params: id,
        response: { 200: recording.extend({ verified: z.boolean().optional(), problem: z.string().optional() }), 404: problem },
      },
    },
    async (request, reply) => {
      const known = await recordings.get(request.params.id);
      if (known === undefined) return reply.status(404).send(unknown);
      const verified = await recordings.verify(known.id);
      if (verified.ok) return { ...known, verified: true };
      // What cannot be compared, as while the session goes on, was not changed either.
      return { ...known, ...(verified.changed ? { verified: false } : {}), problem: verified.problem };
    },
  );
  app.get(
    "/api/v1/access/recordings/:id/cast",
    { config, schema: { description: "What was shown, as asciicast v2.", params: id } },
    async (request, reply) => {
      const viewer = viewerOf(request);
      if (viewer === undefined) return nobody(reply);
      const opened = await recordings.asciicast(request.params.id, viewer.person);
      if (!opened.ok) {
        const { code, message } = opened;
        return reply
          .status(code === "RECORDING_UNKNOWN" ? 404 : code === "RECORDING_REMOVED" ? 410 : 503)
          .send({ code, message });
      }
      const name = request.params.id.replaceAll(/[^\w-]/g, "");
      reply.header("content-disposition", `attachment; filename="${name}.cast"`).header("cache-control", "no-store");
      return reply.type("application/x-asciicast").send(Readable.from(opened.value));
    },
  );
}
