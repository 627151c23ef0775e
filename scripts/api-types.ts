import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { addAccessAdministrationRoutes } from "../src/server/api/access-administration-routes.ts";
import { addAccessRoutes } from "../src/server/api/access-routes.ts";
import { createApi } from "../src/server/api/api.ts";
import { addLoginRoutes } from "../src/server/api/login-routes.ts";
import { addOfferRoutes } from "../src/server/api/offer-routes.ts";
import { addRecordingRoutes } from "../src/server/api/recording-routes.ts";
import { addReviewRoutes } from "../src/server/api/review-routes.ts";
import { addRolloutRoutes } from "../src/server/api/rollout-routes.ts";
import { addRoutes } from "../src/server/api/routes.ts";
import { Sessions } from "../src/server/api/session.ts";

// openapi-typescript needs the compiler's old JavaScript API, which TypeScript 7 has no more; what our routes say is little.

interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: { readonly [name: string]: Schema };
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly description?: string;
}

interface Operation {
  readonly responses?: {
    readonly [status: string]: { readonly content?: { readonly [type: string]: { readonly schema?: Schema } } };
  };
}

/** A part that no route touches while it is only described. */
const unused: never = new Proxy(
  {},
  {
    get: (_target, name) => {
      throw new Error(`the part's ${String(name)} was asked for`);
    },
  },
) as never;

/** The OpenAPI document of all routes. */
async function apiDocument(): Promise<{
  readonly paths?: { readonly [path: string]: { readonly [method: string]: Operation } };
}> {
  const sessions = new Sessions({
    hosts: [],
    records: unused,
    secret: new Uint8Array(32),
    settings: "",
    now: () => 0,
    lifetime: 0,
  });
  const api = await createApi({
    version: "0.0.0",
    pages: undefined,
    sessions,
    secure: false,
    waitingFor: () => [],
    metrics: async () => [],
    onError: () => {},
  });
  addLoginRoutes(api, { sessions, secure: false, members: {}, developmentUsers: [], admit: unused, now: () => 0 });
  addRoutes(api, { ledger: unused, clusters: () => [], findings: () => [], trend: unused, onChange: () => () => {} });
  addRolloutRoutes(api, unused, () => 0);
  addReviewRoutes(api, unused, () => 0);
  addAccessRoutes(api, { desk: unused, clusters: () => [], lookAtCall: unused, risk: unused, now: () => 0 });
  addAccessAdministrationRoutes(api, {
    desk: unused,
    humanNamed: unused,
    locks: unused,
    notifications: unused,
    chatLinks: unused,
  });
  addOfferRoutes(api, { rules: unused, facts: unused, clusters: () => [], now: () => 0 });
  addRecordingRoutes(api, unused);
  await api.ready();
  const document = JSON.parse(JSON.stringify(api.swagger()));
  await api.close();
  return document;
}

/** web/src/api/schema.gen.ts: what each route answers when it succeeds. */
export async function apiTypes(): Promise<string> {
  const { paths = {} } = await apiDocument();
  const rows = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { responses = {} }]) => {
      const success = Object.entries(responses).find(([status]) => status.startsWith("2"))?.[1];
      const schema = success?.content?.["application/json"]?.schema;
      return schema === undefined ? [] : [`  ${JSON.stringify(`${method.toUpperCase()} ${path}`)}: ${typeText(schema, "  ")};`];
    }),
  );
  return `// Written by \`npm run docs\` from the OpenAPI document; not by hand.

import type { JsonObject, JsonValue } from "../../../src/core/json.ts";

/** What each route answers when it succeeds. */
export interface Answers {
${rows.sort().join("\n")}
}
`;
}

function typeText(schema: Schema, indent: string): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const union = schema.anyOf ?? schema.oneOf;
  if (union !== undefined) return union.map((one) => typeText(one, indent)).join(" | ");
  if (schema.allOf !== undefined) return schema.allOf.map((one) => typeText(one, indent)).join(" & ");
  if (Array.isArray(schema.type)) return schema.type.map((type: string) => typeText({ ...schema, type }, indent)).join(" | ");
  switch (schema.type) {
    case "string":
    case "boolean":
    case "null":
      return schema.type;
    case "number":
    case "integer":
      return "number";
    case "array": {
      const item = typeText(schema.items ?? {}, indent);
      return `readonly ${/^[\w.]+$/.test(item) || item.endsWith("}") ? item : `(${item})`}[]`;
    }
    case "object":
      return objectText(schema, indent);
    default:
      return "JsonValue";
  }
}

function objectText({ properties, required = [], additionalProperties }: Schema, indent: string): string {
  if (properties === undefined) {
    if (typeof additionalProperties !== "object" || Object.keys(additionalProperties).length === 0) return "JsonObject";
    return `{ readonly [name: string]: ${typeText(additionalProperties, indent)} }`;
  }
  const inner = `${indent}  `;
  const members = Object.entries(properties).map(([name, schema]) => {
    const says = schema.description === undefined ? "" : `${inner}/** ${schema.description} */\n`;
    const key = /^[a-z_]\w*$/i.test(name) ? name : JSON.stringify(name);
    return `${says}${inner}readonly ${key}${required.includes(name) ? "" : "?"}: ${typeText(schema, inner)};`;
  });
  return members.length === 0 ? "object" : `{\n${members.join("\n")}\n${indent}}`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(fileURLToPath(new URL("../web/src/api/schema.gen.ts", import.meta.url)), await apiTypes());
}
