/** A certificate and its key, PEM. */
export interface TlsIdentity {
  readonly certificate: string;
  readonly key: string;
}
