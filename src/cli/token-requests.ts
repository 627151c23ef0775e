import { createPrivateKey, createPublicKey, randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import { Agent } from "undici";
import { z } from "zod";
import { clientId, connectionPath, paths } from "../server/oauth/paths.ts";
import { UsageError } from "./command.ts";

export interface LoginServer {
  readonly url: string;
  /** PEM of what vouches for it; undefined: an authority of the system. */
  readonly certificateAuthority: string | undefined;
  /** The key that tokens of this login are bound to, and its certificate, PEM. */
  readonly proof?: { readonly certificate: string; readonly key: string } | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined };
  readonly text: string;
}

interface Asked {
  readonly method?: "GET" | "POST";
  readonly headers?: { readonly [name: string]: string };
  readonly form?: { readonly [name: string]: string | readonly string[] };
}

const timeout = 20_000;

/** Asks a server without following redirects. Throws `UsageError` where it does not answer, or by plain HTTP from afar. */
export async function askLogin({ url, certificateAuthority }: LoginServer, path: string, asked: Asked = {}): Promise<HttpAnswer> {
  const { origin, hostname, protocol } = new URL(url);
  const isLoopback = hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
  if (protocol !== "https:" && !isLoopback)
    throw new UsageError(`${url} is not https: tokens would cross the network in clear text`);
  const agent = new Agent({
    headersTimeout: timeout,
    bodyTimeout: timeout,
    connect: certificateAuthority === undefined ? {} : { ca: certificateAuthority, allowPartialTrustChain: true },
  });
  const form = asked.form === undefined ? undefined : formText(asked.form);
  try {
    const { statusCode, headers, body } = await agent.request({
      origin,
      path,
      method: asked.method ?? (form === undefined ? "GET" : "POST"),
      headers: { ...asked.headers, ...(form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }) },
      body: form ?? null,
    });
    return { status: statusCode, headers, text: await body.text() };
  } catch (error) {
    throw new UsageError(`${url} cannot be reached: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    await agent.close();
  }
}

function formText(fields: NonNullable<Asked["form"]>): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) form.append(name, one);
  return form.toString();
}

const connectionSchema = z.object({
  issuer: z.string(),
  client: z.literal(clientId),
  bound: z.boolean().default(false),
  gateway: z.url().optional(),
  certificateAuthority: z.string().optional(),
  clusters: z.array(z.object({ name: z.string(), path: z.string() })).default([]),
});

export type ServerConnection = z.infer<typeof connectionSchema>;

/** What a server says of itself. Throws `UsageError` where it is none of ours. */
export async function askConnection(server: LoginServer): Promise<ServerConnection> {
  const { status, text } = await askLogin(server, connectionPath);
  const read = status === 200 ? connectionSchema.safeParse(jsonOf(text)) : undefined;
  if (read?.success !== true) throw new UsageError(`${server.url} is no Castellan server, or one without logins`);
  return read.data;
}

/** Shows once that one has the key (RFC 9449). */
async function proofOf(pem: string, address: string, now: number): Promise<string> {
  const key = createPrivateKey(pem);
  const { kty = "", crv = "", x = "", y = "" } = createPublicKey(key).export({ format: "jwk" });
  return new SignJWT({ htm: "POST", htu: address, jti: randomUUID(), iat: Math.floor(now / 1000) })
    .setProtectedHeader({ typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } })
    .sign(key);
}

const tokensSchema = z.object({ access_token: z.string(), refresh_token: z.string(), expires_in: z.number() });
const problemSchema = z.object({ error: z.string(), error_description: z.string().optional() });

export type TokenAnswer =
  | { readonly ok: true; readonly token: string; readonly refreshToken: string; readonly until: number }
  | { readonly ok: false; readonly error: string; readonly message: string };

/** Asks for tokens for one audience (RFC 6749, 8707). */
export async function askTokens(
  server: LoginServer,
  grant: { readonly [name: string]: string },
  audience: string,
  now: number,
): Promise<TokenAnswer> {
  const form = { client_id: clientId, resource: audience, ...grant };
  const dpop = server.proof && (await proofOf(server.proof.key, `${server.url}${paths.token}`, now));
  const { status, text } = await askLogin(server, paths.token, { form, ...(dpop && { headers: { dpop } }) });
  const tokens = tokensSchema.safeParse(jsonOf(text));
  if (status === 200 && tokens.success) {
    const { access_token: token, refresh_token: refreshToken, expires_in: seconds } = tokens.data;
    return { ok: true, token, refreshToken, until: now + seconds * 1000 };
  }
  const problem = problemSchema.safeParse(jsonOf(text));
  if (!problem.success) return { ok: false, error: "server_error", message: `${server.url} answered with ${status}` };
  return { ok: false, error: problem.data.error, message: problem.data.error_description ?? problem.data.error };
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
