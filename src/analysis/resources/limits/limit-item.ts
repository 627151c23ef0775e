import { asString, isArray, isObject, type JsonPath, type JsonValue, member } from "../../../core/json.ts";
import type { KubernetesObject } from "../../../core/kubernetes.ts";
import { integerQuantity, parseQuantity, type Quantity } from "../../../core/quantity.ts";

type QuantityMap = ReadonlyMap<string, Quantity>;

/** One item of a LimitRange as its author wrote it; values that are no quantities are left out. */
export interface LimitItem {
  readonly path: JsonPath;
  readonly type: string;
  readonly max: QuantityMap;
  readonly min: QuantityMap;
  readonly default: QuantityMap;
  readonly defaultRequest: QuantityMap;
  readonly ratio: QuantityMap;
}

export function limitItems(limitRange: KubernetesObject): readonly LimitItem[] {
  const limits = member(limitRange["spec"], "limits");
  if (!isArray(limits)) return [];
  return limits.map((item, index) => ({
    path: ["spec", "limits", index],
    type: asString(member(item, "type")) ?? "",
    max: quantities(member(item, "max")),
    min: quantities(member(item, "min")),
    default: quantities(member(item, "default")),
    defaultRequest: quantities(member(item, "defaultRequest")),
    ratio: quantities(member(item, "maxLimitRequestRatio")),
  }));
}

function quantities(value: JsonValue | undefined): QuantityMap {
  if (!isObject(value)) return new Map();
  return new Map(
    Object.entries(value).flatMap(([name, text]) => {
      // A null is a zero, as Go reads it.
      if (text === null) return [[name, integerQuantity(0n, "DecimalSI")] as const];
      const quantity = typeof text === "string" || typeof text === "number" ? parseQuantity(String(text)) : undefined;
      return quantity === undefined ? [] : [[name, quantity] as const];
    }),
  );
}

/** What the API server stores: of a Container item, a maximum is also the default, and a default also the default request. */
export function withServerDefaults(item: LimitItem): LimitItem {
  if (item.type !== "Container") return item;
  const limits = new Map([...item.max, ...item.default]);
  const requests = new Map([...item.min, ...limits, ...item.defaultRequest]);
  return { ...item, default: limits, defaultRequest: requests };
}
