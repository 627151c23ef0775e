import { asString, type JsonValue, member } from "../core/json.ts";
import { audiences } from "../services/access/identity-audiences.ts";
import { type CommandContext, UsageError } from "./command.ts";
import type { Io } from "./io.ts";
import { readLogins } from "./logins.ts";
import { accessToken } from "./token-client.ts";

const apiVersion = "client.authentication.k8s.io/v1";
/** kubectl asks again once this much is left, so that no request carries a token that ends on its way. */
const earlyMilliseconds = 30_000;

/** The exec credential plugin (KEP-541): answers on standard output, talks to the person on standard error alone. */
export async function runKubeCredential({ server }: { readonly server: string }, { io }: CommandContext): Promise<void> {
  const isInteractive = readAsked(io.env["KUBERNETES_EXEC_INFO"]);
  const url = new URL(server).origin;
  const { token, until } = (await accessToken(io, url, audiences.kubernetes)) ?? (await loggedInAnew(url, isInteractive, io));
  const { proof } = (await readLogins(io)).servers[url] ?? {};
  const shown = proof === undefined ? {} : { clientCertificateData: proof.certificate, clientKeyData: proof.key };
  const status = { token, ...shown, expirationTimestamp: new Date(until - earlyMilliseconds).toISOString() };
  io.out(`${JSON.stringify({ apiVersion, kind: "ExecCredential", status })}\n`);
}

/** Whether the person may be asked: `interactiveMode` and kubectl's own standard input decide that. */
function readAsked(text: string | undefined): boolean {
  if (text === undefined) return false;
  const asked = parsed(text);
  const wanted = asString(member(asked, "apiVersion"));
  if (wanted === undefined) throw new UsageError("KUBERNETES_EXEC_INFO is not what kubectl sets");
  if (wanted !== apiVersion) throw new UsageError(`the kubeconfig asks for ${wanted}: write it again with castellan kubeconfig`);
  return member(member(asked, "spec"), "interactive") === true;
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function loggedInAnew(url: string, isInteractive: boolean, io: Io) {
  const again = `nobody is logged in to ${url}: run castellan login --server ${url}`;
  if (!isInteractive) throw new UsageError(again);
  const { logIn } = await import("./run-login.ts");
  const { servers } = await readLogins(io);
  await logIn({ url, certificateAuthority: servers[url]?.certificateAuthority }, { browser: true }, io);
  const token = await accessToken(io, url, audiences.kubernetes);
  if (token === undefined) throw new UsageError(again);
  return token;
}
