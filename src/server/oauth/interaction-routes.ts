import type { FastifyReply, FastifyRequest } from "fastify";
import type Provider from "oidc-provider";
import { z } from "zod";
import type { Person } from "../../access/person.ts";
import { mostTokenBytes } from "../../services/access/identity.ts";
import { audiences } from "../../services/access/identity-audiences.ts";
import { claimsOf } from "../../services/access/identity-own-tokens.ts";
import { type Api, typed } from "../api/api.ts";
import type { Sessions } from "../api/session.ts";
import type { Accounts, CurrentPerson } from "./accounts.ts";
import { confirmationPage, page, pageHeaders } from "./pages.ts";
import { clientId, scope } from "./paths.ts";

export interface InteractionOptions {
  readonly sessions: Sessions;
  readonly accounts: Accounts;
  readonly current: CurrentPerson;
  readonly provider: () => Promise<Provider>;
  /** Whether people can log in by themselves, at `/login`; else it takes the address that the server printed. */
  readonly hasLogin: boolean;
}

/** What a token has beside its claims: header, signature, times. */
const tokenOverhead = 1024;

/** Where a login of the command line asks the person in the browser: who that is, the console's session says. */
export function addInteractionRoutes(api: Api, options: InteractionOptions): void {
  const { sessions, accounts } = options;
  const app = typed(api);
  const params = z.object({ uid: z.string().regex(/^[\w-]+$/) });
  const cookieOf = (request: FastifyRequest) => request.cookies["castellan_session"] ?? "";

  app.get("/oauth/interaction/:uid", { schema: { hide: true, params } }, async (request, reply) => {
    const path = `/oauth/interaction/${request.params.uid}`;
    const session = await sessions.find(cookieOf(request));
    if (session === undefined) return askWho(reply, path, options);
    const step = await stepOf(await options.provider(), request, reply);
    if (step === undefined) return refuse(reply, over);
    const { params: asked, deviceCode } = step;
    if (asked["client_id"] !== clientId) return refuse(reply, "This login is of another program.");
    const csrf = reply.generateCsrf({ userInfo: sessions.csrfIdentity(cookieOf(request)) });
    if (request.headers.accept === "application/json") return { user: session.user.name, csrf };
    const confirmation = { user: session.user.name, action: path, csrf, isDevice: deviceCode !== undefined };
    return reply.headers(pageHeaders).send(confirmationPage(confirmation));
  });

  const body = z.object({ answer: z.enum(["allow", "refuse"]) });
  app.post(
    "/oauth/interaction/:uid",
    { config: { csrf: "in-form" }, schema: { hide: true, params, body } },
    async (request, reply) => {
      const session = await sessions.find(cookieOf(request));
      const loggedIn = session?.user.person;
      const known = loggedIn === undefined ? undefined : await options.current(loggedIn);
      const person = known?.ok === true ? known.person : undefined;
      if (person === undefined || session === undefined)
        return refuse(reply, "The session in this browser has ended. Run castellan login again.");
      const provider = await options.provider();
      if ((await stepOf(provider, request, reply)) === undefined) return refuse(reply, over);
      if (request.body.answer === "refuse") {
        return finish(provider, request, reply, { error: "access_denied", error_description: "the login was refused" });
      }
      if (!fits(person)) {
        const limit = `a token with ${person.groups.length} groups would be larger than ${mostTokenBytes} bytes`;
        return refuse(reply, `This login cannot be passed on: ${limit}. Let the identity provider say fewer groups.`);
      }
      const accountId = await accounts.open({ person, until: session.until });
      const grant = new provider.Grant({ accountId, clientId });
      grant.addOIDCScope(scope);
      for (const audience of Object.values(audiences)) grant.addResourceScope(audience, scope);
      const grantId = await grant.save();
      return finish(provider, request, reply, { login: { accountId, remember: false }, consent: { grantId } });
    },
  );
}

const fits = (person: Person): boolean =>
  (Buffer.byteLength(JSON.stringify(claimsOf(person, 0))) * 4) / 3 + tokenOverhead <= mostTokenBytes;

function askWho(reply: FastifyReply, path: string, { hasLogin }: InteractionOptions): FastifyReply {
  if (hasLogin) return reply.redirect(`/login?return=${encodeURIComponent(path)}`);
  reply.headers(pageHeaders).status(401);
  const how = "<p>Open the address that <code>castellan serve</code> printed, then run <code>castellan login</code> again.</p>";
  return reply.send(page("Nobody is logged in", how));
}

const over = "This login is over, or was begun in another browser. Run castellan login again.";

/** Where a login stands; undefined where this browser has begun none. */
function stepOf(provider: Provider, request: FastifyRequest, reply: FastifyReply) {
  return provider.interactionDetails(request.raw, reply.raw).catch((error: unknown) => {
    if (error instanceof Error && error.name === "SessionNotFound") return undefined;
    throw error;
  });
}

async function finish(
  provider: Provider,
  request: FastifyRequest,
  reply: FastifyReply,
  result: Parameters<Provider["interactionResult"]>[2],
): Promise<FastifyReply> {
  return reply.redirect(
    await provider.interactionResult(request.raw, reply.raw, result, { mergeWithLastSubmission: false }),
    303,
  );
}

function refuse(reply: FastifyReply, why: string): FastifyReply {
  return reply
    .headers(pageHeaders)
    .status(400)
    .send(page("This did not work", `<p>${why}</p>`));
}
