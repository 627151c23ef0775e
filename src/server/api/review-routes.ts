import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { type AccessReviews, mayDecideReview, type Reviewer } from "../../services/access-review-campaigns.ts";
import { problem } from "./answers.ts";
import { type Api, typed } from "./api.ts";
import { requestUser } from "./request-user.ts";
import { mayAct } from "./roles.ts";

const dayMilliseconds = 86_400_000;
const statuses = { REVIEW_UNKNOWN: 404, REVIEW_NOT_OWNER: 403 } as const;

const reviewRow = z.object({
  cluster: z.string(),
  name: z.string(),
  began: z.number(),
  bindings: z.number(),
  decided: z.number(),
});
const reviewedBinding = z.object({
  binding: z.string(),
  role: z.string(),
  subjects: z.array(z.string()).readonly(),
  owner: z.string().optional(),
  lastUse: z.number().optional(),
  decision: z.object({ what: z.enum(["keep", "revoke"]), by: z.string(), at: z.number(), reason: z.string() }).optional(),
  mayDecide: z.boolean(),
});

/** Access reviews: owners keep or revoke bindings, administrators begin reviews and may decide for every owner. */
export function addReviewRoutes(api: Api, reviews: AccessReviews, now: () => number): void {
  const app = typed(api);
  const reviewer = (request: FastifyRequest): Reviewer => {
    const user = requestUser(request);
    return { name: user.name, groups: user.groups, isAdministrator: mayAct(user, "admin") };
  };
  const review = z.object({ cluster: z.string(), name: z.string() });

  app.get(
    "/api/v1/reviews",
    {
      config: { role: "anybody" },
      schema: {
        description: "Access reviews, newest first.",
        response: { 200: z.object({ items: z.array(reviewRow).readonly() }) },
      },
    },
    async () => ({ items: await reviews.list() }),
  );
  app.get(
    "/api/v1/reviews/:cluster/:name",
    {
      config: { role: "anybody" },
      schema: {
        description: "The bindings of a review, the longest unused first; to who has no role only what they own.",
        params: review,
        response: { 200: z.object({ items: z.array(reviewedBinding).readonly() }), 404: problem },
      },
    },
    async (request, reply) => {
      const by = reviewer(request);
      const state = await reviews.state(request.params);
      if (state.length === 0) return reply.status(404).send({ code: "REVIEW_UNKNOWN", message: "there is no such review" });
      const items = state.map((binding) => ({ ...binding, mayDecide: mayDecideReview(binding, by) }));
      return { items: mayAct(requestUser(request), "viewer") ? items : items.filter(({ mayDecide }) => mayDecide) };
    },
  );
  app.post(
    "/api/v1/reviews",
    {
      config: { role: "admin" },
      schema: {
        description: "Begins a review of all bindings that people made; begun again it takes up new ones.",
        body: z.object({
          cluster: z.string(),
          name: z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/, "lower-case letters, digits, dots and dashes"),
          usesSinceDays: z.number().positive().max(400).default(90),
        }),
        response: { 200: z.object({ added: z.number() }), 404: problem },
      },
    },
    async (request, reply) => {
      const { usesSinceDays, ...wanted } = request.body;
      const added = await reviews.start(wanted, reviewer(request).name, now() - usesSinceDays * dayMilliseconds);
      if (added !== undefined) return { added };
      return reply.status(404).send({ code: "CLUSTER_UNKNOWN", message: `${wanted.cluster} is not governed here` });
    },
  );
  app.post(
    "/api/v1/reviews/:cluster/:name/decisions",
    {
      // Who owns a binding need not have a role; the service asks for the one or the other.
      config: { role: "anybody" },
      schema: {
        description: "Records that a binding is kept or revoked, and why. Nothing is deleted.",
        params: review,
        body: z.object({ binding: z.string(), what: z.enum(["keep", "revoke"]), reason: z.string().trim().min(1).max(2000) }),
        response: { 204: z.null(), 403: problem, 404: problem },
      },
    },
    async (request, reply) => {
      const { binding, ...decision } = request.body;
      const decided = await reviews.decide(request.params, binding, reviewer(request), decision);
      if (decided.ok) return reply.status(204).send(null);
      const { code, message } = decided;
      return reply.status(statuses[code]).send({ code, message });
    },
  );
}
