import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createAuthority, issueServerCertificate } from "../../src/adapters/certificates.ts";

/** Files with which an API server and a kubelet know each other. */
export interface KubeletCertificates {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
  /** Of the API server; its own authority. */
  readonly clientCertificate: string;
  readonly clientKey: string;
}

export async function kubeletCertificates(directory: string): Promise<KubeletCertificates> {
  const now = Date.now();
  const authority = await createAuthority("kubelet authority", now, 1);
  const serving = await issueServerCertificate(authority, { dns: [], ips: ["127.0.0.1"] }, now, 1);
  const client = await createAuthority("kube-apiserver", now, 1);
  const file = async (name: string, text: string) => {
    const path = join(directory, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  return {
    authority: await file("kubelet-ca.crt", authority.certificate),
    certificate: await file("kubelet.crt", serving.certificate),
    key: await file("kubelet.key", serving.key),
    clientCertificate: await file("kubelet-client.crt", client.certificate),
    clientKey: await file("kubelet-client.key", client.key),
  };
}

/** Of the API server. */
export function kubeletFlags(files: KubeletCertificates): readonly string[] {
  return [
    `--kubelet-certificate-authority=${files.authority}`,
    `--kubelet-client-certificate=${files.clientCertificate}`,
    `--kubelet-client-key=${files.clientKey}`,
    "--kubelet-preferred-address-types=InternalIP",
  ];
}
