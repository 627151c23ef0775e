import type { JsonObject } from "../../core/json.ts";
import { documentOf } from "../../core/schedule/schedule.testing.ts";
import { compileSchedule } from "../../core/schedule/schedule.ts";
import type { Person } from "../person.ts";
import type { Ask } from "../request.ts";
import type { RequestedAction } from "../requested-action.ts";
import { accessRules, compileAccessRules } from "./access-rules.ts";
import { compileDirectory } from "./directory.ts";
import type { OfferContext } from "./types.ts";

const directoryDocument = documentOf("Directory", "people", {
  people: [
    {
      id: "ada",
      team: "ml",
      manager: "grace",
      aliases: [
        { issuer: "https://idp", subject: "1" },
        { issuer: "https://other", subject: "ada@other" },
      ],
    },
    { id: "ben", team: "ml", aliases: [{ issuer: "https://idp", subject: "2" }] },
    { id: "lone", aliases: [{ issuer: "https://idp", subject: "8" }] },
    { id: "grace", team: "platform", aliases: [{ issuer: "https://idp", subject: "3" }] },
    {
      id: "cem",
      team: "platform",
      aliases: [
        { issuer: "https://idp", subject: "4" },
        { issuer: "pagerduty", subject: "PCEM" },
      ],
    },
  ],
  teams: [
    { name: "ml", groups: ["/ml/admin"] },
    { name: "platform", groups: ["/platform/admin"] },
  ],
});

function value<T>(loaded: { ok: true; value: T } | { ok: false; diagnostics: readonly { message: string }[] }): T {
  if (!loaded.ok) throw new Error(loaded.diagnostics.map((d) => d.message).join("; "));
  return loaded.value;
}

export const directory = value(compileDirectory([directoryDocument]));
const schedules = new Map(
  [
    documentOf("Schedule", "ml-platform", {
      timeZone: "Europe/Berlin",
      rotations: [
        { name: "primary", people: ["grace", "cem"], start: "2026-01-05T09:00", days: 7 },
        { name: "secondary", people: ["ben"], start: "2026-01-05T09:00", days: 7 },
      ],
    }),
    documentOf("Schedule", "office", {
      timeZone: "Europe/Berlin",
      windows: [{ days: ["Mon", "Tue", "Wed", "Thu", "Fri"], from: "09:00", to: "17:00" }],
      freezes: [{ name: "year-end", from: "2026-12-20", until: "2027-01-03" }],
    }),
  ].map((document) => [document.file.replace(".yaml", ""), value(compileSchedule(document))]),
);
const onCall = (service: string, id: string) => (service === "pagerduty" && id === "PABC" ? ["cem"] : []);
export const lookup = { directory, schedules, onCall };

export function person(subject: string, groups: readonly string[] = [], more: Partial<Person> = {}): Person {
  const issuer = "https://idp";
  return {
    issuer,
    subject,
    user: `u${subject}`,
    groups,
    human: directory.humanOf({ issuer, subject }),
    isProgram: false,
    ...more,
  };
}

export const ada = person("1", ["/ml/dev"]);
export const monday = Date.parse("2026-11-23T10:00:00Z");

function action(of: Partial<RequestedAction> = {}): RequestedAction {
  return {
    cluster: "prod-eu",
    verb: "delete",
    isResourceRequest: true,
    path: "/",
    apiGroup: "",
    apiVersion: "v1",
    resource: "pods",
    subresource: "",
    namespace: "ml-prod",
    name: "web-1",
    dryRun: false,
    http: { method: "DELETE", target: "/", contentType: "", contentEncoding: "", bodyDigest: "" },
    at: monday,
    ...of,
  };
}

export const asked = (of: Partial<RequestedAction> = {}, preview?: Extract<Ask, { type: "action" }>["preview"]): Ask => ({
  type: "action",
  action: action(of),
  digest: "d",
  preview,
});

export const pods = [{ apiGroups: [""], resources: ["pods"] }];
export const base: JsonObject = {
  requesters: { groups: ["/ml/dev"] },
  verbs: ["get", "delete", "create"],
  resources: pods,
  role: { kind: "ClusterRole", name: "edit" },
  maxDuration: "1h",
  approvals: [{ from: ["group:platform-oncall"] }],
};

export function rules(...specs: JsonObject[]) {
  const documents = specs.map((spec, i) => documentOf("AccessRule", `r${i + 1}`, spec));
  const compiled = compileAccessRules(documents, lookup);
  const errors = compiled.diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("; "));
  return accessRules(value(compiled), lookup);
}

export function offers(spec: JsonObject, who: Person, ask: Ask, context: Partial<OfferContext> = {}) {
  return rules(spec).offers(who, ask, { at: monday, ...context });
}
