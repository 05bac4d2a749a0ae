"""Books of positions that cannot be used, and what is said of each after the file's name."""

BOOK = "account,asset,held,lent,owed\n"
BOOKS: dict[str, tuple[str | None, str]] = {
    "no file": (None, "file: does not exist; check the path"),
    "no account": (
        "asset,held\nSOL,1\n",
        "account: no such column; the header line has to name it",
    ),
    "no asset": ("account,held\na,1\n", "asset: no such column; the header line has to name it"),
    "no amounts": ("account,asset\na,SOL\n", "held, lent or owed: no such column"),
    "no header": ("a,SOL,1,,\nb,SOL,1,,\n", "account, asset, held, lent or owed: no such column"),
    "no rows": (BOOK, "file: has no rows; write at least one below the header line"),
    "empty": ("", "file: is empty; write a header line and rows"),
    "nobody": (f"{BOOK},SOL,1,,\n", "account: line 2: the cell is empty; write a name there"),
    "no such asset": (
        f"{BOOK}a,DOGE,1,,\n",
        "asset: line 2: 'DOGE' is no asset of the scenario: USDC",
    ),
    "a word": (f"{BOOK}a,SOL,x,,\n", "held: line 2: 'x' is no number of tokens; write digits"),
    "below zero": (
        f"{BOOK}a,SOL,-1,,\n",
        "held: line 2: -1 is out of range; write 0 to 1000000000",
    ),
    "too much": (f"{BOOK}a,SOL,1e99,,\n", "held: line 2: 1e99 is out of range; write 0 to"),
    "an asset twice": (f"{BOOK}a,SOL,1,,\na,SOL,2,,\n", "asset: line 3: a has SOL twice; add"),
    "both sides": (
        f"{BOOK}a,SOL,,1,1\n",
        (
            "asset: line 2: a lends and owes SOL: a claim and a debt of one asset cancel; "
            "give their difference"
        ),
    ),
    "nobody lent it": (
        f"{BOOK}a,SOL,,1,\nb,SOL,,,1.5\n",
        "owed: all accounts owe 1.5 SOL and lend 1; add who lent the rest",
    ),
    "a line too long": (
        f"{BOOK}a,SOL,1,,,9\n",
        "file: line 2: is no regular CSV (found more cells",
    ),
    "a column twice": ("account,asset,held,held\na,SOL,1,1\n", "held: names two columns; rename"),
}
