import { z } from "zod";
import { type Api, typed } from "./api.ts";
import { type RoleMembers, rolesOf } from "./roles.ts";
import type { Sessions, User } from "./session.ts";

interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

interface Person {
  readonly name: string;
  readonly groups: readonly string[];
}

/** An issuer of OpenID Connect. */
export interface IssuerLogin {
  begin(): Promise<{ readonly url: string; readonly attempt: Attempt }>;
  finish(url: URL, attempt: Attempt): Promise<Person>;
}

export interface LoginOptions {
  readonly sessions: Sessions;
  /** Whether browsers reach us by TLS alone. */
  readonly secure: boolean;
  readonly members: RoleMembers;
  readonly issuer?: IssuerLogin | undefined;
  /** People who log in by name alone; there are none where this is not for development. */
  readonly developmentUsers: readonly Person[];
  readonly now: () => number;
}

const attemptLifetime = 600_000;
/** So many people may be at the issuer at once; the oldest attempt makes room. */
const mostAttempts = 1000;

export function addLoginRoutes(api: Api, options: LoginOptions): void {
  const { sessions, secure } = options;
  const app = typed(api);
  const cookie = { httpOnly: true, sameSite: "strict", path: "/", secure } as const;
  const userOf = (person: Person): User => ({ ...person, roles: rolesOf(person.name, person.groups, options.members) });

  app.get(
    "/login",
    { schema: { hide: true, querystring: z.object({ token: z.string().optional() }) } },
    async (request, reply) => {
      const { token } = request.query;
      if (token === undefined && options.issuer !== undefined) return reply.redirect("/login/oidc");
      const session = token === undefined ? undefined : sessions.redeem(token);
      if (session !== undefined) return reply.setCookie("castellan_session", session, cookie).redirect("/");
      const message = "this login was used; start the server again for a new one";
      return reply.status(401).send({ code: "LOGIN_USED", message });
    },
  );

  if (options.developmentUsers.length > 0) {
    app.get("/login/as/:name", { schema: { hide: true, params: z.object({ name: z.string() }) } }, async (request, reply) => {
      const person = options.developmentUsers.find(({ name }) => name === request.params.name);
      if (person === undefined) return reply.status(404).send({ code: "NOT_FOUND", message: "there is no such user" });
      return reply.setCookie("castellan_session", sessions.start(userOf(person)), cookie).redirect("/");
    });
  }

  if (options.issuer !== undefined) addIssuerRoutes(api, options.issuer, options, (person) => sessions.start(userOf(person)));

  app.get("/api/v1/session", async (request, reply) => {
    const user = sessions.userOf(request.cookies["castellan_session"], request.headers.authorization);
    if (user === undefined) return reply.status(401).send({ code: "UNAUTHENTICATED", message: "nobody is logged in" });
    return { user, csrfToken: reply.generateCsrf({ userInfo: sessions.csrfIdentity(request.cookies["castellan_session"]) }) };
  });
  app.post("/api/v1/logout", { config: { role: "viewer" } }, async (request, reply) => {
    sessions.end(request.cookies["castellan_session"] ?? "");
    return reply.clearCookie("castellan_session", cookie).status(204).send();
  });
}

function addIssuerRoutes(api: Api, issuer: IssuerLogin, { now, secure }: LoginOptions, start: (person: Person) => string): void {
  const attempts = new Map<string, { readonly attempt: Attempt; readonly until: number }>();
  // The issuer sends the browser back from another site: `strict` would lose the cookie.
  const cookie = { httpOnly: true, sameSite: "lax", path: "/login", secure } as const;

  api.get("/login/oidc", { schema: { hide: true } }, async (_request, reply) => {
    const { url, attempt } = await issuer.begin();
    const [oldest] = attempts.keys();
    if (attempts.size >= mostAttempts && oldest !== undefined) attempts.delete(oldest);
    attempts.set(attempt.state, { attempt, until: now() + attemptLifetime });
    return reply.setCookie("castellan_login", attempt.state, cookie).redirect(url);
  });

  api.get("/login/callback", { schema: { hide: true } }, async (request, reply) => {
    const state = request.cookies["castellan_login"] ?? "";
    const known = attempts.get(state);
    attempts.delete(state);
    reply.clearCookie("castellan_login", cookie);
    if (known === undefined || known.until < now()) {
      return reply
        .status(401)
        .send({ code: "LOGIN_EXPIRED", message: "this login was not begun here, or too long ago: open /login" });
    }
    let person: Person;
    try {
      person = await issuer.finish(new URL(request.url, "http://callback"), known.attempt);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return reply.status(401).send({ code: "LOGIN_REFUSED", message: `the issuer's answer was not accepted: ${why}` });
    }
    return reply.setCookie("castellan_session", start(person), { ...cookie, sameSite: "strict", path: "/" }).redirect("/");
  });
}
