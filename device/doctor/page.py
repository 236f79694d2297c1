"""The report as one HTML page that needs nothing else: no script, no font, no picture of anybody. Pure."""

from __future__ import annotations

from html import escape

from device.doctor.findings import Finding, Gauge, Level, Report
from device.doctor.pictures import SIGNS, gauge_picture, pace_picture, panel_picture

WORDS = {
    Level.STOPS: "stops the terminal",
    Level.MEND: "to mend",
    Level.SKIPPED: "skipped",
    Level.NOTE: "to know",
    Level.WELL: "well",
}
_STYLE = """
:root{color-scheme:light dark;--page:#fff;--ink:#14161a;--soft:#4a4f57;--line:#c9ced6;--card:#f4f6f8;
--stops:#b00020;--mend:#8a4b00;--well:#0b6b32;--note:#0a4fa8;--skipped:#5b6068;--good:#9ed9b4;--on:#fff}
@media (prefers-color-scheme:dark){:root{--page:#101216;--ink:#f2f4f7;--soft:#b9c0ca;--line:#3a404a;--card:#1a1e25;
--stops:#ff8a9a;--mend:#ffc069;--well:#7be0a0;--note:#8cc2ff;--skipped:#aab1bb;--good:#2f7a4c;--on:#101216}}
*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{max-width:46rem;margin:0 auto;padding:1.2rem 1rem 3rem}h1{font-size:1.6rem;line-height:1.25;margin:.2rem 0 .4rem}
h2{font-size:1.15rem;margin:2.2rem 0 .7rem}p{margin:.25rem 0}.soft{color:var(--soft);font-size:.9rem}
.verdict{border-left:.5rem solid var(--well);background:var(--card);padding:.9rem 1rem;border-radius:.5rem}
.verdict.stops{border-color:var(--stops)}.verdict.mend{border-color:var(--mend)}
ol.todo{list-style:none;margin:0;padding:0}ol.todo li{border:1px solid var(--line);border-left:.5rem solid var(--mend);
border-radius:.5rem;padding:.8rem 1rem;margin:0 0 .8rem;background:var(--card);overflow-wrap:anywhere}
ol.todo li.stops{border-left-color:var(--stops)}ol.todo h3{margin:0 0 .3rem;font-size:1.05rem}
.do{font-weight:600}.tag{font-size:.8rem;font-weight:700;white-space:nowrap}
.tag.stops{color:var(--stops)}.tag.mend{color:var(--mend)}.tag.well{color:var(--well)}.tag.note{color:var(--note)}
.tag.skipped{color:var(--skipped)}
.gauges{display:grid;grid-template-columns:repeat(auto-fill,minmax(13.5rem,1fr));gap:.8rem}
.gauges figure{margin:0;border:1px solid var(--line);border-radius:.5rem;padding:.6rem .7rem .3rem;
background:var(--card)}
.gauges b{font-size:1.15rem}svg{display:block;width:100%;height:auto}
svg text{fill:var(--ink);font:12px system-ui,sans-serif}.track{fill:none;stroke:var(--soft)}.good{fill:var(--good)}
.needle{stroke:var(--ink);stroke-width:2;fill:var(--ink)}.bar{fill:var(--note)}.late{fill:var(--stops)}
.limit{stroke:var(--stops);stroke-width:2;stroke-dasharray:6 4;fill:none}
svg.panel{max-width:24rem}.panel .face{fill:var(--card);stroke:var(--ink);stroke-width:2}
.panel .lens{fill:none;stroke:var(--ink);stroke-width:2}
.panel .sign{text-anchor:middle;font:700 15px system-ui;fill:var(--on)}
.panel .what{text-anchor:middle;font-size:13px}.panel .well{fill:var(--well)}.panel .mend{fill:var(--mend)}
.panel .stops{fill:var(--stops)}.panel .skipped{fill:var(--skipped)}.panel .note{fill:var(--note)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.45rem .4rem;
border-top:1px solid var(--line);overflow-wrap:anywhere}th{font-weight:600;width:30%}td:first-child{width:6.2rem}
@media (max-width:36rem){tr{display:block;border-top:1px solid var(--line);padding:.5rem 0}
th,td{display:block;width:auto!important;border:0;padding:0 .1rem}}
@media print{body{font-size:11pt}}
"""


def page(report: Report) -> str:
    """The whole page."""
    worst = report.worst_first[0].level if report.findings else Level.WELL
    title = f"{report.terminal}: doctor's report"
    told = f"{report.at:%Y-%m-%d %H:%M} UTC by the terminal's own clock, firmware {report.firmware}"
    body = [
        f'<header><p class="soft">Likeness terminal</p><h1>{escape(report.terminal)}</h1>',
        f'<p class="verdict {worst.value}"><strong>{escape(report.verdict)}</strong></p>',
        f'<p class="soft">{escape(told)}</p></header>',
        _to_do(report.to_do),
        _measures([(finding, finding.gauge) for finding in report.findings if finding.gauge is not None]),
    ]
    if report.pictures.parts:
        body.append(_section("The panel, as the technician found it", panel_picture(report.pictures.parts)))
    if report.pictures.gaps_ms:
        body.append(_section("The camera's pace", pace_picture(report.pictures.gaps_ms)))
    body.append(_everything(report.findings))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body><main>\n" + "\n".join(body) + "\n</main>"
        "</body></html>\n"
    )


def _to_do(findings: list[Finding]) -> str:
    if not findings:
        return ""
    return _section("What to do, the worst first", f'<ol class="todo">{"".join(map(_card, findings))}</ol>')


def _card(finding: Finding) -> str:
    return (
        f'<li class="{finding.level.value}">{_tag(finding.level)}<h3>{escape(finding.check)}</h3>'
        f'<p>{escape(finding.found)}</p><p class="soft">Why: {escape(finding.why)}</p>'
        f'<p class="do">Do: {escape(finding.advice)}</p></li>'
    )


def _measures(measured: list[tuple[Finding, Gauge]]) -> str:
    figures = "".join(
        f"<figure><figcaption>{escape(gauge.label)}<br><b>{_value(gauge)}</b> {_tag(finding.level)}</figcaption>"
        f"{gauge_picture(gauge)}</figure>"
        for finding, gauge in measured
    )
    return _section("Measured", f'<div class="gauges">{figures}</div>') if figures else ""


def _everything(findings: tuple[Finding, ...]) -> str:
    rows = "".join(
        f'<tr><td>{_tag(finding.level)}</td><th scope="row">{escape(finding.check)}</th>'
        f"<td>{escape(finding.found)}</td></tr>"
        for finding in findings
    )
    return _section("Every check, in its order", f"<table><tbody>{rows}</tbody></table>")


def _section(title: str, inside: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{inside}</section>"


def _tag(level: Level) -> str:
    return f'<span class="tag {level.value}">{SIGNS[level]} {WORDS[level]}</span>'


def _value(gauge: Gauge) -> str:
    number = f"{gauge.value:.0f}" if gauge.unit or abs(gauge.value) >= 10 else f"{gauge.value:.2f}"
    return escape(f"{number} {gauge.unit}".strip())
