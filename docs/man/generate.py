#!/usr/bin/env python3
"""Manual pages of section 3, one for each public function, out of the comments in include/mortal.h.

usage: generate.py --list HEADER                 the names of the pages
       generate.py --version V HEADER DIRECTORY  write them

A comment is "name - what it does", then headings with their text. Shape describes the parameters, Returns the values:
either one on a line, or several on one line separated by semicolons.
"""
import argparse
import os
import re
import textwrap
import time

HEADINGS = ("Shape", "Returns", "Blocks", "Threads", "Signals", "Fork", "Killed", "Notes", "Since", "Test")
SECTIONS = {
    "Blocks": "BLOCKING",
    "Threads": "THREADS",
    "Signals": "SIGNALS",
    "Fork": "FORK",
    "Killed": "WHEN A HOST IS KILLED",
    "Test": "TESTED BY",
}
# What an error means where the comment names it without a word.
EVERYWHERE = {
    "EINVAL": "a handle or another argument is null, made up or ended",
    "EPERM": "called in a forked child or inside a task",
    "ESHUTDOWN": "the pool is being closed by another thread",
    "ESTALE": "released before, or its pool was closed",
    "EINTR": "a signal handler ran",
    "ENOMEM": "not enough memory",
    "EMFILE": "no descriptor is left",
    "EOWNERDEAD": "the supervisor died",
}
FUNCTION = re.compile(r"/\*\*\n(?P<doc>(?: \*[^\n]*\n)*?) \*/\nMORTAL_API (?P<type>[^;(]*?)(?P<name>\w+)"
                      r"\((?P<parameters>[^;]*)\);")


def parse_doc(doc):
    """The summary, and for each heading its lines, of which the first begins at column 0."""
    lines = [line[3:].rstrip() for line in doc.splitlines()]
    summary, parts, current = lines[0].split(" - ", 1)[1], {}, None
    for line in lines[1:]:
        word = line.split(" ", 1)[0]
        if word in HEADINGS:
            current = parts.setdefault(word, [])
        if current is None:
            summary += " " + line.strip()
        else:
            current.append(line[10:] if line[:10].strip() in HEADINGS + ("",) else line)
    return summary, parts


def parameters_of(text):
    text = " ".join(text.split())
    return [] if text == "void" else [part.strip() for part in text.split(",")]


def name_of(parameter):
    return re.search(r"(\w+)$", parameter).group(1)


def escape(text):
    """Running text as mdoc lines: one sentence a line, names of functions, constants and errors in bold."""
    text = " ".join(text.split()).replace("\\", "\\e").replace('"', "\\(dq")
    text = re.sub(r"(?<![\w-])-E([A-Z]+)", r"\\fB\\-E\1\\fP", text)
    text = re.sub(r"\b(mortal_\w+)\(\)", r"\\fB\1\\fP(3)", text)
    text = re.sub(r"\b(MORTAL_[A-Z_]+)\b", r"\\fB\1\\fP", text)
    lines = re.sub(r"(?<=[a-z0-9)][.?!]) (?=[A-Z])", "\n", text)
    lines = "\n".join(textwrap.fill(line, 110, break_long_words=False, break_on_hyphens=False)
                      for line in lines.split("\n"))
    return re.sub(r"^([.'])", r"\\&\1", lines, flags=re.M)


def sentence(text):
    text = text.strip()
    text = text[:1].upper() + text[1:] if re.match(r"[a-z]+\b(?![_(.])", text) else text
    return text if text.endswith((".", "?", "!")) else text + "."


def table(entries, style):
    out = [f".Bl -tag -width {style} -compact"]
    for term, body in entries:
        out.append(f".It {term}")
        out.append(body)
    return "\n".join(out + [".El"])


def split_entries(lines, pattern):
    """Lines at the left edge that match begin an entry, deeper ones go on with it; the rest is running text."""
    prose, entries = [], []
    for line in lines:
        match = re.match(pattern, line)
        if match:
            entries.append([match.group(1), [match.group(2) or ""]])
        elif entries and (line.startswith(" ") or not line):
            entries[-1][1].append(line.strip())
        else:
            prose.append(line)
    return prose, entries


def described(lines):
    """An entry's body: running text, or a table where each value of a constant has its line."""
    prose, entries = split_entries(lines, r"(MORTAL_\w+)\s{2,}(.*)")
    if not entries:
        return escape(" ".join(lines))
    rows = [(f"Dv {name}", escape(" ".join(body))) for name, body in entries]
    return (escape(" ".join(prose)) + "\n" if "".join(prose) else "") + table(rows, "MORTAL_CLOSE_CANCEL")


def shape_of(lines, names):
    if not names:
        return escape(sentence(" ".join(lines)))
    pattern = rf"({'|'.join(names)})\b(?![(.])\s+(.*)"
    prose, entries = split_entries(lines, pattern)
    out = [".Pp\n" + escape(sentence(" ".join(prose)))] if prose else []
    if entries:
        rows = [(f"Fa {name}", described(body)) for name, body in entries]
        out.append(".Pp\nThe parameters are:\n.Pp\n" + table(rows, "timeout_ns"))
    return "\n".join(out)


def errors_on_one_line(text):
    """ "0; -EBUSY it is running; -EINVAL" as entries."""
    for part in re.split(r";\s*", re.sub(r"^0(, or)?\s*;?\s*", "", text)):
        match = re.match(r"-(E[A-Z]+)\b[ ,:]*(.*)", part)
        if match:
            yield match.group(1), match.group(2)


def error_rows(entries):
    for codes, text in entries:
        codes = re.findall(r"E[A-Z]+", codes)
        if text:
            yield " , ".join(f"Er \\-{code}" for code in codes), escape(text)
            continue
        for code in codes:
            yield f"Er \\-{code}", escape(EVERYWHERE[code])


def returns_of(lines):
    prose, entries = split_entries(lines, r"\s*(-E[A-Z]+(?:, -E[A-Z]+)*)(?:\s{2,}(.*))?$")
    text = " ".join(" ".join(prose).split())
    found = [(codes, " ".join(body).strip()) for codes, body in entries]
    if not found and re.match(r"0(;|, or )", text):
        found, text = list(errors_on_one_line(text)), "0"
    if not found:
        return escape(sentence(text))
    return "0 on success, or a negative error number:\n.Pp\n" + table(error_rows(found), "\\-EINPROGRESS")


def see_also(name, doc, all_names):
    names = set(re.findall(r"\b(mortal_\w+)\(\)", doc)) & set(all_names)
    if re.search(r"^ \* Returns.*\b0[;,]", doc, re.M):
        names.add("mortal_why")
    pages = [(page, 3) for page in sorted(names - {name})] + [("mortal", 7)]
    pages.sort(key=lambda page: (page[1], page[0]))
    return "\n".join(f".Xr {page} {section}{' ,' if (page, section) != pages[-1] else ''}" for page, section in pages)


def synopsis(match):
    kind = " ".join(match["type"].split())
    out = [".In mortal.h", f'.Ft "{kind}"', f".Fo {match['name']}"]
    out += [f'.Fa "{parameter}"' for parameter in parameters_of(match["parameters"]) or ["void"]]
    return "\n".join(out + [".Fc"])


def page(match, all_names, version, date):
    summary, parts = parse_doc(match["doc"])
    names = [name_of(parameter) for parameter in parameters_of(match["parameters"])]
    out = [
        f".Dd {date}", f".Dt {match['name'].upper()} 3", f".Os mortal {version}",
        ".Sh NAME", f".Nm {match['name']}", f".Nd {escape(summary)}",
        ".Sh SYNOPSIS", synopsis(match),
        ".Sh DESCRIPTION", escape(sentence(summary)),
    ]
    if "Shape" in parts:
        out.append(shape_of(parts["Shape"], names))
    if "Notes" in parts:
        out.append(".Pp\n" + escape(sentence(" ".join(parts["Notes"]))))
    out += [".Sh RETURN VALUES", returns_of(parts["Returns"])]
    for heading, title in SECTIONS.items():
        if heading in parts:
            text = " ".join(parts[heading])
            out += [f".Sh {title}", escape(text if heading == "Test" else sentence(text))]
    out += [".Sh SEE ALSO", see_also(match["name"], match["doc"], all_names)]
    out += [".Sh HISTORY", f"Since version {' '.join(parts['Since'])}."]
    return "\n".join(line for line in out if line) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--version", default="")
    parser.add_argument("header")
    parser.add_argument("directory", nargs="?")
    arguments = parser.parse_args()
    with open(arguments.header, encoding="utf-8") as file:
        functions = list(FUNCTION.finditer(file.read()))
    names = [match["name"] for match in functions]
    if arguments.list:
        print("\n".join(f"{name}.3" for name in names))
        return
    # The same header gives the same pages, whenever they are made.
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH", os.stat(arguments.header).st_mtime))
    date = time.strftime("%B %-d, %Y", time.gmtime(seconds))
    for match in functions:
        with open(os.path.join(arguments.directory, match["name"] + ".3"), "w", encoding="utf-8") as file:
            file.write(page(match, names, arguments.version, date))


if __name__ == "__main__":
    main()
