/** What `compute` answers, asked for at the first call and then kept; where it throws, the next call asks again. */
export function once<T>(compute: () => T): () => T {
  let answer: { readonly value: T } | undefined;
  return () => {
    answer ??= { value: compute() };
    return answer.value;
  };
}
