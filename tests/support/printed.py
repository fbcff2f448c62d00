"""Pages of the documentation as what they show: commands, and what each of them answers."""

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

PRINTED_ADDRESS = "http://127.0.0.1:8000"
MARK = "--- answer ---"


class Step(NamedTuple):
    """A command, and what the page says it answers; None where it says nothing."""

    command: str
    printed: str | None


def steps(text: str) -> list[Step]:
    """The commands of a page, or of a part of it, in order."""
    found: list[Step] = []
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for line in block.strip().splitlines():
            if line.startswith("# "):
                found[-1] = Step(found[-1].command, line.removeprefix("# "))
            else:
                found.append(Step(line, None))
    return found


def section(page: Path, title: str) -> str:
    """What stands under a heading of the second level."""
    return page.read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def run(shown: list[Step], address: str, seconds: float) -> None:
    """Run the commands in one shell, against `address`, and hold each answer against the page.

    AssertionError tells the first command that answers something else, or never ends.
    """
    script = "\n".join(f"{step.command}\necho; echo '{MARK}'" for step in shown)
    command = ["timeout", str(seconds), "bash", "-c", script.replace(PRINTED_ADDRESS, address)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    *answers, rest = [part.strip() for part in ran.stdout.split(MARK)]
    for step, answer in zip(shown, answers, strict=False):
        if step.printed is not None:
            told = f"{step.command}\nprinted: {step.printed}\nanswered: {answer}"
            assert re.fullmatch(_pattern(step.printed), answer, re.DOTALL), told
    if len(answers) < len(shown):
        unfinished = shown[len(answers)].command
        raise AssertionError(f"not done after {seconds} s: {unfinished}\n{rest}\n{ran.stderr}")


def _pattern(printed: str) -> str:
    """What an answer has to match: as printed, but for what stands behind an ellipsis."""
    return ".*".join(re.escape(part) for part in printed.split("…"))
