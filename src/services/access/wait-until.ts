/** How often it is looked anyway, in case a change was not heard of. */
const lookMilliseconds = 1000;

interface Wait<T> {
  /** Undefined: there is nothing to wait for. */
  readonly read: () => Promise<T | undefined>;
  readonly isOver: (value: T) => boolean;
  /** Calls back when it may have changed; the answer ends that. */
  readonly onChange: (told: () => void) => () => void;
  /** Milliseconds until there is no more waiting. */
  readonly left: () => number;
  readonly signals: readonly AbortSignal[];
  readonly onTrouble: (error: Error) => void;
}

/** Reads until it is over, the time is up or somebody aborts; then answers what it read last. */
export async function waitUntil<T>({ read, isOver, onChange, left, signals, onTrouble }: Wait<T>): Promise<T | undefined> {
  const signal = AbortSignal.any([...signals]);
  let wake = () => {};
  let told = false;
  const stop = onChange(() => {
    told = true;
    wake();
  });
  const abort = () => wake();
  signal.addEventListener("abort", abort);
  let last: T | undefined;
  try {
    for (;;) {
      told = false;
      try {
        last = await read();
        if (last === undefined || isOver(last)) return last;
      } catch (error) {
        // It is read again; whoever waits is not told that the database was away for a moment.
        onTrouble(error instanceof Error ? error : new Error(String(error)));
      }
      if (signal.aborted || left() <= 0) return last;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, Math.min(lookMilliseconds, left())));
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        if (told || signal.aborted) wake();
      });
      if (signal.aborted) return last;
    }
  } finally {
    signal.removeEventListener("abort", abort);
    stop();
  }
}
