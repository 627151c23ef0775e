import { readFile } from "node:fs/promises";
import type { OnCallClient } from "./on-call-client.ts";
import { Opsgenie, opsgenieUrl } from "./opsgenie.ts";
import { PagerDuty, pagerDutyUrl } from "./pagerduty.ts";

type Environment = { readonly [name: string]: string | undefined };

async function secret(environment: Environment, name: string): Promise<string | undefined> {
  const file = environment[`${name}_FILE`];
  const text = file === undefined ? environment[name] : await readFile(file, "utf8");
  return text === undefined || text.trim() === "" ? undefined : text.trim();
}

/**
 * The services whose tokens the environment gives: `PAGERDUTY_TOKEN` and `OPSGENIE_API_KEY`, or the files that these names with
 * `_FILE` hold; `PAGERDUTY_URL` and `OPSGENIE_URL` for another region. Rejects where such a file cannot be read.
 */
export async function onCallClients(environment: Environment): Promise<ReadonlyMap<"pagerduty" | "opsgenie", OnCallClient>> {
  const clients = new Map<"pagerduty" | "opsgenie", OnCallClient>();
  const pagerDuty = await secret(environment, "PAGERDUTY_TOKEN");
  const opsgenie = await secret(environment, "OPSGENIE_API_KEY");
  if (pagerDuty !== undefined) {
    clients.set("pagerduty", new PagerDuty({ url: environment["PAGERDUTY_URL"] ?? pagerDutyUrl, token: pagerDuty }));
  }
  if (opsgenie !== undefined) {
    clients.set("opsgenie", new Opsgenie({ url: environment["OPSGENIE_URL"] ?? opsgenieUrl, token: opsgenie }));
  }
  return clients;
}
