/** What Castellan's own tokens are for: one that was sent to the gateway is of no use at the console. */
export const audiences = { kubernetes: "urn:castellan:kubernetes", console: "urn:castellan:console" } as const;
