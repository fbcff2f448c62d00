"""JSON for one field: texts, numbers, lists and objects that don't belong there, as source."""

import json

from tests.faults.attacks.texts import TEXTS

_DEEP = 100_000


def _list_of(item: str, number: int) -> str:
    return f"[{','.join([item] * number)}]"


_TEXTS = {f"text: {name}": json.dumps(text) for name, text in TEXTS.items()}
_RAW_TEXTS = {
    f"unescaped text: {name}": json.dumps(text, ensure_ascii=False)
    for name, text in TEXTS.items()
    if not text.isascii()
}
_LITERALS = {
    "null": "null",
    "true": "true",
    "false": "false",
    "empty list": "[]",
    "empty object": "{}",
    "list of null": "[null]",
    "list of lists": "[[],[[]]]",
    "list of objects": "[{}]",
    "list of texts": '["a","b"]',
    "the same twice": '["fashion","fashion"]',
    "mixed list": '[1,"a",null,true,1.5]',
    "object": '{"a":1}',
    "object, email": '{"email":null}',
    "repeated key": '{"a":1,"a":2}',
    "repeated key, escaped": '{"a":1,"\\u0061":2}',
    "prototype": '{"__proto__":{"is_admin":true}}',
    "operator": '{"$ne":null}',
    "surrogate as a key": '{"\\ud800":1}',
    "NUL as a key": '{"\\u0000":1}',
    "empty key": '{"":1}',
    "half an escape": '"\\ud83d\\u0041"',
    "bad escape": '"\\x00"',
    "cut off escape": '"\\u12"',
    "escaped slash": '"\\/\\b\\f"',
    "raw newline": '"a\nb"',
    "raw NUL": '"a\x00b"',
    "single quotes": "'a'",
    "no quotes": "ana",
    "nothing": "",
    "comment": "/* a */ 1",
    "trailing comma": "[1,]",
    "undefined": "undefined",
}
_NUMBERS = {
    f"number: {number[:30]}, {len(number):,} characters": number
    for number in (
        "0",
        "1",
        "-1",
        "-0",
        "0.0",
        "1.0",
        "1.5",
        "0.1",
        "1e2",
        "1E400",
        "1e400",
        "-1e400",
        "1e-400",
        "1e308",
        "NaN",
        "Infinity",
        "-Infinity",
        "nan",
        "2147483647",
        "2147483648",
        "-2147483649",
        "9007199254740993",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        str(2**64),
        str(2**70),
        str(-(2**70)),
        "01",
        "+1",
        ".5",
        "5.",
        "0x10",
        "1_000",
        "1e",
        "--1",
        "9" * 400,
        "9" * 5_000,
        "0." + "1" * 5_000,
        "1e" + "9" * 400,
        "\uff11",
    )
}
_LARGE = {
    "65,536 numbers": _list_of("0", 65_536),
    "30,000 numbers": _list_of("0", 30_000),
    "15,000 texts": _list_of('"a"', 15_000),
    "20,000 lists": _list_of("[]", 20_000),
    "9,000 objects": _list_of('{"":0}', 9_000),
    "5,000 keys": json.dumps({f"key{number}": number for number in range(5_000)}),
    "a long key": json.dumps({"k" * 50_000: 1}),
    "33 levels": "[" * 33 + "]" * 33,
    "1,000 levels of objects": '{"a":' * 1_000 + "1" + "}" * 1_000,
    "30,000 levels": "[" * 30_000 + "]" * 30_000,
    "100,000 levels": "[" * _DEEP + "]" * _DEEP,
    "100,000 levels of objects": '{"a":' * _DEEP + "1" + "}" * _DEEP,
    "100,000 brackets": "[" * _DEEP,
    "brackets and an open text": "[" * 40 + '"' + '\\"' * 31_000,
    "1 MB of text": json.dumps("x" * 1_000_000),
}

FRAGMENTS: dict[str, str] = _TEXTS | _RAW_TEXTS | _LITERALS | _NUMBERS | _LARGE
