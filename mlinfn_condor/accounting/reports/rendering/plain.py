"""Reports for programs: JSON and CSV, figures in full."""

import csv
import io
import json
from collections.abc import Sequence

from mlinfn_condor.accounting.reports.report import Report


def as_json(reports: Sequence[Report]) -> str:
    """One object per report, in a list if there are several; unknown figures are null."""
    told = [
        {
            "report": report.name,
            "since": report.period.since.isoformat(),
            "until": report.period.until.isoformat(),
            "by": report.by,
            "tables": {
                table.name: {
                    "meaning": {column.name: column.meaning for column in table.columns},
                    "rows": table.records(),
                    "total": dict(zip((c.name for c in table.columns), table.total, strict=True))
                    if table.total
                    else None,
                }
                for table in report.tables
            },
            "notes": list(report.notes),
        }
        for report in reports
    ]
    return json.dumps(told[0] if len(told) == 1 else told, indent=1) + "\n"


def as_csv(reports: Sequence[Report]) -> str:
    """Each table with its header; an empty line between tables; no totals, and unknown figures are empty."""
    blocks = []
    for report in reports:
        for table in report.tables:
            text = io.StringIO()
            rows = csv.writer(text, lineterminator="\n")
            rows.writerow([column.name for column in table.columns])
            rows.writerows(table.rows)
            blocks.append(text.getvalue())
    return "\n".join(blocks)
