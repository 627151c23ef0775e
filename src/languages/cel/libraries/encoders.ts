import { decodeBase64, encodeBase64 } from "../../../core/utf8.ts";
import { type Library, overload } from "../declarations.ts";
import { bytesType, type CelTypeOf, stringType } from "../types.ts";
import { Bytes, CelError, type Value } from "../values/value.ts";

const bytes: CelTypeOf<Bytes> = bytesType;

/** Padding is all there or all left out. */
function decode(text: string): Value {
  const compact = text.replace(/[\r\n]/g, "");
  const padded = compact.includes("=") ? compact : compact.padEnd(Math.ceil(compact.length / 4) * 4, "=");
  const decoded = decodeBase64(padded);
  return decoded === undefined ? new CelError(`illegal base64 data at input byte ${corruptionOf(text)}`) : new Bytes(decoded);
}

/** Where a text stops to be base64 without padding. */
function corruptionOf(text: string): number {
  const at = text.search(/[^A-Za-z0-9+/\r\n]/);
  return at < 0 ? text.length - 1 : at;
}

/** cel-go's base64 functions; padding may be left out. */
export const encodersLibrary: Library = {
  name: "cel.lib.ext.encoders",
  functions: [
    {
      name: "base64.decode",
      overloads: [overload("base64_decode_string", [stringType], bytesType, decode)],
    },
    {
      name: "base64.encode",
      overloads: [overload("base64_encode_bytes", [bytes], stringType, (value) => encodeBase64(value.data))],
    },
  ],
};
