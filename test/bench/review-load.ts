import { connect, type TLSSocket } from "node:tls";

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
  readonly #requests: readonly Buffer[];
  readonly #connections: readonly ReviewConnection[];

  private constructor(requests: readonly Buffer[], connections: readonly ReviewConnection[]) {
    this.#requests = requests;
    this.#connections = connections;
  }

  static async open(port: number, reviews: readonly string[], connections: number): Promise<ReviewLoad> {
    const head = "POST /validate/deny HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ";
    const requests = reviews.map((body) => Buffer.from(`${head}${Buffer.byteLength(body)}\r\n\r\n${body}`));
    return new ReviewLoad(requests, await Promise.all(Array.from({ length: connections }, () => ReviewConnection.open(port))));
  }

  /** So many reviews, each sent as soon as one of `atOnce` is answered: latencies follow from how many there are. Sorted. */
  async closed(atOnce: number, count: number): Promise<readonly number[]> {
    const latencies: number[] = [];
    let next = 0;
    const lane = async (connection: ReviewConnection) => {
      while (next < count) {
        const request = this.#request(next++);
        const start = performance.now();
        await connection.post(request);
        latencies.push(performance.now() - start);
      }
    };
    await Promise.all(this.#connections.slice(0, atOnce).map(lane));
    return latencies.sort((a, b) => a - b);
  }

  /** So many reviews at a rate that does not wait for answers, as a cluster's; a latency begins when a review was due. Sorted. */
  async offered(perSecond: number, count: number): Promise<readonly number[]> {
    const latencies: number[] = [];
    const start = performance.now();
    let next = 0;
    const lane = async (connection: ReviewConnection) => {
      while (next < count) {
        const index = next++;
        const due = start + (index * 1000) / perSecond;
        const early = due - performance.now();
        if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
        await connection.post(this.#request(index));
        latencies.push(performance.now() - due);
      }
    };
    await Promise.all(this.#connections.map(lane));
    return latencies.sort((a, b) => a - b);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #request(index: number): Buffer {
    return this.#requests[index % this.#requests.length] ?? Buffer.alloc(0);
  }
}
