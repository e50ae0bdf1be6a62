"""Reads the log of a training as scripts do that were written for Keras' CSVLogger.

    read_training_log.py FILE

Prints JSON: {"columns": [...], "rows": [{column: number or "NA"}, ...], "rewritten": whether
csv.DictWriter and Python's floats, which CSVLogger uses, write the same bytes}.
"""

import csv
import io
import json
import sys


def number(text):
    return text if text == "NA" else int(text) if text.isdigit() else float(text)


with open(sys.argv[1], newline="", encoding="utf-8") as file:
    log = file.read()
reader = csv.DictReader(io.StringIO(log, newline=""))
rows = [{key: number(text) for key, text in row.items()} for row in reader]
again = io.StringIO(newline="")
writer = csv.DictWriter(again, fieldnames=reader.fieldnames, dialect=csv.excel)
writer.writeheader()
writer.writerows(rows)
json.dump({"columns": reader.fieldnames, "rows": rows, "rewritten": again.getvalue() == log},
          sys.stdout)
