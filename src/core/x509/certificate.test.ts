import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeBase64 } from "../utf8.ts";
import { decodeX509 } from "./certificate.ts";

// Made with OpenSSL; what Go's crypto/x509 says about them was read off its JSON.
const full = `-----BEGIN CERTIFICATE-----
MIIE4zCCA8ugAwIBAgIUW2lt7aP6CW1y59i6n2z9ex5KFW0wDQYJKoZIhvcNAQEL
BQAwbDELMAkGA1UEBhMCREUxDTALBgNVBAoMBEFjbWUxDzANBgNVBAoMBlNlY29u
ZDEMMAoGA1UECwwDRGV2MRkwFwYDVQQDDBB0ZXN0LmV4YW1wbGUuY29tMRQwEgYJ
KoZIhvcNAQkBFgVhQGIuYzAeFw0yNjExMjExNTQ2MTRaFw0yNjEyMjExNTQ2MTRa
MGwxCzAJBgNVBAYTAkRFMQ0wCwYDVQQKDARBY21lMQ8wDQYDVQQKDAZTZWNvbmQx
DDAKBgNVBAsMA0RldjEZMBcGA1UEAwwQdGVzdC5leGFtcGxlLmNvbTEUMBIGCSqG
SIb3DQEJARYFYUBiLmMwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQCh
LfOoJTHwwbh5NGGVurOHisEF44kfd1Na4sKePFo2iM1eSxJ/Q2q0fVohIABJZU/x
8d2IHSGKEcgcYCT169NRp/1ujdpIGKET3Wh6PtDnnTVr3//7/Oe07p1h6n1uV9U3
wAPDNWCz3yTT077h+KEKBJzj6lB7XX5XcTDrUZ8akeLWBwQsnJH5qG59+9r/RXqM
p8wacj4w2ffyNGp+Z83h3R+kkgBpe0LvlLdpUrd35fOeo3u+0CMIpUsum14VadYC
cokuzdJUIv88iz3qcrhE+5nzzeREQkrr7XD0cGnA4tIl/T/1GMeu41kPA8ZKbmCg
f6M0S+tW0STMt1Wo8uW3AgMBAAGjggF7MIIBdzAdBgNVHQ4EFgQUXkeh5gatM9jY
gT5JZQK769JKZjMwHwYDVR0jBBgwFoAUXkeh5gatM9jYgT5JZQK769JKZjMwXQYD
VR0RBFYwVIIJYS5leGFtcGxlggsqLmIuZXhhbXBsZYcECgAAAYcQAAAAAAAAAAAA
AAAAAAAAAYEFeEB5LnqGG2h0dHBzOi8vdUBoLmV4YW1wbGU6OC9wP3E9MTAOBgNV
HQ8BAf8EBAMCAoQwHQYDVR0lBBYwFAYIKwYBBQUHAwEGCCsGAQUFBwMCMBIGA1Ud
EwEB/wQIMAYBAf8CAQAwEAYDVR0gBAkwBzAFBgMqAwQwKQYDVR0fBCIwIDAeoByg
GoYYaHR0cDovL2NybC5leGFtcGxlL3guY3JsMFYGCCsGAQUFBwEBBEowSDAgBggr
BgEFBQcwAYYUaHR0cDovL29jc3AuZXhhbXBsZS8wJAYIKwYBBQUHMAKGGGh0dHA6
Ly9jYS5leGFtcGxlL2NhLmNydDANBgkqhkiG9w0BAQsFAAOCAQEALHIalmetv9DQ
6G0jUSC6xi25unNG/6F38FLixevuzk2SCMG0axi6uqe+w8ViskyTZl+kvxpnH/qj
gn76W7522iyaM1FTgXLMoSxdhhccdH0ZqHq3b3CHWlxoHdrL8EN9eZ40Z2rKyZsn
/RtYRgsnMkuLIwwEmoz7En1+YTEDVRToXN/fW/QO3f0lTSwX+k+HtGrF8VUcmgQl
Rh3GDUXR5ywNnVU/f0IQI3WYuT0+M4c/T1OqsSXH0TU0vXnQzIRqr8aiXGUAFqeo
nthg4LGO4tjPdy7k86OZSCKsYBp6L6khN67Q/q1nNztLnZenbD8bJXLMOI3keWZT
8Y3QuOGk7g==
-----END CERTIFICATE-----
`;
const request = `-----BEGIN CERTIFICATE REQUEST-----
MIICjDCCAXQCAQAwIDENMAsGA1UEAwwEdXNlcjEPMA0GA1UECgwGZ3JvdXAxMIIB
IjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAwsBQb/ip95fx1toVwwomQllU
GAlPmpm5KDh7zsUDcowqHX6WPjfefbGzsO+L1wtSCf+hud5E0c6iX7+i5ZHsL8Ha
Cu3RI6/ZWzzgM45is/DqK0BOQhLHUumvtmjbrsqnYFgP0if/qqeQ7Sx+/FAgReah
W8sR3U1jd6KauJZl/IBP0lT+Yh0kSFvixQn5Y284EgYUU0L/U+g5NNRhMb+RbLLQ
IlJ9qSFkIIh56nj8ty7pkFRr7HMfvRvHoXlyeUk/NDICK1l1r1Hn8pu509xhI3b5
6l5xQbeJQ5HFq11KRipqmPMPv2Al8xc2R3mG7UYToW4UKjCSfgLzQxV+9sXf/QID
AQABoCcwJQYJKoZIhvcNAQkOMRgwFjAUBgNVHREEDTALgglhLmV4YW1wbGUwDQYJ
KoZIhvcNAQELBQADggEBACPZM/aD5WWEKTS+PG+a+cypPUyOwwfr3k2ujva3teRW
0HBcOMjAd60oq/GiNxGSqWlEqNWAvPIL8tVryvecTsQnW/IGpr3pg/24VKPMV96z
54wAxpP8fwtz26Cv4F/5/ARM8DyDrRYpjxwi8bFkHPXK2e/L+W1oJKbQ0Gks3TWF
4pFPd/DRd3SZguxt/8e5y3l7XjzxBVFlSNOk+ZVGPR/Jc1uMtx4beu0FPdCvPGPg
kHBleu5DrubnnSYmad0RyqRU7YjTqFMc3pa8LuLdHN5+pq3IpAfggkpYqrXmb4GO
ft0HHEWg5UZe2HBbCgS2kly+MaxGQZGj0sC2pZy/XoE=
-----END CERTIFICATE REQUEST-----
`;
const plain = `-----BEGIN CERTIFICATE-----
MIICpzCCAY8CFHbtNkhBC0GM07SLYJvhgr9jNcqrMA0GCSqGSIb3DQEBCwUAMBAx
DjAMBgNVBAMMBXBsYWluMB4XDTI2MTEyMTE1NDYxOFoXDTI2MTIyMTE1NDYxOFow
EDEOMAwGA1UEAwwFcGxhaW4wggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIB
AQCylLxbIyB5z5TBdkGthlw+t7HubRYtXEmbkVaCzGa2b0zE2M3GYEvn5zDMZtkB
wyVFnF/TyRVmmvijqfHXFkcvePAK58RfV3K5xmFF4hAcTY71bk9VhiE8FKVJwJV+
e3bPo0U2lMTK+IQM81Ld7PavtrimgGVvDWygJzEcIr1zQmXKnebmNmdRDYz5VudU
JnsZtxYQL8SFY0UpRxG/X331JQ90OMGhStNcENqT++ypXxAUohz6EpuHVfp/vJu8
w1YqmejpgOKq8vPNlw0bJCrE1urg3DAia36TYHiK87f7ven30YjlBIoMYA0J7Rl3
201gvi5Vk42oXWMFf4HZI2bJAgMBAAEwDQYJKoZIhvcNAQELBQADggEBABVmHK/r
j1AoY5DIO0+mii+JYufcdMJQgVHKRopAwyUXXUQ6kKgzUsK46psZSHJoiFxHNS8N
JytLEi44+mQSle4df2BuOPJkoVUos+uKko4vTULsIF81i/nULkDBAtfHL5rb3JFA
PsY4Yar5hok86yn19HiPrHrx6OUehc6t5lf4b+2tIV7/iW8Z/+GzWKyS56Mn4Tk6
IaanHUC/w9/R2VJZuc8jkZSk9HBDpSyPiIrt3Xj7Aut93qWSw30UVv7CK/v6kwXO
8Jv3k6VnqJF0LIlHEYYtV3xgJa7wEOlJypl/sdasGUCwlu1zUYIcfRDYnbZ3Nl6p
Coxyoda86rwP3Tk=
-----END CERTIFICATE-----
`;

describe("a certificate", () => {
  test("shows its subject, names, usages and constraints as Go does", () => {
    expect(decodeX509(full)).toMatchObject({
      Version: 3,
      Subject: {
        CommonName: "test.example.com",
        Country: ["DE"],
        Organization: ["Acme", "Second"],
        OrganizationalUnit: ["Dev"],
        Locality: null,
        SerialNumber: "",
      },
      NotBefore: "2026-11-21T15:46:14Z",
      NotAfter: "2026-12-21T15:46:14Z",
      DNSNames: ["a.example", "*.b.example"],
      EmailAddresses: ["x@y.z"],
      IPAddresses: ["10.0.0.1", "::1"],
      URIs: [{ Scheme: "https", User: {}, Host: "h.example:8", Path: "/p", RawQuery: "q=1", Fragment: "" }],
      KeyUsage: 33,
      ExtKeyUsage: [1, 2],
      UnknownExtKeyUsage: null,
      BasicConstraintsValid: true,
      IsCA: true,
      MaxPathLen: 0,
      MaxPathLenZero: true,
      SubjectKeyId: "Xkeh5gatM9jYgT5JZQK769JKZjM=",
      AuthorityKeyId: "Xkeh5gatM9jYgT5JZQK769JKZjM=",
      OCSPServer: ["http://ocsp.example/"],
      IssuingCertificateURL: ["http://ca.example/ca.crt"],
      CRLDistributionPoints: ["http://crl.example/x.crl"],
      PolicyIdentifiers: [[1, 2, 3, 4]],
      Policies: ["1.2.3.4"],
      SignatureAlgorithm: 4,
      PublicKeyAlgorithm: 1,
      PublicKey: { E: 65537, N: expect.stringMatching(/^203470267689820044795480565915\d+$/) },
      SerialNumber: 5.21869314494865e47,
    });
  });

  test("without extensions is of version 1, and says null where Go's slices are nil", () => {
    expect(decodeX509(plain)).toMatchObject({
      Version: 1,
      Subject: { CommonName: "plain", Country: null, Names: [{ Type: [2, 5, 4, 3], Value: "plain" }] },
      Extensions: null,
      DNSNames: null,
      KeyUsage: 0,
      BasicConstraintsValid: false,
      MaxPathLen: 0,
    });
  });
});

test("a certificate request shows what it asks for", () => {
  expect(decodeX509(request)).toMatchObject({
    Version: 0,
    Subject: { CommonName: "user", Organization: ["group1"] },
    DNSNames: ["a.example"],
    Attributes: [{ Type: [1, 2, 840, 113549, 1, 9, 14], Value: [[{ Type: [2, 5, 29, 17], Value: "MAuCCWEuZXhhbXBsZQ==" }]] }],
  });
});

describe("what is no certificate", () => {
  test.each([
    ["no PEM", "pem", "failed to decode PEM block"],
    ["a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "neither contains a CERTIFICATE"],
    ["bytes that are no DER", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "element"],
  ])("%s is refused", (_, pem, message) => {
    expect(() => decodeX509(pem)).toThrow(message);
  });

  test("whatever the bytes, it ends with an Error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const pem = `-----BEGIN CERTIFICATE-----\n${encodeBase64(bytes)}\n-----END CERTIFICATE-----`;
        expect(() => decodeX509(pem)).toThrow(Error);
      }),
    );
  });
});
