"""How the page of a bundle looks."""

from typing import Final

CSS: Final = """
* { box-sizing: border-box; }
html { font: 15px/1.5 "Noto Sans", "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC",
  "Microsoft YaHei", system-ui, sans-serif; color: #1b1f24; background: #eef0f2; }
html:lang(zh-CN) { font-family: "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC",
  "Microsoft YaHei", system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 1180px; margin: 0 auto; padding: 24px; background: #fff; }
.kind { margin: 0; color: #57606a; }
h1 { margin: 0 0 .3em; font-size: 1.8em; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 1.6em 0 .5em; font-size: 1.15em; border-bottom: 2px solid #1b1f24; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1em; margin: 0; }
dt, .small, figcaption, .none { color: #57606a; }
dd { margin: 0; overflow-wrap: anywhere; }
.small, figcaption { font-size: .86em; }
.bad { color: #b3261e; }
.verdict { margin: 1.2em 0 0; padding: .6em 1em; border-left: 4px solid #1a7f37;
  background: #eef7f0; overflow-wrap: anywhere; }
.verdict.amiss { border-color: #b3261e; background: #fbeeed; }
.verdict ul { margin: .3em 0 0; padding-left: 1.2em; }
.films { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 420px), 1fr));
  gap: 16px; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 250px), 1fr));
  gap: 12px; }
figure { margin: 0; border: 1px solid #b9c0c7; border-radius: 4px; overflow: hidden; }
figure video, figure img { display: block; width: 100%; aspect-ratio: 16 / 9; background: #1b1f24;
  object-fit: contain; }
figcaption { padding: .4em .6em; overflow-wrap: anywhere; }
figcaption b { color: #1b1f24; }
section { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .9em;
  font-variant-numeric: tabular-nums; }
th { text-align: left; color: #57606a; font-weight: 600; border-bottom: 1px solid #57606a;
  padding: .25em .8em .25em 0; white-space: nowrap; }
td { vertical-align: top; border-bottom: 1px solid #d9dee3; padding: .3em .8em .3em 0;
  white-space: nowrap; }
td:last-child { white-space: normal; overflow-wrap: anywhere; }
code { font: .92em/1.4 "Noto Sans Mono", "DejaVu Sans Mono", Consolas, monospace;
  overflow-wrap: anywhere; }
footer { margin-top: 2em; border-top: 1px solid #b9c0c7; color: #57606a; font-size: .86em; }
@media (max-width: 600px) {
  main { padding: 12px; }
  .pictures { grid-template-columns: repeat(2, 1fr); gap: 8px; }
  table { min-width: 860px; }
}
@media print { html { background: none; } main { max-width: none; padding: 0; }
  figure { break-inside: avoid; } }
"""
