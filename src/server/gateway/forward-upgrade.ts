import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { parseQuery } from "../../access/classify/request-target.ts";
import type { UpgradeAnswer } from "../../services/access/upstream/upstream.ts";
import { withoutToken } from "./authenticate.ts";
import { foreignOrigin } from "./browser.ts";
import type { Call, Outlet } from "./call.ts";
import { hasBody, type StreamKind, streamKind } from "./classify.ts";
import { beforeSending } from "./forward.ts";
import { answeredFields, type HeaderFields, listOf, valuesOf } from "./header-fields.ts";
import { noteEnd, openStream, streamProblem } from "./open-stream.ts";
import type { GatewayParts } from "./parts.ts";
import { noteOutcome } from "./record.ts";
import { endSocket } from "./reply.ts";
import { type Refusal, refusal } from "./status.ts";
import { relayStream } from "./stream/relay.ts";
import type { OpenTap, StreamTap, TapRequest } from "./stream/tap.ts";

type UpgradeOutlet = Extract<Outlet, { kind: "upgrade" }>;
type Upgraded = Extract<UpgradeAnswer, { upgraded: true }>;

const protocols: { readonly [token: string]: "spdy" | "websocket" } = { "spdy/3.1": "spdy", websocket: "websocket" };
const recorded = new Set<StreamKind>(["exec", "attach", "portforward"]);
/** Subprotocols whose frames the recorder reads. */
const recordable =
  /^(?:(?:v[1-5]\.)?(?:base64\.)?channel\.k8s\.io|SPDY\/3\.1\+portforward\.k8s\.io|v4\.portforward\.k8s\.io|portforward\.k8s\.io)$/;

/**
 * An upgrade: nothing of the client goes up before the API server has agreed, and what cannot be recorded is not begun.
 */
export async function forwardUpgrade(
  call: Call,
  parts: GatewayParts,
  fields: HeaderFields,
  outlet: UpgradeOutlet,
): Promise<Refusal | undefined> {
  const checked = checkedUpgrade(call, parts, outlet, fields);
  if ("status" in checked) {
    await call.use?.returned(checked.message).catch(parts.trouble);
    return checked;
  }
  const { protocol, kind } = checked;
  const opened = await openTapFor(call, parts, checked, checked.offered[0]);
  if (!opened.ok) {
    await call.use?.returned(opened.refusal.message).catch(parts.trouble);
    return opened.refusal;
  }
  const { tap } = opened;
  const notSent = await beforeSending(call, parts);
  if (notSent !== undefined) {
    await tap?.end(notSent.message);
    return notSent;
  }
  let answer: UpgradeAnswer;
  try {
    const { method, target } = call;
    answer = await parts.upstream.upgrade(
      { method, target, fields: checked.fields, body: undefined },
      outlet.protocol,
      call.gone,
    );
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    await Promise.all([tap?.end(message), call.use?.unknown(message).catch(parts.trouble)]);
    noteOutcome(call, parts, "502", message);
    return refusal(502, `the API server did not answer the upgrade: ${message}`);
  }
  const status = answer.upgraded ? 101 : answer.status;
  if (!answer.upgraded) await call.use?.done(status).catch(parts.trouble);
  noteOutcome(call, parts, String(status));
  if (!answer.upgraded) {
    await tap?.end(`the API server answered ${status}`);
    return passRefusal(outlet.socket, answer);
  }
  const chosen = chosenOf(answer.fields, protocol);
  if (tap?.agreed(chosen) === false) {
    answer.socket.destroy();
    const message = `the API server chose the subprotocol ${chosen}, which cannot be recorded`;
    await Promise.all([tap.end(message), call.use?.done(status).catch(parts.trouble)]);
    return refusal(502, message);
  }
  relay(call, parts, kind, outlet, answer, tap);
  return undefined;
}

interface CheckedUpgrade {
  readonly kind: StreamKind;
  readonly protocol: "spdy" | "websocket";
  /** Subprotocols, the client's favourite first. */
  readonly offered: readonly (string | undefined)[];
  readonly fields: HeaderFields;
}

function checkedUpgrade(call: Call, parts: GatewayParts, outlet: UpgradeOutlet, fields: HeaderFields): CheckedUpgrade | Refusal {
  const protocol = protocols[outlet.protocol.toLowerCase()];
  if (protocol === undefined)
    return refusal(400, `an upgrade to ${outlet.protocol} is refused: only SPDY/3.1 and WebSocket are taken`);
  if (!listOf(call.fields, "connection").some((token) => token.toLowerCase() === "upgrade"))
    return refusal(400, "an upgrade must be named in the Connection header");
  if (hasBody(call)) return refusal(400, "an upgrade with a body is refused");
  if (call.method !== "GET" && call.method !== "POST") return refusal(405, `an upgrade by ${call.method} is refused`);
  const origin = originProblem(call, parts);
  if (origin !== undefined) return origin;
  const kind = streamKind(call);
  if (kind === undefined || kind === "proxy")
    return refusal(
      403,
      "only exec, attach, port-forward, watches and logs may be upgraded: another stream could not be recorded",
    );
  const problem = streamProblem(call, parts);
  if (problem !== undefined) return problem;
  const isRecorded = recorded.has(kind);
  if (!isRecorded && protocol !== "websocket") return refusal(400, "watches and logs are upgraded to WebSocket only");
  const name = protocol === "websocket" ? "sec-websocket-protocol" : "x-stream-protocol-version";
  const asked = protocol === "websocket" ? withoutToken(listOf(call.fields, name)) : listOf(call.fields, name);
  const offered = isRecorded && protocol === "websocket" ? asked.filter((subprotocol) => recordable.test(subprotocol)) : asked;
  if (isRecorded && protocol === "websocket" && offered.length === 0)
    return refusal(400, "the stream names no subprotocol that can be recorded: v5.channel.k8s.io, v4.channel.k8s.io, ...");
  const others = fields.filter(([key]) => key.toLowerCase() !== "sec-websocket-protocol");
  const told = protocol === "websocket" ? [...others, ["Sec-WebSocket-Protocol", offered.join(", ")] as const] : fields;
  return { kind, protocol, offered: offered.length === 0 ? [undefined] : offered, fields: offered.length === 0 ? others : told };
}

/** A page of another site cannot open a socket with what the browser shows by itself: a client certificate. */
function originProblem(call: Call, parts: GatewayParts): Refusal | undefined {
  const origin = foreignOrigin(call.fields, parts.origins);
  return origin === undefined
    ? undefined
    : refusal(403, `sockets are not opened for pages of ${origin}: --gateway-origin lets them in`);
}

type Opened = { readonly ok: true; readonly tap: StreamTap | undefined } | { readonly ok: false; readonly refusal: Refusal };

async function openTapFor(
  call: Call,
  parts: GatewayParts,
  upgrade: CheckedUpgrade,
  subprotocol: string | undefined,
): Promise<Opened> {
  const kind = tapKind(upgrade.kind);
  if (kind === undefined) return { ok: true, tap: undefined };
  const asked: TapRequest = {
    kind,
    protocol: upgrade.protocol,
    subprotocol,
    query: parseQuery(call.target.slice(call.target.indexOf("?") + 1 || call.target.length)),
    person: call.person,
    action: call.action,
    requestId: call.use?.request.id,
    auditId: call.auditId,
  };
  const opened = await parts.openTap(asked).catch((error: unknown): Awaited<ReturnType<OpenTap>> => {
    parts.trouble(error);
    return { ok: false, code: "RECORDER_UNAVAILABLE", message: "the session cannot be recorded now, so it is not begun" };
  });
  if (opened.ok) return opened;
  return { ok: false, refusal: refusal(503, opened.message, { causes: [{ reason: opened.code, message: opened.message }] }) };
}

function tapKind(kind: StreamKind): TapRequest["kind"] | undefined {
  return kind === "exec" || kind === "attach" || kind === "portforward" ? kind : undefined;
}

function chosenOf(fields: HeaderFields, protocol: "spdy" | "websocket"): string | undefined {
  return valuesOf(fields, protocol === "websocket" ? "sec-websocket-protocol" : "x-stream-protocol-version")[0];
}

/** The API server's refusal, and the end of both connections: whatever the client writes behind it is read by nobody. */
function passRefusal(socket: Duplex, answer: Extract<UpgradeAnswer, { upgraded: false }>): Refusal | undefined {
  const { status, fields, body } = answer;
  if (status >= 300 && status < 400)
    return refusal(502, "the API server answered the upgrade with a redirect, which is not followed");
  const kept = answeredFields(fields).filter(([name]) => name.toLowerCase() !== "content-length");
  const all = [...kept, ["Content-Length", String(body.length)], ["Connection", "close"]];
  const head = all.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${head}\r\n`, "latin1");
  endSocket(socket, body);
  return undefined;
}

function relay(
  call: Call,
  parts: GatewayParts,
  kind: StreamKind,
  { socket: client, protocol, early }: UpgradeOutlet,
  { socket: server, fields, rest }: Upgraded,
  tap: StreamTap | undefined,
): void {
  let isOver = false;
  const finish = (why: string) => {
    if (isOver) return;
    isOver = true;
    release();
    cut(why);
    tap?.end(why).catch(parts.trouble);
    noteEnd(call, parts, kind, 101, why);
  };
  const waiting = () => (client.writableLength > 0 ? call.socket.bytesWritten : undefined);
  const release = openStream(call, parts, kind, waiting, ({ why }) => finish(why));
  for (const socket of [call.socket, server]) socket.setKeepAlive(true, keepAliveMilliseconds).setTimeout(0);
  const answered = [...answeredFields(fields), ["Connection", "Upgrade"], ["Upgrade", protocol]];
  const head = answered.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  client.write(`HTTP/1.1 101 Switching Protocols\r\n${head}\r\n`, "latin1");
  const cut = relayStream({ client, server, early, rest, tap, over: finish });
}

const keepAliveMilliseconds = 15_000;
