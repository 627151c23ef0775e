import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type Refusal, statusObject } from "./status.ts";

/** How a call is answered that is not forwarded: over a response, or over the bare socket of an upgrade. */
export interface Reply {
  refuse(refusal: Refusal, auditId: string): void;
}

function refusalHead(refusal: Refusal, auditId: string, length: number): readonly (readonly [string, string])[] {
  return [
    ["Content-Type", "application/json"],
    ["Content-Length", String(length)],
    ["Cache-Control", "no-cache, private"],
    ["X-Content-Type-Options", "nosniff"],
    ...(auditId === "" ? [] : [["Audit-Id", auditId] as const]),
    ...(refusal.retryAfterSeconds === undefined ? [] : [["Retry-After", String(refusal.retryAfterSeconds)] as const]),
    ...(refusal.status === 401 ? [["WWW-Authenticate", 'Bearer realm="castellan"'] as const] : []),
    ...(refusal.close === true ? [["Connection", "close"] as const] : []),
  ];
}

export function replyOver(response: ServerResponse): Reply {
  return {
    refuse(refusal, auditId) {
      if (response.headersSent || response.destroyed) return void response.destroy();
      const body = JSON.stringify(statusObject(refusal));
      response.writeHead(refusal.status, refusalHead(refusal, auditId, Buffer.byteLength(body)).flat()).end(body);
    },
  };
}

/** A socket that is closed while bytes still come takes the answer with it: what comes is read for so long, and thrown away. */
const lingerMilliseconds = 1000;

/** Ends a socket behind these bytes: what its client goes on to write is read by nobody. */
export function endSocket(socket: Duplex, bytes: string | Buffer): void {
  const timer = setTimeout(() => socket.destroy(), lingerMilliseconds);
  socket.once("close", () => clearTimeout(timer));
  socket.on("error", () => socket.destroy());
  socket.removeAllListeners("data").resume();
  socket.end(bytes);
}

/** The socket is closed behind the answer. */
export function replyOverSocket(socket: Duplex): Reply {
  return {
    refuse(refusal, auditId) {
      if (socket.destroyed) return;
      const body = JSON.stringify(statusObject(refusal));
      const fields = refusalHead({ ...refusal, close: true }, auditId, Buffer.byteLength(body));
      const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
      endSocket(socket, `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ""}\r\n${head}\r\n${body}`);
    },
  };
}
