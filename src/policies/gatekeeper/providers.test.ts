import { describe, expect, test } from "vitest";
import { type Fact, type Facts, type Need, NeedsFacts } from "../../core/facts.ts";
import { fromJson, toJson } from "../../languages/rego/index.ts";
import { objectsOf } from "../kyverno/policy-run.testing.ts";
import { askProviders } from "./providers.ts";

const provider = objectsOf(
  "{apiVersion: externaldata.gatekeeper.sh/v1beta1, kind: Provider, metadata: {name: p}, spec: {url: 'https://p/validate', timeout: 1, caBundle: UEVN}}",
);

function ask(request: { readonly provider: string; readonly keys: readonly string[] }, fact: Fact | undefined) {
  const asked: Need[] = [];
  const facts: Facts = {
    get: (need) => {
      asked.push(need);
      return fact;
    },
  };
  const answer = () => toJson(askProviders(provider, facts)(fromJson(request)));
  return { answer, asked };
}

describe("external data", () => {
  test("is asked for as Gatekeeper asks, and shown to templates as Gatekeeper shows it", () => {
    const items = [
      { key: "a", value: 1 },
      { key: "b", error: "unknown" },
    ];
    const { answer, asked } = ask({ provider: "p", keys: ["a", "b"] }, { ok: true, value: { response: { items } } });
    expect(answer()).toEqual({ responses: [["a", 1]], errors: [["b", "unknown"]], status_code: 200, system_error: "" });
    expect(asked).toEqual([
      {
        kind: "http-call",
        method: "POST",
        url: "https://p/validate",
        headers: { "content-type": "application/json" },
        body: { apiVersion: "externaldata.gatekeeper.sh/v1beta1", kind: "ProviderRequest", request: { keys: ["a", "b"] } },
        caBundle: "PEM",
      },
    ]);
  });

  test("that nobody asked for yet is a need", () => {
    expect(ask({ provider: "p", keys: [] }, undefined).answer).toThrow(NeedsFacts);
  });

  test.each<[string, Fact, string]>([
    ["p", { ok: false, message: "no network" }, "no network"],
    ["q", { ok: true, value: {} }, 'there is no Provider "q"'],
  ])("of %s that cannot be had is an error", (name, fact, message) => {
    expect(ask({ provider: name, keys: [] }, fact).answer).toThrow(message);
  });
});
