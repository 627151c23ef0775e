import { describe, expect, test } from "vitest";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { parseConfiguration } from "./configuration.ts";

function read(text: string) {
  const [document] = parseDocuments(text, "admission.yaml").documents;
  if (document === undefined) throw new Error("no document");
  const parsed = parseConfiguration(document);
  return parsed.ok ? parsed.value : parsed.diagnostics.map((d) => d.message);
}

const inner = (text: string) => `{apiVersion: pod-security.admission.config.k8s.io/v1, kind: PodSecurityConfiguration, ${text}}`;

describe("the plugin's configuration", () => {
  const expected = {
    defaults: {
      enforce: { level: "baseline", version: 25 },
      audit: { level: "restricted", version: "latest" },
      warn: { level: "privileged", version: "latest" },
    },
    exemptions: { usernames: [], namespaces: ["kube-system"], runtimeClasses: [] },
  };
  const text = inner(
    "defaults: {enforce: baseline, enforce-version: v1.25, audit: restricted}, exemptions: {namespaces: [kube-system]}",
  );
  test("alone", () => expect(read(text)).toEqual(expected));
  test("among the plugins of an API server", () => {
    expect(
      read(
        `{apiVersion: apiserver.config.k8s.io/v1, kind: AdmissionConfiguration, plugins: [{name: A}, {name: PodSecurity, configuration: ${text}}]}`,
      ),
    ).toEqual(expected);
  });
  test.each([
    [
      inner("defaults: {enforce: high, warn-version: '1.25'}"),
      ["defaults.enforce: must be one of privileged, baseline, restricted", 'defaults.warn-version: must be "latest" or "v1.x"'],
    ],
    [inner("default: {}"), ["default: unknown field"]],
    [
      inner("exemptions: {users: [], namespaces: x}"),
      ["exemptions.users: unknown field", "exemptions.namespaces: must be a list of strings"],
    ],
    [
      "{apiVersion: v1, kind: Pod}",
      ["neither a PodSecurityConfiguration nor an AdmissionConfiguration of the plugin PodSecurity"],
    ],
  ])("%s is refused", (text_, messages) => expect(read(text_)).toEqual(messages));
});
