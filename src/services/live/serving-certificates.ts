import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  createAuthority,
  expiryOf,
  issueServerCertificate,
  type KeyPair,
  type ServerNames,
} from "../../adapters/certificates.ts";
import type { Instant } from "../../core/host.ts";

const day = 86_400_000;
const authorityDays = 5 * 365;
const serverDays = 30;
/** Renewed while there is time left to notice that renewal fails. */
const renewBefore = { authority: 90 * day, server: 10 * day } as const;

/** What a listener shows, and what its clients trust. */
export interface ServingIdentity {
  readonly server: KeyPair;
  /** Certificates of the authority, the older one too while its successor is new; PEM. */
  readonly authorities: string;
}

/** Where a listener has its certificate from. */
export interface CertificateSource {
  /** The identity to serve with now. */
  current(now: Instant): Promise<ServingIdentity>;
}

/** Our own authority and the certificate of our listeners, kept in a directory and renewed in time. */
export class ServingCertificates implements CertificateSource {
  readonly #directory: string;
  readonly #names: ServerNames;

  constructor(directory: string, names: ServerNames) {
    this.#directory = join(directory, "tls");
    this.#names = names;
  }

  /** The identity to serve with now; makes or renews what is missing or ends soon. `renewed`: it is not the one of before. */
  async current(now: Instant): Promise<ServingIdentity & { readonly renewed: boolean }> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const { authority, authorities, renewed } = await this.#authority(now);
    const known = renewed ? undefined : await this.#read("server");
    const names = JSON.stringify(this.#names);
    const sameNames = (await this.#text("names.json")) === names;
    if (known !== undefined && sameNames && expiryOf(known.certificate) - now > renewBefore.server) {
      return { server: known, authorities, renewed: false };
    }
    const server = await issueServerCertificate(authority, this.#names, now, serverDays);
    await this.#write("server", server);
    await this.#replace("names.json", names);
    return { server, authorities, renewed: true };
  }

  async #authority(now: Instant): Promise<{ authority: KeyPair; authorities: string; renewed: boolean }> {
    const known = await this.#read("authority");
    const older = (await this.#text("older-authority.pem")) ?? "";
    if (known !== undefined && expiryOf(known.certificate) - now > renewBefore.authority) {
      return { authority: known, authorities: `${known.certificate}\n${older}`.trim(), renewed: false };
    }
    const authority = await createAuthority("Castellan", now, authorityDays);
    await this.#replace("older-authority.pem", known?.certificate ?? "");
    await this.#write("authority", authority);
    return { authority, authorities: `${authority.certificate}\n${known?.certificate ?? ""}`.trim(), renewed: true };
  }

  async #read(name: string): Promise<KeyPair | undefined> {
    const [certificate, key] = [await this.#text(`${name}.pem`), await this.#text(`${name}-key.pem`)];
    return certificate === undefined || key === undefined ? undefined : { certificate, key };
  }

  async #write(name: string, { certificate, key }: KeyPair): Promise<void> {
    await this.#replace(`${name}-key.pem`, key);
    await this.#replace(`${name}.pem`, certificate);
  }

  async #text(file: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.#directory, file), "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
  }

  async #replace(file: string, text: string): Promise<void> {
    const path = join(this.#directory, file);
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }
}
