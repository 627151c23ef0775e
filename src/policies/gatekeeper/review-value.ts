import { isArray, isObject, type JsonValue } from "../../core/json.ts";
import { parseNumber } from "../../languages/rego/values/number.ts";
import { fromJson, RegoObject, type Value } from "../../languages/rego/values/value.ts";

/** Gatekeeper reads objects into Go's float64, which prints large numbers with an exponent: 1e+06. */
const isPrintedWithExponent = (value: number | bigint): boolean => {
  const size = Math.abs(Number(value));
  return size >= 1e6 || (size !== 0 && size < 1e-4);
};

/** Every part of every object is asked: without closures and lists, and most parts are texts. */
function hasSuchNumber(json: JsonValue | undefined): boolean {
  if (typeof json === "string") return false;
  if (typeof json === "number" || typeof json === "bigint") return isPrintedWithExponent(json);
  if (isArray(json)) {
    for (let i = 0; i < json.length; i++) if (hasSuchNumber(json[i])) return true;
  } else if (isObject(json)) {
    for (const key in json) {
      const part = json[key];
      if (typeof part !== "string" && hasSuchNumber(part)) return true;
    }
  }
  return false;
}

/** The number as Go's `strconv.FormatFloat(x, 'g', -1, 64)` spells it. */
function spelled(value: number | bigint): Value {
  if (!isPrintedWithExponent(value)) return fromJson(value);
  const [digits = "", exponent = "0"] = Number(value).toExponential().split("e");
  const power = Number(exponent);
  return parseNumber(`${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`) ?? fromJson(value);
}

function converted(json: JsonValue): Value {
  if (typeof json === "number" || typeof json === "bigint") return spelled(json);
  if (isArray(json)) return json.map(converted);
  if (!isObject(json) || !hasSuchNumber(json)) return fromJson(json);
  return RegoObject.of(Object.entries(json).flatMap(([key, item]) => (item === undefined ? [] : [[key, converted(item)]])));
}

/** A JSON value as templates see it. */
export function reviewValue(json: JsonValue): Value {
  return hasSuchNumber(json) ? converted(json) : fromJson(json);
}
