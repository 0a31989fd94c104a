"""Many licences from one CSV file: `sheet` and `columns` read it, `work` issues in processes, `run` leads them."""

from elicense.bulk.columns import Columns, Job, template
from elicense.bulk.run import Progress, Summary, run_bulk
from elicense.bulk.sheet import Sheet

__all__ = ["Columns", "Job", "Progress", "Sheet", "Summary", "run_bulk", "template"]
