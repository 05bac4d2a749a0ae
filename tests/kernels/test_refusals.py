"""What the kernel language lacks is refused, by file, function, line and construct."""

import re
from pathlib import Path

import pytest

from solvent.kernels.compiler import Program
from tests.kernels.modules import line_of, module_of, refusal_of

AROUND = """
NUMBER = 7
TEXT = "a"

class Pair(NamedTuple):
    first: int
    second: Wide

class Named(NamedTuple):
    text: str

Change = Callable[[int], int]
Any = TypeVar("Any")

class Coin(Row):
    worth: int
    metal: bool

class Purse(Row):
    owner: int
    best: Coin
    coins: Rows[Coin] = rows(Coin, 3)
    notes: Memory = numbers(2)

@dataclass(frozen=True)
class Paid:
    account: int
    amount: int

@dataclass(frozen=True)
class Lost:
    account: int

@dataclass
class Changing:
    account: int

class Store(Root):
    event_kinds = (Paid,)
    head: Coin
    purses: Rows[Purse]
    free: Memory

def plain(number: int) -> int:
    return number

@kernel
def doubled(number: int) -> int:
    return 2 * number

@kernel
def twice(change: Change, number: int) -> int:
    return change(change(number))

@kernel
def nothing(number: int) -> None:
    pass

@kernel
def pay(s: Store, command: Paid) -> int:
    return command.amount

@kernel
def lose(s: Store, command: Lost) -> int:
    return command.account

HANDLERS = Handlers((Paid, Lost)).on(Paid, pay)
CROSSED = Handlers((Paid, Lost)).on(Paid, lose)
UNMARKED = Handlers((Paid, Lost)).on(Paid, plain)

@kernel
def give(giver: Purse, coin: Coin) -> None:
    giver.owner = coin.worth

@kernel
def first_of(many: Any, ask: Change) -> int:
    return 1

@kernel
def refused(s: Store, row: Memory, a: int, b: int) -> int:
    w = wide(a)
    t = (a, b)
    p = Pair(a, b)
    flag = a < b
    purse = s.purses[a]
    coin = purse.best
"""

REFUSED = {
    "float": "return 1.5  #",
    "division": "return a / b  #",
    "division of constants": "return 7 / NUMBER  #",
    "power": "return a ** 2  #",
    "left shift": "return a << b  #",
    "matrix product": "return a @ b  #",
    "plus": "return +a  #",
    "bits of a Wide": "return narrow(w & 1)  #",
    "shift of a Wide": "return narrow(w >> 1)  #",
    "complement of a Wide": "return narrow(~w)  #",
    "text": "x = 'a'  #",
    "text made up": "x = f'{a}'  #",
    "bytes": "x = b'a'  #",
    "None": "x = None  #",
    "ellipsis": "...  #",
    "list": "x = [a]  #",
    "dict": "x = {a: b}  #",
    "set": "x = {a}  #",
    "comprehension": "x = [i for i in range(a)]  #",
    "generator": "x = sum(i for i in range(a))  #",
    "lambda": "x = lambda: a  #",
    "walrus": "return (x := a)  #",
    "await of a row": "return row[a:b]  #",
    "slice": "x = row[1:]  #",
    "element of a tuple": "return t[0]  #",
    "element of a number": "return a[0]  #",
    "identity": "return a is b  #",
    "membership": "return a in t  #",
    "comparison of rows": "return row == row  #",
    "comparison of tuples": "return t == t  #",
    "inner function": "def f() -> int:  #\n        return 1",
    "inner class": "class C:  #\n        pass",
    "import": "import math  #",
    "with": "with row:  #\n        pass",
    "try": "try:  #\n        pass\n    finally:\n        pass",
    "raise": "raise EngineFault('x')  #",
    "assert": "assert a  #",
    "del": "del a  #",
    "global": "global NUMBER  #",
    "match": "match a:  #\n        case 1:\n            pass",
    "while with else": "while a:  #\n        a -= 1\n    else:\n        b = 1",
    "for with else": "for i in range(a):  #\n        pass\n    else:\n        b = 1",
    "for over a row": "for i in row:  #\n        pass",
    "for over a tuple": "for i in t:  #\n        pass",
    "for with two variables": "for i, j in range(a):  #\n        pass",
    "for into a row": "for row[0] in range(a):  #\n        pass",
    "range of nothing": "for i in range():  #\n        pass",
    "range of four": "for i in range(1, 2, 3, 4):  #\n        pass",
    "range with a step that varies": "for i in range(0, a, b):  #\n        pass",
    "range with a step of zero": "for i in range(0, a, 0):  #\n        pass",
    "range of a Wide": "for i in range(w):  #\n        pass",
    "range with a keyword": "for i in range(stop=a):  #\n        pass",
    "a range of one's own": "range = a\n    for i in range(a):  #\n        pass",
    "assignment to a field": "p.first = a  #",
    "assignment to numbers of a store": "s.free = row  #",
    "assignment to a list": "[a, b] = t  #",
    "assignment with a star": "a, *c = t  #",
    "too few to unpack": "a, b, c = t  #",
    "unpacking of a number": "c, d = a  #",
    "change of a field": "p.first += a  #",
    "a Wide in an int": "a = w  #",
    "a Wide for an int": "return doubled(w)  #",
    "a Wide as a result": "return w  #",
    "a Wide into a row": "row[0] = w  #",
    "a Wide as an index": "return row[w]  #",
    "a Huge in a Wide": "w = huge(a)  #",
    "a Huge narrowed": "return narrow(huge(a))  #",
    "a number in a bool": "flag = a  #",
    "a row in a number": "a = row  #",
    "a sum of rows": "return row + row  #",
    "the sign of a row": "return -row  #",
    "the truth of a row": "if row:  #\n        pass",
    "the truth of a tuple": "if t:  #\n        pass",
    "or of a bool and a number": "c = flag or b  #",
    "or of a number and a wider one": "c = a or w  #",
    "or of rows": "c = row or row  #",
    "and of tuples": "c = t and t  #",
    "two rows swapped": "give(coin, purse)  #",
    "a row for numbers": "c = row_in(Coin, coin)  #",
    "numbers for a row": "give(row, coin)  #",
    "rows for a row": "give(s.purses, coin)  #",
    "a row for a number": "c = doubled(coin)  #",
    "a row of another class in a variable": "coin = purse  #",
    "a field that the row does not have": "return coin.owner  #",
    "a field that the row does not have, written": "coin.owner = 1  #",
    "a field that the row does not have, changed": "coin.owner += 1  #",
    "a column of another row": "return s.head.owner  #",
    "a field of rows": "return s.purses.owner  #",
    "an index of a row": "return coin[0]  #",
    "a row as a number": "a = coin  #",
    "a part of a row written": "purse.best = coin  #",
    "an array of a row written": "purse.notes = row  #",
    "one of some rows written": "s.purses[0] = purse  #",
    "a column written": "s.head = coin  #",
    "a number for a truth value of a row": "coin.metal = a  #",
    "a Wide into a field": "coin.worth = w  #",
    "the truth of a row with names": "if coin:  #\n        pass",
    "a row copied over another's": "copy_row(coin, purse)  #",
    "numbers copied as a row": "copy_row(row, row)  #",
    "numbers cleared as a row": "clear(row)  #",
    "rows of no class of rows": "c = allocate_rows(Pair, a)  #",
    "rows of a number": "c = allocate_rows(a, a)  #",
    "a row given back": "release(a)  #",
    "numbers of a number": "c = numbers_of(a)  #",
    "a message of a class that changes": "c = message(Changing, row)  #",
    "a message of no class": "c = message(a, row)  #",
    "a message written": "c = message(Paid, row)\n    c.account = 1  #",
    "a message cleared": "clear(message(Paid, row))  #",
    "numbers as a message": "put_message(row, row)  #",
    "an event with a field missing": "emit(s, Paid(account=a))  #",
    "an event with a field given twice": "emit(s, Paid(a, b, account=a))  #",
    "an event with one too many": "emit(s, Paid(a, b, a))  #",
    "an event with a field that it does not have": "emit(s, Paid(account=a, price=b))  #",
    "an event that the engine does not have": "emit(s, Lost(a))  #",
    "an event that is no call": "emit(s, a)  #",
    "an event of another thing than a store": "emit(row, Paid(a, b))  #",
    "an event with a Wide": "emit(s, Paid(a, w))  #",
    "events counted of a row": "return event_words(row)  #",
    "an event as a value": "c = Paid(a, b)  #",
    "a handler of another message": "return CROSSED.call(a, s, row)  #",
    "a handler that is no kernel": "return UNMARKED.call(a, s, row)  #",
    "handlers asked with too few": "return HANDLERS.call(a, s)  #",
    "handlers asked of a row": "return HANDLERS.call(a, row, row)  #",
    "handlers asked with a row": "return HANDLERS.call(a, s, coin)  #",
    "handlers as a value": "c = HANDLERS  #",
    "a number for rows of any class": "return first_of(a, doubled)  #",
    "a field's place": "return Coin.worth  #",
    "a condition of two kinds": "c = row if flag else a  #",
    "an unknown name": "return unknown  #",
    "a name outside that is no number": "return TEXT  #",
    "a kernel as a value": "c = doubled  #",
    "a function that is no kernel": "return plain(a)  #",
    "a function of Python": "return len(t)  #",
    "a type of Python": "return int(flag)  #",
    "print": "print(a)  #",
    "a method": "return row.tolist()  #",
    "a method of a number": "return a.bit_length()  #",
    "a field that there is not": "return p.third  #",
    "a column that there is not": "return s.unknown[0]  #",
    "the numbers of a row": "return row.numbers[0]  #",
    "events": "return s.events[0]  #",
    "a class that holds a text": "c = Named('a')  #",
    "a record with too few": "c = Pair(a)  #",
    "a record with too many": "c = Pair(a, b, a)  #",
    "a record with an unknown field": "c = Pair(a, second=b, third=a)  #",
    "a call with too few": "return doubled()  #",
    "a call with too many": "return doubled(a, b)  #",
    "a call with an unknown name": "return doubled(other=a)  #",
    "a call with one twice": "return doubled(a, number=b)  #",
    "a call with a star": "return doubled(*t)  #",
    "a call with two stars": "return doubled(**t)  #",
    "a word with a keyword": "w = wide(value=a)  #",
    "a word with too many": "w = wide(a, b)  #",
    "a word with none": "w = wide()  #",
    "an event without a kind": "emit(s)  #",
    "min of one": "return min(a)  #",
    "max of none": "return max()  #",
    "abs of two": "return abs(a, b)  #",
    "max with a default": "return max(a, b, default=1)  #",
    "at of nothing": "row = row.at()  #",
    "at of two": "row = row.at(1, 2)  #",
    "at with a keyword": "row = row.at(offset=1)  #",
    "at of a number": "row = a.at(1)  #",
    "a number for a kernel": "return twice(a, b)  #",
    "a function for a kernel": "return twice(plain, b)  #",
    "a result that there is not": "c = nothing(a)  #",
    "a result that there is not, returned": "return nothing(a)  #",
    "a result that there is not, in a tuple": "c = (nothing(a), 1)  #",
    "a result that there is not, chosen": "c = nothing(a) if flag else nothing(b)  #",
    "an expression without use": "a + b  #",
    "a return of nothing": "return  #",
    "a return of None": "return None  #",
    "a declaration without a value": "c: int  #",
    "a declaration of another type": "c: float = 1  #",
    "a declaration that is too narrow": "c: int = w  #",
    "a second declaration": "a: Wide = 1  #",
    "a declaration of a place": "row[0]: int = 1  #",
    "division of a constant by zero": "return 7 // 0  #",
    "a power that is none": "return 2 ** -1  #",
    "a shift that is none": "return 1 << -1  #",
    "a number beyond all": "return 2 ** 300  #",
    "read in a branch only assigned elsewhere": "if a:\n        c = 1\n    return c  #",
    "read after a loop that may not run": "for i in range(a):\n        pass\n    return i  #",
    "read after a while": "while a:\n        c = 1\n        a = 0\n    return c  #",
    "read after a break before it": (
        "while True:\n        if a:\n            break\n        c = 1\n"
        "        if b:\n            break\n    return c  #"
    ),
    "read before its loop's next round": (
        "for i in range(a):\n        if i:\n            b = c  #\n        c = i"
    ),
    "changed before it is assigned": "c += a  #",
    "a constant changed": "NUMBER += a  #",
    "a name of a constant read before": "c = NUMBER  #\n    NUMBER = 3",
    "an end without a result": "if a:  #\n        return 1",
    "behind a return": "return 1\n    x = 'a'  #",
    "behind a failure": "fail()\n    return 1.5  #",
}


def bare(text: str) -> str:
    """A text without what Python adds when it writes a construct anew."""
    return re.sub(r"[\s()]", "", text)


@pytest.mark.parametrize("case", REFUSED)
def test_a_construct_is_refused_by_line(case: str, tmp_path: Path) -> None:
    body = REFUSED[case]
    error = refusal_of(tmp_path, f"{AROUND}    {body}\n")
    line = line_of(tmp_path, "  #")
    assert (error.filename, error.lineno) == (str(tmp_path / "written.py"), line)
    assert str(error).startswith("written.refused: ")
    assert f"(written.py, line {line})" in str(error)
    assert error.text is not None
    assert error.text in str(error)
    assert bare(error.text.partition("\n")[0]) in bare(body)


@pytest.mark.parametrize("body", ["return a", "c = a\n    return c + NUMBER", "fail()"])
def test_what_is_around_it_is_not(body: str, tmp_path: Path) -> None:
    module = module_of(tmp_path, f"{AROUND}    {body}\n")
    program = Program((module.refused,), native_division=True)
    assert "entry.refused" in program.module.globals
