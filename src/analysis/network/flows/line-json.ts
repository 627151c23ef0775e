import { isObject, type JsonObject, type JsonValue } from "../../../core/json.ts";

/** A line that is a JSON object; undefined where it is anything else. */
export function jsonLine(line: string): JsonObject | undefined {
  try {
    const value: JsonValue = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function objectIn(value: JsonObject | undefined, key: string): JsonObject | undefined {
  const found = value?.[key];
  return isObject(found) ? found : undefined;
}

/** Empty where there is no text. */
export function textIn(value: JsonObject | undefined, key: string): string {
  const found = value?.[key];
  return typeof found === "string" ? found : "";
}

export function numberIn(value: JsonObject | undefined, key: string): number | undefined {
  const found = value?.[key];
  return typeof found === "number" ? found : undefined;
}

/** Milliseconds since 1970 of an RFC 3339 text; undefined where it is none. */
export function timeOf(text: string): number | undefined {
  if (text === "") return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}

/** `10.0.0.1:80` and `[fd00::1]:80`; undefined where the text is neither. */
export function hostAndPort(text: string): { readonly ip: string; readonly port: number } | undefined {
  const colon = text.lastIndexOf(":");
  if (colon <= 0) return undefined;
  const host = text.slice(0, colon);
  const port = Number(text.slice(colon + 1));
  if (!Number.isInteger(port) || port < 0 || port > 65_535) return undefined;
  return { ip: host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host, port };
}
