"""How the page looks."""

from typing import Final

CSS: Final = """
@page { size: A4; margin: 13mm 12mm; }
* { box-sizing: border-box; }
html { font: 14px/1.5 "Noto Sans", "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC",
  "Microsoft YaHei", system-ui, sans-serif; color: #1b1f24; background: #eef0f2; }
html:lang(zh-CN) { font-family: "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC",
  "Microsoft YaHei", system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 210mm; margin: 0 auto; padding: 13mm 12mm; background: #fff; }
.kind { margin: 0; color: #57606a; }
h1 { margin: 0 0 .3em; font-size: 1.8em; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 1.6em 0 .4em; font-size: 1.15em; border-bottom: 2px solid #1b1f24;
  break-after: avoid; }
p { margin: .4em 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1em; margin: 0; }
dt { color: #57606a; }
dd { margin: 0; overflow-wrap: anywhere; }
.remarks { margin: 1em 0 0; padding: .5em 1em .5em 2em; border-left: 4px solid #b3261e;
  background: #fbeeed; }
.glance { display: grid; grid-template-columns: repeat(3, 1fr); gap: 8px; margin-top: 1.2em; }
.box { border: 1px solid #b9c0c7; border-radius: 4px; padding: .5em .7em; display: flex;
  flex-direction: column; break-inside: avoid; }
.name, .small { color: #57606a; font-size: .86em; }
.value { font-size: 1.6em; line-height: 1.3; font-variant-numeric: tabular-nums; }
td .small { display: block; }
table { width: 100%; border-collapse: collapse; margin: .5em 0; font-size: .9em;
  font-variant-numeric: tabular-nums; }
th { text-align: left; vertical-align: bottom; color: #57606a; font-weight: 600;
  border-bottom: 1px solid #57606a; padding: .25em .6em .25em 0; }
td { vertical-align: top; border-bottom: 1px solid #d9dee3; padding: .3em .6em .3em 0;
  overflow-wrap: anywhere; }
td:first-child, .nowrap { white-space: nowrap; }
.wrap td:first-child { white-space: normal; }
tr { break-inside: avoid; }
thead { display: table-header-group; }
.bad { color: #b3261e; }
.none { color: #57606a; }
footer { margin-top: 2em; border-top: 1px solid #b9c0c7; color: #57606a; font-size: .82em; }
@media (max-width: 600px) {
  main { padding: 12px; }
  .glance { grid-template-columns: repeat(2, 1fr); }
  section { overflow-x: auto; }
  table { min-width: 560px; }
}
@media print {
  html { background: none; font-size: 9.5pt; }
  main { max-width: none; padding: 0; }
  .remarks { background: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
