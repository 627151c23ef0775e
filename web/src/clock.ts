import { useEffect, useState } from "react";

/** How far this browser's clock is behind the server's, milliseconds; the server's `Date` is whole seconds. */
let behind = 0;

/** Called with each answer of the server. */
export function setServerTime(date: string | null): void {
  const server = Date.parse(date ?? "");
  if (Number.isNaN(server)) return;
  const difference = server - Date.now();
  if (Math.abs(difference - behind) > 1500) behind = difference;
}

/** The server's time, new every second: what is left of a grant is no matter of the browser's clock. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now() + behind);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() + behind), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** `2 d 3 h`, `4 min 10 s`, `9 s`; whole seconds, never less than none. */
export function durationText(milliseconds: number): string {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const parts = [
    [Math.floor(total / 86_400), "d"],
    [Math.floor(total / 3600) % 24, "h"],
    [Math.floor(total / 60) % 60, "min"],
    [total % 60, "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}
