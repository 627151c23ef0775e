import { describe, expect, test } from "vitest";
import type { Fact, Need } from "../../core/facts.ts";
import { Dependencies } from "./dependencies.ts";

const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "pull", namespace: "source" } };
const objects = (more: { readonly namespace?: string; readonly name?: string }): Need => ({
  kind: "objects",
  apiVersion: "v1",
  objectKind: "Secret",
  subresource: "",
  namespace: "source",
  name: "pull",
  ...more,
});
const call = (path: string): Need => ({ kind: "api-call", method: "GET", path });
const answer = async (): Promise<Fact> => ({ ok: true, value: null });

async function dependentsAfter(need: Need): Promise<readonly string[]> {
  const dependencies = new Dependencies(() => "secrets");
  const source = dependencies.watching("policy/rule", "uid")({ known: () => undefined, fetch: answer });
  await source.fetch(need, AbortSignal.timeout(1000));
  return [...dependencies.of(secret)].map(({ key, trigger }) => `${key} ${trigger}`);
}

describe("what was looked up", () => {
  test.each<readonly [string, Need]>([
    ["the object", objects({})],
    ["all of its namespace", objects({ name: "" })],
    ["all of its kind", objects({ name: "", namespace: "" })],
    ["the object, by its path", call("/api/v1/namespaces/source/secrets/pull")],
    ["the list that it is in", call("/api/v1/namespaces/source/secrets?limit=5")],
    ["the list of all namespaces", call("/api/v1/secrets")],
  ])("bears on the rule: %s", async (_, need) => {
    expect(await dependentsAfter(need)).toEqual(["policy/rule uid"]);
  });

  test.each<readonly [string, Need]>([
    ["another object", objects({ name: "other" })],
    ["another namespace", objects({ namespace: "other" })],
    ["another path", call("/api/v1/namespaces/source/secrets/other")],
    ["another kind", call("/api/v1/namespaces/source/configmaps/pull")],
    ["another group", call("/apis/example.org/v1/namespaces/source/secrets/pull")],
    ["the address of no object", call("/version")],
    ["another config map", { kind: "config-map", namespace: "source", name: "pull" }],
  ])("has nothing to do with it: %s", async (_, need) => {
    expect(await dependentsAfter(need)).toEqual([]);
  });

  test("is what was looked up the last time", async () => {
    const dependencies = new Dependencies(() => "secrets");
    const source = { known: () => undefined, fetch: answer };
    const first = dependencies.watching("policy/rule", "uid")(source);
    await first.fetch(objects({}), AbortSignal.timeout(1000));
    const second = dependencies.watching("policy/rule", "uid")(source);
    await second.fetch(objects({ name: "other" }), AbortSignal.timeout(1000));
    expect([...dependencies.of(secret)]).toEqual([]);
  });

  test("is everything of one run, however often the rule was judged in it", async () => {
    const dependencies = new Dependencies(() => "secrets");
    const watching = dependencies.watching("policy/rule", "uid");
    for (const name of ["pull", "other"])
      await watching({ known: () => undefined, fetch: answer }).fetch(objects({ name }), AbortSignal.timeout(1000));
    expect([...dependencies.of(secret)]).toHaveLength(1);
  });
});
