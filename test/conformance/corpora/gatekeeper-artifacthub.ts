import { gatekeeperSuites } from "../gatekeeper-suites.ts";

/** Old versions of the library's policies, as Artifact Hub keeps them. */
export const corpus = gatekeeperSuites("gatekeeper-artifacthub");
