import { addToTime, calendarOf, timeFromMilliseconds } from "../../../../core/go-time.ts";
import { type Library, overload, type StructDeclaration } from "../../declarations.ts";
import {
  type CelTypeOf,
  doubleType,
  durationType,
  intType,
  listType,
  mapType,
  stringType,
  structType,
  timestampType,
} from "../../types.ts";
import { elementAt, MapBuilder, mapFind } from "../../values/containers.ts";
import { isNumeric } from "../../values/equality.ts";
import { makeDouble } from "../../values/numbers.ts";
import {
  CelError,
  type CelList,
  type CelValue,
  Double,
  type Duration,
  Failure,
  type Int,
  isMap,
  Timestamp,
  type Value,
} from "../../values/value.ts";
import { outsideOverload } from "./context-value.ts";

const serviceAccountType = structType("user.ServiceAccount");
const serviceAccountFields = new Map([
  ["Name", stringType],
  ["Namespace", stringType],
]);
const serviceAccount: StructDeclaration = { type: serviceAccountType, field: (name) => serviceAccountFields.get(name) };
const serviceAccountPrefix = "system:serviceaccount:";

function parseServiceAccount(user: string): Value {
  if (!user.startsWith(serviceAccountPrefix)) return { Name: "", Namespace: "" };
  const rest = user.slice(serviceAccountPrefix.length);
  const colon = rest.indexOf(":");
  return colon < 0 ? { Name: "", Namespace: "" } : { Namespace: rest.slice(0, colon), Name: rest.slice(colon + 1) };
}

const list: CelTypeOf<CelList | readonly CelValue[]> = listType;
const timestamp: CelTypeOf<Timestamp> = timestampType;
const duration: CelTypeOf<Duration> = durationType;
const int: CelTypeOf<Int> = intType;
const double: CelTypeOf<Double | number> = doubleType as CelTypeOf<Double | number>;

/** One map of two lists of objects: keys from the first, values from the second. */
function listObjToMap(
  keys: CelList | readonly CelValue[],
  values: CelList | readonly CelValue[],
  keyName: string,
  valueName: string,
): Value {
  if (keys.length !== values.length) {
    return new CelError(`listObjToMap must take lists of equal length. list1: ${keys.length}, list2: ${values.length}`);
  }
  const map = new MapBuilder();
  for (let i = 0; i < keys.length; i++) {
    const [key, value] = [elementAt(keys, i), elementAt(values, i)];
    if (!isMap(key) || !isMap(value)) return new CelError("listObjToMap must take lists of maps");
    const name = mapFind(key, keyName);
    if (typeof name !== "string") {
      return new CelError("the passed key name cannot be handled as a string in the key object list");
    }
    const found = mapFind(value, valueName) ?? null;
    if (found instanceof Failure) return found;
    map.set(name, found);
  }
  return map.build();
}

/** Half away from zero, as Go rounds. */
function round(value: Double | number, digits: Int): Value {
  const number = value instanceof Double ? value.value : value;
  if (!isNumeric(digits)) return new CelError("no such overload");
  const shift = 10 ** Number(digits);
  const shifted = number * shift;
  return makeDouble((Math.sign(shifted) * Math.round(Math.abs(shifted))) / shift);
}

const firstOfJanuaryYear1 = -62_135_596_800_000_000_000n;

/** Down to a multiple of `unit` since the year 1. */
function truncate({ ns, offset }: Timestamp, unit: Duration): Value {
  if (unit.ns <= 0n) return new Timestamp(ns, offset);
  const since = ns - firstOfJanuaryYear1;
  return new Timestamp(ns - (since % unit.ns), offset);
}

function toCron({ ns }: Timestamp): Value {
  const date = calendarOf(addToTime(timeFromMilliseconds(0), ns));
  const parts = [date.getUTCMinutes(), date.getUTCHours(), date.getUTCDate(), date.getUTCMonth() + 1, date.getUTCDay()];
  return parts.join(" ");
}

const parseOverload = (suffix: string) =>
  overload(`parse_service_account_string_${suffix}`, [stringType], serviceAccountType, parseServiceAccount);
const mapOverload = (suffix: string) =>
  overload(`list_obj_to_map_${suffix}`, [list, list, stringType, stringType], mapType, listObjToMap);

/** Service accounts, lists of objects, rounding, and the time. */
export const valueLibrary: Library = {
  name: "kyverno.values",
  structs: [serviceAccount],
  functions: [
    { name: "parseServiceAccount", overloads: [parseOverload("non_prefixed")] },
    { name: "user.parseServiceAccount", overloads: [parseOverload("prefixed")] },
    { name: "listObjToMap", overloads: [mapOverload("non_prefixed")] },
    { name: "transform.listObjToMap", overloads: [mapOverload("prefixed")] },
    { name: "math.round", overloads: [overload("math_round_float_int", [double, int], doubleType, round)] },
    {
      name: "time.now",
      overloads: [
        outsideOverload(
          "time_now",
          [],
          timestampType,
          (_, { host }) => new Timestamp(BigInt(Math.trunc(host.now())) * 1_000_000n),
          false,
        ),
      ],
    },
    { name: "time.truncate", overloads: [overload("time_truncate", [timestamp, duration], timestampType, truncate)] },
    { name: "time.toCron", overloads: [overload("time_to_cron", [timestamp], stringType, toCron)] },
  ],
};
