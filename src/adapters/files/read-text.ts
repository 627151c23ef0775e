import { isUtf8 } from "node:buffer";
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { type Diagnostic, failed, type Loaded, loaded } from "../../core/diagnostic.ts";
import { pathDiagnostic } from "./loaded-paths.ts";

/** Larger files are refused: no manifest is, and reading one would take the memory of the machine. */
export const defaultMaximumBytes = 32 * 1024 * 1024;

/** The text of a regular file. */
export function readTextFile(path: string, name: string, maximumBytes: number): Loaded<string> {
  let handle: number | undefined;
  try {
    handle = openSync(path, "r");
    const stats = fstatSync(handle);
    if (!stats.isFile()) return failed(pathDiagnostic("FILE_UNREADABLE", name, "this is neither a file nor a directory"));
    if (stats.size > maximumBytes) return failed(tooLarge(name, stats.size, maximumBytes));
    return decode(readFileSync(handle), name);
  } catch (error) {
    return failed(unreadable(name, error));
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/** Standard input, or another stream, to its end. */
export async function readTextStream(
  stream: AsyncIterable<Uint8Array>,
  name: string,
  maximumBytes: number,
): Promise<Loaded<string>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      size += chunk.length;
      if (size > maximumBytes) return failed(tooLarge(name, size, maximumBytes));
      chunks.push(chunk);
    }
  } catch (error) {
    return failed(unreadable(name, error));
  }
  return decode(Buffer.concat(chunks), name);
}

function decode(bytes: Buffer, name: string): Loaded<string> {
  if (bytes.includes(0)) return failed(pathDiagnostic("FILE_NOT_TEXT", name, "the file is binary"));
  if (!isUtf8(bytes)) return failed(pathDiagnostic("FILE_NOT_TEXT", name, "the file is not encoded in UTF-8"));
  return loaded(bytes.toString("utf8"));
}

function tooLarge(name: string, size: number, maximumBytes: number): Diagnostic {
  const mebibytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
  return pathDiagnostic("FILE_TOO_LARGE", name, `${mebibytes(size)} are more than the ${mebibytes(maximumBytes)} that are read`);
}

/** What a failed system call says, in a user's words. */
export function unreadable(name: string, error: unknown): Diagnostic {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "ENOENT":
      return pathDiagnostic("FILE_NOT_FOUND", name, "there is no such file or directory");
    case "EACCES":
    case "EPERM":
      return pathDiagnostic("FILE_UNREADABLE", name, "permission denied");
    case "ELOOP":
      return pathDiagnostic("DIRECTORY_LOOP", name, "the symbolic link leads back to itself");
    default:
      return pathDiagnostic("FILE_UNREADABLE", name, error instanceof Error ? error.message : String(error));
  }
}
