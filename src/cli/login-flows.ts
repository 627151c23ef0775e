import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { clientId, paths, scope } from "../server/oauth/paths.ts";
import { audiences } from "../services/access/identity-audiences.ts";
import { UsageError } from "./command.ts";
import type { Io } from "./io.ts";
import { askLogin, askTokens, jsonOf, type LoginServer, type TokenAnswer } from "./token-requests.ts";

type Tokens = Extract<TokenAnswer, { readonly ok: true }>;

/** How an address is shown to the person; it may also open it. */
export type ShowAddress = (url: string) => void;

const loginMilliseconds = 600_000;

interface Attempt {
  readonly state: string;
  readonly verifier: string;
  readonly redirect: string;
}

/** Authorization code with PKCE on a loopback address of our own (RFC 8252, 7636); `issuer` is whom the answer must name (RFC 9207). */
export async function browserLogin(server: LoginServer, issuer: string, io: Io, showAddress: ShowAddress): Promise<Tokens> {
  const { promise: answered, resolve } = Promise.withResolvers<URL>();
  const listener = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    const isOurs = request.method === "GET" && url.pathname === "/callback";
    response.writeHead(isOurs ? 200 : 404, { "content-type": "text/plain; charset=utf-8", connection: "close" });
    response.end(isOurs ? "The login has come back to the command line. Close this page.\n" : "");
    if (isOurs) resolve(url);
  });
  await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const waiting = new AbortController();
  try {
    const attempt = newAttempt(`http://127.0.0.1:${port}/callback`);
    // How browsers reach the server: cookies and the identity provider's way back are of that address.
    showAddress(`${issuer}${authorizationPath(attempt)}`);
    const back = await Promise.race([answered, sleep(loginMilliseconds, undefined, { signal: waiting.signal })]);
    if (back === undefined) throw new UsageError("nobody logged in within ten minutes");
    return await exchange(server, issuer, attempt, back, io);
  } finally {
    waiting.abort();
    listener.close();
    listener.closeAllConnections();
  }
}

function newAttempt(redirect: string): Attempt {
  return { state: randomBytes(24).toString("base64url"), verifier: randomBytes(32).toString("base64url"), redirect };
}

function authorizationPath({ state, verifier, redirect }: Attempt): string {
  const query = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirect,
    scope,
    state,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  for (const audience of Object.values(audiences)) query.append("resource", audience);
  return `${paths.authorization}?${query}`;
}

async function exchange(
  server: LoginServer,
  issuer: string,
  { state, verifier, redirect }: Attempt,
  back: URL,
  io: Io,
): Promise<Tokens> {
  const said = back.searchParams;
  if (said.get("state") !== state || said.get("iss") !== issuer)
    throw new UsageError("the answer is not of the login that was begun here");
  const code = said.get("code");
  if (code === null)
    throw new UsageError(`the login was refused: ${said.get("error_description") ?? said.get("error") ?? "no reason"}`);
  const grant = { grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: redirect };
  return tokensOf(await askTokens(server, grant, audiences.console, io.now()));
}

function tokensOf(answer: TokenAnswer): Tokens {
  if (answer.ok) return answer;
  throw new UsageError(`the login was refused: ${answer.message}`);
}

const deviceSchema = z.object({
  device_code: z.string(),
  user_code: z.string(),
  expires_in: z.number(),
  interval: z.number().default(5),
});

/** A code that is typed in a browser anywhere (RFC 8628). */
export async function deviceLogin(server: LoginServer, issuer: string, io: Io): Promise<Tokens> {
  const form = { client_id: clientId, scope, resource: Object.values(audiences) };
  const { status, text } = await askLogin(server, paths.device_authorization, { form });
  const read = deviceSchema.safeParse(jsonOf(text));
  if (!read.success) throw new UsageError(`${server.url} gives no codes for devices: it answered with ${status}`);
  const { device_code: code, user_code: shown, expires_in: seconds } = read.data;
  io.err(`castellan: open ${issuer}${paths.code_verification} and type the code ${shown}\n`);
  const grant = { grant_type: "urn:ietf:params:oauth:grant-type:device_code", device_code: code };
  let pause = read.data.interval;
  for (let waited = 0; waited < seconds; waited += pause) {
    await sleep(pause * 1000);
    const answer = await askTokens(server, grant, audiences.console, io.now());
    if (answer.ok || !["authorization_pending", "slow_down"].includes(answer.error)) return tokensOf(answer);
    if (answer.error === "slow_down") pause += 5;
  }
  throw new UsageError("nobody typed the code in time");
}

const confirmationSchema = z.object({ csrf: z.string() });
const mostRedirects = 10;

/** The browser's part of a login, for people of the server's development users, who log in by their name alone. */
export async function developmentLogin(server: LoginServer, issuer: string, name: string, io: Io): Promise<Tokens> {
  const cookies = new Map<string, string>();
  const open = async (path: string, form?: { readonly [name: string]: string }) => {
    const cookie = [...cookies].map(([key, value]) => `${key}=${value}`).join("; ");
    const answer = await askLogin(server, path, { headers: { cookie, accept: "application/json" }, ...(form && { form }) });
    for (const line of [answer.headers["set-cookie"] ?? []].flat()) {
      const [, key = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === "") cookies.delete(key);
      else cookies.set(key, value);
    }
    return answer;
  };
  const known = await open(`/login/as/${encodeURIComponent(name)}`);
  if (known.status !== 302) throw new UsageError(`${server.url} has no development user ${name}`);
  const attempt = newAttempt("http://127.0.0.1:1/callback");
  let answer = await open(authorizationPath(attempt));
  for (let i = 0; i < mostRedirects; i++) {
    const location = answer.headers["location"];
    const confirmation = confirmationSchema.safeParse(jsonOf(answer.text));
    if (typeof location === "string") {
      const url = new URL(location, server.url);
      if (url.href.startsWith(attempt.redirect)) return exchange(server, issuer, attempt, url, io);
      answer = await open(`${url.pathname}${url.search}`);
      const step = confirmationSchema.safeParse(jsonOf(answer.text));
      if (step.success) answer = await open(url.pathname, { _csrf: step.data.csrf, answer: "allow" });
    } else if (!confirmation.success) break;
  }
  throw new UsageError(`${server.url} did not let ${name} in: it answered with ${answer.status}`);
}

/** Shows an address in the person's browser, where there is one; nothing is lost where there is none. */
export function openBrowser(url: string): void {
  const [program, ...args] =
    process.platform === "darwin" ? ["open", url] : process.platform === "win32" ? ["explorer.exe", url] : ["xdg-open", url];
  if (program === undefined) return;
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  child.once("error", () => {});
  child.unref();
}
