import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { PresentedCredentials } from "../../services/access/identity.ts";
import { foreignOrigin } from "./browser.ts";
import type { Call } from "./call.ts";
import { headerProblem, listOf, valuesOf } from "./header-fields.ts";
import { identityFields } from "./identity-fields.ts";
import type { GatewayParts } from "./parts.ts";
import { type Refusal, refusal } from "./status.ts";

/** How browsers, which cannot set headers on sockets, show a token (kube-apiserver's websocket authenticator). */
const tokenProtocol = "base64url.bearer.authorization.k8s.io.";

/** Who is it? By exactly one credential, and none of the header fields that only we may write. */
export async function authenticate(call: Call, parts: GatewayParts): Promise<Refusal | undefined> {
  const problem = headerProblem(call.fields);
  if (problem !== undefined) return refusal(problem.status, problem.message);
  const authorization = authorizationOf(call);
  // A browser shows a certificate by itself, whichever page has it send something.
  const page = authorization.length === 0 ? foreignOrigin(call.fields, parts.origins) : undefined;
  if (page !== undefined)
    return refusal(403, `nothing is taken from pages of ${page} without a token: --gateway-origin lets them in`);
  const said = await parts.authenticator.authenticate({ authorization, peer: peerOf(call.socket) });
  if (!said.ok) return refusal(said.status, said.message, { causes: [{ reason: said.code, message: said.message }] });
  const { person } = said;
  if (person.user === "") return refusal(500, "the identity has no user name; nothing is forwarded without one");
  const identity = identityFields(person, undefined);
  if (!identity.ok) return refusal(403, identity.message);
  call.person = person;
  if (!parts.desk.isLocked(person.human)) return undefined;
  return refusal(403, "access is locked for this person: ask an administrator of Castellan");
}

function authorizationOf(call: Call): readonly string[] {
  const lines = valuesOf(call.fields, "authorization");
  if (call.outlet.kind !== "upgrade") return lines;
  const tokens = listOf(call.fields, "sec-websocket-protocol").filter((protocol) => protocol.startsWith(tokenProtocol));
  const decoded = tokens.map((t) => `Bearer ${Buffer.from(t.slice(tokenProtocol.length), "base64url").toString("utf8")}`);
  return [...lines, ...decoded];
}

/** Subprotocols without the one that carries a token. */
export const withoutToken = (protocols: readonly string[]): readonly string[] =>
  protocols.filter((protocol) => !protocol.startsWith(tokenProtocol));

const peers = new WeakMap<TLSSocket, { readonly certificate: X509Certificate | undefined }>();

/** The certificate that the connection showed: read once a connection. */
function peerOf(socket: TLSSocket): PresentedCredentials["peer"] {
  let known = peers.get(socket);
  if (known === undefined) {
    known = { certificate: socket.getPeerX509Certificate() };
    peers.set(socket, known);
  }
  return known.certificate === undefined ? undefined : { certificate: known.certificate, authorized: socket.authorized };
}
