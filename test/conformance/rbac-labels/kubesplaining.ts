import { join } from "node:path";
import { replay } from "../../../src/analysis/rbac/learn/change.ts";
import { AuditLearner } from "../../../src/analysis/rbac/learn/observed.ts";
import { type Learned, proposeRoles } from "../../../src/analysis/rbac/learn/propose.ts";
import { type Case, expectJson, failure, type Outcome, passed, skipped } from "../corpus.ts";
import { isShown, type Label, parseLabel, reasonElsewhere, unlabelled } from "./rules.ts";
import { Shown, type Target } from "./shown.ts";
import { clusterOf, filesOf, manifestDocuments, snapshotDocuments } from "./world.ts";

interface Labels {
  readonly snapshot: string;
  readonly expected?: readonly string[];
  readonly deny?: readonly string[];
}

/** Labelled snapshots, expected and denied findings of a broken cluster, and an audit log. */
export async function* kubesplaining(directory: string): AsyncIterable<Case> {
  const snapshots = new Map((await filesOf(join(directory, "snapshots"), ".json")).map(([name, text]) => [name, text]));
  for (const [file, text] of await filesOf(join(directory, "corpus"), "labels.json")) {
    const labels: Labels = JSON.parse(text);
    const snapshot = snapshots.get(labels.snapshot.split("/").at(-1) ?? "");
    yield* labelled(file.replace("/labels.json", ""), labels, snapshot === undefined ? undefined : shownBy(snapshot));
  }
  const manifests = (await filesOf(join(directory, "e2e/vulnerable"), ".yaml")).flatMap(([, text]) => manifestDocuments(text));
  yield* expectations(join(directory, "e2e/expectations"), new Shown(clusterOf(manifests)));
  for (const [name, log] of await filesOf(join(directory, "audit/native"), ".log")) {
    const snapshot = snapshots.get(name.replace("-audit.log", ".json"));
    if (snapshot !== undefined) yield { id: `audit/${name}`, run: () => replayed(snapshot, log) };
  }
}

function shownBy(snapshot: string): Shown {
  return new Shown(clusterOf(snapshotDocuments(snapshot)));
}

function* labelled(name: string, { expected = [], deny = [] }: Labels, shown: Shown | undefined): Iterable<Case> {
  for (const text of expected) yield { id: `corpus/${name}/${text}`, run: () => isTold(shown, parseLabel(text), true) };
  for (const text of deny) yield { id: `corpus/${name}/deny/${text}`, run: () => isTold(shown, parseLabel(text), false) };
  if (shown === undefined) return;
  const labels = expected.map(parseLabel);
  for (const target of ["cluster-admin", "node"] as const) {
    yield { id: `corpus/${name}/others that reach ${target}`, run: () => expectJson(unlabelled(shown, target, labels), []) };
  }
}

function isTold(shown: Shown | undefined, { rule, subject }: Label, wanted: boolean): Outcome {
  if (shown === undefined) return skipped("the snapshot is not in this half");
  const elsewhere = reasonElsewhere(rule);
  if (elsewhere !== undefined) return skipped(`${rule.replace(/-\d+$/, "")}: ${elsewhere}`);
  const told = isShown(shown, rule, subject);
  if (told === undefined) return failure(`${rule} has no counterpart`);
  return told === wanted ? passed : failure(`${rule} is ${told ? "" : "not "}told of ${subject ?? "anybody"}`);
}

async function* expectations(directory: string, shown: Shown): AsyncIterable<Case> {
  const lines = (text: string) => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  for (const [wanted, extension] of [
    [true, ".expect"],
    [false, ".deny"],
  ] as const) {
    for (const [file, text] of await filesOf(directory, extension)) {
      for (const line of lines(text)) yield { id: `e2e/${file}/${line}`, run: () => isTold(shown, parseLabel(line), wanted) };
    }
  }
  for (const [file, text] of await filesOf(directory, ".chain")) {
    for (const line of lines(text)) yield { id: `e2e/${file}/${line.split(" ")[0]}`, run: () => isChain(shown, line) };
  }
}

const targets = new Map<string, Target>([
  ["cluster_admin_equivalent", "cluster-admin"],
  ["system_masters", "cluster-admin"],
  ["node_escape", "node"],
  ["kube_system_secrets", "secrets"],
]);

/** Hops of theirs that are hops of ours; the others are not looked for: a shorter way may do without them. */
const techniques = new Map([
  ["operator_reconcile", ["deputy"]],
  ["modify_role_binding", ["bind"]],
  ["colocated_sa_token_theft", ["run-as", "account"]],
]);

/** `RULE:SUBJECT[:TARGET] HOPS ACTION,...`: there is a way, and it takes the actions in their order. */
function isChain(shown: Shown, line: string): Outcome {
  const [id = "", , actions = ""] = line.split(/\s+/);
  const { subject, rest } = parseLabel(id);
  const target = targets.get(rest[0] ?? "cluster_admin_equivalent") ?? "cluster-admin";
  const ways = shown.waysTo(target, subject);
  if (ways.length === 0) return failure(`${subject} does not reach ${target}`);
  const wanted = actions.split(",").flatMap((action) => (techniques.has(action) ? [techniques.get(action) ?? []] : []));
  const follows = (way: readonly string[]) => {
    let at = 0;
    for (const technique of way) if (wanted[at]?.includes(technique) === true) at++;
    return at === wanted.length;
  };
  return ways.some(follows) ? passed : failure(`${subject} reaches ${target} by ${ways.map((w) => w.join(", ")).join("; or ")}`);
}

/** What least-privilege learns from the log allows all that the log shows. */
function replayed(snapshot: string, log: string): Outcome {
  const world = clusterOf(snapshotDocuments(snapshot));
  const learner = new AuditLearner();
  for (const line of log.split("\n").filter((l) => l !== "")) learner.add(JSON.parse(line));
  const learned = learner.users().map((user): Learned => ({ user, requests: learner.requestsOf(user) }));
  const proposals = learned.map((l) => proposeRoles(world, l));
  const lost = replay(world, proposals, learned).map((r) => `${r.user} ${r.verb} ${r.resource}`);
  return learner.events === 0 ? failure("no event was read") : expectJson(lost, []);
}
