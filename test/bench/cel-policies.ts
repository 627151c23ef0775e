import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "../../src/core/json.ts";
import type { Bench, BenchRow } from "./bench.ts";
import { castellan, corpora } from "./corpora.ts";
import { cheapest, onPath } from "./process-cost.ts";

const policyCount = 16;

/** Kyverno's own ValidatingPolicies about pods. */
function podPolicies(corpus: string): readonly string[] {
  const root = join(corpus, "kyverno-policies");
  const folders = readdirSync(root).filter((name) => name.endsWith("-vpol"));
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => join(root, folder, name)),
    )
    .filter((file) => file.endsWith(".yaml") && !/\/\.|kyverno-test/.test(file.slice(root.length)))
    .filter((file) => {
      const text = readFileSync(file, "utf8");
      return (
        /^kind: ValidatingPolicy$/m.test(text) &&
        /resources:[^\n]*(?:\n\s*-[^\n]*)*\bpods\b/.test(text) &&
        !/resource\.|http\.|image(?:Data)?\./.test(text)
      );
    })
    .sort()
    .slice(0, policyCount);
}

/** Every fifth one breaks some rules. */
function pod(i: number): JsonObject {
  const good = i % 5 !== 0;
  const container = (name: string) => ({
    name,
    image: `registry.example.com/shop/${name}:1.2.${i % 10}`,
    ports: [{ containerPort: 8080, ...(good ? {} : { hostPort: 8080 }) }],
    resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
    securityContext: {
      allowPrivilegeEscalation: !good,
      privileged: false,
      readOnlyRootFilesystem: good,
      runAsNonRoot: true,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    },
    volumeMounts: [{ name: "data", mountPath: "/data" }],
  });
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `pod-${i}`,
      namespace: `team-${i % 20}`,
      labels: { app: `app-${i % 50}`, "app.kubernetes.io/name": "shop" },
    },
    spec: {
      serviceAccountName: "runner",
      hostNetwork: !good,
      containers: ["web", "proxy", "metrics"].map(container),
      initContainers: [container("prepare")],
      volumes: [{ name: "data", emptyDir: {} }],
    },
  };
}

async function row(folder: string, policies: string, pods: number, peerToo: boolean): Promise<BenchRow> {
  const objects = join(folder, `pods-${pods}.yaml`);
  writeFileSync(objects, Array.from({ length: pods }, (_, i) => `---\n${JSON.stringify(pod(i))}\n`).join(""));
  const scan = [...castellan, "scan", objects, "--checks", "policies", "--policies", policies, "--output", "json"];
  const ours = await cheapest(3, scan, folder);
  const { summary } = JSON.parse(ours.out);
  if (summary.results.fail < pods / 5) throw new Error(`the scan did not do its work: ${ours.out.slice(0, 500)}`);
  const peer =
    peerToo && onPath("kyverno") ? await cheapest(1, ["kyverno", "apply", policies, "-r", objects], folder) : undefined;
  const name = `${policyCount} policies x ${pods} pods, CPU`;
  return { name, unit: "ms", ours: ours.cpu, ...(peer && { peer: peer.cpu }), ...(peerToo ? {} : { target: { atMost: 1000 } }) };
}

/** Whole runs over ValidatingPolicies; the peer compiles them anew for every pod, so that it gets a tenth of the pods. */
export const celPoliciesBench: Bench = {
  name: "cel policies",
  async run() {
    const corpus = corpora();
    if (corpus === undefined) return { rows: [], skipped: "the conformance corpora are absent" };
    const files = podPolicies(corpus);
    if (files.length < policyCount) return { rows: [], skipped: `there are only ${files.length} policies` };
    const folder = mkdtempSync(join(tmpdir(), "castellan-bench-"));
    try {
      const policies = mkdtempSync(join(folder, "policies-"));
      for (const [i, file] of files.entries()) copyFileSync(file, join(policies, `${i}.yaml`));
      return { rows: [await row(folder, policies, 1000, false), await row(folder, policies, 100, true)] };
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
