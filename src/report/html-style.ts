/** The style sheet of the HTML report: light, dark and print; severities are told by word, colour only repeats it. */
export const htmlStyle = `
:root{color-scheme:light dark;--bg:#fff;--panel:#f6f7f9;--line:#d5d9e0;--text:#1b2330;--soft:#566070;--link:#0b57d0;
--critical:#8c0f2b;--high:#b3261e;--medium:#8a5300;--low:#0d6570;--info:#30508f;--warn:#6f3fa0;--error:#6b5900;--skip:#566070;--pass:#1a6b33}
@media (prefers-color-scheme:dark){:root{--bg:#12161d;--panel:#1b212b;--line:#343d4b;--text:#e6eaf1;--soft:#a3adbd;--link:#8ab4f8;
--critical:#ff8fa6;--high:#ff9c92;--medium:#f3b55c;--low:#6fd3df;--info:#9cb9f5;--warn:#d0aaf7;--error:#e0c95a;--skip:#a3adbd;--pass:#77d38f}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main,header,footer{max-width:75rem;margin:0 auto;padding:0 1.25rem}
h1{font-size:1.6rem;margin:1.5rem 0 .25rem}h2{font-size:1.2rem;margin:2rem 0 .75rem}h3{font-size:1rem;margin:0;overflow-wrap:anywhere}
p{margin:.25rem 0}a{color:var(--link)}code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
.soft{color:var(--soft)}.skip-link{position:absolute;left:-99rem}.skip-link:focus{left:1rem;top:.5rem;background:var(--bg);padding:.5rem;z-index:9}
.cards{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.25rem 0;padding:0;list-style:none}
.cards li{flex:1 1 7rem;background:var(--panel);border:1px solid var(--line);border-top:4px solid var(--c,var(--line));border-radius:6px;padding:.6rem .9rem}
.cards b{display:block;font-size:1.6rem;line-height:1.2}
.tables{display:flex;flex-wrap:wrap;gap:1rem 2rem;align-items:start}.tables .scroll{flex:1 1 34rem}
.scroll{overflow:auto;max-height:24rem;border:1px solid var(--line);border-radius:6px}
table{border-collapse:collapse;width:100%}caption{text-align:left;font-weight:600;padding:.5rem .75rem}
th,td{padding:.3rem .6rem;border-top:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left;white-space:normal;overflow-wrap:anywhere;min-width:11rem;font-weight:400}td.none{color:var(--soft)}thead th{font-weight:600;color:var(--soft)}
search{display:contents}
.filters{position:sticky;top:0;z-index:5;background:var(--bg);border-bottom:1px solid var(--line);padding:.75rem 0;display:flex;flex-wrap:wrap;gap:.6rem 1rem;align-items:end}
.filters[hidden]{display:none}.filters label{display:block;font-size:.85rem;color:var(--soft)}
.filters fieldset{border:0;padding:0;margin:0;display:flex;flex-wrap:wrap;gap:.2rem .8rem}.filters fieldset label{color:var(--text);white-space:nowrap}
input[type=search],select,button{font:inherit;color:inherit;background:var(--bg);border:1px solid var(--soft);border-radius:5px;padding:.3rem .5rem;max-width:18rem}
:focus-visible{outline:3px solid var(--link);outline-offset:1px}
article{border:1px solid var(--line);border-radius:6px;margin:0 0 1rem;content-visibility:auto;contain-intrinsic-size:auto 12rem}
article[hidden],article li[hidden]{display:none}
article>div{background:var(--panel);padding:.6rem 1rem;border-radius:6px 6px 0 0;border-bottom:1px solid var(--line)}
article ul{list-style:none;margin:0;padding:0}
article li{display:grid;grid-template-columns:6rem 1fr;gap:0 1rem;padding:.6rem 1rem;border-bottom:1px solid var(--line)}article li:last-child{border:0}
.level{font-weight:700;color:var(--c);text-transform:uppercase;font-size:.8rem;letter-spacing:.03em;padding-top:.15rem}
.message{white-space:pre-wrap;overflow-wrap:anywhere}.fix::before{content:"Fix: ";font-weight:600}
details{margin:.25rem 0}summary{cursor:pointer;color:var(--soft)}
.critical{--c:var(--critical)}.high{--c:var(--high)}.medium{--c:var(--medium)}.low{--c:var(--low)}.info{--c:var(--info)}
.warn{--c:var(--warn)}.error{--c:var(--error)}.skip{--c:var(--skip)}.pass{--c:var(--pass)}
.notes li{margin:.5rem 0;overflow-wrap:anywhere}footer{padding-bottom:3rem;color:var(--soft);font-size:.9rem}
@media (max-width:40rem){article li{grid-template-columns:1fr}}
@media print{:root{color-scheme:light;--bg:#fff;--panel:#fff;--text:#000;--soft:#333}body{font-size:10pt}.filters,.skip-link{display:none}
.scroll{max-height:none;overflow:visible}article{content-visibility:visible;break-inside:auto}article li{break-inside:avoid}article>div{break-after:avoid}a{color:inherit}}
`;
