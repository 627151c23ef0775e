import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { CertificateSource, ServingIdentity } from "./serving-certificates.ts";

/** Certificates that somebody else makes and renews: `tls.crt`, `tls.key` and `ca.crt`, as cert-manager keeps them in a Secret. */
export class MountedCertificates implements CertificateSource {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Rejects where a file is missing. */
  async current(): Promise<ServingIdentity> {
    const [certificate, key, authorities] = await Promise.all(
      ["tls.crt", "tls.key", "ca.crt"].map((name) => readFile(join(this.#directory, name), "utf8")),
    );
    return { server: { certificate: certificate ?? "", key: key ?? "" }, authorities: authorities ?? "" };
  }
}
