#!/usr/bin/env python3
"""Every ordering that matters is told, and whom it pairs with agrees.

    ORD(here) pairs ORD(there)[, ORD(elsewhere)]     defines a label, right above the access it is about
    ORD(here)                                        a further access of the same kind, see there
    ORD(*) the reason                                once in a file: its plain atomic_*() calls, which are sequentially
                                                     consistent, have no partner each

An access with an explicit order other than relaxed, in src/, has a label at most REACH lines above it in its function
or in the comment over that. A plain atomic_*() call has one too, or its file a note.

    ORD(here) pairs ORD(there), which makes the barrier
                                                     the access may be relaxed: the other side calls membarrier(2) there,
                                                     and here a compiler barrier keeps what follows below it

    orders.py --header     what the explorer needs: each label with the order of the access below it
"""
import os
import re
import sys

ROOT = os.environ.get("SRC", ".")
REACH = 12
LABEL = r"ORD\(([a-z][a-z:-]*)\)"
DEFINITION = re.compile(LABEL + r" pairs ((?:" + LABEL + r"(?:, | and )?)+)")
EXPLICIT = re.compile(r"memory_order_(acquire|release|acq_rel|seq_cst)")
ANY_EXPLICIT = re.compile(r"memory_order_([a-z_]+)")
PLAIN = re.compile(r"\batomic_(?:load|store|exchange|compare_exchange_(?:strong|weak)|fetch_[a-z]+)\(")
BARRIER = re.compile(r"\bbarrier_(?:all|everywhere)\(")
KEPT_APART = "atomic_signal_fence(memory_order_seq_cst)"
NOTE = re.compile(r"ORD\(\*\) \S+ \S+")


def sources(folder, endings):
    for directory, _, names in sorted(os.walk(os.path.join(ROOT, folder))):
        for name in sorted(names):
            if name.endswith(endings):
                path = os.path.join(directory, name)
                with open(path, encoding="utf-8") as file:
                    yield os.path.relpath(path, ROOT), file.read()


def joined(text):
    """Comments as one line each place: a definition may go on in the next line."""
    return re.sub(r"\n\s*(?:\*(?!/)|//) ?", " ", text)


def definitions(texts):
    """{label: (path, partners)} and what is wrong with them."""
    found, faults = {}, []
    for path, text in texts:
        for match in DEFINITION.finditer(joined(text)):
            if match[1] in found:
                faults.append(f"{path}: ORD({match[1]}) is also defined in {found[match[1]][0]}")
            found[match[1]] = (path, re.findall(LABEL, match[2]))
    return found, faults


def below(text, label, reach=None):
    """What follows the comment with the definition of that label; reach: so many lines of the same function."""
    at = re.search(r"ORD\(" + re.escape(label) + r"\) pairs", text).end()
    code = text[text.index("*/", at):]
    return code if reach is None else "\n".join(code.split("\n}")[0].splitlines()[:reach])


def light_labels(found, texts):
    """{label: its partner that makes the barrier}, of those that say so."""
    text_of = dict(texts)
    says = {label: re.search(r"ORD\(" + re.escape(label) + r"\) pairs (?:" + LABEL + r"(?:, | and )?)+, which makes the barrier",
                             re.sub(r"\s+", " ", joined(text_of[path]))) for label, (path, _) in found.items()}
    return {label: match[1] for label, match in says.items() if match}


def light_faults(found, texts):
    text_of = dict(texts)
    makers = {label for label, (path, _) in found.items() if BARRIER.search(below(text_of[path], label, REACH))}
    light = light_labels(found, texts)
    for label, (path, partners) in found.items():
        maker = light.get(label)
        if maker and maker not in makers:
            yield f"{path}: ORD({label}) relies on ORD({maker}), which calls no membarrier"
        if maker and KEPT_APART not in below(text_of[path], label, REACH):
            yield f"{path}: ORD({label}) leaves the barrier to ORD({maker}), and has no compiler barrier below it"
        for partner in makers & set(partners):
            if partner != maker:
                yield f"{path}: ORD({label}) does not say that ORD({partner}) makes the barrier"


def pair_faults(found, texts):
    light = light_labels(found, texts)
    for label, (path, partners) in found.items():
        for partner in partners:
            if partner not in found:
                yield f"{path}: ORD({label}) pairs ORD({partner}), which does not exist"
            elif label not in found[partner][1]:
                yield f"{path}: ORD({label}) pairs ORD({partner}), which does not name it back"
        if label not in light and order_below(dict(texts)[path], label) == "relaxed":
            yield f"{path}: ORD({label}) stands above an access that is relaxed"
    for path, text in texts:
        for label in sorted(set(re.findall(LABEL, text)) - set(found)):
            yield f"{path}: ORD({label}) pairs with nobody"


def is_covered(lines, number):
    """lines[number] is an access: is a label above it, no further than its function and the comment over that?"""
    for at in range(number, max(number - REACH, -1), -1):
        if re.search(LABEL, lines[at]):
            return True
        if at < number and lines[at] == "}":
            return False
    return False


def access_faults(path, text):
    lines = text.splitlines()
    has_note = NOTE.search(text)
    in_comment = False
    for number, line in enumerate(lines):
        if in_comment or line.lstrip().startswith("/*"):
            in_comment = "*/" not in line
            continue
        planted = "PLANTED(" in line or "PLANTED(" in lines[number - 1]
        if planted or is_covered(lines, number):
            continue
        if EXPLICIT.search(line):
            yield f"{path}:{number + 1}: an order without a label: {line.strip()}"
        elif PLAIN.search(line) and not has_note:
            yield f"{path}:{number + 1}: a plain atomic without a label, in a file without a note: {line.strip()}"


def order_below(text, label):
    """Of the first access below the definition of that label; for a compare-and-swap the order of its success."""
    code = below(text, label)
    explicit = ANY_EXPLICIT.search(code)
    for full in (PLAIN.search(code), BARRIER.search(code)):
        if full and (not explicit or full.start() < explicit.start()):
            return "seq_cst"
    return explicit[1]


def header(found, texts):
    text_of = dict(texts)
    print("/* Made from the sources by tests/check/orders.py: the order of the access under each label. */")
    for label, (path, _) in sorted(found.items()):
        print(f"LABEL({re.sub('[:-]', '_', label)}, {order_below(text_of[path], label)})")


def main():
    texts = list(sources("src", (".c", ".h")))
    found, faults = definitions(texts)
    if "--header" in sys.argv:
        header(found, texts)
        return 0
    faults += pair_faults(found, texts)
    faults += light_faults(found, texts)
    for path, text in texts:
        faults += access_faults(path, text)
    explored = {word for _, text in sources("tests/order", (".cpp",)) for word in re.findall(r"\w+", text)}
    unexplored = sorted(label for label in found if re.sub("[:-]", "_", label) not in explored)
    if faults:
        print("\n".join(faults))
    else:
        print(f"note: ordering labels: {len(found)}, all paired; "
              f"in no explored protocol: {' '.join(unexplored) or 'none'}")
    return 1 if faults or not found else 0


sys.exit(main())
