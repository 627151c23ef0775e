import { z } from "zod";
import type { Ask } from "../../access/request.ts";
import type { AccessRules } from "../../access/rules/types.ts";
import type { Instant } from "../../core/host.ts";
import { type FactsOf, offerOf } from "../../services/access/standing-offer.ts";
import { nobody, viewerOf } from "./access-routes.ts";
import { problem } from "./answers.ts";
import { type Api, typed } from "./api.ts";

export interface OfferParts {
  /** Undefined: they are not loaded yet. */
  readonly rules: () => AccessRules | undefined;
  readonly facts: FactsOf;
  /** Names of the governed clusters. */
  readonly clusters: () => readonly string[];
  readonly now: () => Instant;
}

const role = z.object({ kind: z.enum(["Role", "ClusterRole"]), name: z.string() });
const offerShape = z.object({
  rule: z.string(),
  verdict: z.enum(["approve", "reject", "no-opinion", "require"]),
  because: z.string().describe("why the verdict, in a sentence"),
  slots: z
    .array(
      z.object({
        name: z.string(),
        count: z.number(),
        approvers: z.object({ groups: z.array(z.string()).readonly(), humans: z.array(z.string()).readonly() }),
      }),
    )
    .readonly()
    .describe("who must agree"),
  grantMilliseconds: z.number().describe("no longer than the rule gives"),
  role: role.optional(),
  modes: z.array(z.enum(["gateway", "rolebinding"])).readonly(),
});

const notLoaded = {
  code: "ACCESS_UNAVAILABLE",
  message: "no access rules are in force: they and a directory of people are needed",
} as const;

/** What would come of asking, before anybody asks: which rule offers it, for how long, and who must agree. */
export function addOfferRoutes(api: Api, { rules, facts, clusters, now }: OfferParts): void {
  const query = z.object({
    cluster: z.string().optional(),
    type: z.enum(["session", "exception"]),
    namespace: z.string().max(63).default(""),
    milliseconds: z.coerce.number().int().min(1000).default(3_600_000).describe("how long it is wanted"),
    breakGlass: z.enum(["true", "false"]).default("false"),
    policy: z.string().max(500).default(""),
    apiVersion: z.string().max(300).default(""),
    kind: z.string().max(300).default(""),
    name: z.string().max(300).default(""),
  });
  typed(api).get(
    "/api/v1/access/offer",
    {
      config: { role: "anybody" },
      schema: {
        description: "What would come of asking for access for a while or for an exception; nothing is asked for.",
        querystring: query,
        response: {
          200: z.object({
            clusters: z.array(z.string()).readonly(),
            offer: offerShape.optional().describe("undefined: no rule offers it"),
          }),
          403: problem,
          503: problem,
        },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(request);
      if (viewer === undefined) return nobody(reply);
      const known = clusters();
      const { cluster = known[0] ?? "", breakGlass, ...wanted } = request.query;
      // Of one instant: a millisecond later, seven days would be less.
      const at = now();
      const ask = askOf(wanted, at);
      const current = rules();
      if (current === undefined) return reply.status(503).send(notLoaded);
      const asked = { person: viewer.person, ask, cluster, breakGlass: breakGlass === "true", at, rule: undefined };
      const offer = offerOf(current, { ...asked, facts: facts(viewer.person, ask, cluster) });
      return { clusters: known, ...(offer === undefined ? {} : { offer }) };
    },
  );
}

type Wanted = { readonly type: "session" | "exception"; readonly milliseconds: number } & {
  readonly [name in "namespace" | "policy" | "apiVersion" | "kind" | "name"]: string;
};

function askOf({ type, namespace, milliseconds, policy, apiVersion, kind, name }: Wanted, now: Instant): Ask {
  if (type === "session") return { type, namespace, milliseconds, mode: "gateway" };
  return { type, policy, rules: [], object: { apiVersion, kind, namespace, name }, until: now + milliseconds };
}
