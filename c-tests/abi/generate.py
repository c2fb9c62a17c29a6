#!/usr/bin/env python3
"""Writes a C program to stdout that compares our headers with the inventory of the reference.

Types, layouts, values and prototypes are checked by the compiler, strings when the program runs.
Prototypes are checked for the functions the headers declare."""

import re

import api


def check(condition, what):
    return f'_Static_assert({condition}, "{what}");'


def same_type(a, b, what):
    return check(f"__builtin_types_compatible_p({a}, {b})", what)


def pointer_to(returns, params, variadic=False):
    """The type of a pointer to such a function; arrays are pointers, as the compiler sees them."""
    types = [re.sub(r"^(.*)\[\d+\]$", r"\1 *", p["type"]) for p in params] + ["..."] * variadic
    return f"{returns} (*)({', '.join(types) or 'void'})"


def enums(inventory):
    for enum in inventory["enums"]:
        name = enum["name"]
        yield check(f"sizeof({name}) == {enum['size']}", f"size of {name}")
        for constant in enum["constants"]:
            yield check(f"{constant['name']} == {constant['value']}", constant["name"])


def conditional(inventory):
    """Constants that are there only when a program defines a macro, besides those that always are."""
    for part in inventory["conditional"]:
        yield f"#ifdef {part['macro']}"
        for constant in part["constants"]:
            name = constant["name"]
            yield check(f"{name} == {constant['value']} && ({part['of']}){name} == {name}", name)
        yield "#else"
        for constant in part["constants"]:
            yield f"typedef int {constant['name']}; /* the name is free */"
        yield "#endif"


def structs(inventory):
    for struct in inventory["structs"]:
        name = struct["name"]
        yield check(f"sizeof({name}) == {struct['size']}", f"size of {name}")
        yield check(f"_Alignof({name}) == {struct['align']}", f"alignment of {name}")
        yield same_type(name, f"struct {struct['tag']}", f"tag of {name}")
        for field in struct["fields"]:
            path = f"{name}.{field['name']}"
            yield check(f"offsetof({name}, {field['name']}) == {field['offset']}", f"offset of {path}")
            yield same_type(f"__typeof__((({name} *)0)->{field['name']})", field["type"], f"type of {path}")


def types(inventory):
    for kind in inventory["types"]:
        is_callback = kind["kind"] == "callback"
        other = pointer_to(kind["returns"], kind["params"]) if is_callback else kind["of"]
        yield same_type(kind["name"], other, kind["name"])


def symbols(inventory):
    declared = api.declared()
    for function in inventory["functions"]:
        if function["name"] in declared:
            other = pointer_to(function["returns"], function["params"], function["variadic"])
            yield same_type(f"__typeof__(&{function['name']})", other, function["name"])
    for variable in inventory["variables"]:
        if variable["name"] in declared:
            yield same_type(f"__typeof__({variable['name']})", variable["type"], variable["name"])


def macros(inventory):
    """Macros that are numbers or empty, and those with arguments: these need only be there."""
    for macro in inventory["macros"]:
        name, text = macro["name"], macro["text"]
        yield f"#ifndef {name}\n#error {name} is missing\n#endif"
        if text and text[0] not in '("':
            yield check(f"{name} == ({text})", name)
        elif text.startswith("( ( NATS"):
            yield check(f"{name} == {text}", name)


def strings(inventory):
    return [m for m in inventory["macros"] if m["text"].startswith('"')]


def main():
    inventory = api.inventory()
    print("#include <stddef.h>\n#include <stdio.h>\n#include <string.h>\n#include <nats/nats.h>\n")
    for part in (enums, conditional, structs, types, symbols, macros):
        print("\n".join(part(inventory)), end="\n\n")
    print("static int differs(const char *name, const char *is, const char *should)\n{")
    print("    if (strcmp(is, should) == 0)\n        return 0;")
    print(
        '    fprintf(stderr, "%s is \\"%s\\", should be \\"%s\\"\\n", name, is, should);\n    return 1;\n}\n'
    )
    print("int main(void)\n{\n    int failed = 0;")
    for macro in strings(inventory):
        print(f'    failed += differs("{macro["name"]}", {macro["name"]}, {macro["text"]});')
    print("    return failed != 0;\n}")


main()
