"""Cursors that nobody was given: JSON source, with `DIGEST` where the filters' digest stands."""

_VALUES = (
    "",
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "NaN",
    "1e400",
    "Infinity",
    str(2**31),
    str(2**63),
    str(2**70),
    str(-(2**63)),
    '"x"',
    '""',
    '"\\ud800"',
    '"\\u0000"',
    '"\\u202e"',
    "[]",
    "{}",
    "[[[]]]",
    '{"a":1,"a":2}',
    '"infinity"',
    '"now"',
    '"019a9e00-0000-7000-8000-000000000001"',
    '"{019A9E00000070008000000000000001}"',
    '"2026-11-20T12:00:00+00:00"',
    '"2026-11-20T12:00:00"',
    '"0001-01-01T00:00:00+23:59"',
    '"9999-12-31T23:59:59.999999-23:59"',
    '"2026-W01-1"',
    '"20261120T120000Z"',
    '"' + "9" * 60 + '"',
    "9" * 60,
    '"\' or 1=1 --"',
    '"${jndi:ldap://a}"',
)
_MOST_VALUES = 3

CURSORS: dict[str, str] = (
    {
        f"{number} of {value[:40]}": f"[{','.join(['DIGEST', *[value] * number])}]"
        for value in _VALUES
        for number in range(1, _MOST_VALUES + 1)
    }
    | {
        f"a moment and {value[:40]}": f'[DIGEST,"2026-11-20T12:00:00+00:00",{value}]'
        for value in _VALUES
        if value
    }
    | {f"a number and {value[:40]}": f"[DIGEST,7,{value}]" for value in _VALUES if value}
    | {
        "nothing": "",
        "only a digest": "[DIGEST]",
        "another digest": '["0123456789ab","x"]',
        "no list": "DIGEST",
        "an object": '{"0":DIGEST}',
        "deep": "[" * 200,
        "not UTF-8": "\udcff",
        "NUL": "\0",
        "UTF-16": "[\0",
        "a number": "7",
        "20 values": f"[DIGEST,{','.join(['0'] * 20)}]",
        "the digest as a list": "[[DIGEST],0]",
        "long": "x" * 500,
    }
)
