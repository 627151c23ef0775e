import type { PolicyFormats } from "../formats.ts";
import { gatekeeperDiagnostics } from "./companions.ts";
import { constraintFormat } from "./constraint-format.ts";
import { mutatorFormat } from "./mutation/mutator-format.ts";

export const gatekeeperFormats: PolicyFormats = {
  formats: [constraintFormat, mutatorFormat],
  companionDiagnostics: gatekeeperDiagnostics,
};
