import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { tests } from "@bufbuild/cel-spec/testdata/conformance.js";
import { isArray, isObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";
import { check } from "../../src/languages/cel/checker.ts";
import { parse } from "../../src/languages/cel/parser.ts";
import { formatType } from "../../src/languages/cel/types.ts";
import { admissionEnv } from "../../src/policies/cel/environment.ts";

function* packaged(suite: JsonValue | undefined): Iterable<JsonObject> {
  if (!isObject(suite)) return;
  for (const inner of isArray(suite["suites"]) ? suite["suites"] : []) yield* packaged(inner);
  for (const test of isArray(suite["tests"]) ? suite["tests"] : []) {
    const row: JsonValue | undefined = isObject(test) ? test["original"] : undefined;
    if (isObject(row)) yield row;
  }
}

/** Expressions of cel-spec that need no variables and no messages. */
function specExpressions(): readonly string[] {
  const data: JsonValue = JSON.parse(JSON.stringify(tests));
  const plain = Array.from(packaged(data)).filter(
    (row) =>
      row["bindings"] === undefined &&
      row["container"] === undefined &&
      row["disableMacros"] !== true &&
      row["disableCheck"] !== true,
  );
  const texts = plain.map((row) => String(row["expr"]));
  return texts.filter(
    (text) => !/TestAllTypes|google\.protobuf|cel\.expr|proto\.|cel\.(?:bind|block|index)|math\.|base64/.test(text),
  );
}

/** Expressions of Kubernetes' library tests, where the conformance corpora are. */
function libraryExpressions(): readonly string[] {
  const root = process.env["CASTELLAN_CONFORMANCE"] ?? join(import.meta.dirname, "../../../shared/conformance");
  const file = join(root, "k8s-cel/library.json");
  if (!existsSync(file)) return [];
  const rows: JsonValue = JSON.parse(readFileSync(file, "utf8"));
  return isArray(rows) ? rows.filter(isObject).map((row) => String(row["expr"])) : [];
}

/** What policies ask of the object that {@link caseObject} makes, and of the request. */
const objectExpressions: readonly string[] = [
  "object.metadata.name.startsWith('case-')",
  "object.metadata.labels['case'] != ''",
  "object.metadata.labels.missing == 'x'",
  "has(object.metadata.labels.missing)",
  "object.?metadata.?labels[?'missing'].orValue('none') == 'none'",
  "object.metadata.?annotations.hasValue()",
  "object.data.all(k, v, k.size() > 1)",
  "object.data.exists(k, object.data[k] == 'beta')",
  "object.data.map(k, object.data[k]).size() == 3",
  "object.data.count.matches('^[0-9]+$') && int(object.data.count) > 3",
  "int(object.data.name) > 1",
  "object.data.filter(k, k.startsWith('c')) == ['count']",
  "object.nothing.here == 1",
  "!has(object.nothing) || object.nothing.here == 1",
  "object.data.name + 1 == 'a'",
  "object.data['absent'].size() > 0",
  "size(object.data) == 3.0",
  "oldObject == null",
  "oldObject.metadata.name == 'x'",
  "request.operation == 'CREATE' && request.dryRun",
  "request.resource.resource == 'configmaps' && request.kind.kind == 'ConfigMap'",
  "request.userInfo.username == 'admin'",
  "'system:masters' in request.userInfo.groups",
  "request.name == object.metadata.name",
  "request.namespace == 'default'",
  "request.subResource == ''",
  "has(request.subResource)",
  "request.userInfo.extra.size() > 0",
  "namespaceObject.metadata.name == 'default'",
  "namespaceObject.metadata.labels['kubernetes.io/metadata.name'] == 'default'",
  "namespaceObject.status.phase == 'Active'",
  "authorizer.group('').resource('pods').namespace('default').check('delete').allowed()",
  "authorizer.requestResource.check('create').allowed()",
  "authorizer.path('/healthz').check('get').reason() == ''",
  "authorizer.serviceAccount('default', 'nobody').group('').resource('secrets').check('list').allowed()",
  "object.data.memory == quantity('1Gi')",
  "quantity(object.data.memory).isGreaterThan(quantity('512Mi'))",
  "quantity(object.data.name).isInteger()",
  "url('https://' + object.data.name + '.example.com/').getHostname() == 'beta.example.com'",
  "object.data.name.find('[a-m]+') == 'be'",
  "object.data.map(k, object.data[k]).isSorted()",
  "variables.nothing == 1",
  "params.data.x == '1'",
  "object.data.transformList(k, v, k + v).size() == 2",
  "object.data.name.format(['x']) == 'x'",
  "'%s-%d'.format([object.data.name, 3]) == 'beta-3'",
  "[1, 2, 3, 4].map(i, [1, 2, 3, 4].map(j, [1, 2, 3, 4].map(k, [1, 2, 3, 4].map(l, i * j * k * l)))).size() == 5",
  "object.data.name.lowerAscii().upperAscii() == 'BETA'",
  "type(object.metadata.labels) == map && type(object.data.count) == string",
];

/** The label of the case is what its policy selects. */
export function caseObject(name: string): JsonObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "default", labels: { case: name } },
    data: { name: "beta", count: "7", memory: "1Gi" },
  };
}

const env = admissionEnv({ params: false, authorizer: true });

/** What makes the value of an expression visible: as it is, as the message of a denial, or by failing where it fails. */
export function validationOf(source: string): JsonObject {
  const parsed = parse(source, env.syntax);
  const checked = parsed.ok ? check(parsed.value, env) : parsed;
  const type = checked.ok ? formatType(checked.value.resultType) : "bool";
  if (type === "bool") return { expression: source };
  if (type === "string") return { expression: "false", messageExpression: source };
  if (/^(?:int|uint|double|timestamp|duration)$|protobuf/.test(type))
    return { expression: `string(${source}) == 'never'`, messageExpression: `string(${source})` };
  return { expression: `[dyn(${source})] == ['never']` };
}

/** Every `step`th of the official ones, and all others. */
export function admissionExpressions(wanted: number): readonly string[] {
  const others = [...objectExpressions, ...libraryExpressions()];
  const official = [...new Set(specExpressions())];
  const step = Math.max(1, Math.floor(official.length / Math.max(1, wanted - others.length)));
  return [...others, ...official.filter((_, i) => i % step === 0)];
}
