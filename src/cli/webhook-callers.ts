import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { ServerMetrics } from "../server/metrics/metrics.ts";
import type { CallRefusal, ReviewCallers } from "../server/webhook/callers.ts";
import type { CallKeys } from "../services/admission/call-keys.ts";
import { UsageError } from "./command.ts";

export interface CallerFlags {
  /** A file with the authorities of API servers' client certificates. */
  readonly webhookClientCa?: string;
  /** The common names that those certificates may have. */
  readonly webhookClientName?: readonly string[];
}

export interface ServedCallers extends ReviewCallers {
  /** Looks at the authorities' file again; whether it has changed. */
  readonly renew: () => Promise<boolean>;
}

/** Which calls of the webhook are answered; the others are counted, and told once a minute. */
export async function servedCallers(
  { webhookClientCa: file, webhookClientName: names }: CallerFlags,
  keys: CallKeys,
  metrics: ServerMetrics,
  onTrouble: (error: unknown) => void,
): Promise<ServedCallers> {
  if (file === undefined && names !== undefined)
    throw new UsageError("--webhook-client-name says which certificates of --webhook-client-ca are meant: name that, too");
  let pem = file === undefined ? "" : await authorities(file);
  const refused = new Refusals(metrics, onTrouble);
  return {
    open: (path) => keys.open(path),
    certificates: file === undefined ? undefined : { authorities: () => pem, names: new Set(names) },
    onRefused: (why, address) => refused.take(why, address),
    renew: async () => {
      if (file === undefined) return false;
      const before = pem;
      pem = await authorities(file);
      return pem !== before;
    },
  };
}

/** Throws `UsageError` where a file has no certificates: then nobody could call. */
async function authorities(file: string): Promise<string> {
  const pem = await readFile(file, "utf8").catch((error: Error) => {
    throw new UsageError(`--webhook-client-ca: ${error.message}`);
  });
  try {
    new X509Certificate(pem);
  } catch {
    throw new UsageError(`--webhook-client-ca: ${file} holds no certificate in PEM`);
  }
  return pem;
}

const minute = 60_000;
const reasons: { readonly [why in CallRefusal]: string } = {
  key: "not under a path that is registered",
  certificate: "without a client certificate that is trusted",
  connections: "from an address with too many connections",
};

/** A flood of calls is a line a minute. */
class Refusals {
  readonly #metrics: ServerMetrics;
  readonly #onTrouble: (error: unknown) => void;
  #untold = 0;
  #pause: NodeJS.Timeout | undefined;

  constructor(metrics: ServerMetrics, onTrouble: (error: unknown) => void) {
    this.#metrics = metrics;
    this.#onTrouble = onTrouble;
  }

  take(why: CallRefusal, address: string): void {
    this.#metrics.refused(why);
    this.#untold++;
    if (this.#pause !== undefined) return;
    const calls = this.#untold === 1 ? "a call was" : `${this.#untold} calls were`;
    this.#onTrouble(new Error(`${calls} refused at the webhook, the last one ${reasons[why]}, from ${address}`));
    this.#untold = 0;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
    }, minute).unref();
  }
}
