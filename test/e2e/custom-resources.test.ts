import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { checkSchemas } from "../../src/analysis/schema/check-schemas.ts";
import { asString, isArray, isObject, type JsonObject, type JsonValue, member } from "../../src/core/json.ts";
import { isKubernetesObject, type KubernetesObject } from "../../src/core/kubernetes.ts";
import { parseDocuments } from "../../src/core/yaml/parse-documents.ts";
import { startCluster } from "../cluster/start.ts";
import { ApiServer, until } from "./api-server.ts";

/** What `scan --schema` says of custom resources, tried on a real API server. */

const file = join(import.meta.dirname, "custom-resources.yaml");
const [definition, table] = parseDocuments(readFileSync(file, "utf8"), file).documents.map((d) => d.value);
const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (isArray(value) ? value : []);
const objects = (value: JsonValue | undefined): readonly JsonObject[] => listOf(value).filter(isObject);

const cluster = await startCluster();
const server = cluster.available ? new ApiServer(cluster) : undefined;
const collection = "/apis/shop.example.com/v1/namespaces/default/gadgets";

const gadget = (spec: JsonObject, name = "gadget"): KubernetesObject => ({
  apiVersion: "shop.example.com/v1",
  kind: "Gadget",
  metadata: { name, namespace: "default" },
  spec,
});

if (server !== undefined && isObject(definition)) {
  const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const { status, body } = await server.create(path, definition);
  if (status !== 201) throw new Error(`the definition is refused: ${asString(body["message"])}`);
  const isServed = (condition: JsonObject) => condition["type"] === "Established" && condition["status"] === "True";
  await until(
    () => server.send("GET", `${path}/gadgets.shop.example.com`),
    (answer) => objects(member(answer.body["status"], "conditions")).some(isServed),
  );
  // It is served a moment after it says so.
  await until(
    () => server.create(`${collection}?dryRun=All`, gadget({ size: 2 })).catch(() => undefined),
    (answer) => answer?.status === 201,
  );
}

afterAll(async () => {
  server?.close();
  if (cluster.available) await cluster.stop();
});

function ourErrors(object: KubernetesObject, before: readonly KubernetesObject[] = []): readonly string[] {
  const document = { file, index: 0, value: object, locate: () => undefined, locateKey: () => undefined };
  const definitions = isKubernetesObject(definition) ? [definition] : [];
  const { findings } = checkSchemas({ objects: [document], definitions, before, builtInGroups: new Set([""]) });
  return findings.map((f) => f.message.replace("The API server refuses the object: ", "")).toSorted();
}

/** The errors of an answer, one for each cause. */
function serverErrors(body: JsonObject): readonly string[] {
  const causes = objects(member(body["details"], "causes"));
  return causes
    .map((cause) => `${asString(cause["field"])}: ${asString(cause["message"])}`)
    .filter((text) => !text.includes("some validation rules were not checked"))
    .toSorted();
}

describe.skipIf(server === undefined)("the API server says the same of", () => {
  test.each(objects(member(table, "cases")).map((spec) => [JSON.stringify(spec), spec] as const))("%s", async (_, spec) => {
    const object = gadget(spec);
    const answer = await server?.create(`${collection}?dryRun=All`, object);
    expect(ourErrors(object)).toEqual(serverErrors(answer?.body ?? {}));
    expect(ourErrors(object).length === 0).toBe(answer?.status === 201);
  });

  test("a name", async () => {
    const object = gadget({ size: 2 }, "other");
    const answer = await server?.create(`${collection}?dryRun=All`, object);
    expect(ourErrors(object)).toEqual(serverErrors(answer?.body ?? {}));
    expect(ourErrors(object)).toHaveLength(1);
  });

  test.each(listOf(member(table, "changes")).map((change, i) => [i, ...objects(change)] as const))(
    "change %s",
    async (i, before = {}, after = {}) => {
      const name = `g${i}`;
      const created = await server?.create(collection, gadget(before, name));
      const metadata = created?.body["metadata"];
      const update = { ...gadget(after, name), metadata: isObject(metadata) ? metadata : {} };
      const answer = await server?.send("PUT", `${collection}/${name}?dryRun=All`, update);
      expect(ourErrors(gadget(after, name), [gadget(before, name)])).toEqual(serverErrors(answer?.body ?? {}));
    },
  );

  test.each(objects(member(table, "definitions")).map((spec, i) => [i, spec] as const))("definition %s", async (i, spec) => {
    const plural = `things${i}`;
    const schema = { openAPIV3Schema: { type: "object", properties: { spec } } };
    const object = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${plural}.shop.example.com` },
      spec: {
        group: "shop.example.com",
        scope: "Namespaced",
        names: { kind: `Thing${i}`, plural },
        versions: [{ name: "v1", served: true, storage: true, schema }],
      },
    };
    const answer = await server?.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All", object);
    const errors = ourErrors(object);
    expect([errors.length === 0, errors]).toEqual([answer?.status === 201, errors]);
    for (const text of errors.filter((error) => error.includes("exceeds budget"))) {
      expect(asString(answer?.body["message"])).toContain(text.slice(text.lastIndexOf("estimated ")));
    }
  });
});
