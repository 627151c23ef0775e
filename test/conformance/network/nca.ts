import { join } from "node:path";
import type { PolicyInfo } from "../../../src/analysis/network/model.ts";
import type { CompiledPolicy, CompiledRule } from "../../../src/analysis/network/rule.ts";
import { isObject, type JsonObject } from "../../../src/core/json.ts";
import { nameOf, namespaceOf } from "../../../src/core/kubernetes.ts";
import { failure, type Outcome, passed, skipped } from "../corpus.ts";
import { type Row, readManifests } from "./manifests.ts";
import {
  atomsOf,
  type Config,
  isContained,
  isForeign,
  isIngress,
  lessRelation,
  listOf,
  loadConfigs,
  meets,
  networkOf,
  pick,
  type Relation,
  relationsOf,
  withoutRule,
} from "./nca-config.ts";

const notQueries = new Set(["name", "expected", "outputConfiguration", "expectedOutput", "expectedNotExecuted"]);

/** Set queries of network-config-analyzer: for each query the number that the scheme expects. */
export async function runQueries(directory: string, row: Row): Promise<Outcome> {
  const scheme = join(directory, row.expected);
  const [document] = await readManifests([scheme]);
  const root = document?.value;
  if (!isObject(root)) return failure("no scheme");
  const configs = await loadConfigs(scheme, root).catch((error: unknown) => String(error));
  if (typeof configs === "string") return skipped(`inputs that are not in the corpus: ${configs.slice(0, 60)}`);
  const all = [...configs.values()].flatMap((c) => [...c.topology, ...c.policies]);
  if (all.some(isForeign)) return skipped("policies of Istio");
  if (all.some(isIngress)) return skipped("ingress controllers as policies of other pods");
  const wrong: string[] = [];
  for (const query of listOf(root["queries"])) {
    if (!isObject(query) || typeof query["expected"] !== "number") continue;
    const actual = await answer(query, configs);
    if (actual !== query["expected"]) wrong.push(`${String(query["name"])}: got ${actual}, expected ${query["expected"]}`);
  }
  return wrong.length === 0
    ? passed
    : failure(`${wrong.length} of ${listOf(root["queries"]).length} queries: ${wrong.join("; ")}`);
}

/** The last query of an entry counts, as there. */
async function answer(query: JsonObject, configs: ReadonlyMap<string, Config>): Promise<number> {
  let result = 0;
  for (const kind of Object.keys(query).filter((key) => !notQueries.has(key))) {
    const sets = listOf(query[kind]).map((reference) => pick(configs, String(reference)));
    result = await ask(kind, sets);
  }
  return result;
}

async function ask(kind: string, sets: readonly Config[]): Promise<number> {
  const [base, ...others] = sets;
  if (base === undefined) return 0;
  const each = (one: (config: Config) => Promise<number>) => sum(sets, one);
  const againstBase = (two: (config: Config, base: Config) => Promise<number>) => sum(others, (config) => two(config, base));
  const pairs = (two: (a: Config, b: Config) => Promise<number>) => sum(sets, (a, i) => sum(sets.slice(i + 1), (b) => two(a, b)));
  switch (kind) {
    case "connectivityMap":
      return 0;
    case "emptiness":
      return each(emptiness);
    case "vacuity":
      return each(async (c) => Number(await equivalent(c, { ...c, policies: [] })));
    case "redundancy":
      return each(redundancy);
    case "sanity":
      return each(sanity);
    case "disjointness":
      return each(disjointness);
    case "allCaptured":
      return each(uncaptured);
    case "equivalence":
      return pairs(async (a, b) => Number(!(await sameTopology(a, b)) || !(await equivalent(a, b))));
    case "strongEquivalence":
      return pairs(strongDifference);
    case "semanticDiff":
      return pairs(semanticDifference);
    case "twoWayContainment":
      return pairs(twoWay);
    case "containment":
      return againstBase(async (a, b) => Number(await contained(a, b)));
    case "permits":
      return againstBase(async (a, b) => Number((await sameTopology(a, b)) && !(await contained(a, b, "explicit"))));
    case "forbids":
      return againstBase(async (a, b) =>
        Number((await sameTopology(a, b)) && (await compare(a, b, (x, y) => meets(x.explicit, y.all)))),
      );
    case "interferes":
      return againstBase(interferes);
    case "pairwiseInterferes":
      return sum(sets, (a) =>
        sum(
          sets.filter((b) => b.name !== a.name),
          (b) => interferes(a, b),
        ),
      );
    default:
      throw new Error(`no query ${kind}`);
  }
}

async function sum<T>(list: readonly T[], one: (item: T, index: number) => Promise<number>): Promise<number> {
  let total = 0;
  for (const [i, item] of list.entries()) total += await one(item, i);
  return total;
}

interface Sides {
  readonly all: Relation;
  readonly explicit: Relation;
}

async function compare<T>(a: Config, b: Config, with2: (a: Sides, b: Sides) => T): Promise<T> {
  const atoms = await atomsOf([a, b]);
  return with2(await relationsOf(a, atoms), await relationsOf(b, atoms));
}

async function idsOf(config: Config): Promise<ReadonlySet<string>> {
  return new Set((await networkOf(config)).workloads.map((w) => w.id));
}

async function sameTopology(a: Config, b: Config): Promise<boolean> {
  if (a.topology === b.topology) return true;
  const describe = async (config: Config) =>
    (await networkOf(config)).workloads
      .map((w) => `${w.id} ${JSON.stringify(Object.entries(w.labels).sort())}`)
      .sort()
      .join("\n");
  return (await describe(a)) === (await describe(b));
}

function equivalent(a: Config, b: Config): Promise<boolean> {
  return compare(a, b, (x, y) => isContained(x.all, y.all) && isContained(y.all, x.all));
}

async function contained(a: Config, b: Config, side: keyof Sides = "all"): Promise<boolean> {
  const [own, other] = [await idsOf(a), await idsOf(b)];
  if ([...own].some((id) => !other.has(id))) return false;
  return compare(a, b, (x, y) => isContained(x[side], y.all));
}

async function twoWay(a: Config, b: Config): Promise<number> {
  const [first, second] = [await contained(a, b), await contained(b, a)];
  if (first && second) return 3;
  return first ? 2 : second ? 1 : 0;
}

async function interferes(a: Config, b: Config): Promise<number> {
  if (!(await sameTopology(a, b))) return 0;
  return compare(a, b, (x, y) => Number(!isContained(x.explicit, y.explicit)));
}

async function strongDifference(a: Config, b: Config): Promise<number> {
  if (!(await sameTopology(a, b))) return 1;
  const key = (config: Config) => config.policies.map((p) => `${p.value.kind} ${namespaceOf(p.value)}/${nameOf(p.value)}`).sort();
  if (key(a).join() !== key(b).join()) return 1;
  for (const policy of a.policies) {
    const only = (config: Config) => ({
      ...config,
      policies: config.policies.filter(
        (p) =>
          p.value.kind === policy.value.kind &&
          nameOf(p.value) === nameOf(policy.value) &&
          namespaceOf(p.value) === namespaceOf(policy.value),
      ),
    });
    if (!(await equivalent(only(a), only(b)))) return 1;
  }
  return 0;
}

/** Categories with changed connections. */
async function semanticDifference(a: Config, b: Config): Promise<number> {
  const [old, now] = [await idsOf(a), await idsOf(b)];
  const captured = new Set<string>();
  for (const config of [a, b]) {
    const network = await networkOf(config);
    for (const w of network.workloads)
      if (network.selecting(w, "ingress").length + network.selecting(w, "egress").length > 0) captured.add(w.id);
  }
  const groupOfId = (id: string) => (id.startsWith("@") ? "ip" : !now.has(id) ? "removed" : !old.has(id) ? "added" : "kept");
  const categories = (relation: Relation, change: string) =>
    [...relation.keys()].flatMap((key) => {
      const [from = "", to = ""] = key.split("|");
      const ends = [groupOfId(from), groupOfId(to)].sort().join();
      // What no policy is about on either side cannot have changed.
      const isKept = ends === "ip,kept" || ends === "kept,kept";
      return isKept && !captured.has(from) && !captured.has(to) ? [] : [`${change} ${ends}`];
    });
  return compare(
    a,
    b,
    (x, y) => new Set([...categories(lessRelation(x.all, y.all), "lost"), ...categories(lessRelation(y.all, x.all), "new")]).size,
  );
}

async function emptiness(config: Config): Promise<number> {
  const network = await networkOf(config);
  return sum(
    active(network.compiled),
    async (policy) => Number(network.selectedBy(policy.info).length === 0) + (await emptyRules(config, policy)).length,
  );
}

function active(policies: readonly CompiledPolicy[]): readonly CompiledPolicy[] {
  return policies.filter((p) => p.info.active);
}

/** Rules of which one side means nobody; of Calico's both sides are looked at. */
async function emptyRules(config: Config, policy: CompiledPolicy): Promise<readonly CompiledRule[]> {
  const network = await networkOf(config);
  const selected = network.selectedBy(policy.info);
  const isCalico = policy.info.kind.startsWith("Calico");
  const meansNobody = (rule: CompiledRule) =>
    rule.peers.every((term) => {
      const { workloads, isOpen } = network.meant(term);
      const isEveryPod = term.pods?.everyPod === true && term.pods.namespaces.kind === "all";
      return (
        workloads.length === 0 &&
        !(isOpen && isEveryPod) &&
        term.everything !== true &&
        (term.external ?? undefined)?.isEmpty !== false
      );
    });
  const subjectsNobody = (rule: CompiledRule) => {
    if (!isCalico) return false;
    if (rule.subjects === undefined) return selected.length === 0;
    const meant = network.meant(rule.subjects).workloads;
    return !selected.some((w) => meant.includes(w));
  };
  return [...policy.rules.ingress, ...policy.rules.egress].flatMap((rule) => [
    ...(meansNobody(rule) ? [rule] : []),
    ...(subjectsNobody(rule) ? [rule] : []),
  ]);
}

function without(config: Config, info: PolicyInfo): Config {
  return { ...config, policies: config.policies.filter((p) => p !== info.document) };
}

async function isRedundantPolicy(config: Config, { info }: CompiledPolicy): Promise<boolean> {
  return config.policies.length > 1 && equivalent(config, without(config, info));
}

async function redundantRules(config: Config, policy: CompiledPolicy): Promise<readonly CompiledRule[]> {
  const found: CompiledRule[] = [];
  for (const direction of ["ingress", "egress"] as const) {
    for (const rule of policy.rules[direction]) {
      const index = Number(rule.path.at(-1));
      const changed = withoutRule(policy.info.document, direction, index, policy.info.directions);
      const { policies } = config;
      const modified = { ...config, policies: policies.map((p) => (p === policy.info.document ? changed : p)) };
      if (await equivalent(config, modified)) found.push(rule);
    }
  }
  return found;
}

async function redundancy(config: Config): Promise<number> {
  const network = await networkOf(config);
  return sum(active(network.compiled), async (policy) =>
    (await isRedundantPolicy(config, policy)) ? 1 : (await redundantRules(config, policy)).length,
  );
}

async function sanity(config: Config): Promise<number> {
  const network = await networkOf(config);
  const isVacuous = await equivalent(config, { ...config, policies: [] });
  const issues = await sum(active(network.compiled), async (policy) => {
    if (network.selectedBy(policy.info).length === 0) return 1;
    const empty = await emptyRules(config, policy);
    if (isVacuous) return empty.length;
    if (await isRedundantPolicy(config, policy)) return empty.length + 1;
    const redundant = (await redundantRules(config, policy)).filter((rule) => !empty.includes(rule));
    return empty.length + redundant.length;
  });
  return issues + Number(isVacuous);
}

async function disjointness(config: Config): Promise<number> {
  const network = await networkOf(config);
  const selected = active(network.compiled).map((p) => network.selectedBy(p.info));
  return sum(selected, async (one, i) => selected.slice(0, i).filter((other) => other.some((w) => one.includes(w))).length);
}

async function uncaptured(config: Config): Promise<number> {
  const network = await networkOf(config);
  // Without policies pods are counted, of one owner two at most; with them owners.
  if (config.policies.length === 0) return network.workloads.reduce((n, w) => n + Math.min(w.replicas ?? 1, 2), 0);
  const owners = (direction: "ingress" | "egress") =>
    new Set(network.workloads.filter((w) => network.selecting(w, direction).length === 0).map((w) => w.id.replace(/\].*/, "]")));
  return owners("ingress").size + owners("egress").size;
}
