import { z } from "zod";
import { enforcements } from "../../services/rollout/policy-modes.ts";
import type { Rollout } from "../../services/rollout/rollout.ts";
import { type Api, typed } from "./api.ts";
import type { Sessions } from "./session.ts";

const dayMilliseconds = 86_400_000;
const statuses = { POLICY_UNKNOWN: 404, NOTHING_TO_PROMOTE: 409, PREVIEW_DENIES: 409 } as const;

/** Promotes a policy; answers 409 with the preview where it shows somebody stopped and no reason is given. */
export function addRolloutRoutes(
  api: Api,
  sessions: Sessions,
  rollout: (cluster: string | undefined) => Rollout | undefined,
  now: () => number,
): void {
  const body = z.object({
    /** May be left out where only one is governed. */
    cluster: z.string().optional(),
    policy: z.string(),
    namespace: z.string().default(""),
    to: z.enum(enforcements),
    reason: z.string().trim().min(1).optional(),
    historyDays: z.number().positive().max(400).default(7),
  });
  typed(api).post(
    "/api/v1/policies/promote",
    { config: { role: "policy-admin" }, schema: { body, description: "Changes a policy's mode, if its preview allows." } },
    async (request, reply) => {
      const user = sessions.userOf(request.cookies["castellan_session"], request.headers.authorization);
      if (user === undefined) throw new Error("the route is open to nobody");
      const { cluster, historyDays, reason, ...change } = request.body;
      const governed = rollout(cluster);
      if (governed === undefined) {
        const message = cluster === undefined ? "say which cluster is meant" : `there is no cluster ${cluster}`;
        return reply.status(404).send({ code: "CLUSTER_UNKNOWN", message });
      }
      const since = now() - historyDays * dayMilliseconds;
      const promoted = await governed.promote({ ...change, reason, by: user.name, since });
      return promoted.ok ? promoted : reply.status(statuses[promoted.code]).send(promoted);
    },
  );
}
