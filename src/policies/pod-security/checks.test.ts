import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { isObject, type JsonObject } from "../../core/json.ts";
import { podOf, withDefaults } from "./pod.ts";
import { checks, evaluatePod, failureText } from "./registry.ts";
import { type LevelVersion, parseLevel, parseVersion } from "./versions.ts";

interface Row {
  readonly name: string;
  readonly at: string;
  readonly pod: JsonObject;
  readonly message: string;
}

const rows: readonly Row[] = parse(readFileSync(new URL("./checks.cases.yaml", import.meta.url), "utf8"));

function levelVersion(text: string): LevelVersion {
  const [level = "", version = ""] = text.split(":");
  const parsed = { level: parseLevel(level), version: parseVersion(version) };
  if (parsed.level === undefined || parsed.version === undefined) throw new Error(text);
  return { level: parsed.level, version: parsed.version };
}

function messageOf(at: string, pod: JsonObject, isPod = true): string {
  return evaluatePod(levelVersion(at), withDefaults(podOf(pod), isPod))
    .map(failureText)
    .join(", ");
}

describe("the standards speak as the API server does", () => {
  test.each(rows.map((row) => [`${row.name} (${row.at})`, row] as const))("%s", (_, row) => {
    expect(messageOf(row.at, row.pod)).toBe(row.message);
  });

  test("every check has a case that it alone fails or that it takes part in", () => {
    const reasons = rows.map((row) =>
      evaluatePod(levelVersion(row.at), withDefaults(podOf(row.pod), true)).map((f) => f.check.id),
    );
    expect(new Set(reasons.flat())).toEqual(new Set(checks.map((c) => c.id)));
  });
});

describe("what the API server fills in first", () => {
  test("a volume without a source is an emptyDir", () => {
    const spec = { volumes: [{ name: "v" }, { name: "w", emptyDir: null }], containers: [] };
    expect(messageOf("restricted:latest", { spec })).toBe("");
  });
  const spec = { hostNetwork: true, containers: [{ name: "a", ports: [{ containerPort: 80 }] }] };
  test("ports of a pod on the host's network are host ports", () => {
    expect(messageOf("baseline:latest", { spec })).toBe(
      'host namespaces (hostNetwork=true), hostPort (container "a" uses hostPort 80)',
    );
  });
  test("ports of a template are not", () => {
    expect(messageOf("baseline:latest", { spec }, false)).toBe("host namespaces (hostNetwork=true)");
  });
});

describe("places and values", () => {
  const pod = podOf({
    metadata: { annotations: { "container.apparmor.security.beta.kubernetes.io/a": "unconfined" } },
    spec: {
      initContainers: [{ name: "i", securityContext: { privileged: true } }],
      containers: [
        {
          name: "a",
          ports: [{ containerPort: 1 }, { containerPort: 2, hostPort: 9 }],
          securityContext: { capabilities: { add: ["X", "KILL"] } },
        },
      ],
      volumes: [
        { name: "v", emptyDir: {} },
        { name: "h", hostPath: { path: "/etc" } },
      ],
    },
  });
  const failures = evaluatePod({ level: "baseline", version: "latest" }, pod).map(({ check, violations }) => [
    check.id,
    violations.map(({ path, value, remedy }) => [path.join("."), value, remedy?.op]),
  ]);
  test("each violation has its own", () => {
    expect(Object.fromEntries(failures)).toEqual({
      appArmorProfile: [["metadata.annotations.container.apparmor.security.beta.kubernetes.io/a", "unconfined", "remove"]],
      capabilities_baseline: [["spec.containers.0.securityContext.capabilities.add", ["X"], "set"]],
      hostPathVolumes: [["spec.volumes.1.hostPath", "/etc", undefined]],
      hostPorts: [["spec.containers.0.ports.1.hostPort", 9, "remove"]],
      privileged: [["spec.initContainers.0.securityContext.privileged", true, "set"]],
    });
  });
});

describe("fields of a wrong type are noted, and count as absent", () => {
  test.each([
    [{ hostNetwork: "true" }, "spec.hostNetwork", "a boolean"],
    [{ containers: [{ securityContext: { privileged: "yes" } }] }, "spec.containers.0.securityContext.privileged", "a boolean"],
    [{ containers: "a" }, "spec.containers", "an array"],
    [{ containers: ["a"] }, "spec.containers.0", "an object"],
    [{ securityContext: { runAsUser: 0.5 } }, "spec.securityContext.runAsUser", "an integer"],
    [
      { containers: [{ securityContext: { capabilities: { add: [1] } } }] },
      "spec.containers.0.securityContext.capabilities.add.0",
      "a string",
    ],
  ])("%j", (spec, path, expected) => {
    const { mismatches } = podOf({ spec });
    expect(mismatches.map((m) => [m.path.join("."), m.expected])).toEqual([[path, expected]]);
    expect(isObject(spec)).toBe(true);
  });
});
