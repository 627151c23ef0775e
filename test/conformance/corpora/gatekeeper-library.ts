import { gatekeeperSuites } from "../gatekeeper-suites.ts";

/** The policies of the Gatekeeper library with their suites. */
export const corpus = gatekeeperSuites("gatekeeper-library");
