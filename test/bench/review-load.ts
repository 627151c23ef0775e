import { connect, type TLSSocket } from "node:tls";

/** An API server opens as many as it has reviews under way. */
const offeredConnections = 64;

/**
 * One connection to the webhook, HTTP/1.1 as the API server speaks it. It shares its cores with the server that is measured, so it does
 * as little as there is to do: requests are bytes made beforehand.
 */
class ReviewConnection {
  readonly #socket: TLSSocket;
  #received = "";
  #answered: { readonly resolve: (answer: string) => void; readonly reject: (error: Error) => void } | undefined;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => this.#take(text));
    socket.on("error", (error) => this.#answered?.reject(error));
    socket.on("close", () => this.#answered?.reject(new Error("the webhook ended the connection")));
  }

  static open(port: number): Promise<ReviewConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
        socket.setNoDelay(true);
        resolve(new ReviewConnection(socket));
      });
      socket.once("error", reject);
    });
  }

  /** One request at a time. Rejects where the answer is no decision. */
  async post(request: Buffer): Promise<void> {
    const answer = await new Promise<string>((resolve, reject) => {
      if (this.#socket.destroyed) reject(new Error("the webhook ended the connection"));
      this.#answered = { resolve, reject };
      this.#socket.write(request);
    });
    if (!answer.startsWith("HTTP/1.1 200") || !answer.includes('"allowed"')) throw new Error(`the webhook answered: ${answer}`);
  }

  close(): void {
    this.#answered = undefined;
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    const head = this.#received.indexOf("\r\n\r\n");
    const length = /content-length: (\d+)/i.exec(this.#received)?.[1];
    if (head < 0 || length === undefined || this.#received.length < head + 4 + Number(length)) return;
    const answer = this.#received;
    this.#received = "";
    this.#answered?.resolve(answer);
  }
}

/** Posts reviews to the webhook on a port of loopback; each answer is the latency in milliseconds. */
export class ReviewLoad {
  readonly #port: number;
  readonly #requests: readonly Buffer[];

  constructor(port: number, reviews: readonly string[]) {
    this.#port = port;
    const head = "POST /validate/deny HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ";
    this.#requests = reviews.map((body) => Buffer.from(`${head}${Buffer.byteLength(body)}\r\n\r\n${body}`));
  }

  /** So many reviews, each sent as soon as one of `atOnce` is answered: latencies follow from how many there are. Sorted. */
  closed(atOnce: number, count: number): Promise<readonly number[]> {
    return this.#overLanes(atOnce, count, () => performance.now());
  }

  /** So many reviews at a rate that does not wait for answers, as a cluster's; a latency begins when a review was due. Sorted. */
  offered(perSecond: number, count: number): Promise<readonly number[]> {
    let start: number | undefined;
    return this.#overLanes(offeredConnections, count, async (index) => {
      start ??= performance.now();
      const due = start + (index * 1000) / perSecond;
      const early = due - performance.now();
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
      return due;
    });
  }

  /** Each lane has a connection of its own; `begin` is when a review's latency starts, once it has come. */
  async #overLanes(lanes: number, count: number, begin: (index: number) => number | Promise<number>): Promise<readonly number[]> {
    const connections = await Promise.all(Array.from({ length: lanes }, () => ReviewConnection.open(this.#port)));
    const latencies: number[] = [];
    let next = 0;
    const lane = async (connection: ReviewConnection) => {
      while (next < count) {
        const index = next++;
        const start = await begin(index);
        await connection.post(this.#requests[index % this.#requests.length] ?? Buffer.alloc(0));
        latencies.push(performance.now() - start);
      }
    };
    await Promise.all(connections.map(lane));
    for (const connection of connections) connection.close();
    return latencies.sort((a, b) => a - b);
  }
}
