import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { formatImage, parseImageReference } from "../../../core/image-reference.ts";
import type { JsonValue } from "../../../core/json.ts";
import { decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from "../../../core/utf8.ts";
import { decodeX509 } from "../../../core/x509/certificate.ts";
import { JmesPathError } from "../errors.ts";
import { define, type Functions } from "./call.ts";
import { isExternalUrl } from "./external-url.ts";
import { generateText } from "./random.ts";

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function decode(text: string): string {
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw new JmesPathError("illegal base64 data");
  return decodeUtf8(bytes);
}

function certificateOf(pem: string): JsonValue {
  try {
    return decodeX509(pem);
  } catch (error) {
    throw new JmesPathError(error instanceof Error ? error.message : String(error));
  }
}

function normalizeImage(text: string): string {
  const image = parseImageReference(text);
  if (image.ok) return formatImage(image.value);
  throw new JmesPathError(`JMESPath function 'image_normalize': ${image.message}`);
}

export const encodingFunctions: Functions = {
  base64_decode: define(["string"], ([text]) => decode(text)),
  base64_encode: define(["string"], ([text]) => encodeBase64(encodeUtf8(text))),
  sha256: define(["string"], ([text]) => hex(sha256(encodeUtf8(text)))),
  sha1: define(["string"], ([text]) => hex(sha1(encodeUtf8(text)))),
  md5: define(["string"], ([text]) => hex(md5(encodeUtf8(text)))),
  x509_decode: define(["string"], ([pem]) => certificateOf(pem)),
  random: define(["string"], ([pattern], host) => generateText(pattern, host)),
  image_normalize: define(["string"], ([image]) => normalizeImage(image)),
  is_external_url: define(["string"], ([url]) => isExternalUrl(url)),
};
