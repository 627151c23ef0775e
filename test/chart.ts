import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { helmBinary } from "./cluster/binaries.ts";

export const deployed = join(import.meta.dirname, "../deploy");
const helm = await helmBinary();

/** Why charts cannot be rendered here; undefined where they can. */
export const withoutHelm: string | undefined = helm.available ? undefined : helm.reason;

/** Where helm is. Throws where it is not available. */
export function helmPath(): string {
  if (!helm.available) throw new Error(helm.reason);
  return helm.path("helm");
}

/** Our chart as `helm template` writes it, with arguments such as `--set`, `replicas=3`. Throws where the chart refuses them. */
export function renderChart(...values: readonly string[]): string {
  const chart = [join(deployed, "helm/castellan"), "--namespace", "castellan", "--kube-version", "1.36.0"];
  return execFileSync(helmPath(), ["template", "castellan", ...chart, ...values], { encoding: "utf8", stdio: "pipe" });
}

/** Values of the variant with several replicas. */
export const replicated = "replicas=3,database.urlSecret=castellan-database,keys.secret=castellan-keys,certManager.enabled=true";
/** Values of the variant with the gateway. */
export const withGateway = "gateway.enabled=true,gateway.url=https://gateway.example.com";
