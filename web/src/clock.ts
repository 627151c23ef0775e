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
