/** What an API server that does not say so waits for an answer, seconds: what Kubernetes has where a webhook says nothing. */
const usualSeconds = 10;
/** The longest that Kubernetes lets a webhook take, seconds. */
const longestSeconds = 30;

/**
 * How long we may take of the time that an API server waits, milliseconds. It says that in the query of each call: `timeout=10s`, what is left
 * of its own client's time where that is less. Some is left for the way there and back: a quarter, a second at most.
 */
export function budgetOf(timeout: string | null): number {
  const said = Number(/^(\d+)s$/.exec(timeout ?? "")?.[1] ?? 0);
  const milliseconds = (said === 0 ? usualSeconds : Math.min(said, longestSeconds)) * 1000;
  return milliseconds - Math.min(milliseconds / 4, 1000);
}
