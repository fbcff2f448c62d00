"""What the fake's pages share: a frame, money, time, and their small style."""

from datetime import UTC, datetime
from html import escape

_WITHOUT_MINOR_UNIT = {
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv",
    "xaf", "xof", "xpf",
}  # fmt: skip
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --strong: #4f46e5; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 34rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
main.wide { max-width: 76rem; }
.banner { background: #b45309; color: #fff; text-align: center; padding: .3rem 1rem; }
h1 { font-size: 1.5rem; margin: .5rem 0 1rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .5rem; border-bottom: 1px solid var(--line); }
td.amount, th.amount { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tfoot th, tfoot td { border-bottom: 0; font-weight: 700; }
.scroll { overflow-x: auto; } .wide table { font-size: .85rem; } code { font-size: .85em; }
form.actions { display: grid; gap: .6rem; margin-top: 1.5rem; }
button { font: inherit; padding: .6rem 1rem; border: 1px solid var(--line); border-radius: .5rem;
  background: var(--soft); color: inherit; cursor: pointer; }
button.main { background: var(--strong); border-color: var(--strong); color: #fff; }
button:focus-visible, a:focus-visible, input:focus-visible { outline: 3px solid #818cf8; }
.wide button { padding: .1rem .6rem; font-size: .85rem; }
input { font: inherit; padding: .5rem; border: 1px solid var(--line); border-radius: .5rem; }
label { display: grid; gap: .2rem; }
.notice { border-left: 4px solid #b91c1c; background: var(--soft); padding: .6rem 1rem; }
.pix { display: grid; justify-items: center; gap: .8rem; margin-top: 1.5rem; }
.pix svg { width: 14rem; height: 14rem; background: #fff; padding: .8rem; border-radius: .5rem; }
.pix code { overflow-wrap: anywhere; }
"""


def frame(title: str, content: str, *, wide: bool = False) -> str:
    """A whole page; `title` is text, `content` is HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        '<div class="banner" role="note">Test mode: a local fake of Stripe. No money moves.</div>'
        f"<main{' class=wide' if wide else ''}><h1>{escape(title)}</h1>{content}</main>"
        "</body></html>"
    )


def money(amount: int, currency: str) -> str:
    """An amount of minor units for people: BRL 19.90."""
    if currency in _WITHOUT_MINOR_UNIT:
        return f"{currency.upper()} {amount}"
    return f"{currency.upper()} {amount // 100}.{amount % 100:02d}"


def moment(at: float) -> str:
    """Epoch seconds for people, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
