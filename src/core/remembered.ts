/**
 * What `compute` answers of a text, kept for at most so many texts: they may come from scanned data or from strangers. Starting over is
 * cheaper than keeping an order.
 */
export function remembered<V>(most: number, compute: (text: string) => V): (text: string) => V {
  const known = new Map<string, { readonly value: V }>();
  return (text) => {
    let answer = known.get(text);
    if (answer === undefined) {
      answer = { value: compute(text) };
      if (known.size >= most) known.clear();
      known.set(text, answer);
    }
    return answer.value;
  };
}
