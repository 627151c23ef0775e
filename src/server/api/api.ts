import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import cookie from "@fastify/cookie";
import csrf from "@fastify/csrf-protection";
import fastifyStatic from "@fastify/static";
import swagger from "@fastify/swagger";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { FastifySerializerCompiler } from "fastify/types/schema.js";
import {
  jsonSchemaTransform,
  ResponseSerializationError,
  validatorCompiler,
  type ZodTypeProvider,
} from "fastify-type-provider-zod";
import type { z } from "zod";
import { writeExactJson } from "../../core/exact-json.ts";
import type { JsonValue } from "../../core/json.ts";
import { mostHeaderBytes } from "../../services/access/identity.ts";
import { knownUser, setRequestUser } from "./request-user.ts";
import { mayAct, neededRole } from "./roles.ts";
import { hostName, type Sessions, type User } from "./session.ts";

/** Whom a token that is no session's proves. */
export type TokenUser =
  | { readonly ok: true; readonly user: User }
  | { readonly ok: false; readonly status: number; readonly code: string; readonly message: string };

export interface ApiOptions {
  readonly version: string;
  /** The directory of the console's pages; undefined: there are none. */
  readonly pages: string | undefined;
  readonly sessions: Sessions;
  /** For `Authorization` headers (all of the request) whose token is no session's; undefined: there are no other tokens. */
  readonly tokenUser?: ((authorization: readonly string[]) => Promise<TokenUser>) | undefined;
  /** What has become of the user of a session since it began: locked out, or known by now as somebody's second login. */
  readonly renewed?: ((user: User) => Promise<TokenUser>) | undefined;
  /** PEM; undefined: plain HTTP. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Whether browsers reach us by TLS alone, here or at a proxy in front. */
  readonly secure: boolean;
  /** Host names of the way in for people (an ingress): who comes by them logs in for /metrics, too. */
  readonly publicHosts?: readonly string[];
  /** Whether the server can do its work: what is still missing, or nothing. */
  readonly waitingFor: () => readonly string[];
  /** Names of clusters that are not reached: the server is ready all the same, for the others. */
  readonly unreached?: () => readonly string[];
  readonly metrics: () => Promise<Iterable<string>>;
  readonly onError: (error: unknown, request: string) => void;
  /** Told of each request once it is answered. */
  readonly onAnswered?: ((request: AnsweredRequest) => void) | undefined;
}

/** A request of the API, for the log. */
export interface AnsweredRequest {
  /** As the answer's `x-request-id` says it. */
  readonly id: string;
  readonly method: string;
  /** Without the query, which may hold a login. */
  readonly path: string;
  readonly status: number;
  readonly milliseconds: number;
  /** Undefined: nobody was logged in. */
  readonly user?: string | undefined;
}

export type Api = FastifyInstance;

/** The HTTP API without its routes: checks, sessions, errors and the OpenAPI 3.1 document are the same for all of them. */
export async function createApi(options: ApiOptions): Promise<Api> {
  const genReqId = () => randomUUID();
  const settings = {
    logger: false,
    requestIdHeader: false,
    genReqId,
    bodyLimit: 4 * 1024 * 1024,
    forceCloseConnections: true,
  } as const;
  const limits = { maxHeaderSize: mostHeaderBytes };
  // The type of a TLS server differs in nothing that routes see.
  const app: Api =
    options.tls === undefined
      ? Fastify({ ...settings, http: limits })
      : (Fastify({ ...settings, https: { ...options.tls, ...limits } }) as unknown as Api);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(exactSerializer);
  await app.register(cookie);
  await app.register(csrf, {
    cookieKey: "castellan_csrf",
    cookieOpts: { httpOnly: true, sameSite: "strict", path: "/", secure: options.secure },
    getUserInfo: (request) => options.sessions.csrfIdentity(request.cookies["castellan_session"]),
    csrfOpts: { hmacKey: Buffer.from(options.sessions.key("forms")).toString("base64") },
  });
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: "Castellan", version: options.version, description: "The governor of a Kubernetes AI platform." },
    },
    transform: jsonSchemaTransform,
  });
  app.addHook("onResponse", async (request, reply) => {
    options.onAnswered?.({
      id: request.id,
      method: request.method,
      path: pathOf(request),
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime),
      user: knownUser(request)?.name,
    });
  });
  app.addHook("onSend", async (request, reply) => {
    reply.header("x-request-id", request.id).header("x-content-type-options", "nosniff").header("referrer-policy", "no-referrer");
    if (!reply.hasHeader("x-frame-options")) reply.header("x-frame-options", "DENY");
    const isPage = String(reply.getHeader("content-type")).startsWith("text/html");
    if (isPage && !reply.hasHeader("content-security-policy")) reply.header("content-security-policy", contentPolicy);
  });
  app.addHook("onRequest", async (request, reply) => guard(request, reply, options));
  app.addHook("onRequest", (request, reply, done) => {
    // Who sends a token by hand is no browser that another site could use.
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (isRead || request.headers.authorization !== undefined || hasOwnCheck(request)) done();
    else app.csrfProtection(request, reply, done);
  });
  app.addHook("preValidation", (request, reply, done) => {
    if (request.routeOptions.config.csrf === "in-form") app.csrfProtection(request, reply, done);
    else done();
  });
  app.setErrorHandler((error, request, reply) => {
    const status = statusOf(error);
    if (status >= 500) options.onError(error, `${request.method} ${pathOf(request)} (${request.id})`);
    const message =
      status >= 500 ? "the server could not answer; its log says why" : error instanceof Error ? error.message : String(error);
    return reply.status(status).send({ code: status === 400 ? "BAD_REQUEST" : "FAILED", message });
  });
  if (options.pages !== undefined)
    await app.register(fastifyStatic, { root: options.pages, index: ["index.html"], maxAge: "1h" });
  app.setNotFoundHandler((request, reply) => {
    // The console is one document; its paths are its own business.
    const isPage = request.method === "GET" && !request.url.startsWith("/api/") && !/\.\w+(\?|$)/.test(request.url);
    if (isPage && options.pages !== undefined) return reply.sendFile("index.html", { maxAge: 0 });
    return reply.status(404).send({ code: "NOT_FOUND", message: `there is no ${request.url}` });
  });
  app.get("/healthz", { schema: { hide: true } }, async () => "ok");
  app.get("/readyz", { schema: { hide: true } }, async (_request, reply) => {
    const missing = options.waitingFor();
    if (missing.length > 0) return reply.status(503).send(`waiting for ${missing.join(", ")}`);
    const unreached = options.unreached?.() ?? [];
    return reply.send(unreached.length === 0 ? "ok" : `ok, but not reached: ${unreached.join(", ")}`);
  });
  app.get("/metrics", { schema: { hide: true } }, async (_request, reply) => {
    const parts = await options.metrics();
    return reply.type("text/plain; version=0.0.4").send(Readable.from(parts));
  });
  app.get("/api/openapi.json", { schema: { hide: true } }, async () => app.swagger());
  return app;
}

/**
 * Of the console: scripts are files of this server, and ask this server alone. Its components set styles in the markup; the
 * player of recordings is WebAssembly.
 */
const contentPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

/** As the type provider's, but 64-bit integers of objects keep their digits, where `JSON.stringify` would throw. */
const exactSerializer: FastifySerializerCompiler<z.ZodType> = ({ schema, method, url }) => {
  return (data) => {
    const { success, data: answer, error } = schema.safeEncode(data);
    if (!success) throw new ResponseSerializationError(method, url, { cause: error });
    // What schemas of answers let through is JSON.
    return writeExactJson(answer as JsonValue);
  };
};

/** Without the query, which may hold a login. */
const pathOf = ({ url }: FastifyRequest): string => url.split("?", 1)[0] ?? "";

/** For files that add routes: handlers are typed by their schemas. */
export const typed = (api: Api) => api.withTypeProvider<ZodTypeProvider>();

const hasOwnCheck = ({ routeOptions: { config } }: FastifyRequest): boolean =>
  config.signed === true || config.csrf !== undefined;

/** Asked by kubelets and Prometheus, which name the pod's address. */
const openPaths: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/metrics"]);

type Proving = Pick<ApiOptions, "sessions" | "tokenUser" | "renewed" | "publicHosts">;

/** Whether people may have sent it, by the ingress: who scrapes names a pod or a Service. */
function isByIngress({ headers }: FastifyRequest, publicHosts: readonly string[]): boolean {
  if (publicHosts.length === 0) return false;
  const isForwarded = ["forwarded", "x-forwarded-for", "x-forwarded-host"].some((name) => headers[name] !== undefined);
  return isForwarded || publicHosts.includes(hostName(headers.host).toLowerCase().replace(/\.$/, ""));
}

async function guard(request: FastifyRequest, reply: FastifyReply, options: Proving): Promise<FastifyReply | undefined> {
  // What answers is the route: an address has many spellings (%61pi, http://host/api), which the router reads and we would not.
  const route = request.routeOptions.url ?? pathOf(request);
  // Who may scrape is a question of the network, which an ingress answers for everybody.
  const isMeasured = route === "/metrics" && isByIngress(request, options.publicHosts ?? []);
  if (openPaths.has(route) && !isMeasured) return undefined;
  if (!options.sessions.isOwnHost(request.headers.host)) {
    return reply.status(421).send({ code: "WRONG_HOST", message: "this server does not answer for that host name" });
  }
  if (!isMeasured && (!route.startsWith("/api/v1/") || route === "/api/v1/session")) return undefined;
  const proven = await userOf(request, options);
  if (proven?.ok === false) return reply.status(proven.status).send({ code: proven.code, message: proven.message });
  if (proven === undefined) {
    return reply.status(401).send({ code: "UNAUTHENTICATED", message: "open the address that the server printed, or /login" });
  }
  const { user } = proven;
  setRequestUser(request, user);
  const needed = neededRole(request.method, request.routeOptions.config.role);
  if (mayAct(user, needed)) return undefined;
  const has = user.roles.length === 0 ? "no role" : `the role ${user.roles.join(", ")}`;
  return reply.status(403).send({ code: "FORBIDDEN", message: `this needs the role ${needed}; ${user.name} has ${has}` });
}

/** Who the header names or, where none was sent, whose session the cookie is of; as they are known by now. */
async function userOf(request: FastifyRequest, { sessions, tokenUser, renewed }: Proving): Promise<TokenUser | undefined> {
  const newest = async (user: User): Promise<TokenUser> => (await renewed?.(user)) ?? { ok: true, user };
  const { authorization } = request.headers;
  if (authorization !== undefined) {
    const program = sessions.programOf(authorization);
    return program === undefined ? tokenUser?.(request.raw.headersDistinct["authorization"] ?? []) : newest(program);
  }
  const cookie = request.cookies["castellan_session"] ?? "";
  const session = await sessions.find(cookie);
  if (session === undefined) return undefined;
  const proven = await newest(session.user);
  const isNewer = proven.ok && proven.user.person?.groupsAt !== session.user.person?.groupsAt;
  if (isNewer) await sessions.renew(cookie, { ...session, user: proven.user });
  // Other replicas cannot ask the provider: they would go on by its word from before.
  else if (!proven.ok && !mayPass(proven)) await sessions.end(cookie);
  return proven;
}

/** Locks are looked at everywhere, and are opened again; of whom nobody could be asked nothing is known. */
const mayPass = ({ status, code }: { readonly status: number; readonly code: string }): boolean =>
  status === 503 || code === "IDENTITY_LOCKED";

function statusOf(error: unknown): number {
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  return status >= 400 && status < 600 ? status : 500;
}
