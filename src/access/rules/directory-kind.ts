import { z } from "zod";
import type { ResourceKind } from "../../core/resource-kind.ts";

const name = z.string().min(1);
const id = z.string().regex(/^[^#\s]+$/, "an id has neither # nor spaces");

const spec = z.strictObject({
  people: z
    .array(
      z.strictObject({
        id: id.describe("The one name of this human in rules, approvals and records."),
        displayName: name.optional(),
        email: name.optional(),
        team: name.optional(),
        manager: id.describe("Id of whoever leads this human.").optional(),
        aliases: z
          .array(z.strictObject({ issuer: name, subject: name }))
          .describe(
            "Logins of this human: OIDC issuer and subject, certificate authority and name, or pagerduty and opsgenie with the user's id there.",
          )
          .optional(),
      }),
    )
    .describe("Every human that the rules speak of."),
  teams: z
    .array(
      z.strictObject({ name, groups: z.array(name).describe("Groups of the identity provider whose members are of the team.") }),
    )
    .optional(),
});

export type DirectorySpec = z.infer<typeof spec>;
export type PersonSpec = DirectorySpec["people"][number];

export const directoryKind: ResourceKind<DirectorySpec> = {
  kind: "Directory",
  plural: "directories",
  shortNames: [],
  description: "People: their logins, teams and managers.",
  spec,
  columns: [],
};
