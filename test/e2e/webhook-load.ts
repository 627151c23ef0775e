import { Agent, Pool } from "undici";

export interface Post {
  /** What tells this request from the others, for who asks later whether it was kept. */
  readonly id: string;
  readonly path: string;
  readonly headers?: { readonly [name: string]: string };
  readonly body: string;
}

export interface Acknowledged extends Post {
  /** What was answered with the status 200. */
  readonly answer: string;
}

/** Posts one request after another over several connections until nobody answers, and notes what was acknowledged. */
export class WebhookLoad {
  readonly acknowledged: Acknowledged[] = [];
  /** Sent, and never answered: whether they were kept is unknown. */
  readonly unanswered: Post[] = [];
  /** Answered by another status. */
  readonly refused: string[] = [];
  /** Resolves when the last connection has ended. */
  readonly ended: Promise<void>;
  readonly #pool: Pool;

  /** `listen`: `host:port` of the webhook; `next` makes the n-th request. */
  constructor(listen: string, lanes: number, next: (n: number) => Post) {
    this.#pool = new Pool(`https://${listen}`, { connections: lanes, connect: { rejectUnauthorized: false } });
    let count = 0;
    const lane = async () => {
      while (await this.#post(next(count++)));
    };
    this.ended = Promise.all(Array.from({ length: lanes }, lane)).then(() => this.#pool.destroy());
  }

  async #post(post: Post): Promise<boolean> {
    const { path, body } = post;
    const headers = { "content-type": "application/json", ...post.headers };
    try {
      const { statusCode, body: answered } = await this.#pool.request({ path, method: "POST", headers, body });
      const answer = await answered.text();
      if (statusCode === 200) this.acknowledged.push({ ...post, answer });
      else this.refused.push(`${statusCode} ${answer}`);
      return true;
    } catch {
      this.unanswered.push(post);
      return false;
    }
  }
}

/** The status of the answer. */
export async function postOnce(listen: string, { path, headers, body }: Post): Promise<number> {
  const agent = new Agent({ connect: { rejectUnauthorized: false } });
  try {
    const all = { "content-type": "application/json", ...headers };
    const answer = await agent.request({ origin: `https://${listen}`, path, method: "POST", headers: all, body });
    await answer.body.dump();
    return answer.statusCode;
  } finally {
    await agent.close();
  }
}
