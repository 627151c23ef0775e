import { severities } from "../core/finding.ts";
import type { NamespaceRisk, PolicyProposal, StarterProposal } from "../services/starter-proposal.ts";
import type { InitFlags, Looked } from "./run-init.ts";

const shown = 8;

/** What `init` says: where the risks are, what could hold today, and the commands that come next. */
export function initText(looked: Looked, proposal: StarterProposal, flags: InitFlags): string {
  const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;
  const took = `loaded in ${seconds(looked.loadMilliseconds)}, judged in ${seconds(looked.judgeMilliseconds)}`;
  const lines = [
    `${looked.context}: ${looked.objects} objects in ${looked.namespaces} namespaces, ${took}. Nothing was changed.`,
    "",
    "Risks",
    ...risks(proposal.risks),
    "",
    "Pod Security that would stop nothing that runs",
    ...podSecurity(proposal),
    "",
    "Policies for this cluster",
    ...policies(proposal.policies),
    "",
    "Next",
    ...next(proposal, flags),
  ];
  return `${lines.join("\n")}\n`;
}

function risks(all: readonly NamespaceRisk[]): readonly string[] {
  if (all.length === 0) return ["  no check fails"];
  const width = Math.max(...all.slice(0, shown).map(({ name }) => placeOf(name).length));
  return [
    ...all.slice(0, shown).map(({ name, failures, worst }) => {
      const counts = severities
        .toReversed()
        .flatMap((severity) => (failures[severity] > 0 ? [`${failures[severity]} ${severity}`] : []));
      return `  ${placeOf(name).padEnd(width)}  ${counts.join(", ")}; worst: ${worst}`;
    }),
    ...more(all.length - shown, "namespaces"),
  ];
}

const placeOf = (namespace: string) => (namespace === "" ? "(cluster)" : namespace);
const more = (count: number, what: string) => (count > 0 ? [`  and ${count} more ${what}`] : []);

function podSecurity({ podSecurity: all }: StarterProposal): readonly string[] {
  if (all.length === 0) return ["  every namespace has a level"];
  const width = Math.max(...all.slice(0, shown).map(({ namespace }) => namespace.length));
  return [
    ...all.slice(0, shown).map(({ namespace, enforce, inTheWay }) => {
      const above = enforce === "privileged" ? "baseline" : "restricted";
      const blocked =
        enforce === "restricted" ? "" : `; ${inTheWay} ${inTheWay === 1 ? "object is" : "objects are"} in the way of ${above}`;
      return `  ${namespace.padEnd(width)}  enforce ${enforce}${blocked}`;
    }),
    ...more(all.length - shown, "namespaces"),
  ];
}

function policies(all: readonly PolicyProposal[]): readonly string[] {
  const ready = all.filter(({ failures }) => failures === 0);
  const failing = all.filter(({ failures }) => failures > 0);
  return [
    `  could be enforced today: ${ready.map(({ policy }) => policy).join(", ") || "none"}`,
    ...(failing.length === 0 ? [] : ["  to begin with reporting:"]),
    ...failing.slice(0, shown).map(({ policy, severity, failures, namespaces }) => {
      const where =
        namespaces.length > 3 ? `${namespaces.slice(0, 3).join(", ")} and ${namespaces.length - 3} more` : namespaces.join(", ");
      return `    ${policy} (${severity}): would stop ${failures} in ${where}`;
    }),
    ...more(failing.length - shown, "policies").map((line) => `  ${line}`),
  ];
}

function next({ podSecurity: labels }: StarterProposal, { write, context, kubeconfig }: InitFlags): readonly string[] {
  const on = context === undefined ? "" : ` --context ${context}`;
  const config = kubeconfig === undefined ? "" : ` --kubeconfig ${kubeconfig}`;
  const environment = kubeconfig === undefined ? "" : `KUBECONFIG=${kubeconfig} `;
  const directory = write?.replace(/\/$/, "") ?? "castellan";
  const written = [
    `  castellan policy preview ${directory}/policies --cluster${on}`,
    ...(labels.length === 0
      ? []
      : [`  kubectl${config}${on} apply --server-side --dry-run=server -f ${directory}/namespaces.yaml`]),
    `  castellan serve --policies ${directory}/policies${on}${config}`,
  ];
  return [
    ...(write === undefined ? [`  castellan init${on}${config} --write ${directory}/`] : []),
    `  ${environment}castellan scan --cluster${on} --explain`,
    ...written,
    `  ${environment}castellan rbac paths --cluster${on} --top 5`,
    `  ${environment}castellan net suggest --cluster${on} --intent`,
  ].map((line) => line.replace(/^ {2}castellan policy preview/, `  ${environment}castellan policy preview`));
}
