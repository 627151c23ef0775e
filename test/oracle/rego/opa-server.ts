import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether `opa` is on PATH. */
export function hasOpa(): boolean {
  return spawnSync("opa", ["version"], { stdio: "ignore" }).status === 0;
}

/** What OPA says to a query: the texts of its variable `out`, or why there are none. */
export type OpaAnswer =
  | { readonly kind: "results"; readonly results: readonly string[] }
  /** `crashed`: the engine's own failure, after which there is nothing to compare. */
  | { readonly kind: "refused" | "failed" | "crashed"; readonly message: string };

/** A running `opa run --server` on a socket of its own. */
export interface OpaServer {
  /** With `strict` a builtin that refuses its arguments is an error. */
  ask(query: string, strict: boolean): Promise<OpaAnswer>;
  /** A request of its REST API; answers the body. */
  send(method: string, path: string, body: string): Promise<string>;
  stop(): void;
}

export async function startOpa(): Promise<OpaServer> {
  const folder = mkdtempSync(join(tmpdir(), "opa-"));
  const socketPath = join(folder, "s");
  const server = spawn("opa", ["run", "--server", "--addr", `unix://${socketPath}`, "--log-level", "error"], {
    stdio: "ignore",
  });
  const post = (path: string, body: string) => send(socketPath, "POST", path, body);
  for (let tries = 0; ; tries++) {
    try {
      await post("/v1/query", '{"query": "x = 1"}');
      break;
    } catch (error) {
      if (tries > 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return {
    send: (method, path, body) => send(socketPath, method, path, body),
    async ask(query, strict) {
      try {
        if (!strict) return answerOf(await post("/v1/query", JSON.stringify({ query })));
        // Only the rules of a policy are evaluated strictly.
        const policy = `package oracle\n\nresults contains out if { ${query} }\n`;
        const stored = await send(socketPath, "PUT", "/v1/policies/oracle", policy);
        if (stored.includes('"code"')) return answerOf(stored);
        return dataAnswer(await post("/v1/data/oracle/results?strict-builtin-errors", "{}"));
      } catch (error) {
        // A panic ends the connection.
        if (error instanceof Error && error.message === "socket hang up") return { kind: "crashed", message: "panic" };
        throw error;
      }
    },
    stop() {
      server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Reply {
  readonly result?: readonly { readonly out?: string }[];
  readonly code?: string;
  readonly message?: string;
  readonly errors?: readonly { readonly code: string; readonly message: string }[];
}

function answerOf(text: string): OpaAnswer {
  const reply: Reply = JSON.parse(text);
  if (reply.code !== undefined) return refusal(reply);
  return { kind: "results", results: (reply.result ?? []).map(({ out }) => out ?? "") };
}

function dataAnswer(text: string): OpaAnswer {
  const reply: { readonly result?: readonly string[]; readonly code?: string } = JSON.parse(text);
  return reply.code === undefined ? { kind: "results", results: reply.result ?? [] } : refusal(JSON.parse(text));
}

function refusal(reply: Reply): OpaAnswer {
  const [first] = reply.errors ?? [];
  const message = first === undefined ? (reply.message ?? "") : `${first.code}: ${first.message}`;
  return { kind: message.startsWith("eval_") || reply.code === "internal_error" ? "failed" : "refused", message };
}

function send(socketPath: string, method: string, path: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, method }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
