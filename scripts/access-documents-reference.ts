import { writeFileSync } from "node:fs";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../src/core/json.ts";
import { customResourceDefinition } from "../src/core/resource-definition.ts";
import { accessKinds } from "../src/services/access/access-documents.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("*", "\\*");

function typeOf(schema: JsonObject): string {
  const { enum: values, items, type } = schema;
  if (isArray(values)) return values.map((value) => `\`${String(value)}\``).join(", ");
  if (type === "array" && isObject(items)) {
    const of = typeOf(items);
    return of === "object" ? "list" : `list of ${of}`;
  }
  return asString(type) ?? "any";
}

/** One row a field, in the order of the schema; items of lists are written `name[]`. */
function rows(schema: JsonValue | undefined, path: string): readonly string[] {
  const properties = member(schema, "properties");
  const required = member(schema, "required");
  if (!isObject(properties)) return [];
  return Object.entries(properties).flatMap(([name, one]) => {
    if (!isObject(one)) return [];
    const here = path === "" ? name : `${path}.${name}`;
    const must = isArray(required) && required.includes(name) ? "yes" : "";
    const items = one["type"] === "array" ? one["items"] : undefined;
    const about = asString(one["description"]) ?? "";
    const row = `| \`${here}\` | ${cell(typeOf(one))} | ${must} | ${cell(about)} |`;
    return [row, ...(items === undefined ? rows(one, here) : rows(items, `${here}[]`))];
  });
}

function section(kind: (typeof accessKinds)[number]): string {
  const definition = customResourceDefinition(kind);
  const versions = member(member(definition, "spec"), "versions");
  const schema = isArray(versions) ? member(member(versions[0], "schema"), "openAPIV3Schema") : undefined;
  const spec = member(member(schema, "properties"), "spec");
  return `## ${kind.kind}\n\n${kind.description}\n\n| field of \`spec\` | type | must be there | |\n|---|---|---|---|\n${rows(spec, "").join("\n")}\n`;
}

/** docs/reference/access-documents.md, from the schemas that check the documents. */
export function accessDocumentsReference(): string {
  return `# Documents of access

Kinds of \`castellan.dev/v1alpha1\`, as files (\`--access\`) and as custom resources. All are cluster-scoped. A field that a kind does not
know is an error, and nothing of the document is in force; a document that worked before stays in force until its new text works.
[The guide](../guide/access.md) shows them in use.

## Conditions

\`when\` is CEL with the functions that Kubernetes has. What it sees:

| variable | what it is |
|---|---|
| \`action\` | \`cluster\`, \`verb\` (\`proxy\` for every way through an API server's proxy), \`operation\` (CREATE, UPDATE, DELETE, CONNECT, READ), \`group\`, \`version\`, \`resource\`, \`subresource\`, \`namespace\`, \`namespaceLabels\`, \`name\`, \`generateName\`, \`dryRun\` |
| \`user\` | \`name\`, \`groups\`, \`issuer\`, \`subject\`, \`human\` (id in the directory), \`email\`, \`team\`, \`isProgram\`; at admission only \`name\`, \`groups\` and \`isProgram\` are known |
| \`time\` | a timestamp: \`time.getHours("Europe/Berlin")\` |
| \`object\`, \`oldObject\` | the object after and before; null where there is none, or where it is not known: of a patch the gateway does not know what comes of it |
| \`risk\` | access rules alone: \`score\` from 0 (nothing) to 100 (the cluster), -1 where it is not known, and \`reasons\` |

A condition that cannot be evaluated never lets something pass: a guardrail speaks, an access rule refuses.

## How rules decide

Of all rules that offer what is asked the most restrictive counts: one that rejects, then every approval that one requires, then people, and
only where all agree does a rule approve by itself. No rule: no access. Rules are asked again at each decision and each use.

${[...accessKinds]
  .sort((a, b) => (a.kind < b.kind ? -1 : 1))
  .map(section)
  .join("\n")}`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(new URL("../docs/reference/access-documents.md", import.meta.url), accessDocumentsReference());
}
