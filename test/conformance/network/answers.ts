import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { AddressSet } from "../../../src/analysis/network/address-set.ts";
import { buildNetwork } from "../../../src/analysis/network/build.ts";
import { protocolNumber } from "../../../src/analysis/network/connection-set.ts";
import type { Endpoint, Network, Workload } from "../../../src/analysis/network/model.ts";
import { failure, type Outcome, passed } from "../corpus.ts";
import { connectionKey, parseAddresses, parseConnections } from "./connection-text.ts";
import { type Row, readManifests, workloadCatalogue } from "./manifests.ts";
import { npgaNetwork } from "./npga.ts";

interface Asked {
  readonly sourceNs: string;
  readonly sourceWorkload: string;
  readonly destNs: string;
  readonly destWorkload: string;
  readonly protocol: string;
  readonly port: string;
  readonly evalResult: boolean;
}

/** A pod by its own name, or by its owner's. */
function podOf(network: Network, namespace: string, name: string): Workload | undefined {
  return (
    network.find(`${namespace}/${name}`) ??
    network.workloads.find(
      (w) => w.namespace === namespace && (w.id.includes(`/${name}`) || w.document.value.metadata?.name === name),
    )
  );
}

/** One question with a yes or no. */
export async function runEvaluation(directory: string, row: Row): Promise<Outcome> {
  const network = await npgaNetwork(directory, row.inputs);
  const asked = JSON.parse(await readFile(join(directory, row.expected), "utf8")) as Asked;
  const [from, to] = [podOf(network, asked.sourceNs, asked.sourceWorkload), podOf(network, asked.destNs, asked.destWorkload)];
  const protocol = protocolNumber(asked.protocol === "" ? "TCP" : asked.protocol);
  if (from === undefined || to === undefined || protocol === undefined) return failure("a pod is not there");
  const answer = network.permits(from, to, protocol, Number(asked.port));
  return answer === asked.evalResult ? passed : failure(`got ${answer}, expected ${asked.evalResult}`);
}

interface Pairs {
  readonly eval: readonly { readonly Src: string; readonly Dst: string; readonly ExpResult: string }[];
}

function outside(text: string): Endpoint | undefined {
  const addresses = parseAddresses(text) ?? AddressSet.parse(text);
  return addresses === undefined ? undefined : { kind: "external", addresses };
}

/** All connections of some pairs. */
export async function runPairs(directory: string, row: Row): Promise<Outcome> {
  const network = await npgaNetwork(directory, row.inputs);
  const { eval: pairs } = JSON.parse(await readFile(join(directory, row.expected), "utf8")) as Pairs;
  const wrong = pairs.filter(({ Src, Dst, ExpResult }) => {
    const [from, to] = [Src, Dst].map((name) => network.find(name) ?? outside(name));
    if (from === undefined || to === undefined) return true;
    return connectionKey(network.connections(from, to)) !== connectionKey(parseConnections(ExpResult).set);
  });
  return wrong.length === 0 ? passed : failure(wrong.map((w) => `${w.Src} -> ${w.Dst}: expected ${w.ExpResult}`).join("; "));
}

/** A line for each pair of pods: `src: a/b, dest: c/d, allowed conns: true`. */
export async function runPairLines(directory: string, row: Row): Promise<Outcome> {
  const network = await npgaNetwork(directory, row.inputs);
  const text = await readFile(join(directory, row.expected), "utf8");
  const byPod = new Map<string, Workload>();
  const documents = await readManifests(row.inputs.map((p) => join(directory, p)));
  for (const { value } of documents) {
    const pod = value as { kind?: string; metadata?: { name?: string; namespace?: string } };
    if (pod.kind !== "Pod") continue;
    const [namespace, name] = [pod.metadata?.namespace ?? "default", pod.metadata?.name ?? ""];
    const found = network.workloads.find((w) => w.namespace === namespace && name.startsWith(w.owner.name));
    if (found !== undefined) byPod.set(`${namespace}/${name}`, found);
  }
  let checked = 0;
  const wrong: string[] = [];
  for (const [, src = "", dest = "", allowed = ""] of text.matchAll(/src: (\S+), dest: (\S+), allowed conns: (\w+)/g)) {
    const [from, to] = [byPod.get(src), byPod.get(dest)];
    if (from === undefined || to === undefined || src === dest) continue;
    checked++;
    if (network.permits(from, to, 6, Number(row.options["port"])) !== (allowed === "true")) wrong.push(`${src} -> ${dest}`);
  }
  return checked > 0 && wrong.length === 0 ? passed : failure(`${wrong.length} of ${checked}: ${wrong.slice(0, 3).join("; ")}`);
}

/** Policies of real platforms: all of them can be read. */
export async function runPolicies(directory: string, row: Row): Promise<Outcome> {
  const documents = await readManifests(row.inputs.map((p) => join(directory, p)));
  const network = buildNetwork(documents, { catalogue: await workloadCatalogue() });
  if (network.diagnostics.length > 0) return failure(network.diagnostics.map((d) => d.message).join("; "));
  return network.policies.length > 0 ? passed : failure("no policy was read");
}

/** What another analyser refuses to analyse is a positioned diagnostic here. */
export async function runRefused(directory: string, row: Row): Promise<Outcome> {
  const documents = await readManifests(row.inputs.map((p) => join(directory, p)));
  const network = buildNetwork(documents, { catalogue: await workloadCatalogue() });
  const told = network.diagnostics.filter((d) => d.span !== undefined);
  return told.length > 0 ? passed : failure("nothing was said");
}
