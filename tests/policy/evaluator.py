"""Answers questions about one HTCondor configuration, a line of JSON each, in a process of its own.

The bindings end the interpreter when a configuration is broken, and read it once: hence a process per configuration.
"""

import json
import sys

import classad2
import htcondor2


def value(of: object) -> object:
    """What JSON can carry; UNDEFINED and ERROR by their names."""
    if isinstance(of, classad2.Value):  # it is an int, too
        return of.name.lower()
    return of if isinstance(of, bool | int | float | str) else str(of)


def answer(question: dict[str, object]) -> object:
    if "knob" in question:
        return htcondor2.param.get(question["knob"])
    if "names" in question:
        return sorted(htcondor2.param.keys())
    scope, target = (classad2.parseOne(question.get(ad) or "") for ad in ("my", "target"))
    for name, text in question.get("nested", {}).items():
        scope[name] = classad2.parseOne(text)
    return value(classad2.ExprTree(question["expression"]).eval(scope, target))


for line in sys.stdin:
    sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
    sys.stdout.flush()
