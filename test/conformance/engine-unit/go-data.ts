import { isArray, isObject, type JsonObject, type JsonValue } from "../../../src/core/json.ts";

/** A row that holds a Go expression which has no meaning outside its program. */
export class GoExpression extends Error {
  constructor(source: string) {
    super(`Go expression ${source}`);
  }
}

const durationUnits: { readonly [unit: string]: number } = { Hour: 3600, Minute: 60, Second: 1, Millisecond: 0.001 };

/** Constants of the engines that rows name. */
const constants: { readonly [source: string]: JsonValue } = {
  "operator.Equal": "",
  "operator.NotEqual": "!",
  "operator.More": ">",
  "operator.Less": "<",
  "operator.MoreEqual": ">=",
  "operator.LessEqual": "<=",
  "operator.InRangeRegex": "-",
  "operator.NotInRangeRegex": "!-",
  "rbacv1.ServiceAccountKind": "ServiceAccount",
  "rbacv1.UserKind": "User",
  "rbacv1.GroupKind": "Group",
  PodControllers: ["CronJob", "DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"],
  Condition: "condition",
  Global: "global",
  Negation: "negation",
  AddIfNotPresent: "add",
  Equality: "equality",
  Existence: "existence",
};

function constant(source: string): JsonValue {
  if (Object.hasOwn(constants, source)) return constants[source] ?? null;
  const duration = /^(-?\d+) \* time\.(\w+)$/.exec(source);
  const unit = durationUnits[duration?.[2] ?? ""];
  if (unit !== undefined) return `${Number(duration?.[1]) * unit}s`;
  const operator = /^\w+\.ConditionOperators\["(\w+)"\]$/.exec(source)?.[1];
  if (operator !== undefined) return operator;
  const signed = /^(?:u?int\d*|float\d*)\((-?[\d.]+)\)$/.exec(source)?.[1];
  if (signed !== undefined) return Number(signed);
  const product = /^([\d.]+) \* ([\d.]+)$/.exec(source);
  if (product !== null) return Number(product[1]) * Number(product[2]);
  throw new GoExpression(source);
}

/** Calls whose value is their argument list or their only argument. */
function call(name: string, args: readonly JsonValue[]): JsonValue {
  if (name.startsWith("sets.New")) return args;
  if (name.endsWith(".ConditionOperator") && args.length === 1) return args[0] ?? null;
  if ((name === "mustParse" || /^(?:int|int32|int64|float32|float64|string)$/.test(name)) && args.length === 1)
    return args[0] ?? null;
  throw new GoExpression(`${name}(...)`);
}

/** The plain value behind a row's typed Go literals; the names of types are dropped. @throws GoExpression */
export function plain(value: JsonValue | undefined): JsonValue {
  if (isArray(value)) return value.map(plain);
  if (!isObject(value)) return value ?? null;
  const { $go, $call, $elts, $type, args, ...members } = value;
  if (typeof $go === "string") return constant($go);
  if (typeof $call === "string") return call($call, isArray(args) ? args.map(plain) : []);
  if ($type === "struct{}") throw new GoExpression("struct{}{}");
  if (isArray($elts)) return $elts.length === 0 ? {} : $elts.map(plain);
  const rest: JsonObject = $type === undefined && args !== undefined ? { ...members, args } : members;
  const entries = Object.entries($type === undefined ? rest : members).map(([key, v]) => [goConstant(key), plain(v)] as const);
  return Object.fromEntries(entries);
}

/** Map keys may be constants too. */
function goConstant(key: string): string {
  return key === "kyverno.AnnotationAutogenControllers" ? "pod-policies.kyverno.io/autogen-controllers" : key;
}
