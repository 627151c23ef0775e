import { isArray, member } from "../../core/json.ts";
import { OnCallApi, type OnCallClient, type OnCallOptions } from "./on-call-client.ts";

export const opsgenieUrl = "https://api.opsgenie.com";

/** Opsgenie's REST API v2, `GET /v2/schedules/{name}/on-calls?flat=true`: users by user name, schedules by name. */
export class Opsgenie implements OnCallClient {
  readonly #options: OnCallOptions;
  readonly #api = new OnCallApi("Opsgenie");

  constructor(options: OnCallOptions) {
    this.#options = options;
  }

  async onCall(schedule: string): Promise<readonly string[]> {
    const url = new URL(`/v2/schedules/${encodeURIComponent(schedule)}/on-calls`, this.#options.url);
    url.searchParams.set("scheduleIdentifierType", "name");
    url.searchParams.set("flat", "true");
    const answer = await this.#api.get(url, { accept: "application/json", authorization: `GenieKey ${this.#options.token}` });
    const data = member(answer, "data");
    const recipients = member(data, "onCallRecipients");
    if (!isArray(recipients)) throw new Error("Opsgenie answered no list of those on call");
    if (member(member(data, "_parent"), "name") !== schedule) throw new Error("Opsgenie answered for another schedule");
    return [...new Set(recipients.filter((name) => typeof name === "string"))];
  }

  close(): Promise<void> {
    return this.#api.close();
  }
}
