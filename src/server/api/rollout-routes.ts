import { z } from "zod";
import { severities } from "../../core/finding.ts";
import { enforcements } from "../../services/rollout/policy-modes.ts";
import type { Promoted, Rollout } from "../../services/rollout/rollout.ts";
import { problem } from "./answers.ts";
import { type Api, typed } from "./api.ts";
import { requestUser } from "./request-user.ts";

const dayMilliseconds = 86_400_000;
const statuses = { POLICY_UNKNOWN: 404, NOTHING_TO_PROMOTE: 409, PREVIEW_DENIES: 409 } as const;

const stopped = z.object({
  source: z.enum(["objects", "history", "recorded"]),
  status: z.enum(["fail", "error"]),
  policy: z.string(),
  rule: z.string(),
  severity: z.enum(severities),
  team: z.string(),
  namespace: z.string(),
  user: z.string(),
  kind: z.string(),
  name: z.string(),
  message: z.string(),
  times: z.number(),
  at: z.number().optional(),
});
const preview = z.object({
  policies: z.array(z.string()).readonly(),
  judged: z.object({ objects: z.number(), requests: z.number(), recorded: z.number() }),
  notReplayed: z.number(),
  stopped: z.array(stopped).readonly(),
  undecided: z.array(stopped).readonly(),
  excepted: z.number(),
  passed: z.number(),
});
const done = z.object({ ok: z.literal(true), policy: z.string(), preview });
const refusal = problem.extend({ ok: z.literal(false).optional(), preview: preview.optional() });
const response = { 200: done, 404: refusal, 409: refusal };

/** Previews and promotes policies; promoting answers 409 with the preview where it shows somebody stopped and no reason is given. */
export function addRolloutRoutes(
  api: Api,
  rollout: (cluster: string | undefined) => Rollout | undefined,
  now: () => number,
): void {
  const where = {
    cluster: z.string().optional().describe("may be left out where only one is governed"),
    policy: z.string(),
    namespace: z.string().default("").describe("empty: everywhere"),
  };
  const days = z.coerce.number().positive().max(400).default(7);
  const app = typed(api);
  const run = async (cluster: string | undefined, act: (governed: Rollout) => Promise<Promoted>) => {
    const governed = rollout(cluster);
    if (governed !== undefined) return act(governed);
    const message =
      cluster === undefined ? "say which cluster is meant" : `there is no cluster ${cluster}, or it has not been reached yet`;
    return { ok: false, code: "CLUSTER_UNKNOWN", message } as const;
  };
  const config = { role: "policy-admin" } as const;

  app.get(
    "/api/v1/policies/preview",
    {
      config,
      schema: {
        querystring: z.object({ ...where, historyDays: days }),
        description: "Whom a policy would stop if it was enforced; nothing changes.",
        response,
      },
    },
    async ({ query: { cluster, historyDays, ...asked } }, reply) => {
      const since = now() - historyDays * dayMilliseconds;
      const previewed = await run(cluster, (governed) => governed.preview({ ...asked, since }));
      return previewed.ok ? previewed : reply.status(statusOf(previewed.code)).send(previewed);
    },
  );
  app.post(
    "/api/v1/policies/promote",
    {
      config,
      schema: {
        body: z.object({
          ...where,
          to: z.enum(enforcements),
          reason: z.string().trim().min(1).optional(),
          historyDays: days,
        }),
        description: "Changes a policy's mode, if its preview allows.",
        response,
      },
    },
    async (request, reply) => {
      const { cluster, historyDays, reason, ...change } = request.body;
      const promotion = { ...change, reason, by: requestUser(request).name, since: now() - historyDays * dayMilliseconds };
      const promoted = await run(cluster, (governed) => governed.promote(promotion));
      return promoted.ok ? promoted : reply.status(statusOf(promoted.code)).send(promoted);
    },
  );
}

const statusOf = (code: keyof typeof statuses | "CLUSTER_UNKNOWN"): 404 | 409 =>
  code === "CLUSTER_UNKNOWN" ? 404 : statuses[code];
