import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { SMTPServer } from "smtp-server";

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpReceiver {
  readonly url: string;
  readonly received: Received[];
  /** What it answers from now on; a list is used up one by one, the last stays. */
  answer(
    ...replies: readonly (
      | number
      | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
    )[]
  ): void;
  close(): Promise<void>;
}

/** Somebody's webhook, on this machine. */
export async function startHttpReceiver(port = 0): Promise<HttpReceiver> {
  const received: Received[] = [];
  let replies: readonly (number | { status: number; headers?: Record<string, string>; body?: string })[] = [200];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString("utf8") });
      const [next = 200, ...rest] = replies;
      if (rest.length > 0) replies = rest;
      const { status, headers = {}, body = "" } = typeof next === "number" ? { status: next } : next;
      response.writeHead(status, headers).end(body);
    });
  }).listen(port, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    received,
    answer: (...wanted) => {
      replies = wanted;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string | undefined;
  readonly text: string;
}

export interface SmtpReceiver {
  readonly port: number;
  readonly mails: Mail[];
  /** The reply code to the next mails; undefined: they are taken. */
  refuse(code: number | undefined): void;
  close(): Promise<void>;
}

/** A mail server on this machine. */
export async function startSmtpReceiver(): Promise<SmtpReceiver> {
  const mails: Mail[] = [];
  let refused: number | undefined;
  const server = new SMTPServer({
    authOptional: true,
    allowInsecureAuth: true,
    disabledCommands: ["STARTTLS"],
    onAuth: ({ username }, _session, done) => done(null, { user: username ?? "" }),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        if (refused !== undefined) return done(Object.assign(new Error("not now"), { responseCode: refused }));
        mails.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: session.user === undefined ? undefined : String(session.user),
          text: Buffer.concat(chunks).toString("utf8"),
        });
        done();
      });
    },
  });
  const listening = server.listen(0, "127.0.0.1");
  await new Promise((resolve) => listening.once("listening", resolve));
  const address = listening.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    mails,
    refuse: (code) => {
      refused = code;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
