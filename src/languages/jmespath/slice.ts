import { isArray, type JsonValue } from "../../core/json.ts";
import { JmesPathError } from "./errors.ts";

/** `[start:stop:step]` as in Python. */
export function compileSlice(
  parts: readonly [number | undefined, number | undefined, number | undefined],
): (current: JsonValue) => JsonValue {
  const [start, stop, step = 1] = parts;
  return (current) => {
    if (!isArray(current)) return null;
    if (step === 0) throw new JmesPathError("Invalid slice, step cannot be 0");
    const { length } = current;
    const from = start === undefined ? (step < 0 ? length - 1 : 0) : clamp(start, length, step);
    const to = stop === undefined ? (step < 0 ? -1 : length) : clamp(stop, length, step);
    const taken: JsonValue[] = [];
    for (let i = from; step > 0 ? i < to : i > to; i += step) taken.push(current[i] ?? null);
    return taken;
  };
}

function clamp(index: number, length: number, step: number): number {
  const absolute = index < 0 ? index + length : index;
  if (absolute < 0) return step < 0 ? -1 : 0;
  if (absolute >= length) return step < 0 ? length - 1 : length;
  return absolute;
}
