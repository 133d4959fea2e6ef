#pragma once

namespace nbq::report {

/// Style sheet of report.html. --p1 is the float side, --p2 the n-bit side; see kInks in plot.cc.
inline constexpr const char* kPageStyle = R"css(
:root{--bg:#fff;--ink:#1d2228;--muted:#5c6773;--rule:#c3cad2;--grid:#e4e8ec;--band:#f4f6f8;
--p1:#2468b4;--p2:#c2570c;--p3:#2f8f5b;--p4:#8a63b8;--p5:#b8971a;--p6:#98a2ad;--wrong:#b3261e}
@media(prefers-color-scheme:dark){:root{--bg:#14181d;--ink:#e3e8ed;--muted:#9aa6b2;--rule:#47515c;--grid:#29313a;
--band:#1c2229;--p1:#6ea8e8;--p2:#f0934e;--p3:#5cc48c;--p4:#b494e0;--p5:#d9bd4a;--p6:#6d7884;--wrong:#ff8a80}}
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1180px;margin:0 auto;padding:1.5rem 1rem 3rem}
h1{font-size:1.75rem;line-height:1.2;margin:0;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2.25rem 0 .6rem}
h3{font-size:.95rem;margin:0 0 .25rem;overflow-wrap:anywhere}
p{margin:.4rem 0 .8rem;max-width:75ch}
.lead{color:var(--muted);margin:.25rem 0 0}
.small,figcaption{font-size:.85rem;color:var(--muted)}
.small{margin-top:.6rem}
.halves{display:grid;gap:0 2.5rem;grid-template-columns:minmax(0,1fr)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
.scroll+.scroll{margin-top:1.25rem}
th,td{padding:.3rem .6rem .3rem 0;text-align:right;border-bottom:1px solid var(--grid);vertical-align:baseline}
td:last-child,th:last-child{padding-right:0}
th{font-weight:500}
th:first-child,.text,.note{text-align:left}
thead th{color:var(--muted);border-bottom-color:var(--rule)}
.network .note{display:block;padding:0;font-weight:400}
.network td:nth-child(2){white-space:nowrap;font-weight:600}
.group th{color:var(--muted);font-size:.85rem;padding-top:.8rem;border-bottom-color:var(--rule)}
.note{color:var(--muted);font-size:.85rem;padding-left:.4rem}
.none,.network td.none{color:var(--muted);font-weight:400;font-style:italic}
.wrong th,.wrong td{color:var(--wrong)}
.layers td,.layers th{white-space:nowrap}
.curves,.weights,.roofs{display:grid;gap:1.5rem 1.75rem;grid-template-columns:minmax(0,1fr)}
figure{margin:0;min-width:0}
svg{display:block;width:100%;height:auto}
.k1{color:var(--p1)}.k2{color:var(--p2)}
.bar-row{display:grid;grid-template-columns:3.2rem 1fr;align-items:center;font-size:.92rem;margin:.35rem 0}
.bar{display:flex;height:1.5rem;background:var(--band);border-radius:3px;overflow:hidden}
.bar i{display:block;height:100%}
.bar-row+.scroll{margin-top:.8rem}
.key{display:inline-block;width:.75em;height:.75em;border-radius:2px;margin-right:.5em}
.c-busy{background:var(--p1)}.c-residual{background:var(--p3)}.c-drain{background:var(--p2)}
.c-barrier{background:var(--p4)}.c-fetch{background:var(--p5)}.c-other{background:var(--p6)}
.heatmap{width:auto}.heatmap th,.heatmap td{padding:.2rem .45rem;white-space:nowrap;border:0}
.heat{background:color-mix(in srgb,var(--p2) calc(var(--v)*.65),transparent)}
.heat.right{background:color-mix(in srgb,var(--p1) calc(var(--v)*.65),transparent)}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;list-style:none;margin:1rem 0 0;padding:.6rem 0;
border-top:1px solid var(--grid);border-bottom:1px solid var(--grid);font-size:.92rem}
a{color:var(--p1)}
.svpe{background:var(--p2)}.vpe{background:var(--p1)}
.ratio{white-space:nowrap;min-width:5.5rem}
.pair{display:block;margin-top:.15rem}.pair i{display:block;height:3px;margin:1px 0 0 auto}
.energy-bars{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.35rem .8rem;align-items:center;font-size:.92rem}
.e-clock{background:var(--p1)}.e-registers{background:var(--p4)}.e-gates{background:var(--p2)}
.e-nets{background:var(--p3)}.e-leakage{background:var(--p6)}
.layers th:first-child{position:sticky;left:0;background:var(--bg)}
tfoot th,tfoot td{border-top:1px solid var(--rule);font-weight:600}
.missing{width:auto}.missing th{padding-right:1.5rem}
code{font-size:.85em;white-space:nowrap}
.scroll:focus-visible{outline:2px solid var(--p1);outline-offset:2px}
.heat:last-child,.layers td:last-child,.layers th:last-child{padding-right:.45rem}
summary{cursor:pointer;padding:.5rem 0}
pre{overflow-x:auto;background:var(--band);padding:1rem;font-size:.8rem;border-radius:4px;margin:0}
main>section:last-child{margin-top:2rem}
.cycles th,.cycles td:not(.note){white-space:nowrap}
@media(max-width:619px){.wide{display:none}th,td{padding-right:.4rem}}
@media(min-width:620px){.curves,.weights,.roofs{grid-template-columns:repeat(2,minmax(0,1fr))}}
@media(min-width:960px){.halves{grid-template-columns:repeat(2,minmax(0,1fr))}
.curves,.weights{grid-template-columns:repeat(3,minmax(0,1fr))}}
)css";

}  // namespace nbq::report
