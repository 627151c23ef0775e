import { decodeBase64, encodeBase64 } from "../../../core/utf8.ts";
import { type Library, overload } from "../declarations.ts";
import { bytesType, type CelTypeOf, stringType } from "../types.ts";
import { Bytes, CelError } from "../values/value.ts";

const bytes: CelTypeOf<Bytes> = bytesType;

/** cel-go's base64 functions; padding may be left out. */
export const encodersLibrary: Library = {
  name: "cel.lib.ext.encoders",
  functions: [
    {
      name: "base64.decode",
      overloads: [
        overload("base64_decode_string", [stringType], bytesType, (text) => {
          const compact = text.replace(/[\r\n]/g, "");
          const decoded = decodeBase64(compact) ?? decodeBase64(compact.padEnd(Math.ceil(compact.length / 4) * 4, "="));
          return decoded === undefined ? new CelError("illegal base64 data") : new Bytes(decoded);
        }),
      ],
    },
    {
      name: "base64.encode",
      overloads: [overload("base64_encode_bytes", [bytes], stringType, (value) => encodeBase64(value.data))],
    },
  ],
};
