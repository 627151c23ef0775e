import { z } from "zod";
import { ruleStatuses, severities } from "../../core/finding.ts";
import type { JsonObject } from "../../core/json.ts";
import { escalationTargets } from "../../services/console/escalation-view.ts";
import { enforcements } from "../../services/rollout/policy-modes.ts";

// What the routes answer. The OpenAPI document and the console's types are written from it; what is not named here is left out.

/** What every refusal looks like. */
export const problem = z.object({ code: z.string(), message: z.string() });

const texts = z.array(z.string()).readonly();
const instant = z.number().describe("milliseconds since the epoch");
const json = z.custom<JsonObject>((value) => typeof value === "object" && value !== null).meta({ type: "object" });
const list = <T extends z.ZodType>(item: T) => z.array(item).readonly();

const bySeverity = z.object({ info: z.number(), low: z.number(), medium: z.number(), high: z.number(), critical: z.number() });
const counted = list(z.object({ name: z.string(), counts: bySeverity }));
export const overview = z.object({
  clusters: texts.describe("those that are governed"),
  unreached: list(z.object({ cluster: z.string(), since: z.number(), reason: z.string(), known: z.boolean() })).describe(
    "those that do not answer; known: what is shown is how they were before",
  ),
  admissionElsewhere: list(z.object({ cluster: z.string(), by: z.string(), until: z.number() })).describe(
    "those whose webhooks another server holds: nothing is judged here at admission",
  ),
  objects: z.number(),
  policies: z.number(),
  broken: list(z.object({ cluster: z.string(), policy: z.string() })).describe("policies whose newest text does not compile"),
  records: z.number(),
  total: bySeverity.describe("failures"),
  warnings: z.number(),
  errors: z.number().describe("what could not be checked"),
  byCluster: counted,
  byNamespace: counted.describe("the empty name stands for cluster-scoped objects"),
  byTeam: counted.describe("the empty name stands for objects of namespaces that no label gives to a team"),
  byPolicy: counted,
});

const amount = z.number();
export const trend = z.object({
  points: list(
    z.object({
      at: z.number(),
      critical: amount,
      high: amount,
      medium: amount,
      low: amount,
      info: amount,
      warnings: amount,
      errors: amount,
    }),
  ).describe("a point an hour, or a day where more than a week is asked for"),
});

const finding = z.object({
  cluster: z.string(),
  id: z.string(),
  policy: z.string(),
  rule: z.string(),
  title: z.string(),
  status: z.enum(ruleStatuses),
  severity: z.enum(severities),
  group: z.string(),
  kind: z.string(),
  namespace: z.string(),
  team: z.string().describe("whose the namespace is; empty where no label says so"),
  name: z.string(),
  message: z.string(),
  path: z.string(),
  controls: texts,
});
export const findings = z.object({
  total: z.number(),
  warnings: z.number().describe("of the total"),
  errors: z.number().describe("of the total: what could not be checked"),
  items: list(finding),
});
export const findingGroups = z.object({
  items: list(
    z.object({
      name: z.string().describe("empty: no namespace, or no team"),
      total: z.number(),
      counts: bySeverity.describe("of the total: failures"),
      warnings: z.number().describe("of the total"),
      errors: z.number().describe("of the total: what could not be checked"),
    }),
  ),
});
export const findingDetail = finding.extend({
  url: z.string().optional(),
  at: list(z.union([z.string(), z.number()])).describe("the path to what is wrong in the object"),
  evidence: json.optional(),
  fix: z
    .object({
      description: z.string(),
      patch: list(json).optional(),
      object: json.optional(),
      after: json.optional().describe("the object once it is put right; of a Secret the keys alone"),
      isNew: z.boolean().optional().describe("after is another object, which would be added"),
    })
    .optional(),
  location: z.object({ file: z.string(), line: z.number(), column: z.number() }).optional(),
  object: json.optional().describe("of a Secret the keys alone"),
});

export const policies = z.object({
  items: list(
    z.object({
      cluster: z.string(),
      name: z.string(),
      title: z.string(),
      category: z.string(),
      severity: z.string(),
      origin: z.string(),
      mode: z.enum(enforcements),
      rules: texts,
      broken: z.boolean().describe("its newest text does not compile"),
      admitted: z
        .object({ pass: z.number(), fail: z.number(), warn: z.number(), error: z.number(), skip: z.number() })
        .optional()
        .describe("what its rules said at admission since this server started"),
      findings: z.object({ fail: z.number(), warn: z.number(), error: z.number() }).describe("what is wrong now"),
      cost: z
        .object({ microseconds: z.number(), samples: z.number() })
        .optional()
        .describe("of judging one object, the median of the last samples of the background scan"),
    }),
  ),
});

export const holders = z.object({
  holders: list(
    z.object({
      cluster: z.string(),
      subject: z.string(),
      namespace: z.string().describe("empty: in the whole cluster"),
      binding: z.string(),
      role: z.string(),
      rule: z.string(),
    }),
  ),
  unresolved: texts.describe("bindings that could not be followed"),
});

const grant = z.object({ binding: z.string(), role: z.string(), rule: z.string() });
export const escalationPaths = z.object({
  targets: list(z.object({ target: z.enum(escalationTargets), says: z.string(), paths: z.number() })).describe(
    "how many reach each, whoever is asked about",
  ),
  total: z.number(),
  lengths: list(z.object({ hops: z.number(), paths: z.number() })).describe("of the total: how many need so many hops"),
  items: list(
    z.object({
      cluster: z.string(),
      from: z.string(),
      hops: list(z.object({ techniques: texts, says: z.string(), to: z.string(), grants: list(grant) })),
    }),
  ).describe("the shortest way of each, shortest first"),
  already: list(z.object({ cluster: z.string(), subject: z.string() })).describe("who is there by their own rights"),
  cuts: list(z.object({ cluster: z.string(), binding: z.string(), breaks: z.number() })).describe(
    "bindings whose removal ends the way of most, whoever is asked about",
  ),
  unknown: texts.describe("clusters of which nothing is known yet"),
});

export const flows = z.object({
  items: list(
    z.object({
      cluster: z.string(),
      flows: z.number(),
      rows: list(
        z.object({
          from: z.string(),
          to: z.string(),
          names: texts,
          protocol: z.string(),
          port: z.number().nullable(),
          flows: z.number(),
          dropped: z.number(),
          last: instant.nullable(),
          verdict: z.enum(["allowed", "denied", "undecided"]),
          why: z.string(),
          differs: z.boolean().describe("the network does something else than the policies say"),
        }),
      ),
      unknown: texts,
    }),
  ),
});

const record = z.object({
  seq: z.number(),
  kind: z.string(),
  at: instant,
  recorded: instant,
  cluster: z.string(),
  actor: z.string().nullable(),
  verb: z.string().nullable(),
  group: z.string().nullable(),
  resource: z.string().nullable(),
  namespace: z.string().nullable(),
  name: z.string().nullable(),
  outcome: z.string().nullable(),
});
export const records = z.object({ items: list(record) });
export const questions = z.object({ items: list(z.object({ name: z.string(), question: z.string() })) });
export const evidence = z.object({
  seq: z.number(),
  record: z.string().describe("the canonical text that the tree holds"),
  proof: texts.describe("hashes, base64"),
  checkpoint: z.string().describe("a signed note"),
});
