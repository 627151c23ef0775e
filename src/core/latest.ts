/**
 * What `compute` answers about an object, kept until another is asked about. For what is worked out once while one object is
 * judged; a WeakMap would keep all of it until the whole heap is collected, as V8's quick collections leave its values alone.
 */
export function latest<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  let known: { readonly key: K; readonly value: V } | undefined;
  return (key) => {
    if (known?.key !== key) known = { key, value: compute(key) };
    return known.value;
  };
}
