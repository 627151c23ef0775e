import { asString, isArray, member } from "../../core/json.ts";
import { OnCallApi, type OnCallClient, type OnCallOptions } from "./on-call-client.ts";

export const pagerDutyUrl = "https://api.pagerduty.com";
const pageSize = 100;
const maximumPages = 10;

/** PagerDuty's REST API v2, `GET /oncalls`: users by id (`PUSER1`), schedules by id. */
export class PagerDuty implements OnCallClient {
  readonly #options: OnCallOptions;
  readonly #api = new OnCallApi("PagerDuty");

  constructor(options: OnCallOptions) {
    this.#options = options;
  }

  async onCall(schedule: string): Promise<readonly string[]> {
    const users = new Set<string>();
    for (let page = 0; page < maximumPages; page++) {
      const url = new URL("/oncalls", this.#options.url);
      url.searchParams.set("schedule_ids[]", schedule);
      url.searchParams.set("limit", String(pageSize));
      url.searchParams.set("offset", String(page * pageSize));
      const answer = await this.#api.get(url, {
        accept: "application/vnd.pagerduty+json;version=2",
        authorization: `Token token=${this.#options.token}`,
      });
      const entries = member(answer, "oncalls");
      if (!isArray(entries)) throw new Error("PagerDuty answered no list of those on call");
      for (const entry of entries) {
        const id = asString(member(member(entry, "user"), "id"));
        // A schedule that was not asked about would be another's duty.
        if (id !== undefined && member(member(entry, "schedule"), "id") === schedule) users.add(id);
      }
      if (member(answer, "more") !== true) return [...users];
    }
    throw new Error(`PagerDuty names more than ${maximumPages * pageSize} on call`);
  }

  close(): Promise<void> {
    return this.#api.close();
  }
}
