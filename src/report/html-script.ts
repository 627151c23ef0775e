/**
 * The script of the HTML report: filters by severity, namespace, policy and text, kept in the address so that a filtered
 * view can be linked. Without it the report shows everything.
 */
export const htmlScript = `
"use strict";
(() => {
  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");
  const nothing = document.getElementById("nothing");
  const groups = [...document.querySelectorAll("article")].map((element) => ({
    element,
    namespace: element.dataset.namespace,
    title: element.firstElementChild.textContent.toLowerCase(),
    items: [...element.querySelectorAll("li")].map((item) => ({ item, level: item.dataset.level, policy: item.dataset.policy })),
  }));
  const total = groups.reduce((sum, group) => sum + group.items.length, 0);
  const boxes = [...form.querySelectorAll("[name=level]")];
  const digits = (n) => n.toLocaleString("en");
  const textOf = (entry) => (entry.text ??= entry.item.textContent.toLowerCase());

  function read() {
    const state = new URLSearchParams(location.hash.slice(1));
    for (const name of ["text", "namespace", "policy"]) if (state.has(name)) form.elements[name].value = state.get(name);
    if (state.has("level")) for (const box of boxes) box.checked = state.get("level").split(",").includes(box.value);
  }

  function write(levels) {
    const state = new URLSearchParams();
    for (const name of ["text", "namespace", "policy"]) {
      const value = form.elements[name].value;
      if (value !== "" && value !== "*") state.set(name, value);
    }
    if (levels.size < boxes.length) state.set("level", [...levels].join(","));
    history.replaceState(null, "", \`#\${state}\`);
  }

  function apply() {
    const levels = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const words = form.elements.text.value.toLowerCase().split(/\\s+/).filter((word) => word !== "");
    const namespace = form.elements.namespace.value;
    const policy = form.elements.policy.value;
    let count = 0;
    for (const group of groups) {
      let visible = 0;
      const here = namespace === "*" || group.namespace === namespace;
      for (const entry of group.items) {
        const match = here && levels.has(entry.level) && (policy === "*" || entry.policy === policy) &&
          words.every((word) => group.title.includes(word) || textOf(entry).includes(word));
        entry.item.hidden = !match;
        if (match) visible++;
      }
      group.element.hidden = visible === 0;
      count += visible;
    }
    shown.textContent = count === total ? \`all \${digits(total)} shown\` : \`\${digits(count)} of \${digits(total)} shown\`;
    nothing.hidden = count > 0;
    try { write(levels); } catch { /* an address that cannot be changed */ }
  }

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  let timer;
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(apply, 80); });
  form.addEventListener("reset", () => setTimeout(apply));
  addEventListener("hashchange", () => { read(); apply(); });
  addEventListener("beforeprint", () => { for (const d of document.querySelectorAll("article details")) d.open = true; });
  read();
  apply();
})();
`;
