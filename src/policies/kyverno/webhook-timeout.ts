import type { JsonValue } from "../../core/json.ts";
import { between } from "./shape.ts";

/** What Kubernetes lets a webhook take, seconds. */
const [least, most] = [1, 30];

export const webhookTimeoutShape = between(least, most);

/** What a policy says its webhook may take, seconds; undefined where it says nothing that fits the shape, which is reported there. */
export function webhookTimeout(value: JsonValue | undefined): number | undefined {
  const seconds = typeof value === "bigint" ? Number(value) : value;
  return typeof seconds === "number" && Number.isInteger(seconds) && seconds >= least && seconds <= most ? seconds : undefined;
}
