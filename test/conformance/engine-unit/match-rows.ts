import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Subject } from "../../../src/core/action.ts";
import { isArray, isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";
import { gvkOf, isKubernetesObject, type KubernetesObject } from "../../../src/core/kubernetes.ts";
import type { SourceDocument } from "../../../src/core/source.ts";
import { matchWildcard } from "../../../src/core/wildcard.ts";
import { findPodSpecs } from "../../../src/core/workload/find.ts";
import { parseWorkloadCatalogue } from "../../../src/core/workload/parse-catalogue.ts";
import { parseDocuments } from "../../../src/core/yaml/parse-documents.ts";
import {
  autogenAnnotation,
  autogenRuleName,
  computeRules,
  isAutogenRuleName,
  supportedControllers,
} from "../../../src/policies/kyverno/autogen.ts";
import { parseKindSelector } from "../../../src/policies/kyverno/kind-selector.ts";
import { compileMatch } from "../../../src/policies/kyverno/match.ts";
import { DocumentReport } from "../../../src/policies/kyverno/report.ts";
import { compileSubjects } from "../../../src/policies/kyverno/subjects.ts";
import { expectJson, failure, type Outcome, passed } from "../corpus.ts";
import { expectEqual, field, item, objectOf, type RowJudge, type RowJudges, text, texts } from "./row.ts";

function report(value: KubernetesObject): DocumentReport {
  const document: SourceDocument<KubernetesObject> = {
    file: "row",
    index: 0,
    value,
    locate: () => undefined,
    locateKey: () => undefined,
  };
  return new DocumentReport(document);
}

const policy: KubernetesObject = { apiVersion: "kyverno.io/v1", kind: "ClusterPolicy" };

function subject(info: JsonValue): Subject {
  const user = field(info, "AdmissionUserInfo") ?? info;
  return {
    user: String(field(user, "Username") ?? ""),
    groups: texts(field(user, "Groups")),
    roles: texts(field(info, "Roles")),
    clusterRoles: texts(field(info, "ClusterRoles")),
  };
}

/** Whether a rule's match and exclude blocks take the object. */
function takes(rule: JsonObject, object: KubernetesObject, actor: Subject | undefined): boolean {
  const { matches } = compileMatch({ match: rule["match"], exclude: rule["exclude"] }, "", [], report(policy));
  return matches({ object, ...gvkOf(object), subresource: "", operation: "CREATE", actor, namespaceLabels: () => ({}) });
}

function parse(source: JsonValue): KubernetesObject {
  const value = parseDocuments(text(source), "row").documents[0]?.value;
  if (!isKubernetesObject(value)) throw new Error("the row holds no object");
  return value;
}

function rulesOf(object: KubernetesObject): readonly JsonObject[] {
  const rules = field(field(object, "spec"), "rules");
  return isArray(rules) ? rules.filter(isObject) : [];
}

function requested(object: JsonObject): string | undefined {
  const annotation = field(field(field(object, "metadata"), "annotations"), autogenAnnotation);
  return typeof annotation === "string" ? annotation : undefined;
}

/** Every rule, the generated ones included, has to answer as the row says. */
function description(row: JsonValue): Outcome {
  const object = parse(field(row, "Resource"));
  const source = parse(field(row, "Policy"));
  const info = field(row, "AdmissionInfo");
  const wanted = field(row, "areErrorsExpected") !== true;
  const actor = info === null ? undefined : subject(info);
  const wrong = computeRules(rulesOf(source), requested(source)).find(({ rule }) => takes(rule, object, actor) !== wanted);
  return wrong === undefined ? passed : failure(`rule ${String(wrong.rule["name"])}: expected match ${wanted}`);
}

function matching(resources: JsonObject, object: KubernetesObject): boolean {
  return takes({ match: { resources: { kinds: ["*"], ...resources } } }, object, undefined);
}

const pod = (metadata: JsonObject): KubernetesObject => ({ apiVersion: "v1", kind: "Pod", metadata });

function namespaces(row: JsonValue): Outcome {
  const resource = objectOf(field(field(row, "resource"), "Object"));
  const metadata = field(resource, "metadata");
  const patterns = texts(field(row, "namespaces"));
  const object: KubernetesObject = {
    apiVersion: "v1",
    kind: text(field(resource, "kind")),
    metadata: isObject(metadata) ? metadata : {},
  };
  // Without patterns a rule asks for no namespace at all, while the function that this row calls finds none.
  if (patterns.length === 0) return expectEqual(false, field(row, "expected"));
  return expectEqual(matching({ namespaces: patterns }, object), field(row, "expected"));
}

function annotations(row: JsonValue): Outcome {
  const args = field(row, "args");
  const expected = field(args, "expected");
  const object = pod({ annotations: field(args, "actual") ?? {} });
  return expectEqual(expected === null || matching({ annotations: expected }, object), field(row, "want"));
}

/** `MatchLabels` to `matchLabels`, all the way down. */
function lowerKeys(value: JsonValue): JsonValue {
  if (isArray(value)) return value.map(lowerKeys);
  if (!isObject(value)) return value;
  const inMap = new Set(["MatchLabels"]);
  const entries = Object.entries(value).map(([key, v]) => {
    const name = key.charAt(0).toLowerCase() + key.slice(1);
    return [name, inMap.has(key) ? (v ?? null) : lowerKeys(v ?? null)] as const;
  });
  return Object.fromEntries(entries);
}

function selector(row: JsonValue): Outcome {
  const args = field(row, "args");
  const expected = lowerKeys(field(args, "expected"));
  const object = pod({ labels: field(args, "actual") ?? {} });
  return expectEqual(matching({ selector: expected }, object), field(row, "want") ?? false);
}

function kind(row: JsonValue): Outcome {
  const { group, version, kind: name, subresource } = parseKindSelector(text(item(field(row, "args"), 0)));
  return expectJson([group, version, name, subresource], field(row, "want"));
}

function subjects(row: JsonValue): Outcome {
  const wanted = field(row, "ruleSubjects");
  const matches = compileSubjects(isArray(wanted) ? wanted.map(lowerKeys) : [], [], report(policy));
  return expectEqual(matches(subject(field(row, "userInfo"))), field(row, "want"));
}

const sorted = (names: readonly string[]): readonly string[] => [...names].sort();

const supported: RowJudge = (row) => {
  const controllers = supportedControllers(rulesOf(parse(field(row, "policy"))));
  return expectJson(sorted(controllers), sorted(texts(field(row, "expectedControllers"))));
};

const canAutogen: RowJudge = (row) => {
  const controllers = supportedControllers(rulesOf(parse(field(row, "policy"))));
  const wanted = texts(field(row, "expectedControllers"));
  return expectJson(sorted(controllers.length === 0 ? ["none"] : controllers), sorted(wanted));
};

const ruleNames: RowJudge = (row) => {
  const source = parse(field(row, "policy"));
  const names = computeRules(rulesOf(source), requested(source)).map(({ rule }) => rule["name"]);
  // Kyverno lists the generated rules right after their own; the order of ours follows its ComputeRules.
  return expectJson([...names].map(String).sort(), sorted(texts(field(row, "expectedRules"))));
};

/** The message of the rule that is generated for a kind, where the rule's own message is the text of the row. */
const rewritten: RowJudge = (row) => {
  const rule: JsonObject = {
    name: "row",
    match: { any: [{ resources: { kinds: ["Pod"] } }] },
    validate: { message: field(row, "pbyte"), pattern: { spec: {} } },
  };
  const prefix = text(field(row, "kind")) === "Pod" ? "autogen" : "autogen-cronjob";
  const generated = computeRules([rule], undefined).find((one) => one.rule["name"] === autogenRuleName(prefix, "row"));
  return expectJson(field(field(generated?.rule, "validate"), "message"), field(row, "want"));
};

/** Which controllers the annotation asks for shows in the kinds of the generated rules; null: all that can be had. */
const requestedControllers: RowJudge = (row) => {
  const annotations = field(field(row, "meta"), "Annotations");
  const rule: JsonObject = {
    name: "row",
    match: { any: [{ resources: { kinds: ["Pod"] } }] },
    validate: { pattern: { spec: {} } },
  };
  const source: JsonObject = { metadata: { annotations } };
  const kinds = computeRules([rule], requested(source))
    .flatMap((one) => (one.index === 0 && one.rule["name"] !== "row" ? [field(one.rule, "match")] : []))
    .flatMap((block) => texts(field(field(item(field(block, "any"), 0), "resources"), "kinds")))
    .map((selector) => parseKindSelector(selector).kind);
  const wanted = field(row, "expectedControllers");
  const all = ["CronJob", "DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"];
  return expectJson(sorted(kinds), wanted === null ? all : sorted(texts(wanted)));
};

const workloads = readFile(join(import.meta.dirname, "../../../catalog/workloads.yaml"), "utf8");

/** Null where the object holds no pod. */
async function podSpec(row: JsonValue): Promise<Outcome> {
  const catalogue = parseWorkloadCatalogue(parseDocuments(await workloads, "workloads.yaml").documents[0]?.value ?? null);
  const object = field(field(row, "resource"), "Object");
  if (!catalogue.ok || !isKubernetesObject(object)) return failure("the catalogue or the object cannot be read");
  const [pod] = findPodSpecs(object, catalogue.value).pods;
  return expectJson(pod?.spec ?? null, field(field(row, "expectedPod"), "Object"));
}

export const matchRows: RowJudges = {
  "autogen_v1/TestUpdateGenRuleByte": rewritten,
  "autogen_v2/Test_GetRequestedControllers": requestedControllers,
  "autogen_v2/TestExtractPodSpec": podSpec,
  "engine_utils/TestMatchesResourceDescription": description,
  "engine_utils/TestMatchesResourceDescription_GenerateName": description,
  "engine_utils/TestCheckNameSpace": namespaces,
  "engine_utils/TestCheckNameSpace_WildcardPatterns": (row) =>
    expectEqual(matching({ namespaces: [text(item(row, 1))] }, pod({ namespace: item(row, 2) })), item(row, 3)),
  "engine_utils/TestImageMatches": (row) =>
    expectEqual(
      texts(item(row, 2)).some((pattern) => matchWildcard(pattern, text(item(row, 1)))),
      item(row, 3),
    ),
  "utils_kube/TestParseKindSelector": kind,
  "utils_match/TestCheckAnnotations": annotations,
  "utils_match/TestCheckSelector": selector,
  "utils_match/TestCheckSubjects": subjects,
  "utils_match/TestCheckName": (row) => {
    const args = field(row, "args");
    return expectEqual(
      matchWildcard(String(field(args, "expected") ?? ""), String(field(args, "actual") ?? "")),
      field(row, "want"),
    );
  },
  "autogen_v1/Test_CanAutoGen": canAutogen,
  "autogen_v2/Test_CanAutoGen": canAutogen,
  "autogen_v2/Test_GetSupportedControllers": supported,
  "autogen_v2/Test_GetAutogenRuleNames": ruleNames,
  "autogen_v1/Test_getAutogenRuleName": (row) => {
    const prefix = text(item(row, 2)) === "autogen" ? "autogen" : "autogen-cronjob";
    return expectEqual(autogenRuleName(prefix, text(item(row, 1))), item(row, 3));
  },
  "autogen_v1/Test_isAutogenRule": (row) => expectEqual(isAutogenRuleName(text(item(row, 1))), item(row, 2)),
};
