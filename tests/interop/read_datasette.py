"""Lays a metadata.json over a database as Datasette does, with nothing but the standard library.

    read_datasette.py DATABASE METADATA

Ends in an error where something would be shown without words, or would not be found: a table, view
or column of either that the other lacks, a unit that Pint does not know, a query that SQLite refuses
or that has a parameter of another name than those tried here, a row without what it refers to.
Prints JSON: {table: {"rows": count, "columns": {...}, "units": {...}, "links": {column: table}}},
and under "queries" the rows that each gives.
"""

import json
import pathlib
import sqlite3
import sys

PINT_UNITS = {"s", "1/s", "byte"}
PARAMETERS = {"name": "batch-normalized", "key": "train.optimizer.name"}


def check(is_so, *what):
    if not is_so:
        sys.exit("Datasette would not find its way: " + " ".join(map(str, what)))


def read_table(database, name, metadata):
    columns = [row[1] for row in database.execute(f"PRAGMA table_info([{name}])")]
    check(metadata["description"], name)
    check(list(metadata["columns"]) == columns, name, columns, metadata["columns"])
    units = metadata.get("units", {})
    check(units.keys() <= set(columns) and set(units.values()) <= PINT_UNITS, name, units)
    links = {row[3]: row[2] for row in database.execute(f"PRAGMA foreign_key_list([{name}])")}
    rows = database.execute(f"SELECT count(*) FROM [{name}]").fetchone()[0]
    return {"rows": rows, "columns": metadata["columns"], "units": units, "links": links}


def main(path, metadata_path):
    with open(metadata_path, encoding="utf-8") as file:
        metadata = json.load(file)
    ours = metadata["databases"][pathlib.Path(path).stem]
    database = sqlite3.connect(pathlib.Path(path).absolute().as_uri() + "?mode=ro", uri=True)
    names = {row[0] for row in database.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
    check(ours["tables"].keys() == names, names ^ ours["tables"].keys())
    check(database.execute("PRAGMA foreign_key_check").fetchall() == [], "rows refer to nothing")
    result = {name: read_table(database, name, ours["tables"][name]) for name in names}
    result["queries"] = {}
    for name, query in ours["queries"].items():
        check(query["title"], name)
        result["queries"][name] = len(database.execute(query["sql"], PARAMETERS).fetchall())
    json.dump(result, sys.stdout)


main(*sys.argv[1:])
