import { Agent, request } from "node:https";
import { isObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";
import type { Cluster } from "../cluster/start.ts";

export interface Answered {
  readonly status: number;
  readonly body: JsonObject;
}

/** Talks JSON to a cluster as its administrator. */
export class ApiServer {
  readonly #cluster: Cluster;
  readonly #agent: Agent;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#agent = new Agent({ ca: cluster.authority, keepAlive: true, maxSockets: 8, checkServerIdentity: () => undefined });
  }

  send(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: JsonObject): Promise<Answered> {
    const headers = { authorization: `Bearer ${this.#cluster.token("admin")}`, "content-type": "application/json" };
    return new Promise((done, failed) => {
      const call = request(this.#cluster.server + path, { method, headers, agent: this.#agent }, (response) => {
        const parts: string[] = [];
        response.setEncoding("utf8");
        response.on("data", (part: string) => parts.push(part));
        response.on("end", () => {
          const parsed: JsonValue = JSON.parse(parts.join(""));
          done({ status: response.statusCode ?? 0, body: isObject(parsed) ? parsed : {} });
        });
      });
      call.on("error", failed);
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  create(path: string, object: JsonObject): Promise<Answered> {
    return this.send("POST", path, object);
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Asks until the answer will do, some two minutes long. */
export async function until<T>(ask: () => Promise<T>, isDone: (answer: T) => boolean): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    const answer = await ask();
    if (isDone(answer)) return answer;
    if (attempt > 480) throw new Error(`still waiting: ${JSON.stringify(answer).slice(0, 500)}`);
    await new Promise((resume) => setTimeout(resume, 250));
  }
}
