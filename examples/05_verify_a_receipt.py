"""A receipt is computed again from its own figures, and an altered one does not add up.

The settlement is that of 01_worked_example. First the receipt as it is, then one field changed,
then the same change by somebody who knows how to make the digest fit again.
"""

import json

from market import SOL, market, quote, worked_example

from solvent import SECOND, TimeStep
from solvent.domain.codec.canonical import digest_of
from solvent.receipts.builder import ReceiptBuilder
from solvent.receipts.codec import receipt_line
from solvent.receipts.verify.check import verify_receipt


def receipts() -> list[str]:
    """Lines of receipts.jsonl: the builder listens to the events of every command."""
    engine = market(accounts=4)
    builder = ReceiptBuilder(engine.parameters)
    lines = []
    settled = (*worked_example(), quote(SOL, "190"), TimeStep(60 * SECOND))
    for number, command in enumerate(settled):
        events = engine.apply_one(command)
        lines += [receipt_line(receipt) for receipt in builder.feed(number, events)]
    return lines


def show(title: str, problems: list[str]) -> None:
    """Print what is wrong with a receipt."""
    print(f"{title}: {'good' if not problems else 'rejected'}")
    for problem in problems:
        print(f"  {problem}")


(line,) = receipts()
receipt = json.loads(line)
print(f"A receipt: case {receipt['case']}, policy {receipt['policy']}")
for candidate in receipt["candidates"]:
    print(f"  account {candidate['account']} was allotted {candidate['allotted']} atoms")
show("As written", verify_receipt(receipt))

receipt["matches"][0]["value"] = "2123000000"
show("With another value", verify_receipt(receipt))

receipt["digest"] = digest_of(receipt)
show("With another value and a digest that fits", verify_receipt(receipt))

mark = json.loads(line)
mark["mark"] = "1800000000000"
mark["digest"] = digest_of(mark)
show("With another mark and a digest that fits", verify_receipt(mark))
