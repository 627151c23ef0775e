import { X509Certificate } from "node:crypto";
import type { CertificateSettings } from "./identities.ts";
import { type Proof, refused } from "./proven-identity.ts";

/** What TLS says about the peer. */
export interface PeerCertificate {
  readonly certificate: X509Certificate;
  /** OpenSSL's verdict on its chain and purpose: `TLSSocket.authorized`. */
  readonly authorized: boolean;
}

export interface CertificateVerifier {
  /** PEM of all authorities, for the listener. */
  readonly authorities: string;
  verify(peer: PeerCertificate): Proof;
}

interface Authority {
  readonly settings: CertificateSettings;
  readonly issuers: readonly X509Certificate[];
}

const clientAuth = "1.3.6.1.5.5.7.3.2";
const pemCertificate = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * Client certificates as kube-apiserver reads them: the common name is the user, organisations are groups. The chain is OpenSSL's to
 * judge; here is found whose it is. `files` has the PEM text of each authority. Throws where a text holds no certificate.
 */
export function clientCertificates(
  authorities: readonly { readonly settings: CertificateSettings; readonly pem: string }[],
  now: () => number,
): CertificateVerifier {
  const known = authorities.map(({ settings, pem }): Authority => {
    const issuers = [...pem.matchAll(pemCertificate)].map(([text]) => new X509Certificate(text));
    if (issuers.length === 0) throw new Error(`${settings.file} holds no certificate`);
    return { settings, issuers };
  });
  return {
    authorities: authorities.map(({ pem }) => pem.trim()).join("\n"),
    verify: ({ certificate, authorized }) => {
      const authority = authorized ? known.find(({ issuers }) => issuers.some((one) => isIssuedBy(certificate, one))) : undefined;
      if (authority === undefined) {
        return refused(
          401,
          "IDENTITY_INVALID",
          "the client certificate is not of an authority that this server knows, or not for clients",
        );
      }
      return identityOf(certificate, authority.settings, now());
    },
  };
}

const isIssuedBy = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

function identityOf(certificate: X509Certificate, settings: CertificateSettings, now: number): Proof {
  const until = certificate.validToDate.getTime();
  if (now >= until || now < certificate.validFromDate.getTime())
    return refused(401, "IDENTITY_INVALID", "the client certificate has expired, or is not valid yet");
  // OpenSSL takes a certificate without this list for any purpose; kube-apiserver does not.
  if (!(certificate.keyUsage ?? []).includes(clientAuth))
    return refused(401, "IDENTITY_INVALID", "the client certificate is not for client authentication");
  const subject = certificate.toLegacyObject().subject as { readonly [part: string]: string | readonly string[] | undefined };
  const [name, ...more] = list(subject["CN"]);
  if (name === undefined || name === "" || more.length > 0)
    return refused(401, "IDENTITY_INVALID", "the client certificate has not one common name");
  return {
    ok: true,
    identity: {
      issuer: `certificate:${settings.name}`,
      subject: name,
      user: settings.usernamePrefix + name,
      groups: list(subject["O"]).map((group) => settings.groupsPrefix + group),
      isProgram: settings.programs,
      emailVerified: false,
      until,
    },
  };
}

const list = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === "string" ? [value] : value;
