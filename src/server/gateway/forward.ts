import type { Readable } from "node:stream";
import type { AnswerSink, UpstreamCall, UpstreamExchange } from "../../services/access/upstream/upstream.ts";
import { BodyTooLarge, capped, lengthProblem } from "./body.ts";
import type { Call } from "./call.ts";
import { hasBody, type StreamKind, streamKind } from "./classify.ts";
import { forwardUpgrade } from "./forward-upgrade.ts";
import { asking } from "./grant.ts";
import { answeredFields, forwardedFields, type HeaderFields, valuesOf } from "./header-fields.ts";
import { identityFields } from "./identity-fields.ts";
import { noteEnd, openStream, streamProblem } from "./open-stream.ts";
import type { GatewayParts } from "./parts.ts";
import { bytesPassed } from "./passing-bytes.ts";
import { isStandingRead, noteOutcome } from "./record.ts";
import { type Refusal, refusal, statusObject } from "./status.ts";
import type { Cut } from "./stream-registry.ts";

const stallMilliseconds = 60_000;

/** On it goes, as the person it is of, and back comes what the API server says, as it comes. */
export async function forward(call: Call, parts: GatewayParts): Promise<Refusal | undefined> {
  const fields = upstreamFields(call, parts);
  if (!fields.ok) return giveBack(call, parts, refusal(403, fields.message));
  if (call.outlet.kind === "upgrade") return forwardUpgrade(call, parts, fields.fields, call.outlet);
  const kind = streamKind(call);
  const problem = (kind === undefined ? undefined : streamProblem(call, parts)) ?? lengthProblem(call, parts.limits.bodyBytes);
  if (problem !== undefined) return giveBack(call, parts, problem);
  const notSent = await beforeSending(call, parts);
  if (notSent !== undefined) return notSent;
  return exchange(call, parts, fields.fields, kind);
}

/** A grant that was not used is given back. */
async function giveBack(call: Call, parts: GatewayParts, why: Refusal): Promise<Refusal> {
  const { use } = call;
  call.use = undefined;
  await use?.returned(why.message).catch(parts.trouble);
  return why;
}

/** Of a granted call: the API server is there, and that it is sent is durable before its first byte goes. */
export async function beforeSending(call: Call, parts: GatewayParts): Promise<Refusal | undefined> {
  if (call.use === undefined) return undefined;
  try {
    await parts.upstream.probe();
  } catch (error) {
    parts.trouble(error);
    return giveBack(
      call,
      parts,
      refusal(503, "the API server does not answer; your approval was not used", { retryAfterSeconds: 5 }),
    );
  }
  try {
    const sent = await call.use.sent();
    return sent.ok ? undefined : refusal(403, sent.message, { causes: [{ reason: sent.code, message: sent.message }] });
  } catch (error) {
    parts.trouble(error);
    return refusal(503, "the use of the approval cannot be recorded now, so nothing was sent", { retryAfterSeconds: 5 });
  }
}

type Fields = { readonly ok: true; readonly fields: HeaderFields } | { readonly ok: false; readonly message: string };

/** What goes up: the client's end-to-end fields, then ours. */
function upstreamFields(call: Call, parts: GatewayParts): Fields {
  const { use } = call;
  const granted = use?.request.grant;
  const grant =
    use === undefined || granted === undefined
      ? undefined
      : { group: granted.group, token: parts.sealGrant(use.request, call.action, call.person, asking(call)) };
  const identity = identityFields(call.person, grant);
  if (!identity.ok) return identity;
  const own: HeaderFields = [
    ["X-Forwarded-For", call.socket.remoteAddress ?? ""],
    ["Audit-ID", call.auditId],
  ];
  return { ok: true, fields: [...forwardedFields(call.fields), ...identity.fields, ...own] };
}

function exchange(
  call: Call,
  parts: GatewayParts,
  fields: HeaderFields,
  kind: StreamKind | undefined,
): Promise<Refusal | undefined> {
  const { outlet, request } = call;
  if (outlet.kind !== "response") throw new Error("an upgrade is not exchanged");
  const { response } = outlet;
  return new Promise((resolve) => {
    const body = bodyOf(call, parts, (why) => {
      running?.abort();
      finish("aborted");
      resolve(why);
    });
    let running: UpstreamExchange | undefined;
    let release: (() => void) | undefined;
    let isOver = false;
    let watch: WatchTail | undefined;
    const finish = (why: string) => {
      if (isOver) return;
      isOver = true;
      release?.();
      response.off("close", onClose);
      if (kind !== undefined && release !== undefined) noteEnd(call, parts, kind, 200, why);
    };
    /** The client has gone: what it asked for is not worth going on with. */
    const onClose = () => {
      if (isOver) return;
      running?.abort();
      if (!response.headersSent) {
        void call.use?.unknown("the client left before the answer came").catch(parts.trouble);
        noteOutcome(call, parts, "499");
      }
      finish("the client has gone");
      resolve(undefined);
    };
    const cut = (reason: Cut) => {
      if (isOver) return;
      running?.abort();
      finish(reason.why);
      const last = watch?.errorEvent(reason);
      if (last === undefined) response.destroy();
      else response.end(last);
    };
    const sink: AnswerSink = {
      head(status, answered, flow) {
        const staysOpen = kind !== undefined && status === 200;
        if (!staysOpen) void call.use?.done(status).catch(parts.trouble);
        noteOutcome(call, parts, String(status));
        if (status >= 300 && status < 400 && status !== 304) {
          running?.abort();
          finish("redirect");
          return resolve(refusal(502, "the API server answered with a redirect, which is not followed"));
        }
        if (staysOpen) {
          watch = kind === "watch" && isJsonWatch(answered) ? new WatchTail() : undefined;
          const waiting = () => (response.writableLength > 0 ? call.socket.bytesWritten : undefined);
          release = openStream(call, parts, kind, waiting, cut);
        }
        response.writeHead(status, [...answeredFields(answered), ...warningFields(call)].flat());
        // Events may be minutes away; the client is told at once that it is connected.
        if (kind !== undefined) response.flushHeaders();
        // Who takes nothing of an answer that is there keeps a connection from others.
        else response.setTimeout(stallMilliseconds, () => response.destroy());
        response.on("drain", () => flow.resume());
      },
      data(chunk) {
        watch?.see(chunk);
        bytesPassed(chunk.length);
        return response.write(chunk);
      },
      end() {
        finish("the API server ended it");
        response.end();
        resolve(undefined);
      },
      fail(error) {
        if (isOver) return;
        finish(error.message);
        if (response.headersSent) {
          // Cut off, so that it cannot be taken for whole.
          response.destroy();
          return resolve(undefined);
        }
        void call.use?.unknown(error.message).catch(parts.trouble);
        noteOutcome(call, parts, "502", error.message);
        resolve(refusal(isStandingRead(call) ? 503 : 502, `the API server did not answer: ${error.message}`, { close: true }));
      },
    };
    response.on("close", onClose);
    const upstreamCall: UpstreamCall = { method: call.method, target: call.target, fields, body };
    if (request.destroyed && response.destroyed) return onClose();
    running = kind === undefined ? parts.upstream.send(upstreamCall, sink) : parts.upstream.open(upstreamCall, sink);
  });
}

/** RFC 7234 5.5, as kubectl prints it. */
const warningFields = ({ warning }: Call): HeaderFields =>
  warning === undefined ? [] : [["Warning", `299 - "castellan: ${warning}"`]];

/** The body as it goes up: as it was read, or streaming by; what is too large breaks off. */
function bodyOf(call: Call, parts: GatewayParts, onProblem: (why: Refusal) => void): Readable | Buffer | undefined {
  if (call.body !== undefined) return call.body.length === 0 ? undefined : call.body;
  if (!hasBody(call)) return undefined;
  if (valuesOf(call.fields, "content-length").length > 0) return call.request;
  const cap = capped(parts.limits.bodyBytes);
  cap.once("error", (error) => {
    const status = error instanceof BodyTooLarge ? 413 : 400;
    onProblem(refusal(status, `the body is larger than ${parts.limits.bodyBytes} bytes`, { close: true }));
  });
  call.request.once("error", (error) => cap.destroy(error));
  return call.request.pipe(cap);
}

/** Whether events can be added to this watch in words that its client reads. */
function isJsonWatch(fields: HeaderFields): boolean {
  const [type = ""] = valuesOf(fields, "content-type");
  return /^application\/json\b/i.test(type) && valuesOf(fields, "content-encoding").length === 0;
}

/** Whether the last byte of a watch ended an event: only there another may follow. */
class WatchTail {
  #atBoundary = true;

  see(chunk: Buffer): void {
    if (chunk.length > 0) this.#atBoundary = chunk[chunk.length - 1] === 0x0a;
  }

  errorEvent({ why, status }: Cut): string | undefined {
    if (!this.#atBoundary) return undefined;
    return `${JSON.stringify({ type: "ERROR", object: statusObject(refusal(status, `the watch was ended: ${why}`)) })}\n`;
  }
}
