import { z } from "zod";

/** What every refusal looks like. */
export const problem = z.object({ code: z.string(), message: z.string() });
