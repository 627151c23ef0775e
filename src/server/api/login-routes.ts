import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { Person } from "../../access/person.ts";
import type { AskAgain, Proof, ProvenIdentity } from "../../services/access/identity.ts";
import type { Admit } from "../../services/access/identity-authenticator.ts";
import { developmentIssuer } from "../../services/access/identity-own-tokens.ts";
import { developmentLoginPage, pageHeaders } from "../oauth/pages.ts";
import { problem } from "./answers.ts";
import { type Api, typed } from "./api.ts";
import { type Attempt, LoginAttempts } from "./login-attempt.ts";
import { type RoleMembers, roles, rolesOf } from "./roles.ts";
import type { Sessions, User } from "./session.ts";

export interface DevelopmentUser {
  readonly name: string;
  readonly groups: readonly string[];
}

/** An issuer of OpenID Connect. */
export interface IssuerLogin {
  begin(): Promise<{ readonly url: string; readonly attempt: Attempt }>;
  finish(url: URL, attempt: Attempt): Promise<{ readonly proof: Proof; readonly again: AskAgain | undefined }>;
}

export interface LoginOptions {
  readonly sessions: Sessions;
  /** Whether browsers reach us by TLS alone. */
  readonly secure: boolean;
  readonly members: RoleMembers;
  readonly issuer?: IssuerLogin | undefined;
  /** People who log in by name alone; there are none where this is not for development. */
  readonly developmentUsers: readonly DevelopmentUser[];
  readonly admit: Admit;
  /** Told of people who logged in at the issuer, how it is asked about them again, and when their session ends. */
  readonly onLogin?: ((person: Person, again: AskAgain | undefined, until: number) => void) | undefined;
  readonly now: () => number;
}

/** Where a login may lead besides the console: to who asked for it here. */
const backSchema = z.object({
  return: z
    .string()
    .regex(/^\/oauth\/interaction\/[\w-]+$/)
    .optional(),
});

export function addLoginRoutes(api: Api, options: LoginOptions): void {
  const { sessions, secure } = options;
  const app = typed(api);
  const cookie = { httpOnly: true, sameSite: "strict", path: "/", secure } as const;

  app.get(
    "/login",
    { schema: { hide: true, querystring: backSchema.extend({ token: z.string().optional() }) } },
    async (request, reply) => {
      const { token, return: back } = request.query;
      if (token === undefined && options.issuer !== undefined)
        return reply.redirect(back === undefined ? "/login/oidc" : `/login/oidc?return=${encodeURIComponent(back)}`);
      const names = options.developmentUsers.map(({ name }) => name);
      if (token === undefined && names.length > 0) return reply.headers(pageHeaders).send(developmentLoginPage(names, back));
      const session = token === undefined ? undefined : await sessions.redeem(token);
      if (session !== undefined) return reply.setCookie("castellan_session", session, cookie).redirect("/");
      const message = "this login was used; start the server again for a new one";
      return reply.status(401).send({ code: "LOGIN_USED", message });
    },
  );

  const start = (proof: Proof, groups?: readonly string[]) => startSession(options, proof, groups);
  if (options.developmentUsers.length > 0) {
    app.get(
      "/login/as/:name",
      { schema: { hide: true, params: z.object({ name: z.string() }), querystring: backSchema } },
      async (request, reply) => {
        const known = options.developmentUsers.find(({ name }) => name === request.params.name);
        if (known === undefined) return reply.status(404).send({ code: "NOT_FOUND", message: "there is no such user" });
        const started = await start({ ok: true, identity: developmentIdentity(known) }, known.groups);
        if (!started.ok) return reply.status(started.status).send({ code: started.code, message: started.message });
        return reply.setCookie("castellan_session", started.session, cookie).redirect(request.query.return ?? "/");
      },
    );
  }

  if (options.issuer !== undefined) addIssuerRoutes(api, options.issuer, options, start);

  const session = z.object({
    user: z.object({ name: z.string(), groups: z.array(z.string()).readonly(), roles: z.array(z.enum(roles)).readonly() }),
    csrfToken: z.string(),
  });
  const described = { description: "Who is logged in.", response: { 200: session, 401: problem } };
  app.get("/api/v1/session", { schema: described }, async (request, reply) => {
    const user = await sessions.userOf(request.cookies["castellan_session"], request.headers.authorization);
    if (user === undefined) return reply.status(401).send({ code: "UNAUTHENTICATED", message: "nobody is logged in" });
    return { user, csrfToken: reply.generateCsrf({ userInfo: sessions.csrfIdentity(request.cookies["castellan_session"]) }) };
  });
  app.post("/api/v1/logout", { config: { role: "anybody" } }, async (request, reply) => {
    await sessions.end(request.cookies["castellan_session"] ?? "");
    return reply.clearCookie("castellan_session", cookie).status(204).send();
  });
}

/** Groups that give a role here are not for clusters, where nobody may say `castellan:`. */
function developmentIdentity({ name, groups }: DevelopmentUser): ProvenIdentity {
  const own: readonly string[] = roles.map((role) => `castellan:${role}`);
  return {
    issuer: developmentIssuer,
    subject: name,
    user: name,
    groups: groups.filter((group) => !own.includes(group)),
    isProgram: false,
    emailVerified: false,
  };
}

type Started =
  | { readonly ok: true; readonly session: string; readonly until: number; readonly person: Person }
  | { readonly ok: false; readonly status: number; readonly code: string; readonly message: string };

async function startSession(
  { sessions, members, admit, now }: LoginOptions,
  proof: Proof,
  groups?: readonly string[],
): Promise<Started> {
  const admitted = proof.ok ? admit(proof.identity) : proof;
  if (!admitted.ok) return admitted;
  // Groups of a file are no provider's, and grow no older.
  const person = groups === undefined ? { ...admitted.person, groupsAt: now() } : admitted.person;
  const all = groups ?? person.groups;
  const user: User = { name: person.user, groups: all, roles: rolesOf(person.user, all, members), person };
  const { token, until } = await sessions.start(user);
  return { ok: true, session: token, until, person };
}

function addIssuerRoutes(api: Api, issuer: IssuerLogin, options: LoginOptions, start: (proof: Proof) => Promise<Started>): void {
  const { now, secure, sessions, onLogin } = options;
  const attempts = new LoginAttempts(sessions.key("logins"), now);
  // The issuer sends the browser back from another site: `strict` would lose the cookie.
  const cookie = { httpOnly: true, sameSite: "lax", path: "/login", secure } as const;

  typed(api).get("/login/oidc", { schema: { hide: true, querystring: backSchema } }, async (request, reply) => {
    const { url, attempt } = await issuer.begin();
    const begun = await attempts.seal({ attempt, back: request.query.return });
    return reply.setCookie("castellan_login", begun, cookie).redirect(url);
  });

  api.get("/login/callback", { schema: { hide: true } }, async (request, reply) => {
    const known = await attempts.open(request.cookies["castellan_login"] ?? "");
    reply.clearCookie("castellan_login", cookie);
    if (known === undefined) {
      return reply
        .status(401)
        .send({ code: "LOGIN_EXPIRED", message: "this login was not begun here, or too long ago: open /login" });
    }
    let finished: Awaited<ReturnType<IssuerLogin["finish"]>>;
    try {
      finished = await issuer.finish(new URL(request.url, "http://callback"), known.attempt);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return reply.status(401).send({ code: "LOGIN_REFUSED", message: `the issuer's answer was not accepted: ${why}` });
    }
    const started = await start(finished.proof);
    if (!started.ok) {
      return reply
        .status(started.status)
        .send({ code: "LOGIN_REFUSED", message: `the issuer's answer was not accepted: ${started.message}` });
    }
    onLogin?.(started.person, finished.again, started.until);
    reply.setCookie("castellan_session", started.session, { ...cookie, sameSite: "strict", path: "/" });
    return known.back === undefined ? reply.redirect("/") : goOn(reply, known.back);
  });
}

/** A redirect of a navigation that another site began would not carry the session's cookie; one that our page begins does. */
function goOn(reply: FastifyReply, path: string): FastifyReply {
  return reply
    .type("text/html; charset=utf-8")
    .header("cache-control", "no-store")
    .send(`<!doctype html><meta http-equiv="refresh" content="0;url=${path}"><a href="${path}">Continue</a>`);
}
